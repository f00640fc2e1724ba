"""py20305 with subscriptions: each change is notified once, either side may restart, and it polls again.

Its polls are slow here or suppressed, so what it reads it was told of.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.interop.lab_server import LabServer, lab_server
from tests.interop.peer import listening, peer, write_config
from tests.interop.processes import Program, eventually

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

POLL_RATES = {**dict.fromkeys(("dcap", "edev", "fsa", "der"), 600), "derp": 2}
SUBSCRIBED = {"/edev", "/edev/1/fsa", "/derp", "/derp/1/derc", "/derp/2/derc", "/derp/1/dderc"}
#: How long it is waited for a second Notification that must not come; --notify_gap_s is 1.
QUIET_S = 3


@contextmanager
def subscriber(
    server: LabServer, folder: Path, subscription: dict[str, Any] | None = None
) -> Iterator[Program]:
    """py20305 once it has subscribed to all that it wants. subscription: its configuration."""
    subscription = subscription or listening()
    with peer(write_config(folder, server.url, subscription=subscription), floor_s=1) as client:
        eventually("subscribed", lambda: set(sent(server)) >= SUBSCRIBED, timeout_s=60)
        yield client


def sent(server: LabServer) -> dict[str, int]:
    """How many Notifications each Subscription was sent, by what it is to; each resource once."""
    found = server.get("subscriptions")
    counts = {each["subscribedResource"]: each["sent"] for each in found}
    assert len(counts) == len(found)
    assert all(each["failed"] == 0 for each in found)
    return counts


def told(server: LabServer, method: str, path: str, body: Any = None) -> dict[str, int]:
    """What an operator's act has the server send: Notifications by resource, all that come."""
    before = sent(server)
    server.operate(method, path, body)

    def more() -> dict[str, int]:
        return {name: count - before.get(name, 0) for name, count in sent(server).items()}

    eventually("a Notification", lambda: any(more().values()), timeout_s=20)
    time.sleep(QUIET_S)
    return {name: count for name, count in more().items() if count}


def order(server: LabServer, start_in_s: int = 600) -> str:
    """Publish a control; its mRID."""
    control = {"modes": {"opModMaxLimW": 50}, "start_in_s": start_in_s, "duration_s": 300}
    published = server.operate("POST", "programs/2/controls", {**control, "response_required": 7})
    return str(published["mRID"])


@pytest.fixture
def server() -> Iterator[LabServer]:
    with lab_server("--notify_gap_s", "1") as running:
        running.operate("PUT", "poll-rates", POLL_RATES)
        yield running
        # When it stops, it deletes what the server has ended, too.
        assert {each[::2] for each in running.refused()} <= {("DELETE", 404)}
        assert running.program.stop() == 0


def test_each_change_is_notified_once_and_read(server: LabServer, tmp_path: Path) -> None:
    with subscriber(server, tmp_path) as client:
        control = {"modes": {"opModMaxLimW": 60}, "start_in_s": 600, "duration_s": 60, "response_required": 7}
        assert told(server, "POST", "programs/2/controls", control) == {"/derp/2/derc": 1}
        [mrid] = [each["mRID"] for each in server.controls()]
        eventually("received", lambda: server.statuses_of(mrid) == [1])
        assert told(server, "DELETE", f"controls/{mrid}?status=2") == {"/derp/2/derc": 1}
        eventually("cancelled", lambda: server.statuses_of(mrid) == [1, 6])

        limit = {"modes": {"opModMaxLimW": 40}}
        assert told(server, "PUT", "programs/1/default-control", limit) == {"/derp/1/dderc": 1}
        assert told(server, "PUT", "programs/2/default-control", limit) == {"/derp": 1}
        after = server.newest()
        assert told(server, "PUT", "programs/1", {"primacy": 1}) == {"/derp": 1}
        eventually("the list is read", lambda: server.asked("/derp", after))

        feeder = server.operate("POST", "groups", {"name": "feeder 7", "level": "feeder"})["id"]
        server.operate("POST", "programs", {"description": "f7", "primacy": 7, "groups": [feeder]})
        lfdi = server.get("end-devices")[0]["lfdi"]
        moved = told(server, "PUT", f"end-devices/{lfdi}/groups", {"group": feeder})
        assert moved == {"/edev/1/fsa": 1}
        eventually("subscribed there", lambda: f"/fsa/{feeder}/derp" in sent(server))
        assert client.stop(60) == 0
    assert sent(server) == {}


def test_subscriptions_survive_a_killed_server(tmp_path: Path) -> None:
    state = ("--state", str(tmp_path / "lab.db"), "--notify_gap_s", "1")
    with lab_server(*state) as first:
        first.operate("PUT", "poll-rates", POLL_RATES)
        with subscriber(first, tmp_path) as client:
            before = order(first)
            eventually("received", lambda: first.statuses_of(before) == [1])
            first.kill()
            with lab_server(*state, port=urlsplit(first.url).port or 0) as second:
                assert set(sent(second)) == SUBSCRIBED
                counts = sent(second)
                mrid = order(second, 1200)
                eventually("received", lambda: second.statuses_of(mrid) == [1])
                assert sent(second) == {**counts, "/derp/2/derc": counts["/derp/2/derc"] + 1}
                assert second.statuses_of(before) == [1]
                assert second.asked("/edev/1/sub") == 0
                assert client.stop(60) == 0
                assert second.program.stop() == 0


def test_a_killed_client_renews_what_it_had(server: LabServer, tmp_path: Path) -> None:
    where = listening()
    with subscriber(server, tmp_path, where) as client:
        had = {each["subscribedResource"]: each["href"] for each in server.get("subscriptions")}
        client.process.kill()
    after = server.newest()
    with subscriber(server, tmp_path, where) as client:
        eventually("subscribed again", lambda: server.asked("/edev/1/sub", after) >= len(had))
        assert {each["subscribedResource"]: each["href"] for each in server.get("subscriptions")} == had
        mrid = order(server)
        eventually("received", lambda: server.statuses_of(mrid) == [1])
        assert client.stop(60) == 0


def test_it_polls_again_where_the_last_subscription_of_a_poll_is_lost(
    server: LabServer, tmp_path: Path
) -> None:
    """One poll reads programs, controls and defaults: while one of these is subscribed, it does not come."""
    with subscriber(server, tmp_path) as client:
        ended = [
            each for each in server.get("subscriptions") if each["subscribedResource"].startswith("/derp")
        ]
        *all_but_one, last = ended
        for each in all_but_one:
            server.operate("DELETE", f"subscriptions/{each['id']}?status=1")
        left = SUBSCRIBED - {each["subscribedResource"] for each in all_but_one}
        eventually("told", lambda: set(sent(server)) == left)
        after = server.newest()
        time.sleep(QUIET_S * 2)
        assert server.asked("/derp/2/derc", after) == 0
        server.operate("DELETE", f"subscriptions/{last['id']}?status=1")
        eventually("polled", lambda: server.asked("/derp/2/derc", after) > 1)
        mrid = order(server)
        eventually("received", lambda: server.statuses_of(mrid) == [1])
        assert client.stop(60) == 0
