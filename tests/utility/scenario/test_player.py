"""A scenario is carried out on a head-end when it is due, and taken back when another begins."""

from __future__ import annotations

import io
import json

import pytest

from dersim.ieee2030_5 import Edition
from dersim.logbuffer import LogBuffer
from dersim.utility import grouping
from dersim.utility.config import UtilityConfig
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import ACTIVE, CANCELLED_AT_RANDOM
from dersim.utility.scenario.player import play
from dersim.utility.scenario.reader import parse_scenario

T = 1_800_000_000.0
LFDI = "381431F974955A7649CB34B19F705069DFE0DA8C"


class Run:
    """A head-end on a clock that the test moves."""

    def __init__(self) -> None:
        self.now_s = T
        self.log = LogBuffer(stream=io.StringIO())
        self.head_end = HeadEnd(UtilityConfig(own_programs=False), lambda: self.now_s, self.log)

    def play(self, text: str):
        return play(self.head_end, parse_scenario(text.encode(), "s.yaml"))

    def at(self, second: float) -> None:
        self.now_s = T + second
        self.head_end.advance()

    def program(self, name: str):
        return next(each for each in self.head_end.programs if each.description == name)

    def starts(self, name: str = "P") -> list[float]:
        return sorted(control.start_s - T for control in self.program(name).controls.values())

    def warnings(self) -> list[str]:
        return [entry.message for entry in self.log.entries() if entry.level == "Warning"]


@pytest.fixture
def run() -> Run:
    return Run()


SERIES = """
programs: [{name: P, primacy: 7, default: {opModMaxLimW: 90}}]
controls:
  - {program: P, start_s: 100, duration_s: 50, every_s: 100, until_s: 500, lead_s: 30, steps: [{opModFixedW: 5}, {opModFixedW: 6}]}
"""  # noqa: E501 - a file


def test_controls_of_a_series_are_published_one_by_one(run: Run) -> None:
    player = run.play(SERIES)
    assert (run.starts(), run.program("P").default.modes) == ([], {"opModMaxLimW": 90.0})
    run.at(69)
    assert run.starts() == []
    run.at(70)
    assert run.starts() == [100]
    run.at(170)
    assert run.starts() == [200]
    run.at(270)
    assert run.starts() == [300]
    assert next(iter(run.program("P").controls.values())).modes == {"opModFixedW": 5.0}
    for second in range(280, 600):
        run.at(second)
    shown = player.to_json()
    assert (shown["next_in_s"], shown["published"], shown["to_publish"]) == (None, 4, 4)


def test_after_a_long_pause_controls_that_are_over_are_left_out(run: Run) -> None:
    player = run.play(SERIES)
    run.at(320)
    assert (run.starts(), player.published) == ([300], 1)
    (control,) = run.program("P").controls.values()
    assert (control.status, control.modes) == (ACTIVE, {"opModFixedW": 5.0})
    run.at(372)
    assert 400 in run.starts()


def test_events_are_carried_out_at_their_moment(run: Run) -> None:
    run.play(f"""
groups:
  - {{name: F, level: feeder}}
  - {{name: N, level: non_topology}}
programs: [{{name: P, primacy: 7, default: {{opModMaxLimW: 90}}}}, {{name: Q, primacy: 8, groups: [F]}}]
controls:
  - {{program: P, name: c, start_s: 5, duration_s: 600, modes: {{opModFixedW: 5}}}}
events:
  - {{at_s: 10, default: {{program: P, modes: null}}}}
  - {{at_s: 20, default: {{program: Q, modes: {{opModMaxLimW: 80}}}}}}
  - {{at_s: 30, program: {{name: Q, primacy: 2, groups: [N]}}}}
  - {{at_s: 40, cancel: {{control: c, how: cancelled_with_randomization}}}}
  - {{at_s: 50, register: {{lfdi: "{LFDI}", pin: 111115, group: F}}}}
  - {{at_s: 60, move: {{lfdi: "{LFDI}", group: N}}}}
  - {{at_s: 70, move: {{lfdi: "{LFDI}", group: null}}}}
  - {{at_s: 80, remove: "{LFDI}"}}
  - {{at_s: 90, poll_rates: {{derp: 5}}}}
  - {{at_s: 95, cancel: {{control: c}}}}
  - {{at_s: 96, remove: "{LFDI}"}}
""")
    head_end, p, q = run.head_end, run.program("P"), run.program("Q")
    run.at(10)
    assert p.default is None
    run.at(20)
    assert q.default.modes == {"opModMaxLimW": 80.0}
    run.at(30)
    assert (q.primacy, [group.name for group in q.groups]) == (2, ["N"])
    run.at(40)
    assert next(iter(p.controls.values())).status == CANCELLED_AT_RANDOM
    of = head_end.groups.of
    run.at(50)
    assert {group.name for group in of(LFDI)} == {"all DERs", "F"}
    run.at(60)
    assert {group.name for group in of(LFDI)} == {"all DERs", "F", "N"}
    run.at(70)
    assert {group.name for group in of(LFDI)} == {"all DERs", "N"}
    run.at(80)
    assert head_end.end_devices.find(LFDI) is None
    run.at(100)
    assert head_end.rates.derp == 5
    assert run.warnings() == [
        "scenario s.yaml: control 'c' is not there any more, or not yet; it is not cancelled",
        f"scenario s.yaml: there is no device {LFDI} to remove",
    ]


def test_many_events_at_one_moment_are_carried_out_in_their_order(run: Run) -> None:
    events = "\n".join(f"  - {{at_s: 9, program: {{name: P, primacy: {k % 200}}}}}" for k in range(601))
    run.play(f"programs: [{{name: P, primacy: 7}}]\nevents:\n{events}\n")
    run.at(10)
    assert run.program("P").primacy == 0


def test_another_scenario_takes_back_what_the_first_one_made(run: Run) -> None:
    first = run.play(f"""
groups: [{{name: F, level: feeder}}, {{name: S, level: segment, parent: F}}]
devices: [{{lfdi: "{LFDI}", enabled: false, group: S}}]
programs: [{{name: P, primacy: 7, groups: [S]}}]
faults: [{{kind: gone, path: /edev/*}}]
""")
    assert [fault.over for fault in run.head_end.faults] == [""]
    assert not run.head_end.end_devices.find(LFDI).enabled
    second = run.play("programs: [{name: P, primacy: 9}]")
    assert run.head_end.player is second
    assert first is not second
    assert [program.primacy for program in run.head_end.programs] == [9]
    assert [group.name for group in run.head_end.groups] == ["all DERs"]
    assert [fault.over for fault in run.head_end.faults] == ["it was removed"]
    assert run.head_end.end_devices.find(LFDI) is not None


def test_a_group_of_the_operator_below_one_of_the_scenario_is_left_with_a_warning(run: Run) -> None:
    run.play("groups: [{name: F, level: feeder}]\nprograms: [{name: P, primacy: 7}]")
    grouping.create(run.head_end, "mine", "segment", run.head_end.groups.find("F"))
    run.play("programs: [{name: P, primacy: 9}]")
    assert run.warnings() == ["scenario s.yaml: group 'F' has groups below it: remove mine first"]


def test_a_server_that_begins_with_a_scenario_has_its_configuration() -> None:
    text = "programs: [{name: P, primacy: 1}]\npersonality: 2018\nregistration: known\npin: 222220"
    config = UtilityConfig(cycle=True)
    parse_scenario(text.encode(), "s.yaml").configure(config)
    assert (config.own_programs, config.cycle, config.personality) == (False, False, Edition.E2018)
    assert (config.registration, config.pin) == ("known", 222220)


RESUMED = f"""
personality: 2018
groups: [{{name: F, level: feeder}}]
devices: [{{lfdi: "{LFDI}", group: F}}]
programs: [{{name: P, primacy: 7, groups: [F], default: {{opModMaxLimW: 90}}}}]
controls:
  - {{program: P, name: c, start_s: 100, duration_s: 50, every_s: 100, until_s: 500, lead_s: 30, modes: {{opModFixedW: 5}}}}
events:
  - {{at_s: 10, default: {{program: P, modes: {{opModMaxLimW: 80}}}}}}
  - {{at_s: 220, cancel: {{control: c}}}}
faults:
  - {{kind: gone, path: /edev/*, duration_s: 50}}
  - {{kind: gone, path: /mup, start_in_s: 100, duration_s: 200}}
"""  # noqa: E501 - a file


def test_after_a_restart_it_goes_on_and_nothing_is_done_twice(run: Run) -> None:
    scenario = parse_scenario(RESUMED.encode(), "s.yaml")
    first = play(run.head_end, scenario)
    for second_s in (12, 75, 180):
        run.at(second_s)
    progress = json.loads(json.dumps(first.progress))
    controls = list(run.program("P").controls)
    for fault in run.head_end.faults:
        run.head_end.faults.remove(fault)
    run.head_end.player = None
    run.head_end.set_default(run.program("P"), {"opModMaxLimW": 70.0})  # of the operator
    run.at(190)
    second = play(run.head_end, scenario, progress)
    assert (len(run.head_end.programs), len(run.head_end.groups)) == (1, 2)
    assert list(run.program("P").controls) == controls
    assert run.program("P").default.modes == {"opModMaxLimW": 70.0}
    assert [fault.plan.data for fault in run.head_end.faults if not fault.over] == [
        {"kind": "gone", "path": "/mup", "start_in_s": 0, "duration_s": 110}
    ]
    run.at(220)
    assert [control.live for control in run.program("P").controls.values() if control.start_s == T + 200] == [
        False
    ]
    for second_s in range(230, 600):
        run.at(second_s)
    assert (second.published, second.to_json()["began"]) == (4, first.to_json()["began"])
    assert run.warnings() == [line for line in run.warnings() if line.startswith("planted fault")]
    second.stop()
    assert (len(run.head_end.programs), len(run.head_end.groups)) == (0, 1)


def test_what_the_operator_has_removed_is_a_warning(run: Run) -> None:
    run.play(SERIES + "events: [{at_s: 5, default: {program: P, modes: null}}]")
    run.head_end.remove_program(run.program("P"))
    run.at(75)
    assert run.warnings() == ["scenario s.yaml: program 'P' is not there any more"] * 2
