"""Each kind of planted fault x discovery, steady polling, an event running: the client recovers in its time.

Expected of each, as docs/faults.md promises: the status names the reason while the fault lasts, the event
that runs goes on to its end, the client is connected again within `recovers_s`, a control published after the
fault is carried out on time, and no Response is accepted twice. Every day each fault comes in one of the
three phases, in turn; `tox -e slow` tries all three, and all flaws, lies and places.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import trio
from tests.csip.faulty_world import FAULT_S, PHASES, FaultyWorld, Phase

from dersim import pki
from dersim.utility.faults.alerts import ALERTS
from dersim.utility.faults.forms import FORMS, ListLie, XmlFlaw

#: The next attempt of a walk comes 10 s +-1 after the last, that of a poll which failed after 30 s.
RETRY_S, POLL_S = 12.0, 32.0
#: The same after a request that was under way and is given up after 10 s of silence, or 30 s in all.
SILENT_S, SLOW_S = 22.0, 42.0
BEFORE_S = 25.0
DOCS = Path(__file__).parents[2] / "docs" / "faults.md"
HARMLESS = ""
SLOW = (pytest.mark.slow,)


class Case(NamedTuple):
    """notice: what the status says, HARMLESS: nothing. responses: to the event that runs."""

    fault: dict[str, Any]
    notice: str
    recovers_s: float = RETRY_S
    responses: tuple[int, ...] = (1, 2, 3)
    phases: tuple[Phase, ...] = PHASES
    event: bool = True


def case(kind: str, notice: str, **members: Any) -> Case:
    options = {name: members.pop(name) for name in Case._fields[2:] if name in members}
    return Case({"kind": kind, **members}, notice, **options)


#: Accepted whatever they are: read by rule, or repaired.
READ = {"unknown_elements", "wrong_order", "bom", "utf16", "duplicate_elements", "wrong_content_type"}
FLAWS = {
    "truncated": "not well-formed",
    "wrong_namespace": "urn:example:another",
    "no_namespace": "in no namespace",
    "missing_required": "is missing",
    "bad_number": "'many'",
    "huge_number": "999...",
    "html": "is HTML",
    "wrong_encoding": "not well-formed",
    "doctype": "DOCTYPE",
    "empty_body": "without a body",
    "json": "not well-formed",
    "wrong_root": "was expected",
    "nul_bytes": "not well-formed",
    "too_deep": "Excessive depth",
}
DERC = "/derp/*/derc"

CASES = {
    "500": case("status", "500", status=500, recovers_s=POLL_S),
    "503 with Retry-After": case("status", "503", status=503, retry_after_s=15, recovers_s=27),
    "503 until a date": case(
        "status", "503", status=503, retry_after_s=15, retry_after="date", recovers_s=27
    ),
    "503 half of the time": case("status", "503", status=503, probability=0.5, seed=3, recovers_s=POLL_S),
    "403": case("status", "403", status=403, recovers_s=POLL_S, responses=(1, 2)),
    "404": case("gone", "404"),
    "410 of the controls": case("gone", HARMLESS, status=410, path=DERC),
    "silence": case("hang", "silent for 10 s", recovers_s=SILENT_S),
    "silence in the body": case("hang", "silent for 10 s", at="body", recovers_s=SILENT_S),
    "2 s late": case("delay", HARMLESS, seconds=2),
    "15 s late": case("delay", "silent for 10 s", seconds=15, recovers_s=SILENT_S),
    "1 byte a second": case(
        "slow_body", "not done within 30 s", bytes_per_s=1, recovers_s=SLOW_S, duration_s=50
    ),
    "reset before": case("reset", "without a response", at="request"),
    "reset in the body": case("reset", "in mid-response"),
    "end in the headers": case("reset", "in mid-response", at="headers", how="close"),
    "Content-Length too long": case("content_length", "silent for 10 s", recovers_s=SILENT_S),
    "Content-Length too short": case("content_length", "not well-formed", by=-20, recovers_s=POLL_S),
    "redirect": case("redirect", HARMLESS),
    "20 redirects": case("redirect", "more than 5 redirects", hops=20, recovers_s=POLL_S),
    "redirect loop": case("redirect_loop", "redirected in a loop", recovers_s=POLL_S),
    "moved": case("moved", HARMLESS, path="/derp*"),
    "all too high": case("list", HARMLESS, lie="all_too_high"),
    "repeats": case("list", HARMLESS, lie="repeats"),
    "endless": case("list", HARMLESS, lie="endless", path=DERC),
    "empty": case("list", HARMLESS, lie="empty", responses=(1, 2, 6), event=False),
    **{
        f"XML {flaw}": case("xml", FLAWS.get(flaw, HARMLESS), flaw=flaw, recovers_s=POLL_S)
        for flaw in XmlFlaw.__args__
    },
    "an hour off": case("time", HARMLESS, phases=("discovery",)),
    "frozen": case("time", HARMLESS, how="frozen", phases=("discovery", "steady")),
    "one mRID twice": case("mrid", HARMLESS),
    "re-used mRID": case("mrid", HARMLESS, how="reused"),
    "no handshake": case("no_handshake", "handshake within 10 s", recovers_s=SILENT_S),
    "TLS alert": case("tls_alert", "TLS alert handshake_failure"),
    "other CA": case("certificate", "certificate is refused"),
    "expired": case("certificate", "expired", which="expired"),
}
#: What only `tox -e slow` tries: near relatives of the others.
LATER = {
    *(f"XML {flaw}" for flaw in {*FLAWS, *READ} - {"truncated", "bad_number", "utf16", "html"}),
    *("503 until a date", "503 half of the time", "403", "silence in the body", "15 s late", "20 redirects"),
    *("end in the headers", "all too high", "endless", "re-used mRID", "expired"),
}
IN_SUITE = {name: each for name, each in CASES.items() if name not in LATER}
#: `empty` and `omits` say that the control is gone.
LIES = [lie for lie in ListLie.__args__ if lie not in ("empty", "omits")]
WHOLE = {
    **{name: CASES[name] for name in sorted(LATER)},
    **{f"list {lie}": case("list", HARMLESS, lie=lie) for lie in LIES},
    **{f"alert {name}": case("tls_alert", "alert", alert=name) for name in ALERTS},
    **{f"reset in {at}": case("reset", "closed", at=at) for at in ("answer", "status")},
    "all moved": case("moved", HARMLESS, path="*"),
    "omits": case("list", HARMLESS, lie="omits", responses=(1, 2, 6), event=False),
    "503 for a minute and more": case(
        "status", "503", status=503, retry_after_s=90, recovers_s=90 + RETRY_S
    ),
    "another host": case("redirect", "redirected in a loop", to="http://other.test/x", recovers_s=POLL_S),
}  # fmt: skip


def of(cases: dict[str, Case]) -> list[Any]:
    """Each in all of its phases."""
    return [pytest.param(each, p, id=f"{name}-{p}") for name, each in cases.items() for p in each.phases]


def in_turn(cases: dict[str, Case]) -> list[Any]:
    """The same; what is not `slow` is each in one phase, and all phases alike."""
    return [
        pytest.param(
            each, p, id=f"{name}-{p}", marks=() if p == each.phases[number % len(each.phases)] else SLOW
        )
        for number, (name, each) in enumerate(cases.items())
        for p in each.phases
    ]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pki.create(tmp_path_factory.mktemp("pki"), 1)


def living() -> int:
    """How many tasks there are: what a fault has begun ends with it."""
    return int(trio.lowlevel.current_statistics().tasks_living)


def needs_tls(item: Case) -> bool:
    return item.fault["kind"] in ("tls_alert", "certificate", "no_handshake")


async def try_case(nursery: trio.Nursery, item: Case, phase: Phase, certificates: Path) -> None:
    world = FaultyWorld(nursery, certificates if needs_tls(item) else None)
    first, tasks = "", 0
    if phase == "discovery":
        fault = world.plant(item.fault)
        await world.begin()
    else:
        if phase == "event":
            first = world.publish(40, 5, int(BEFORE_S + FAULT_S / 2))
        await world.begin()
        await trio.sleep(BEFORE_S)
        assert world.client.state == "connected"
        tasks = living()
        fault = world.plant(item.fault)
    began_s = world.now_s()
    await trio.sleep(item.fault.get("duration_s", FAULT_S))
    over_s = world.now_s()
    second = world.publish(60, item.recovers_s + 12, 8)
    await trio.sleep(item.recovers_s + 26)

    assert fault.over
    assert fault.acted or item.fault["kind"] in ("moved", "time")
    notices = [each for each in world.between(began_s, over_s) if each.error]
    if item.notice == HARMLESS:
        assert not notices
    else:
        assert any(item.notice in (each.error or "") and each.state != "connected" for each in notices)
    assert not [each for each in world.between(over_s + item.recovers_s, 1e9) if each.state != "connected"]
    assert world.client.snapshot()["last_error"] is None
    if first:
        check_event(world, item, first, over_s)
    assert world.responses(second) == [1, 2, 3]
    assert {each.limit for each in world.seen if each.at_s > over_s} >= {60}
    assert not world.fences.counts
    assert not world.watcher.total, world.watcher.summary()
    # A connection to another server that we were sent to is kept.
    assert not tasks or living() <= tasks + ("to" in item.fault)


def check_event(world: FaultyWorld, item: Case, first: str, over_s: float) -> None:
    """It goes on to its end, in the middle of the fault, and is answered once for each status."""
    if item.event:
        limits = {each.limit for each in world.between(BEFORE_S, 4 + BEFORE_S + FAULT_S / 2)}
        assert limits == {40}
    after = {each.limit for each in world.between(7 + BEFORE_S + FAULT_S / 2, over_s)}
    assert 40 not in after
    assert tuple(world.responses(first)) == item.responses


@pytest.mark.parametrize(("item", "phase"), in_turn(IN_SUITE))
async def test_the_client_recovers_in_its_time(nursery, autojump_clock, certificates, item, phase):
    await try_case(nursery, item, phase, certificates)


@pytest.mark.slow
@pytest.mark.parametrize(("item", "phase"), of(WHOLE))
async def test_the_client_recovers_from_every_variant(nursery, autojump_clock, certificates, item, phase):
    await try_case(nursery, item, phase, certificates)


@pytest.mark.parametrize(
    ("offset_s", "how"),
    [
        pytest.param(offset_s, how, marks=() if (number + (how == "jumping")) % 2 else SLOW)
        for number, offset_s in enumerate((-90, -86_400, 60, 3600, 380_000_000))
        for how in ("offset", "jumping")
    ],
)
async def test_a_running_control_is_judged_by_a_clock_that_jumps_and_answered_once(
    nursery, autojump_clock, how, offset_s
):
    world = FaultyWorld(nursery)
    mrid = world.publish(40, 5, 120)
    await world.begin()
    await trio.sleep(BEFORE_S)
    world.plant({"kind": "time", "how": how, "offset_s": offset_s})
    world.client.rediscover()  # samples the Time
    await trio.sleep(FAULT_S)
    world.client.rediscover()
    await trio.sleep(140)
    # By the server's clock it has not begun yet, or is over; one that is over is not begun again.
    at_s = 20 + BEFORE_S + FAULT_S
    (later,) = world.between(at_s, at_s + 1)
    assert later.limit == (40 if offset_s < 100 else 100)
    assert world.seen[-1].limit == 100
    assert world.responses(mrid) == [1, 2, 3]
    assert not world.fences.counts
    assert not world.watcher.total, world.watcher.summary()


def test_every_kind_is_tried_and_documented():
    assert {each.fault["kind"] for each in IN_SUITE.values()} == set(FORMS)
    table = DOCS.read_text(encoding="utf-8").partition("## What our client does")[2]
    named = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line))
    )
    assert set(FORMS) <= named
