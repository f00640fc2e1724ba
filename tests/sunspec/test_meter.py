"""The site's meter in the register map: signs, scales, counters, and a foreign reader."""

import pytest
import trio
from tests.sunspec.conftest import START_S, serving, tool

from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad


def inputs(phases=3, load_w=3000.0, factor=0.8, start_s=START_S):
    site = SiteLoad(phases, factor)
    sun = Conditions(irradiance_w_m2=2000.0)
    return Inputs(sun._replace(**site.completed({"load_w": load_w})), site=site, start_s=start_s)


@pytest.mark.parametrize("phases", [1, 2, 3])
def test_the_model_is_that_of_the_ders_connection(make_bench, phases):
    bench = make_bench(device_type=f"PV-{phases}Phase", inputs=inputs(phases))
    ids = [block.model_id for block in bench.unit.blocks]
    assert [each for each in ids if 200 <= each < 300] == [200 + phases]
    assert ids == sorted(ids)
    assert bench.read(200 + phases, "W") == pytest.approx(3000 - bench.read(701, "W"), abs=1)


def test_without_a_load_there_is_none(make_bench):
    assert not {201, 202, 203} & {block.model_id for block in make_bench().unit.blocks}


def test_imports_are_positive_where_the_der_has_them_negative(make_bench):
    bench = make_bench(inputs=inputs(load_w=12_000.0))
    assert (bench.read(203, "W"), bench.read(203, "VAR")) == pytest.approx((2000, 9000))
    assert bench.read(203, "PF") == pytest.approx(100 * 2000 / 9219.5, abs=0.1)
    assert bench.read(203, "WphB") == pytest.approx(2000 / 3, abs=5)
    bench.device.inputs.set(load_w=4000)
    assert (bench.read(203, "W"), bench.read(203, "VAR")) == pytest.approx((-6000, 3000))
    assert bench.read(203, "PhVphA") == bench.read(103, "PhVphA")


def test_energy_is_counted_by_direction_and_quadrant(make_bench):
    bench = make_bench(inputs=inputs(load_w=12_000.0))
    bench.wait(3600, tick_s=60.0)
    bench.device.inputs.set(load_w=4000)
    bench.wait(3600, tick_s=60.0)
    assert bench.read(203, "TotWhImp") == pytest.approx(2000, abs=5)
    assert bench.read(203, "TotWhExp") == pytest.approx(6000, abs=5)
    assert bench.read(203, "TotVArhImpQ1") == pytest.approx(9000, abs=9)
    assert bench.read(203, "TotVArhImpQ2") == pytest.approx(3000, abs=5)
    assert bench.read(203, "TotWhExpPhC") == pytest.approx(2000, abs=5)


def test_the_scale_has_room_for_the_load_that_is_known(make_bench):
    bench = make_bench(inputs=inputs(load_w=900_000.0, factor=1.0))
    assert bench.read(203, "W") == pytest.approx(890_000, rel=1e-3)


async def test_a_foreign_reader_finds_the_meter():
    async with serving(inputs=inputs(load_w=36e6, start_s=0.0)) as running:
        await running.clock.sleep(0.05)
        client = tool(running.port)
        await trio.to_thread.run_sync(client.scan)
        [meter] = client.models[203]
        client.close()
        assert meter.W.cvalue == pytest.approx(36e6 - 10_000, rel=1e-3)
        assert meter.Hz.cvalue == pytest.approx(60)
        assert meter.TotWhImp.cvalue > 0
        assert meter.TotWhExp.cvalue is None  # an accumulator of 0 says nothing
        assert meter.TotVAhImp.cvalue is None
