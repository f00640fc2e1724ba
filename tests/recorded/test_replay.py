"""A run is recorded and replayed: the same, or the difference in words."""

import json
import random
import re

import pytest
import trio

from dersim.cli.main import main
from dersim.csip.responses import Outbox
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange
from dersim.testing import WorldPlan, open_world, run_virtual


def record(path, act=None, lasts_s=90, **plan):
    """Record a world without TLS; act(world) is called 30 s after its start."""

    async def live():
        flags = ("--record", str(path), *plan.pop("flags", ()))
        async with open_world(WorldPlan(encrypted=False, flags=flags, **plan)) as world:
            await world.sleep(30)
            if act is not None:
                act(world)
            await world.sleep(lasts_s - 30)

    run_virtual(live)
    return path


@pytest.fixture(scope="module")
def late(tmp_path_factory):
    """The record of a computer that is busy now and then: all that is due meanwhile comes up to 2 s late."""
    draws = random.Random(1)

    def stall(_simulator):
        if draws.random() < 0.2:
            trio.lowlevel.current_clock().jump(draws.uniform(0, 2))

    def act(world):
        world.on_step(stall)
        for k in range(5):
            world.utility.publish({"opModMaxLimW": 40 + k}, start_in_s=15 + 30 * k, duration_s=20)

    return record(tmp_path_factory.mktemp("late") / "run.jsonl", act, lasts_s=180, poll_s=10)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A DER that follows a control, gets a command over REST and sees another voltage."""

    def act(world):
        world.utility.publish({"opModMaxLimW": 40}, start_in_s=15, duration_s=20)
        device = world.device()
        device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 70.0))
        device.inputs.set(voltage_pu=1.02, irradiance_w_m2=900.0)
        device.settings.update({"setMaxW": 9000.0}, world.now_s())

    return record(tmp_path_factory.mktemp("recorded") / "run.jsonl", act)


def changed(path, tmp_path, change):
    """A copy with `change(lines)` done to its lines."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    change(lines)
    copy = tmp_path / "changed.jsonl"
    copy.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return copy


def replay(*words):
    return main(["replay-conversation", *map(str, words)])


def test_the_same_run_sends_the_same(recorded, capsys):
    assert replay(recorded) == 0
    assert re.search(r"^same: \d+ requests of 1 DER in 90 s", capsys.readouterr().out, re.MULTILINE)


def test_the_record_of_a_replay_replayed_is_the_same_file(recorded, tmp_path):
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert replay(recorded, "--record", first) == 0
    assert replay(first, "--exact", "--record", second) == 0
    assert first.read_bytes() == second.read_bytes()


def test_what_was_done_to_the_der_is_in_the_record_and_is_done_again(recorded, tmp_path, capsys):
    text = recorded.read_text()
    assert all(f'"{kind}":' in text for kind in ("setpoints", "inputs", "settings"))
    without = changed(recorded, tmp_path, lambda lines: lines.remove(_first(lines, "settings")))
    assert replay(without) == 3
    assert "/derg: recorded, but not sent" in capsys.readouterr().out


def _first(lines, member):
    return next(line for line in lines if member in line)


def test_a_changed_value_is_told_by_element_and_time(recorded, tmp_path, capsys):
    def change(lines):
        [status] = [line for line in lines if "<DERStatus " in line.get("text", "")][:1]
        status["text"] = re.sub(r"(<operationalModeStatus>.*?<value>)\d+", r"\g<1>7", status["text"])

    assert replay(changed(recorded, tmp_path, change)) == 3
    told = capsys.readouterr().out
    assert re.search(r"Z \(\+\d+\.\d+ s\) DER 1: PUT http://[^ ]*/ders: not as recorded", told)
    assert "DERStatus/operationalModeStatus/value: recorded 7, sent 2" in told


def test_an_element_may_be_left_out_of_the_comparison(recorded, tmp_path):
    def change(lines):
        [status] = [line for line in lines if "<DERStatus " in line.get("text", "")][:1]
        status["text"] = re.sub(r"(<operationalModeStatus>.*?<value>)\d+", r"\g<1>7", status["text"])

    assert replay(changed(recorded, tmp_path, change), "--ignore", "operationalModeStatus") == 0


def test_another_user_agent_is_no_difference(recorded, tmp_path):
    def change(lines):
        for line in lines:
            if "method" in line:
                line["headers"] = [
                    [name, "dersim/0.1" if name == "User-Agent" else value] for name, value in line["headers"]
                ]

    assert replay(changed(recorded, tmp_path, change)) == 0


def test_requests_that_are_missing_and_new_ones_are_told(recorded, tmp_path, capsys):
    def change(lines):
        polls = [line for line in lines if line.get("method") == "GET" and "/derc" in line["url"]]
        lines.remove(polls[1])
        lines.insert(-1, {**polls[-1], "at": 70.5, "until": 70.6, "url": polls[-1]["url"] + "/9"})

    assert replay(changed(recorded, tmp_path, change)) == 3
    told = capsys.readouterr().out
    assert "sent, but not recorded; the next one is at" in told
    assert "/9: recorded, but not sent" in told


def test_failures_of_the_network_are_repeated_with_their_words(tmp_path, capsys):
    path = tmp_path / "run.jsonl"

    async def live():
        flags = ("--record", str(path))
        async with open_world(WorldPlan(encrypted=False, flags=flags)) as world:
            await world.sleep(20)
            await world.utility.stop()
            await world.sleep(30)
            await world.utility.restart()
            await world.sleep(40)

    run_virtual(live)
    failures = [json.loads(line)["failure"] for line in path.read_text().splitlines() if '"failure"' in line]
    assert failures[0]["phase"] == "connect"
    assert replay(path, "--log_level", "warning") == 0
    assert failures[0]["message"] in capsys.readouterr().err


def test_several_ders_are_in_one_record(tmp_path, capsys):
    path = record(tmp_path / "run.jsonl", ders=2, lasts_s=30)
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert replay(path, "--record", first) == 0
    assert replay(first, "--exact", "--record", second) == 0
    assert first.read_bytes() == second.read_bytes()
    assert "of 2 DERs" in capsys.readouterr().out
    numbers = {json.loads(line)["der"] for line in first.read_text().splitlines() if '"method"' in line}
    assert numbers == {1, 2}


def test_an_answer_that_is_asked_for_too_late_is_a_difference_and_comes_at_once(recorded, tmp_path, capsys):
    def change(lines):
        [end] = [line for line in lines if "end" in line]
        polls = [line for line in lines if line.get("method") == "GET" and line["url"].endswith("/tm")]
        polls[-1].update(at=polls[-1]["at"] - 3, until=polls[-1]["until"] - 3)
        assert end["end"] > polls[-1]["at"]

    assert replay(changed(recorded, tmp_path, change)) == 3
    assert "recorded 3.000 s earlier" in capsys.readouterr().out


def test_a_run_that_was_late_now_and_then_is_the_same_within_what_it_was_late(late, capsys):
    assert replay(late, "--within", "4") == 0, capsys.readouterr().out


def test_the_record_of_the_replay_of_a_late_run_is_exact(late, tmp_path):
    first, second = tmp_path / "1.jsonl", tmp_path / "2.jsonl"
    assert replay(late, "--within", "4", "--record", first) == 0
    assert replay(first, "--exact", "--record", second) == 0
    assert first.read_bytes() == second.read_bytes()


def test_a_client_that_leaves_out_a_response_is_found_in_a_late_run_too(late, monkeypatch, capsys):
    put = Outbox.put

    def leave_out(self, response):
        if response.status != 3:
            put(self, response)

    monkeypatch.setattr(Outbox, "put", leave_out)
    assert replay(late, "--within", "4") == 3
    assert "rsp: recorded, but not sent" in capsys.readouterr().out


def test_a_client_that_polls_twice_as_often_is_found_in_a_late_run_too(late, monkeypatch, capsys):
    monkeypatch.setattr("dersim.csip.programs.poll_rate_s", lambda _resource: 5.0)
    assert replay(late, "--within", "4") == 3
    assert re.search(r"GET http://[^ ]*/derp\?s=0&l=255: sent, but not recorded", capsys.readouterr().out)


def test_a_client_that_tells_another_value_is_found_in_a_late_run_too(late, tmp_path, capsys):
    def change(lines):
        [status] = [line for line in lines if "<DERStatus " in line.get("text", "")][:1]
        status["text"] = re.sub(r"(<operationalModeStatus>.*?<value>)\d+", r"\g<1>7", status["text"])

    assert replay(changed(late, tmp_path, change), "--within", "4") == 3
    assert "operationalModeStatus/value: recorded 7, sent 2" in capsys.readouterr().out


def test_a_time_that_was_not_recorded_goes_on_since_the_last_one(recorded, tmp_path, capsys):
    """A Time of minutes ago would set the client's clock back, and all that follows would differ."""

    def change(lines):
        times = [line for line in lines if line.get("url", "").endswith("/tm")]
        for line in times[2:4]:
            lines.remove(line)

    assert replay(changed(recorded, tmp_path, change), "--within", "2") == 3
    *told, summary = capsys.readouterr().out.splitlines()
    assert summary.startswith("2 differences in")
    assert all("/tm: sent, but not recorded" in line for line in told)
