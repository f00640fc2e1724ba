"""The storage elements of 1.3: opModStorageTargetW, vppModes and setMinWh."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.dersim(
    frontends=["csip"], poll_s=30, flags=["--csip_aus_version", "1.3", "--device_type", "AU-Batt"]
)


def extras(resource):
    return {each.name: each.value for each in resource.extra}


def test_capability_and_settings_tell_the_mode_and_the_reserve(der, conversation):
    der.wait_connected()
    [capability] = conversation.assert_put("*/dercap")
    [settings, *_] = conversation.assert_put("*/derg")
    assert extras(capability.sent())["vppModesSupported"] == 1
    assert extras(settings.sent())["vppModesEnabled"] == 1
    reserve = extras(settings.sent())["setMinWh"]
    assert reserve.value * 10**reserve.multiplier == 500  # 5 % of 10 kWh, of the nameplate
    conversation.assert_valid()


def test_the_ratings_are_what_the_harness_starts_from(der, conversation):
    """STO-03, STO-06: setMaxChargeRateW == setMaxVA == setMaxDischargeRateW."""
    der.wait_connected()
    sent = conversation.assert_put("*/derg")[0].sent()
    names = ("setMaxVA", "setMaxChargeRateW", "setMaxDischargeRateW")
    values = [getattr(sent, name) for name in names]
    assert {each.value * 10**each.multiplier for each in values} == {5000}


def test_a_target_discharges_and_charges(der, utility, clock):
    der.wait_connected()
    for target_w in (2000, -3000):
        mrid = utility.publish({"opModStorageTargetW": target_w}, duration_s=300)
        der.wait_for(lambda der, wanted=target_w: abs(der.p_w - wanted) < 1, within_s=200)
        utility.wait_for_responses(mrid, [1, 2, 3], within_s=600)


def test_the_limits_hold_beside_a_target(der, utility, clock):
    """STO-06: the target is the whole rating, and the export limit is lower."""
    der.wait_connected()
    utility.publish({"opModStorageTargetW": 5000, "opModExpLimW": 1500}, duration_s=600)
    der.wait_for(lambda der: abs(der.p_w - 1500) < 1, within_s=200)
    clock.advance(30)
    assert der.p_w == pytest.approx(1500, abs=1)


@pytest.mark.dersim(
    frontends=["csip", "modbus"],
    poll_s=30,
    tick_s=10,
    flags=["--csip_aus_version", "1.3", "--device_type", "AU-Batt"],
)
def test_discharging_stops_at_the_reserve(der, modbus, utility, clock):
    der.wait_connected()
    modbus.set(124, {"MinRsvPct": 48})
    utility.publish({"opModStorageTargetW": 5000}, duration_s=3600)
    der.wait_for(lambda der: der.p_w > 4500, within_s=200)
    clock.advance(600)
    assert der.p_w == pytest.approx(0, abs=1)


@pytest.mark.dersim(frontends=["csip"], poll_s=30, flags=["--csip_aus_version", "1.3"])
def test_a_pv_answers_that_it_has_no_such_mode(der, utility):
    der.wait_connected()
    mrid = utility.publish({"opModStorageTargetW": 1000}, duration_s=300)
    utility.wait_for_responses(mrid, [1, 252], within_s=200)  # 2018 has no 251
