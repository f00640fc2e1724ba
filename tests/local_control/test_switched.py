"""One enable beside those of other local protocols: what acts, what waits, what an "off" withdraws."""

import pytest

from dersim.device import ManualClock
from dersim.local_control.curve_defaults import never, ride_through, volt_var
from dersim.local_control.refused import Refused
from dersim.local_control.reversion import Timers
from dersim.local_control.submitting import check, submit, update_settings
from dersim.local_control.switched import Switched
from dersim.local_control.view import View
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

TELEX = SetpointSource("telex", "Telex")
MAX, LVRT = "opModMaxLimW", "opModLVRTMustTrip"


@pytest.fixture
def clock():
    return ManualClock(1000.0)


@pytest.fixture
def view(clock):
    device = make_device(clock=clock)
    device.step(clock.time_s)
    return View(device, lambda: clock.time_s)


@pytest.fixture
def limit(view):
    return Switched(view, (MAX,), "AO 88")


def ask(view, source, value, detail="", mode=MAX):
    [outcome] = view.setpoints.submit(SetpointChange(source, mode, value, detail))
    assert outcome.verdict is Verdict.ACCEPTED


def test_an_off_withdraws_the_mode_for_every_local_source_and_no_other(view, limit):
    ask(view, SetpointSource.CSIP_DEFAULT, 90.0)
    ask(view, SetpointSource.MODBUS, 70.0, "704.WMaxLimPct")
    submit(view, limit.on(TELEX, {MAX: 60.0}))
    assert limit.acts
    assert limit.is_on
    assert view.setpoints.value(MAX) == 60.0
    submit(view, limit.off(TELEX))
    assert view.setpoints.value(MAX) == 90.0
    assert not limit.own


def test_an_off_of_modbus_withdraws_what_a_plugin_s_source_asked_for(view, limit):
    submit(view, limit.on(TELEX, {MAX: 60.0}))
    modbus = Switched(view, (MAX,), "704.WMaxLimPct")
    assert modbus.acts
    assert not modbus.is_on
    submit(view, modbus.off(SetpointSource.MODBUS))
    assert not limit.acts


def test_below_an_event_it_waits_and_shows_the_event(view, limit):
    submit(view, limit.on(TELEX, {MAX: 60.0}))
    ask(view, SetpointSource.CSIP, 40.0, "C1")
    assert [item.value for item in limit.held] == [40.0]
    assert limit.is_below_event
    assert limit.waits
    ask(view, SetpointSource.CSIP, None)
    assert not limit.is_below_event
    assert view.setpoints.value(MAX) == 60.0


def test_a_reversion_ends_only_what_was_asked_for_here(view, limit, clock):
    submit(view, limit.on(TELEX, {MAX: 60.0}, clock.time_s + 10))
    timers = Timers(lambda: clock.time_s)
    timers.add(lambda: submit(view, limit.released())).start(10)
    ask(view, SetpointSource.REST, 50.0)
    assert limit.is_taken
    clock.time_s += 10
    timers.run_due()
    view.device.step(clock.time_s)
    assert view.setpoints.value(MAX) == 50.0
    assert not limit.own


def test_a_mode_that_always_acts_is_switched_off_by_a_curve_that_is_never_reached(view):
    trips = Switched(view, (LVRT,), "BO 12", {LVRT: never(LVRT)})
    assert trips.acts
    assert trips.is_on
    submit(view, trips.off(TELEX))
    assert not trips.acts
    assert not trips.is_on
    assert view.setpoints.value(LVRT) == never(LVRT)
    submit(view, trips.on(TELEX, {LVRT: ride_through(view.plate)[LVRT]}))
    assert trips.is_on


def test_every_default_is_a_value_that_the_device_takes(view):
    check(view, {**ride_through(view.plate), "opModVoltVar": volt_var(view.plate)})


def test_what_the_device_does_not_take_is_refused_with_its_verdict_and_changes_nothing(view, limit):
    with pytest.raises(Refused) as refused:
        submit(view, [*limit.on(TELEX, {MAX: 60.0}), SetpointChange(TELEX, "opModNone", 1.0)])
    assert refused.value.verdict is Verdict.UNSUPPORTED
    with pytest.raises(Refused, match="setMaxW"):
        update_settings(view, TELEX, {"setMaxW": -1.0}, "AO 32")
    assert not limit.acts
