"""What a DER finds at the head-end, and what it leaves there."""

import pytest


def test_a_der_finds_its_end_device_by_its_lfdi(der, conversation):
    der.wait_connected()
    [read, *_] = conversation.assert_get("/edev", status=200)
    [device] = read.got().EndDevice
    assert device.lFDI == der.lfdi


def test_a_der_tells_what_it_is(der, conversation):
    conversation.wait_for("PUT", "/edev/1/der/1/ders", status=204)
    [put] = conversation.assert_put("/edev/*/der/*/dercap", count=1)
    assert put.sent().rtgMaxW.value * 10 ** put.sent().rtgMaxW.multiplier == 10_000


def test_nothing_is_asked_in_vain_and_nothing_is_wrong(der, conversation):
    der.wait_connected()
    conversation.assert_get("*", status=404, count=0)
    conversation.assert_valid()


@pytest.mark.dersim(ders=3)
def test_each_der_has_an_end_device_of_its_own(fleet, conversation):
    fleet.wait_connected()
    assert {each.path for each in conversation.wait_for("PUT", "*/dercap", count=3)} == {
        f"/edev/{number}/der/1/dercap" for number in (1, 2, 3)
    }


def test_a_der_notices_that_the_head_end_has_stopped(der, head_end_program):
    der.wait_connected()
    head_end_program.stop()
    der.wait_for(lambda der: der.state == "retrying", within_s=90)
