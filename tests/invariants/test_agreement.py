"""I6: a place that tells something else is found."""

import pytest
from tests.invariants.rig import Rig, published

from dersim.invariants.agreement import Agreement
from dersim.modes import Curve
from dersim.plugin.services import OverviewService, SunspecService
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange
from dersim.web.api import overview


class Site:
    """Tells as the dashboard does; `change` is laid over the measurements."""

    def __init__(self):
        self.change = {}

    def measured(self, device):
        told = overview.measured(device)
        return {**told, "metrics": {**told["metrics"], **self.change}}


class Registers:
    def __init__(self, device):
        self.device = device
        self.change = {}

    def shown_points(self, model):
        state = self.device.state
        exact = {
            "W": state.p_w,
            "Var": state.q_var,
            "Hz": state.frequency_hz,
            "TotWhInj": sum(state.exported_wh),
            "TotWhAbs": sum(state.imported_wh),
        }
        return {"model": model, "points": {**exact, **self.change}}


@pytest.fixture
def rig():
    rig = Rig(Agreement())
    rig.site, rig.registers = Site(), Registers(rig.device)
    rig.services.offer(OverviewService, rig.site)
    rig.services.offer(SunspecService, rig.registers, 1)
    assert rig.tick(30) == []
    return rig


def test_rest_is_compared(rig):
    rig.site.change = {"power_kw": 1.0}
    assert [each.seen for each in rig.tick()] == ["1.0"]


@pytest.mark.parametrize(("point", "value"), [("W", -4000.0), ("Hz", 50.0), ("TotWhInj", 1e6)])
def test_registers_are_compared(rig, point, value):
    rig.registers.change = {point: value}
    found = rig.tick()
    assert [each.expected.split()[0] for each in found] == [f"701.{point}"]


def test_a_reading_is_compared_with_the_ticks_around_it(rig):
    watts = round(rig.device.state.p_w)
    rig.exchange("POST", "/mup", sent=published.readings(w=watts, var=0))
    assert rig.tick(5) == []
    rig.exchange("POST", "/mup", sent=published.readings(w=-watts))
    assert [each.seen for each in rig.tick(5)] == [f"{-watts} W in POST /mup"]


def test_the_meter_of_a_site_tells_something_else(rig):
    rig.exchange("POST", "/mup", sent=published.readings(role_flags=0x03, w=-12_345))
    assert rig.tick(5) == []


def test_an_old_reading_is_found(rig):
    watts = round(rig.device.state.p_w)
    rig.device.inputs.set(irradiance_w_m2=100.0)
    assert rig.tick(60) == []
    rig.exchange("POST", "/mup", sent=published.readings(w=watts))
    assert len(rig.tick(5)) == 1


def test_a_reading_may_wait_for_its_turn(rig):
    watts, taken = round(rig.device.state.p_w), int(rig.clock.now_s())
    rig.device.inputs.set(irradiance_w_m2=100.0)
    rig.tick(15)
    rig.exchange("POST", "/mup", sent=published.readings(w=watts, taken=taken))
    assert rig.tick(5) == []
    rig.tick(60)
    rig.exchange("POST", "/mup", sent=published.readings(w=watts, taken=taken))
    assert len(rig.tick(5)) == 1


def test_a_reading_of_the_middle_of_a_tick_is_right(rig):
    rig.device.inputs.set(irradiance_w_m2=100.0)
    rig.exchange("POST", "/mup", sent=published.readings(w=round(rig.device.state.p_w)))
    assert rig.tick(10) == []


CURVE = Curve(((92.0, 30.0), (98.0, 0.0), (102.0, 0.0), (106.0, -30.0)), 2)


def begin_both(rig):
    """A Volt-VAr curve and a limit below 5 % begin together: Q comes at once, and goes with P."""
    setpoints = rig.device.setpoints
    for mode, value in (("opModVoltVar", CURVE), ("opModMaxLimW", 3.0)):
        setpoints.submit(SetpointChange(SetpointSource.CSIP, mode, value))


@pytest.fixture
def slow_rig():
    rig = Rig(Agreement())
    rig.clock.tick_s = 10.0
    rig.device.inputs.set(voltage_pu=1.05, irradiance_w_m2=150.0)
    assert rig.tick(10) == []
    assert rig.device.state.q_var == 0
    return rig


def test_a_reading_between_a_change_and_the_next_tick_is_right(slow_rig):
    rig = slow_rig
    rig.clock.time_s += 2
    begin_both(rig)
    var = round(rig.device.state.q_var)
    assert var < -500
    rig.exchange("POST", "/mup", sent=published.readings(w=round(rig.device.state.p_w), var=var))
    rig.clock.time_s -= 2
    assert rig.tick(10) == []
    assert rig.device.state.q_var == 0
    rig.exchange("POST", "/mup", sent=published.readings(w=round(rig.device.state.p_w), var=var))
    assert [each.seen for each in rig.tick(10)] == [f"{var} var in POST /mup"]


def test_der_status_is_compared(rig):
    from dersim.csip import der_bodies
    from dersim.ieee2030_5 import Edition

    times = {"remote": True, "since": lambda *_: 0, "reading_time": 0}
    body = der_bodies.status(rig.device.nameplate, rig.device.state, **times, edition=Edition.E2018)
    rig.client.body = lambda name: body
    assert rig.tick() == []
    body.operationalModeStatus.value = 1
    assert [each.seen for each in rig.tick()] == ["1 in DERStatus"]


@pytest.fixture
def site_rig():
    rig = Rig(Agreement(), load_w=3000.0)
    rig.site = Site()
    rig.services.offer(OverviewService, rig.site)
    assert rig.tick(30) == []
    return rig


def test_a_reading_of_a_site_is_compared_with_what_the_site_imports(site_rig):
    site = site_rig.device.state.site
    watts, var = round(-site.p_w), round(-site.q_var)
    assert (watts, var) != (round(site_rig.device.state.p_w), 0)
    site_rig.exchange("POST", "/mup", sent=published.readings(role_flags=0x03, w=watts, var=var))
    site_rig.exchange("POST", "/mup", sent=published.readings(w=round(site_rig.device.state.p_w), var=0))
    assert site_rig.tick(5) == []
    site_rig.exchange("POST", "/mup", sent=published.readings(role_flags=0x03, w=-watts))
    assert [each.seen for each in site_rig.tick(5)] == [f"{-watts} W in POST /mup"]


def test_the_site_over_rest_is_compared(site_rig):
    measured = site_rig.site.measured

    def wrong(device):
        told = measured(device)
        return {**told, "site": {**told["site"], "power_kw": 9.0}}

    site_rig.site.measured = wrong
    assert [each.expected.split()[:2] for each in site_rig.tick()] == [["site", "power_kw"]]
