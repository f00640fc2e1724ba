"""Regulators and capacitor banks of a feeder file."""

import math

import numpy as np
import pytest
import yaml
from dersim_feeder.layout import layout_of
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der
from dersim_feeder.positions import set_positions

from dersim.plugin import FileError
from dersim.yaml_text import parse

LONG = """
name: long
head: {kv: 12.47, short_circuit_mva: 60, source_pu: 1.0}
conductors: {mv: {r: 0.5, x: 0.5}, lv: {r: 0.4, x: 0.1}}
regulators:
  - {at: a, to: b, kva: 3000, pu: 1.02}
lines:
  - {at: head, to: a, km: 6, conductor: mv}
  - {at: b, to: c, km: 4, conductor: mv}
transformers:
  - {at: c, to: low, kva: 500, volts: 480}
capacitors:
  - {at: c, kvar: 300, on_pu: 0.985, off_pu: 1.04}
  - {at: a, kvar: 100}
customers:
  - {at: low, count: 1, load: {kw: 200, power_factor: 0.95, profile: constant, spread: 0}}
loads:
  - {at: c, kw: 900, power_factor: 0.9, profile: constant, spread: 0}
"""


@pytest.fixture
def long(tmp_path):
    path = tmp_path / "long.yaml"
    path.write_text(LONG)
    return str(path)


def test_taps_and_banks_hold_the_voltage_after_their_delays(long):
    feeder = open_feeder(long, [Der(1, 3, 1e5)])
    set_positions(feeder._engine.circuit, {"taps": [0, 0, 0], "steps": [0, 1]}, "feeder")
    course = []
    for second in range(120):
        feeder.solve(1.7e9 + second, np.zeros(1), np.zeros(1), math.inf)
        b = feeder.buses["b"].rows[0]
        course.append((float(feeder.last.voltage_pu[b]), feeder.checkpoint()["controls"]))
    assert course[0][0] < 0.97
    assert course[25][1] == course[0][1]
    assert course[-1][1]["steps"] == [1, 1]
    assert all(0 < tap <= 16 for tap in course[-1][1]["taps"])
    assert course[-1][0] == pytest.approx(1.02, abs=1 / 120)
    assert [branch.kind for branch in feeder.topology.branches][:3] == ["line", "transformer", "line"]


@pytest.mark.parametrize(
    ("at", "change", "said"),
    [
        ("capacitors", {"on_pu": 1.05}, "/capacitors/0/off_pu: not above on_pu, 1.05"),
        ("capacitors", {"off_pu": None}, "/capacitors/0: on_pu and off_pu belong together"),
        ("capacitors", {"at": "low"}, "/capacitors/0/at: bus low is not at the end of a line"),
        ("regulators", {"at": "low"}, "/regulators/0/at: bus low has low voltage"),
        ("regulators", {"pu": 2}, "/regulators/0/pu: 2 is outside 0.9 to 1.1 pu"),
    ],
)
def test_a_mistake_is_told_with_its_place(at, change, said, tmp_path):
    value = yaml.safe_load(LONG)
    entry = value[at][0] | change
    value[at][0] = {key: each for key, each in entry.items() if each is not None}
    if change == {"at": "low"} and at == "regulators":
        value["transformers"][0]["at"] = "a"
    with pytest.raises(FileError) as caught:
        layout_of(parse(yaml.safe_dump(value), "f.yaml"), tmp_path)
    assert said in str(caught.value)
