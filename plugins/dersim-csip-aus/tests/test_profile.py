"""What a client says and does where the profile rules; each fact as the public harness checks it."""

from __future__ import annotations

import pytest

from dersim.ieee2030_5 import resources as r

pytestmark = pytest.mark.dersim(frontends=["csip"], poll_s=60)


def aus(*flags, **more):
    return pytest.mark.dersim(frontends=["csip"], poll_s=60, flags=list(flags), **more)


def test_the_xml_is_that_of_2018(der, conversation):
    der.wait_connected()
    bodies = [seen.request_body for seen in conversation.assert_put("*/der/*/*")]
    assert bodies
    assert not [body for body in bodies if b"schemaVer" in body or b"<connectStatus" in body]
    conversation.assert_valid()


@aus("--csip_aus_profile", "no")
def test_without_the_profile_the_xml_is_that_of_2023(der, conversation):
    der.wait_connected()
    [put] = conversation.assert_put("*/dercap")
    assert b'schemaVer="2.2"' in put.request_body


def mirrors(conversation):
    posts = [seen.sent() for seen in conversation.assert_post("/mup")]
    return {post.roleFlags: post for post in posts}


def test_every_mrid_ends_in_the_pen_in_decimal_digits(der, conversation):
    der.wait_connected()
    for point in mirrors(conversation).values():
        mrids = [point.mRID, *(each.mRID for each in point.MirrorMeterReading)]
        assert {len(mrid) for mrid in mrids} == {32}
        assert {mrid[-8:] for mrid in mrids} == {"00040732"}
        assert len(set(mrids)) == len(mrids)


@aus("--csip_aus_pen", "0")
def test_the_pen_is_a_flag(der, conversation):
    der.wait_connected()
    assert {point.mRID[-8:] for point in mirrors(conversation).values()} == {"0" * 8}


@pytest.mark.dersim(frontends=["csip"], utility={"registration": "inband"})
def test_an_end_device_tells_its_category_and_post_rate(der, conversation):
    der.wait_connected()
    [post] = conversation.assert_post("/edev")
    body = post.sent()
    assert (body.deviceCategory, body.postRate) == (1 << 21, 60)
    assert body.lFDI == body.lFDI.upper() == der.lfdi


def gen_bits(der, conversation):
    """genConnectStatus as the server has it."""
    [*_, newest] = conversation.assert_put("*/ders")
    return newest.sent().genConnectStatus.value


def test_connect_off_and_on_clears_and_sets_the_first_three_bits(der, utility, conversation, clock):
    utility.set_default({"setGradW": 100})
    der.wait_connected()
    assert gen_bits(der, conversation) == 0b111
    utility.publish({"opModConnect": False}, start_in_s=5, duration_s=120)
    clock.advance(110)
    assert gen_bits(der, conversation) == 0
    clock.advance(59)
    assert gen_bits(der, conversation) != 0b111
    clock.advance(80)
    assert gen_bits(der, conversation) == 0b111


def test_energize_off_and_on_clears_and_sets_bit_2_at_0_w(der, utility, conversation, clock):
    utility.set_default({"opModGenLimW": 0, "setGradW": 100})
    der.wait_connected()
    utility.publish({"opModEnergize": False}, start_in_s=5, duration_s=120)
    clock.advance(110)
    assert gen_bits(der, conversation) & 0b100 == 0
    clock.advance(150)
    assert der.p_w == 0
    assert gen_bits(der, conversation) == 0b111


@aus("--device_type", "Batt-1Phase")
def test_a_battery_has_a_gen_connect_status_too(der, conversation):
    der.wait_connected()
    assert gen_bits(der, conversation) == 0b111


def test_reconnection_takes_a_minute(der, utility, clock):
    utility.set_default({"setGradW": 100})
    der.wait_connected()
    utility.publish({"opModConnect": False}, start_in_s=5, duration_s=100)
    clock.advance(100)
    assert der.p_w == 0
    clock.advance(60)
    assert der.p_w == 0
    clock.advance(30)
    assert der.p_w > 0


@aus("--csip_aus_reconnect_s", "10")
def test_the_time_of_reconnection_is_a_flag(der, utility, clock):
    utility.set_default({"setGradW": 100})
    der.wait_connected()
    utility.publish({"opModConnect": False}, start_in_s=5, duration_s=100)
    clock.advance(130)
    assert der.p_w > 0


@aus("--csip_pin", "332211", utility={"pin": 332211})
def test_a_pin_of_the_other_check_digit_rule_is_taken_with_a_warning(der):
    der.wait_connected()
    assert any("check digit" in line and "it is taken" in line for line in der.log)


def test_setgradw_of_the_default_is_in_the_der_settings_at_once(der, utility, conversation, clock):
    der.wait_connected()
    utility.operate("PUT", "poll-rates", {"der": 300})
    clock.advance(70)
    utility.set_default({"setGradW": 0.27})
    clock.advance(70)
    [*_, newest] = conversation.assert_put("*/derg")
    assert newest.sent().setGradW == 27
    [*_, read] = conversation.assert_get("*/dderc")
    assert newest.time_s - read.time_s <= 1


def test_what_is_posted_and_put_is_valid_in_2018(der, conversation, clock):
    der.wait_connected()
    clock.advance(130)
    conversation.assert_valid()
    assert isinstance(conversation.assert_put("*/derg")[0].sent(), r.DERSettings)


def test_until_the_server_says_otherwise_ramps_are_those_of_the_standard(der, conversation):
    """AS/NZS 4777.2: 60 s and then 16 % a minute, both in DERSettings."""
    der.wait_connected()
    first = conversation.assert_put("*/derg")[0].sent()
    assert (first.setESDelay, first.setESRampTms, first.setGradW) == (6000, 37_500, 27)


def test_the_operational_mode_is_off_while_the_source_has_nothing(der, conversation, clock):
    """ALL-08: 2, 1, 2."""

    def mode():
        return conversation.assert_put("*/ders")[-1].sent().operationalModeStatus.value

    der.wait_connected()
    assert mode() == 2
    der.set_inputs(irradiance_w_m2=0)
    clock.advance(10)
    assert mode() == 1
    der.set_inputs(irradiance_w_m2=800)
    clock.advance(10)
    assert mode() == 2


@aus("--device_type", "AU-PV")
def test_the_inverter_is_one_of_230_v_and_50_hz(der, conversation):
    der.wait_connected()
    [put] = conversation.assert_put("*/dercap")
    rating = put.sent()
    assert (rating.rtgVNom.value, rating.rtgVNom.multiplier, rating.rtgMaxW.value) == (2300, -1, 5000)
    assert der.values.frequency_hz == 50
    assert 3000 < der.p_w < 5000


@aus("--device_type", "AU-PV")
def test_under_the_default_of_the_companion_server_it_connects_again(der, utility, clock):
    """That default gives no window of frequency: one of 60 Hz would keep a DER of 50 Hz off for good."""
    der.wait_connected()
    utility.publish({"opModConnect": False}, start_in_s=70, duration_s=60)
    clock.advance(100)
    assert der.p_w == 0
    clock.advance(90)
    assert der.p_w > 3000
