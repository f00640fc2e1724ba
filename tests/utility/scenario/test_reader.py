"""Scenario files of the companion server: what is read, and each mistake in one line with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dersim import pki
from dersim.cli import main
from dersim.errors import ConfigError
from dersim.ieee2030_5 import Edition
from dersim.utility.groups import LEVELS
from dersim.utility.scenario.forms import Level
from dersim.utility.scenario.plan import DevicePlan, EventPlan, GroupPlan, ProgramPlan, Series
from dersim.utility.scenario.reader import parse_scenario, read_scenario
from dersim.yaml_text import FileError

LFDI = "381431F974955A7649CB34B19F705069DFE0DA8C"
WHOLE = f"""
description: all of it
personality: 2018
registration: known
pin: 111115
poll_rates: {{derp: 60}}
groups:
  - {{name: F1, level: feeder, patterns: ["38*"], time: {{offset_s: 30, quality: 5}}}}
  - {{name: S1, level: segment, parent: F1, devices: ["{LFDI.lower()}"]}}
devices:
  - {{lfdi: "{LFDI}", pin: 222220, enabled: false, group: S1}}
  - {{certificate: cert.pem}}
programs:
  - {{name: P, primacy: 7, groups: [S1, all DERs], default: {{opModMaxLimW: 90}}}}
controls:
  - {{program: P, name: once, start_s: 60, duration_s: 30, modes: {{opModFixedW: 5}}, randomize_start_s: 9}}
  - {{program: P, start_s: 0, duration_s: 300, every_s: 600, until_s: 3601, lead_s: 5,
     modes: {{opModFixedW: 5}}}}
  - {{program: P, start_s: 0, duration_s: 300, steps: [{{opModFixedW: 5}}, {{opModFixedW: 6}}]}}
  - {{program: P, start_s: 0, duration_s: 300, profile: day.csv}}
events:
  - {{at_s: 90, cancel: {{control: once, how: superseded}}}}
  - {{at_s: 30, default: {{program: P, modes: null}}}}
faults:
  - {{kind: gone, path: /edev/*}}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "cert.pem").write_bytes((pki.bundled_dir() / "cert.pem").read_bytes())
    (tmp_path / "day.csv").write_text("opModMaxLimW,opModFixedW\n100,50\n90,40\n80,30\n")
    return tmp_path / "s.yaml"


def test_a_scenario_is_read_with_all_its_parts(file: Path) -> None:
    file.write_text(WHOLE)
    found = read_scenario(file)
    assert (found.name, found.description, found.pin) == ("s.yaml", "all of it", 111115)
    assert (found.personality, found.registration, found.poll_rates) == (Edition.E2018, "known", {"derp": 60})
    assert found.groups[0] == GroupPlan("F1", "feeder", None, [], ["38*"], (30, 0, 5))
    assert found.groups[1] == GroupPlan("S1", "segment", "F1", [LFDI], (), None)
    assert found.devices[0] == DevicePlan(LFDI, 222220, False, "S1")
    assert found.devices[1] == DevicePlan(LFDI)
    assert found.programs == [ProgramPlan("P", 7, ["S1", "all DERs"], {"opModMaxLimW": 90.0})]
    once, repeated, steps, profile = found.series
    order = {"randomize_start_s": 9, "description": "once"}
    assert once == Series("P", 60, 30, [{"opModFixedW": 5.0}], 30, 1, 60, order)
    assert (repeated.every_s, repeated.total, repeated.lead_s) == (600, 7, 5)
    assert (steps.total, steps.every_s) == (2, 300)
    assert profile.steps[1] == {"opModMaxLimW": 90.0, "opModFixedW": 40.0}
    assert [event.at_s for event in found.events] == [30, 90]
    assert found.events[0] == EventPlan(30, "default", {"program": "P", "modes": None})
    assert found.faults[0].data == {"kind": "gone", "path": "/edev/*"}


P = "programs: [{name: P, primacy: 1}]\n"
C = P + "controls:\n- {program: P, start_s: 1, duration_s: 9"
E = P + "events:\n- {at_s: 1"
BAD = [
    ("programs: []", "1: /programs: 0 items, 1 to 500 are needed"),
    ("programs:\n- {name: P, primacy: 300}", "2: /programs/0/primacy: 300 is outside 0 to 255"),
    ("programs:\n- {name: P, primacy: 1, defualt: {}}", "2: /programs/0/defualt: defualt is not known; did"),
    ("programs:\n- {name: P, primacy: 1, default: {opModMaxLim: 5}}", "2: /programs/0/default/opModMaxLim:"),
    ("programs:\n- {name: P, primacy: 1, default: {opModMaxLimW: 200}}", "2: /programs/0/default/opModMaxLi"),
    ("programs:\n- {name: P, primacy: 1}\n- {name: P, primacy: 2}", "3: /programs/1/name: 'P' is the name o"),
    ("programs:\n- {name: P, primacy: 1, groups: [X]}", "2: /programs/0/groups/0: there is no group 'X' abo"),
    (P + "pin: 111116", "2: /pin: "),
    (P + "personality: 2020", "2: /personality: 2020 is not one of 2018, 2023"),
    (P + "groups:\n- {name: a, level: feder}", "3: /groups/0/level: 'feder' is not one of"),
    (P + "groups:\n- {name: a, level: feeder, parent: b}", "3: /groups/0/parent: there is no group 'b' abov"),
    (P + "groups:\n- {name: a, level: feeder, devices: [xy]}", "3: /groups/0/devices/0: "),
    (P + "devices:\n- {pin: 111115}", "3: /devices/0: either lfdi or certificate is needed"),
    (P + "devices:\n- {certificate: no.pem}", "3: /devices/0/certificate: {}/no.pem is not a file; paths ar"),
    (P + "devices:\n- {lfdi: 12345}", "3: /devices/0/lfdi: 12345 is not a text in quotes"),
    (C + "}", "3: /controls/0: exactly one of modes, steps and profile is needed"),
    (C + ", modes: {opModFixedW: 1}, steps: [{opModFixedW: 1}]}", "3: /controls/0: exactly one of modes, st"),
    (C + ", modes: {}}", "3: /controls/0/modes: at least one of"),
    (C + ", modes: {setGradW: 1}}", "3: /controls/0: modes: setGradW are for default controls only"),
    (C + ", modes: {opModFixedW: 1}, every_s: 60}", "3: /controls/0/every_s: until_s is missing: when the s"),
    (C + ", modes: {opModFixedW: 1}, every_s: 1, until_s: 600000}", "3: /controls/0: 599999 controls so far"),
    (C + ", profile: bad.csv}", "3: /controls/0/profile: {}/bad.csv line 2: opModFixedW: a number is needed"),
    (C + ", profile: empty.csv}", "3: /controls/0/profile: {}/empty.csv has no rows"),
    (C.replace("program: P", "program: Q") + ", modes: {opModFixedW: 1}}", "3: /controls/0/program: there i"),
    (E + "}", "3: /events/0: exactly one of default, program, cancel, register, remove, move, poll_rates is"),
    (E + f", remove: '{LFDI}', poll_rates: {{derp: 5}}}}", "3: /events/0: exactly one of default, program"),
    (E + ", cancel: {control: c}}", "3: /events/0/cancel/control: there is no control 'c' above; none has a"),
    (E + ", default: {program: P, modes: {opModX: 1}}}", "3: /events/0/default/modes/opModX: opModX is not"),
    (E + f", move: {{lfdi: '{LFDI}', group: G}}}}", "3: /events/0/move/group: there is no group 'G' above;"),
    (P + "faults:\n- {kind: staus}", "3: /faults/0/kind: 'staus' is no kind of fault; did you mean status?"),
    (P + "faults:\n- {kind: status}", "3: /faults/0: status is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD)
def test_a_mistake_is_one_line_with_file_line_path_and_what_is_allowed(
    file: Path, text: str, words: str
) -> None:
    (file.parent / "bad.csv").write_text("opModFixedW\nx\n")
    (file.parent / "empty.csv").write_text("opModFixedW\n")
    file.write_text(text)
    with pytest.raises(FileError) as caught:
        read_scenario(file)
    assert str(caught.value).startswith(f"{file}:{words.format(file.parent)}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["devices:\n- {certificate: cert.pem}", C[len(P) :] + ", profile: day.csv}"])
def test_an_upload_names_no_files(key: str) -> None:
    with pytest.raises(FileError, match="an upload names no files; start the server with --scenario FILE"):
        parse_scenario((P + key).encode(), "upload")


def test_the_levels_of_the_schema_are_those_of_groups() -> None:
    assert {"system", *Level.__origin__.__args__} == set(LEVELS)


@pytest.mark.parametrize(
    ("text", "flags", "words"),
    [
        ("programs: []", [], "s.yaml:1: /programs: 0 items, 1 to 500 are needed"),
        (P, ["--cycle", "yes"], "--cycle yes and --scenario: the scenario says what is published; leave one"),
    ],
)  # fmt: skip
def test_a_scenario_that_cannot_be_played_is_exit_code_2_and_one_line(
    file: Path, capsys: pytest.CaptureFixture[str], text: str, flags: list[str], words: str
) -> None:
    file.write_text(text)
    assert main.main(["server", "--port", "0", "--admin_port", "0", "--scenario", str(file), *flags]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    assert err.startswith(f"dersim: {words.replace('s.yaml', str(file))}")


STREET = """
groups: [{name: street, level: service_point, ders: [2, 4]}]
programs: [{name: P, primacy: 7, groups: [street]}]
"""


def test_ders_of_a_group_are_found_by_their_numbers(file: Path) -> None:
    file.write_text(STREET)
    found = read_scenario(file, lambda number: f"{number:040d}")
    assert found.groups[0].devices == [f"{2:040d}", f"{4:040d}"]


def test_numbers_of_ders_mean_nothing_to_a_server_alone(file: Path) -> None:
    file.write_text(STREET)
    with pytest.raises(FileError, match=r"yaml:2: /groups/0/ders/0: DERs have numbers in dersim sim --demo"):
        read_scenario(file)


def test_a_number_without_a_der_is_told_with_its_place(file: Path) -> None:
    def nobody(number: int) -> str:
        raise ConfigError(f"there is no DER {number} in this run")

    file.write_text(STREET)
    with pytest.raises(FileError, match=r"/groups/0/ders/0: there is no DER 2 in this run"):
        read_scenario(file, nobody)
