"""Feeder files: what they become, and what is refused with the line and the place."""

from pathlib import Path

import pytest
import yaml
from dersim_feeder.engine import Engine
from dersim_feeder.file_schema import text
from dersim_feeder.layout import layout_of
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der

from dersim.plugin import FileError
from dersim.yaml_text import parse

SMALL = """
name: small
head: {kv: 12.47, short_circuit_mva: 100}
conductors: {mv: {r: 0.3, x: 0.4}, lv: {r: 0.4, x: 0.1}}
lines:
  - {at: a, to: b, km: 1.0, conductor: mv, phases: B}
  - {at: head, to: a, km: 2.0, conductor: mv}
transformers:
  - {at: a, to: three, kva: 100, volts: 480}
  - {at: b, to: home, kva: 25, volts: 240, kind: split_phase, phase: B}
  - {at: a, to: one, kva: 50, volts: 230, kind: single_phase, phase: C}
secondaries:
  - {at: home, to: pole, m: 50, conductor: lv}
customers:
  - {at: three, count: 2, service: {m: 30, conductor: lv}, load: {kw: 2}}
  - {at: three, name: shop, count: 4, phases: rotate, service: {m: 30, conductor: lv}}
  - {at: pole, count: 2, name: house, service: {m: 20, conductor: lv}, load: {kw: 1.5, power_factor: 0.95}}
  - {at: one, count: 1, load: {kw: 3}, ders: false}
loads:
  - {at: a, kw: 100, power_factor: 0.9, profile: constant}
"""


def layout(source: str = SMALL, **changes: object):
    value = yaml.safe_load(source)
    for path, each in changes.items():
        *way, last = [int(part) if part.isdigit() else part for part in path.split("__")]
        at = value
        for part in way:
            at = at[part]
        at[last] = each
    return layout_of(parse(yaml.safe_dump(value, sort_keys=False), "f.yaml"), Path())


def engine_of() -> Engine:
    return Engine.of_commands(layout().commands, "f.yaml")


def test_every_bus_has_its_phases_and_its_voltage_base():
    buses = engine_of().buses()
    assert {name: (bus.nodes, round(bus.kv_ln, 3), bus.split) for name, bus in buses.items()} == {
        "head": ((1, 2, 3), 7.2, False),
        "a": ((1, 2, 3), 7.2, False),
        "b": ((2,), 7.2, False),
        "three": ((1, 2, 3), 0.277, False),
        "home": ((1, 2), 0.12, True),
        "pole": ((1, 2), 0.12, True),
        "one": ((3,), 0.23, False),
        "three-c-1": ((1, 2, 3), 0.277, False),
        "three-c-2": ((1, 2, 3), 0.277, False),
        "shop-1": ((1,), 0.277, False),
        "shop-2": ((2,), 0.277, False),
        "shop-3": ((3,), 0.277, False),
        "shop-4": ((1,), 0.277, False),
        "house-1": ((1, 2), 0.12, True),
        "house-2": ((1, 2), 0.12, True),
    }


def test_places_are_the_customers_that_may_have_ders():
    assert layout().places == [
        "three-c-1", "three-c-2", "shop-1", "shop-2", "shop-3", "shop-4", "house-1", "house-2"
    ]  # fmt: skip


def test_all_voltages_are_near_to_nominal():
    assert 0.93 < min(engine_of().voltages()) <= max(engine_of().voltages()) < 1.01


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"lines__0__at": "c"}, "/lines/0/at: no line or transformer leads to bus c; known are"),
        ({"lines__1__to": "head"}, "/lines/1/to: bus head is fed already; "),
        ({"lines__0__conductor": "lw"}, "/lines/0/conductor: conductor lw is not known; "),
        ({"lines__0__km": -1}, "/lines/0/km: -1 is outside 0.001 to 200 km"),
        ({"transformers__1__phase": "A"}, "/transformers/1/phase: A: the bus that feeds it has B only"),
        ({"transformers__0__at": "b"}, "/transformers/0/at: bus b does not have three phases"),
        ({"secondaries__0__at": "a"}, "/secondaries/0/at: bus a has medium voltage; write"),
        ({"lines__0__at": "three"}, "/lines/0/at: bus three has low voltage; write"),
        ({"customers__0__at": "a"}, "/customers/0/at: bus a has medium voltage; customers"),
        ({"customers__2__load__profile": "x"}, "/customers/2/load/profile: profile x is not known"),
        ({"customers__1__name": "three-c"}, "/customers/1: bus three-c-1 is there already"),
        ({"loads__0__at": "x"}, "/loads/0/at: no line or transformer leads to bus x"),
        ({"loads__0__profile": "x"}, "/loads/0/profile: profile x is not known"),
        ({"profiles": {"constant": "c.csv"}}, "/profiles/constant: constant is built in"),
        ({"head__kw": 3}, "/head/kw: kw is not known; "),
        ({"name": "a", "customers": []}, "/customers: 0 items, 1 to 5000 are needed"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_one_line_with_its_place(changes, said):
    with pytest.raises(FileError) as caught:
        layout(**changes)
    told = str(caught.value)
    assert told.startswith("f.yaml:")
    assert said in told
    assert "\n" not in told


def test_a_mistake_does_not_list_a_thousand_buses():
    with pytest.raises(FileError) as caught:
        layout(loads__0__at="zzzzzzzz")
    assert "and 7 more" in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("hour\n1\n", "line 1: column load is missing; name hour and load"),
        ("hour,load\n5,1\n5,1\n", "line 3: hour 5 is not after the row before; hours rise"),
        ("hour,load\n25,1\n", "line 2: hour 25 is outside 0 to 24 h"),
        ("hour,load\n", "no rows; give hour and load"),
    ],
)
def test_a_mistake_in_a_profile_names_its_line(tmp_path, rows, said):
    (tmp_path / "p.csv").write_text(rows)
    value = yaml.safe_load(SMALL) | {"profiles": {"own": "p.csv"}}
    (tmp_path / "f.yaml").write_text(yaml.safe_dump(value))
    with pytest.raises(Exception, match=r"p\.csv") as caught:
        open_feeder(str(tmp_path / "f.yaml"), [Der(1, 3, 1e4)])
    assert said in str(caught.value)


def test_the_committed_schema_is_that_of_the_reader():
    path = Path(__file__).parents[1] / "feeder.schema.json"
    assert path.read_text() == text(), f"run: python -m dersim_feeder.file_schema {path}"
