"""The four limits against a site whose load changes, over 2030.5 and in virtual time."""

from __future__ import annotations

import pytest

RATED_W = 10_000


def aus(*flags, **more):
    return pytest.mark.dersim(frontends=["csip"], poll_s=30, flags=list(flags), **more)


pytestmark = aus("--site_load", "0")


@pytest.fixture
def site(der, clock):
    """The power of the site after the load has been this for a moment, import positive, W."""

    def at(load_w):
        before_w = der.p_w
        der.set_inputs(load_w=load_w)
        clock.advance(2)
        return load_w - der.p_w, der.p_w - before_w

    return at


def test_an_export_limit_is_kept_while_the_load_changes(der, utility, clock, site):
    """GEN-13: 20 % of the rated power, and a load of 0, 20, 10 and 0 % of it."""
    der.wait_connected()
    utility.set_default({"setGradW": 100})
    utility.publish({"opModExpLimW": 0.2 * RATED_W}, duration_s=3600)
    der.wait_for(lambda der: abs(der.p_w - 0.2 * RATED_W) < 1, within_s=200)
    for share in (0.2, 0.1, 0.0):
        site_w, moved_w = site(share * RATED_W)
        assert site_w == pytest.approx(-0.2 * RATED_W, abs=1)
        assert abs(moved_w) in (pytest.approx(2000, abs=1), pytest.approx(1000, abs=1))


@aus("--site_load", "0", "--device_type", "Batt-1Phase")
def test_an_import_limit_is_kept_while_the_load_changes(der, utility, clock, site):
    """LOA-13: a battery that charges stays within 20 %, and gives what a load beyond it takes."""
    der.wait_connected()
    utility.set_default({"setGradW": 100})
    utility.publish({"opModImpLimW": 0.2 * RATED_W, "opModTargetW": -0.9 * RATED_W}, duration_s=3600)
    der.wait_for(lambda der: abs(der.p_w + 0.2 * RATED_W) < 1, within_s=300)
    for share in (0.2, 0.1, 0.4, 0.0):
        site_w, _ = site(share * RATED_W)
        assert site_w == pytest.approx(0.2 * RATED_W, abs=1)


def test_pv_cannot_lower_an_import_beyond_what_it_has(der, utility, clock, site):
    der.wait_connected()
    utility.publish({"opModImpLimW": 0}, duration_s=3600)
    clock.advance(60)
    free_w = der.p_w
    site_w, _ = site(3 * RATED_W)
    assert der.p_w == pytest.approx(free_w, abs=1)
    assert site_w == pytest.approx(3 * RATED_W - free_w, abs=1)


def test_generation_is_of_the_der_alone(der, utility, clock, site):
    der.wait_connected()
    utility.publish({"opModGenLimW": 3000}, duration_s=3600)
    der.wait_for(lambda der: abs(der.p_w - 3000) < 1, within_s=300)
    site(5000)
    assert der.p_w == pytest.approx(3000, abs=1)


@aus("--site_load", "0", "--device_type", "Batt-1Phase")
def test_a_load_limit_is_of_the_der_alone(der, utility, clock, site):
    der.wait_connected()
    utility.publish({"opModLoadLimW": 1000, "opModTargetW": -5000}, duration_s=3600)
    der.wait_for(lambda der: abs(der.p_w + 1000) < 1, within_s=300)
    site(5000)
    assert der.p_w == pytest.approx(-1000, abs=1)


def test_the_tightest_of_all_limits_holds_whatever_program_gives_it(der, utility, clock):
    """GEN-10: generation 50 % of the program with the lower primacy, export 20 % of the other."""
    der.wait_connected()
    utility.publish({"opModGenLimW": 5000}, duration_s=3600, program=1)
    utility.publish({"opModExpLimW": 2000}, duration_s=3600, program=2)
    der.wait_for(lambda der: abs(der.p_w - 2000) < 1, within_s=300)
    der.set_inputs(load_w=4000)
    clock.advance(2)
    assert der.p_w == pytest.approx(5000, abs=1)


def test_a_control_that_lost_one_of_its_limits_has_started(der, utility, clock):
    """GEN-10: export is superseded by another program, generation is still its own: Response 2, no 7."""
    der.wait_connected()
    programs = {each["id"]: each["primacy"] for each in utility.operate("GET", "programs")}
    strong, weak = sorted(programs, key=programs.get)[:2]
    utility.publish({"opModExpLimW": 6000}, duration_s=3600, program=strong)
    partly = utility.publish({"opModExpLimW": 1000, "opModGenLimW": 3000}, duration_s=3600, program=weak)
    der.wait_for(lambda der: abs(der.p_w - 3000) < 1, within_s=300)
    clock.advance(60)
    assert utility.responses(partly) == [1, 2]


def test_a_limit_of_200_percent_is_none(der, utility, clock):
    der.wait_connected()
    free_w = der.p_w
    utility.publish({"opModExpLimW": 2.0 * RATED_W, "opModGenLimW": 2.0 * RATED_W}, duration_s=600)
    clock.advance(60)
    assert der.p_w == pytest.approx(free_w, abs=1)


def test_without_ramp_tms_a_limit_is_followed_at_set_grad_w(der, utility, clock):
    """ALL-13: 1 %/s of setMaxW."""
    der.wait_connected()
    utility.set_default({"setGradW": 1})
    clock.advance(40)
    free_w = der.p_w
    utility.publish({"opModGenLimW": free_w - 3000}, start_in_s=40, duration_s=600)
    der.wait_for(lambda der: der.p_w < free_w - 100, within_s=120)
    clock.advance(10)
    before_w = der.p_w
    clock.advance(10)
    assert before_w - der.p_w == pytest.approx(0.01 * RATED_W * 10, rel=0.02)


def test_with_ramp_tms_a_limit_is_reached_in_that_time(der, utility, clock):
    """ALL-28: 60 s."""
    der.wait_connected()
    utility.set_default({"setGradW": 100})
    clock.advance(40)
    free_w = der.p_w
    mrid = utility.publish({"opModGenLimW": 1000, "rampTms": 60}, start_in_s=40, duration_s=600)
    utility.wait_for_responses(mrid, [1, 2])
    clock.advance(53)
    assert 1500 < der.p_w < free_w - 1000
    clock.advance(7)
    assert der.p_w == pytest.approx(1000, abs=1)
