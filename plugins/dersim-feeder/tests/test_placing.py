"""Where DERs are connected: spread by their ratings, or by a map file."""

from collections import Counter

import pytest
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der

from dersim.plugin import ConfigError

MIXED = """
name: mixed
head: {kv: 12.47, short_circuit_mva: 100}
conductors: {lv: {r: 0.4, x: 0.1}}
transformers:
  - {at: head, to: small, kva: 50, volts: 480}
  - {at: head, to: large, kva: 500, volts: 480}
  - {at: head, to: home, kva: 25, volts: 240, kind: split_phase}
customers:
  - {at: small, count: 4, service: {m: 30, conductor: lv}}
  - {at: large, count: 4, service: {m: 30, conductor: lv}}
  - {at: home, count: 3, name: house, service: {m: 20, conductor: lv}}
"""


@pytest.fixture
def mixed(tmp_path):
    path = tmp_path / "mixed.yaml"
    path.write_text(MIXED)
    return str(path)


def at(feeder):
    return {number: each.bus for number, each in feeder.connections.items()}


def test_thirty_ders_take_the_thirty_places():
    feeder = open_feeder("bundled-30", [Der(number, 3, 1e4) for number in range(1, 31)])
    assert set(Counter(at(feeder).values()).values()) == {1}
    assert list(feeder.connections) == list(range(1, 31))


def test_few_ders_are_spread_over_the_feeder_and_the_same_way_in_every_run():
    ders = [Der(number, 3, 1e4) for number in range(1, 11)]
    feeder = open_feeder("bundled-1000", ders)
    laterals = Counter(bus.split("-")[0] for bus in at(feeder).values())
    assert len(laterals) == 5
    assert at(feeder) == at(open_feeder("bundled-1000", ders))


def test_the_larger_one_is_at_the_larger_transformer(mixed):
    feeder = open_feeder(mixed, [Der(1, 3, 5e3), Der(2, 3, 2e5)])
    assert at(feeder)[2].startswith("large")


def test_each_is_where_its_phases_are(mixed):
    feeder = open_feeder(mixed, [Der(1, 2, 5e3), Der(2, 3, 5e3), Der(3, 1, 5e3), Der(4, 2, 5e3)])
    assert feeder.connections[1].bus.startswith("house")
    assert feeder.connections[4].bus != feeder.connections[1].bus
    assert feeder.connections[2].nodes == (1, 2, 3)
    assert len(feeder.connections[3].nodes) == 1


def test_ders_of_one_phase_at_one_bus_take_the_phases_in_turn(mixed, tmp_path):
    (tmp_path / "map.csv").write_text("der,bus,phases\n1,large-c-1,B\n2,house-1,\n3,large-c-1,1\n")
    ders = [Der(1, 1, 5e3), Der(2, 1, 5e3), Der(3, 1, 5e3)]
    feeder = open_feeder(mixed, ders, map_path=tmp_path / "map.csv")
    assert [feeder.connections[number].nodes for number in (1, 2, 3)] == [(2,), (1, 2), (1,)]


def test_a_der_that_fits_nowhere_is_told():
    with pytest.raises(
        ConfigError, match=r"bundled-30: DER 1 has split phase .*, and no place of this feeder"
    ):
        open_feeder("bundled-30", [Der(1, 2, 1e4)])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("der,bus\n1,larg-c-1\n2,large-c-1\n", "line 2: bus 'larg-c-1' is not in the feeder; did you"),
        ("der,bus\n1,house-1\n2,large-c-1\n", "line 2: DER 1 has three phases, bus house-1 has"),
        ("der,bus,phases\n1,large-c-1,AB\n2,large-c-1,\n", "line 2: phases AB: DER 1 has three phases, bus"),
        ("der,bus,phases\n1,house-1,ABC\n2,large-c-1,\n", "line 2: phases ABC: bus house-1 has"),
        ("der,bus,phases\n1,large-c-1,XY\n2,large-c-1,\n", "line 2: phases 'XY' are none; write A"),
        ("der,bus\n1,large-c-1\n", "DER 2 has no line; give each of the 2 DERs one"),
        ("der,bus\n1,large-c-1\n1,large-c-2\n", "line 3: DER 1 is placed twice"),
        ("der,bus\n1.5,large-c-1\n", "line 2: der 1.5 is not a whole number"),
        ("der,place\n1,large-c-1\n", "line 1: column 'place' is not known"),
        ("der,phases\n1,A\n", "line 1: column bus is missing; name der and bus"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_map_names_its_line(mixed, tmp_path, text, said):
    (tmp_path / "map.csv").write_text(text)
    with pytest.raises(ConfigError) as caught:
        open_feeder(mixed, [Der(1, 3, 1e4), Der(2, 3, 1e4)], map_path=tmp_path / "map.csv")
    assert said in str(caught.value)


def test_lines_of_other_ders_are_left_out(mixed, tmp_path):
    (tmp_path / "map.csv").write_text("der,bus\n1,large-c-1\n99,large-c-1\n")
    assert at(open_feeder(mixed, [Der(1, 3, 1e4)], map_path=tmp_path / "map.csv")) == {1: "large-c-1"}
