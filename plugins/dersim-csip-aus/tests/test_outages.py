"""What holds while the utility cannot be reached, and after a power cycle without it."""

from __future__ import annotations

import pytest


def aus(*flags, **more):
    return pytest.mark.dersim(frontends=["csip"], poll_s=30, flags=list(flags), **more)


pytestmark = aus()


def test_what_is_scheduled_is_carried_out_and_then_the_default_holds(der, utility, faults, clock):
    """ALL-23: the default is 0 W."""
    utility.set_default({"opModGenLimW": 0, "setGradW": 100})
    der.wait_connected()
    utility.publish({"opModGenLimW": 4000}, start_in_s=60, duration_s=120)
    clock.advance(45)
    faults.plant("status", status=500, path="/*")
    clock.advance(60)
    assert der.p_w == pytest.approx(4000, abs=1)
    clock.advance(120)
    assert der.p_w == pytest.approx(0, abs=1)
    clock.advance(600)
    assert der.p_w == pytest.approx(0, abs=1)


def test_a_power_cycle_without_network_keeps_the_default(der, utility, clock, request):
    """ALL-30: 30 % of the rated power, from the first second."""
    utility.set_default({"opModGenLimW": 3000, "setGradW": 100})
    der.wait_connected()
    der.wait_for(lambda der: abs(der.p_w - 3000) < 1, within_s=60)
    clock.advance(5)
    der.stop()
    utility.stop()
    der.start()
    clock.advance(1)
    assert der.state != "connected"
    assert der.p_w <= 3001
    assert der.setpoint("opModGenLimW") == 3000
    clock.advance(300)
    assert der.p_w == pytest.approx(3000, abs=1)


@pytest.fixture
def dersim_settings(tmp_path, request):
    return {"state": tmp_path} if "power_cycle" in request.node.name else {}


@aus("--csip_subscriptions", "yes")
def test_a_change_is_notified_where_the_server_offers_it(der, utility, clock, conversation):
    utility.operate("PUT", "poll-rates", {"derp": 900})
    der.wait_connected()
    clock.advance(5)
    conversation.assert_post("*/sub")
    utility.set_default({"opModGenLimW": 2000, "setGradW": 100})
    der.wait_for(lambda der: abs(der.p_w - 2000) < 1, within_s=60)
