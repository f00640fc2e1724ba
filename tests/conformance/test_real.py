"""Runs over sockets of a device that is not ours: the operator, waiting, restarts."""

import dataclasses
import os

import pytest
import trio

from dersim import http11
from dersim.conformance import campaign, real
from dersim.conformance.bench import Away, Operated
from dersim.conformance.kit import make_kit
from dersim.conformance.live.board import Board, State
from dersim.conformance.operator import Instruction, Nobody, ask_at_terminal, first_of
from dersim.conformance.procedure import Criterion, Finding, Procedure, Verdict
from dersim.conformance.real import Ports, RealRun
from dersim.errors import ConfigError


async def moved(stage):
    stage.move_inputs(voltage_pu=1.06)


SHORT = Procedure(
    "X-900",
    "short",
    lambda stage: None,
    (Criterion("it has run", lambda _: Finding(Verdict.PASS, "yes")),),
    0.0,
)
BY_HAND = dataclasses.replace(
    SHORT, by_hand=(Instruction("Set at the device: voltage 1.06 pu"),), stimuli=moved
)


class Connecting:
    """An operator who starts the device once asked for `word`, and says yes or no."""

    def __init__(self, ports, answer=True, word=""):
        self.ports, self.answer, self.word, self.asked = ports, answer, word, []

    async def carry_out(self, steps):
        self.asked += [each.text for each in steps]
        if not any(self.word in each.text for each in steps):
            return self.answer
        async with await trio.open_tcp_stream(self.ports.host, self.ports.port):
            pass
        return self.answer


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("real"))


@pytest.fixture
async def ports():
    listeners = await http11.bind("127.0.0.1", 0, flag="--port")
    yield Ports(listeners)
    for each in listeners:
        await each.aclose()


def run_of(kit, operator, **more):
    return RealRun(kit, kit.lfdi, scale=0.1, own=False, operator=operator, wait_s=0.02, **more)


@pytest.mark.parametrize(("agreed", "bench"), [(True, Operated), (False, Away)])
async def test_a_person_prepares_the_device_and_is_told_what_is_due(kit, ports, agreed, bench):
    told, benches = [], []
    procedure = dataclasses.replace(BY_HAND, set_up=lambda stage: benches.append(stage.bench))
    outcome = await real.run(
        procedure, ports, run_of(kit, Connecting(ports, agreed), called=told.append), Board(kit.lfdi)
    )
    assert isinstance(benches[0], bench)
    assert outcome.evidence.facts["inputs_moved"] is agreed
    assert told == (["now: voltage 1.06 pu"] if agreed else [])


async def test_a_device_that_does_not_come_is_restarted(kit, ports):
    operator, board = Connecting(ports, word="Restart"), Board(kit.lfdi)
    board.plan([SHORT])
    outcome = await real.run(SHORT, ports, run_of(kit, operator), board)
    assert operator.asked == [
        real.RESTART.text,
        f"Restart the device under test: it has not connected to 127.0.0.1:{ports.port}",
    ]
    assert outcome.conformance is Verdict.PASS
    assert outcome.evidence.least_settling_s == 2.5
    assert board.rows[0].state is State.RUNNING


async def test_without_an_operator_a_device_that_does_not_come_is_a_fail(kit, ports):
    outcome = await real.run(SHORT, ports, run_of(kit, Nobody()), Board(kit.lfdi))
    assert outcome.error == f"no client has connected to 127.0.0.1:{ports.port} within 0.02 s"
    assert outcome.conformance is Verdict.FAIL


async def test_a_campaign_without_any_device_is_one_line(kit):
    how = run_of(kit, Nobody())
    with pytest.raises(ConfigError, match="X-900: no client has connected"):
        _ = [each async for each in campaign.run_real([SHORT], how, "127.0.0.1", 0, lambda _: None)]


async def test_a_campaign_ends_where_the_device_stays_away(kit, monkeypatch):
    many = [dataclasses.replace(SHORT, id=f"X-90{number}") for number in range(5)]
    seen, said = [], []

    async def run(procedure, *_):
        seen.append(procedure.id)
        return campaign.Outcome(procedure, (), None, None if procedure.id == "X-900" else "nobody came")

    monkeypatch.setattr(real, "run", run)
    how = run_of(kit, Nobody())
    outcomes = [each async for each in campaign.run_real(many, how, "127.0.0.1", 0, said.append)]
    assert seen == ["X-900", "X-901", "X-902"]
    assert len(outcomes) == 3
    assert said[-1] == "the device under test is away: the other procedures are not run"


async def test_connections_that_waited_too_long_are_closed(ports):
    async with await trio.open_tcp_stream(ports.host, ports.port) as stream:
        ports.drop_waiting()
        assert await stream.receive_some(1) == b""


async def test_the_first_answer_counts():
    async def never(_):
        await trio.sleep_forever()

    async def yes(_):
        return True

    assert await first_of(never, yes)("Set the sun to full.")


async def test_a_question_that_was_answered_elsewhere_takes_no_line(monkeypatch):
    out, into = os.pipe()
    with os.fdopen(out) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with trio.move_on_after(0.01) as waited:
            await ask_at_terminal("Set the sun to full.")
        assert waited.cancelled_caught
        os.write(into, b"\n")
        assert await ask_at_terminal("Raise the voltage.")
    os.close(into)


def test_what_changes_while_it_runs_is_not_shortened_beyond_what_a_client_notices():
    changing = dataclasses.replace(SHORT, stimuli=moved)
    assert [each.scale(0.1) for each in (SHORT, BY_HAND, changing)] == [0.1, 0.1, 0.25]
    assert dataclasses.replace(changing, least_scale=0.5).scale(0.1) == 0.5
    assert changing.scale(1.0) == 1.0


async def test_a_command_restarts_the_device_before_each_procedure(kit, ports, tmp_path):
    operator = Connecting(ports, word="voltage")
    how = run_of(kit, operator, restart=f"echo again >> {tmp_path}/out")
    await real.run(BY_HAND, ports, how, Board(kit.lfdi))
    assert operator.asked == ["Set at the device: voltage 1.06 pu"]
    assert (tmp_path / "out").read_text() == "again\n"


async def test_a_command_that_fails_is_one_line(kit, ports):
    with pytest.raises(ConfigError, match="--restart: the command ended with 3; try it by itself: exit 3"):
        await real.run(SHORT, ports, run_of(kit, Nobody(), restart="exit 3"), Board(kit.lfdi))
