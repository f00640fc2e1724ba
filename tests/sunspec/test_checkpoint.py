"""Registers and timers go on over a restart."""

import json

from tests.sunspec.conftest import Bench, make_server

from dersim.plugin.builtin import make_device


def successor(bench):
    """A new DER and its map, restored from a checkpoint of another; as a bench of the same instant."""
    document = json.loads(json.dumps([bench.device.checkpoint(), bench.server.checkpoint()], allow_nan=False))
    later = Bench.__new__(Bench)
    later.clock = bench.clock
    later.device = make_device(clock=bench.clock)
    later.device.restore(document[0])
    later.services = bench.services.__class__()
    later.server, later.log = make_server(later.device, later.clock, services=later.services)
    later.server.restore(document[1])
    later.unit, later.service = later.server.unit, later.server.service
    return later


def registers(bench):
    """All registers but those of the time."""
    shown = {block.model_id: dict(block.model.values()) for block in bench.unit.blocks}
    return json.loads(json.dumps(shown, default=str))


def test_a_limit_by_register_reverts_at_its_time_after_a_restart():
    bench = Bench()
    bench.write(704, WMaxLimPctRvrtTms=60)
    bench.write(704, WMaxLimPctRvrt=80)
    bench.write(704, WMaxLimPctEnaRvrt=1)
    bench.write(704, WMaxLimPct=30)
    bench.write(704, WMaxLimPctEna=1)
    bench.wait(20)
    later = successor(bench)
    assert later.read(704, "WMaxLimPct") == 30
    assert later.read(704, "WMaxLimPctRvrtRem") == bench.read(704, "WMaxLimPctRvrtRem") == 40
    later.wait(30)
    assert later.device.setpoints.value("opModMaxLimW") == 30
    later.wait(20)
    assert later.device.setpoints.value("opModMaxLimW") == 80


def test_a_timer_that_ran_out_meanwhile_fires_at_once():
    bench = Bench()
    bench.write(704, WMaxLimPctRvrtTms=60)
    bench.write(704, WMaxLimPct=30)
    bench.write(704, WMaxLimPctEna=1)
    bench.wait(20)
    document = bench.server.checkpoint()
    bench.clock.time_s += 100
    later = successor(bench)
    assert document["timers"].count("inf") == len(document["timers"]) - 1
    later.wait(1)
    assert later.device.setpoints.value("opModMaxLimW") is None


def test_stored_sets_and_all_other_registers_read_the_same():
    bench = Bench()
    bench.write(705, **{"Crv[1].Pt[0].V": 91.0, "Crv[1].Pt[0].Var": 30.0})
    bench.write(705, AdptCrvReq=2)
    bench.write(705, RvrtTms=20)
    bench.write(1, DA=17)
    bench.wait(3)
    later = successor(bench)
    assert registers(later) == registers(bench)
    assert later.read(1, "DA") == 17


def test_a_map_that_nobody_used_costs_nothing():
    bench = Bench()
    server, _ = make_server(bench.device, bench.clock, services=bench.services.__class__())
    del bench
    assert server.checkpoint() == {}
    server.restore({})
    assert "unit" not in server.__dict__
