"""The street of the examples, with its map, and split-phase DERs that raise both legs."""

from pathlib import Path

import pytest
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der

EXAMPLES = Path(__file__).parents[1] / "examples"
STREET = str(EXAMPLES / "street.yaml")


async def test_homes_with_the_sun_on_their_roofs(loop):
    run = loop(STREET, ["PV-2Phase"] * 14 + ["PV-1Phase"])
    run.weather(irradiance_w_m2=1000.0)
    await run.run(5)
    assert len({each.bus for each in run.feeder.connections.values()}) == 15
    assert max(run.voltages()) > 1.05
    a, b, _ = run.fleet.devices[0].inputs.constants.voltage_pu
    assert a == pytest.approx(b, abs=1e-3)
    assert run.feeder.last.loading_pct.max() > 150  # seven DERs of 10 kW on 25 kVA


def test_the_map_of_the_examples():
    ders = [Der(1, 2, 1e4), Der(2, 1, 1e4), Der(3, 1, 1e4)]
    feeder = open_feeder(STREET, ders, map_path=EXAMPLES / "map.csv")
    assert {number: (each.bus, each.nodes) for number, each in feeder.connections.items()} == {
        1: ("pole2b-c-3", (1, 2)),
        2: ("pole1-c-1", (1, 2)),
        3: ("corner", (3,)),
    }


def test_the_shop_follows_its_own_profile():
    feeder = open_feeder(STREET, [Der(1, 2, 1e4)])
    loads = feeder._loads
    at = loads.elements.index("shop-1")
    (night, _), (noon, noon_kvar) = loads.at(3.0), loads.at(12.0)
    assert noon[at] == pytest.approx(6.0)
    assert noon_kvar[at] / noon[at] == pytest.approx(0.62, abs=0.01)
    assert night[at] < 1.1
