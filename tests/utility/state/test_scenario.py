"""A scenario and a state file: after a restart, and a crash, it goes on and publishes nothing twice."""

import pytest
from tests.utility.conftest import T

from dersim.utility.scenario.reader import parse_scenario

TEXT = """
programs: [{name: P, primacy: 7, default: {opModMaxLimW: 90}}]
controls:
  - {program: P, start_s: 60, duration_s: 300, every_s: 300, until_s: 3000, lead_s: 30,
     modes: {opModMaxLimW: 50}}
events:
  - {at_s: 40, default: {program: P, modes: {opModMaxLimW: 80}}}
"""


def begin(lab, text=TEXT, name="s.yaml"):
    lab.server._scenario = parse_scenario(text.encode(), name)
    lab.server.begin()
    return lab.head_end.player


async def pass_to(lab, second):
    while lab.now < T + second:
        lab.now += 10
        lab.head_end.advance()
        lab.server.state.collect()
    assert await lab.server.state.saved(writing=True)


def controls(lab):
    return {
        each.start_s - T: each.mrid for program in lab.head_end.programs for each in program.controls.values()
    }


@pytest.mark.parametrize("kill", [False, True])
async def test_a_scenario_goes_on_after_a_restart(runs, kill):
    async with runs.run(kill=kill, own_programs=False) as lab:
        begin(lab)
        await pass_to(lab, 100)
        before = controls(lab)
        assert list(before) == [60]
    async with runs.run(own_programs=False) as lab:
        player = begin(lab)
        (program,) = lab.head_end.programs
        assert (controls(lab), program.default.modes) == (before, {"opModMaxLimW": 80.0})
        lab.head_end.set_default(program, {"opModMaxLimW": 70.0})
        await pass_to(lab, 400)
        assert list(controls(lab)) == [360]
        assert (player.published, program.default.modes) == (2, {"opModMaxLimW": 70.0})
    async with runs.run(own_programs=False) as lab:  # without --scenario
        await pass_to(lab, 700)
        assert controls(lab) == {}
    async with runs.run(own_programs=False) as lab:
        player = begin(lab)
        await pass_to(lab, 1_000)
        assert list(controls(lab)) == [960]
        assert player.to_json()["elapsed_s"] == 1_000


@pytest.mark.parametrize(
    ("text", "name"), [(TEXT, "other.yaml"), (TEXT.split("controls:", maxsplit=1)[0], "s.yaml")]
)
async def test_another_scenario_is_not_begun_on_the_state_of_an_earlier_run(runs, text, name):
    async with runs.run(own_programs=False) as lab:
        begin(lab)
        await pass_to(lab, 100)
    async with runs.run(own_programs=False) as lab:
        assert begin(lab, text, name) is None
        assert any("give a new file to begin it" in line for line in lab.log.lines)
        assert len(lab.head_end.programs) == 1
