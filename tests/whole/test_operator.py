"""What the operator changes by the admin REST, as a DER takes it: within a poll, and answered right."""

from __future__ import annotations

import pytest

LIMIT_100 = {"opModMaxLimW": 100}
#: The programs and their controls are polled every 10 s.
A_POLL_S = 12


async def running(house, **order):
    """A control of 20 % that has started; its mRID."""
    body = {"modes": {"opModMaxLimW": 20}, "start_in_s": 12, "duration_s": 600, **order}
    mrid = house.operate("POST", "programs/2/controls", body)["mRID"]
    await house.await_mode("opModMaxLimW", "csip", 20)
    return mrid


async def soon(house, source, value):
    """The limit is in force from this source within a poll."""
    changed_s = house.clock.now_s()
    await house.await_mode("opModMaxLimW", source, value)
    assert house.clock.now_s() - changed_s <= A_POLL_S


@pytest.mark.parametrize(("status", "answer"), [(2, 6), (3, 6), (4, 7)])
async def test_a_cancelled_control_stops_and_is_answered(autojump_clock, open_house, status, answer):
    house = await open_house("PV", LIMIT_100)
    mrid = await running(house)
    house.operate("DELETE", f"controls/{mrid}?status={status}")
    await soon(house, "csip-default", 100)
    await house.until(lambda: house.responses(mrid) == [1, 2, answer], 5)
    assert not house.operate("GET", "violations")


@pytest.mark.parametrize("status", [2, 3])
async def test_a_control_that_is_cancelled_with_randomization_ends_within_its_bound(
    autojump_clock, open_house, status
):
    house = await open_house("PV", LIMIT_100)
    mrid = await running(house, randomize_start_s=0, randomize_duration_s=30)
    house.operate("DELETE", f"controls/{mrid}?status={status}")
    changed_s = house.clock.now_s()
    await house.await_mode("opModMaxLimW", "csip-default", 100)
    assert house.clock.now_s() - changed_s <= A_POLL_S + (30 if status == 3 else 0)
    await house.until(lambda: house.responses(mrid) == [1, 2, 6], 5)


@pytest.mark.parametrize(("status", "answer"), [(2, 6), (3, 6), (4, 7)])
async def test_a_control_that_is_cancelled_before_its_start_never_runs(
    autojump_clock, open_house, status, answer
):
    house = await open_house("PV", LIMIT_100)
    order = {"modes": {"opModMaxLimW": 20}, "start_in_s": 40, "duration_s": 60}
    mrid = house.operate("POST", "programs/2/controls", order)["mRID"]
    await house.until(lambda: house.responses(mrid) == [1], A_POLL_S)
    house.operate("DELETE", f"controls/{mrid}?status={status}")
    await house.until(lambda: house.responses(mrid) == [1, answer], A_POLL_S + 5)
    await house.until(lambda: house.clock.now_s() > 1_800_000_000 + 70, 90)
    assert (await house.in_force("opModMaxLimW"))["source"] == "csip-default"
    assert house.responses(mrid) == [1, answer]


async def test_a_control_that_is_taken_out_of_its_list_goes_on(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    mrid = await running(house, duration_s=60)
    house.operate("DELETE", f"controls/{mrid}?remove=yes")
    began = house.clock.now_s()
    await house.until(lambda: house.clock.now_s() > began + 30, 40)
    assert (await house.in_force("opModMaxLimW"))["source"] == "csip"
    await house.until(lambda: house.responses(mrid) == [1, 2, 3], 60)


async def test_a_changed_primacy_reaches_the_der_within_a_poll(autojump_clock, open_house):
    house = await open_house("PV", {"opModMaxLimW": 70})
    house.operate("PUT", "programs/2/default-control", {"modes": {"opModMaxLimW": 40}})
    await soon(house, "csip-default", 40)
    house.operate("PUT", "programs/1", {"primacy": 1})
    await soon(house, "csip-default", 70)
    house.operate("PUT", "programs/1", {"primacy": 50})
    await soon(house, "csip-default", 40)


async def test_a_program_that_has_become_the_better_one_supersedes_a_running_control(
    autojump_clock, open_house
):
    house = await open_house("PV", LIMIT_100)
    old = await running(house)
    house.operate("PUT", "programs/1", {"primacy": 1})
    order = {"modes": {"opModMaxLimW": 30}, "start_in_s": 15, "duration_s": 600}
    new = house.operate("POST", "programs/1/controls", order)["mRID"]
    await house.await_mode("opModMaxLimW", "csip", 30)
    await house.until(lambda: house.responses(old) in ([1, 2, 7], [1, 2, 14]), 5)
    assert house.operate("GET", f"controls/{old}")["status_text"] == "superseded"
    assert house.responses(new) == [1, 2]


async def test_a_default_that_is_removed_leaves_that_of_the_next_program(autojump_clock, open_house):
    house = await open_house("PV", {"opModMaxLimW": 70})
    house.operate("PUT", "programs/2/default-control", {"modes": {"opModMaxLimW": 40}})
    await soon(house, "csip-default", 40)
    house.operate("DELETE", "programs/2/default-control")
    await soon(house, "csip-default", 70)
    house.operate("DELETE", "programs/1/default-control")
    changed_s = house.clock.now_s()
    while await house.in_force("opModMaxLimW"):
        await house.fleet.wait_step()
        assert house.clock.now_s() - changed_s <= A_POLL_S


async def test_a_program_that_is_removed_takes_its_default_and_its_controls_along(autojump_clock, open_house):
    house = await open_house("PV", {"opModMaxLimW": 70})
    mrid = await running(house)
    house.operate("DELETE", "programs/2")
    await soon(house, "csip-default", 70)
    await house.until(lambda: house.responses(mrid) == [1, 2, 6], 5)
    assert house.client.snapshot()["state"] == "connected"


async def test_other_points_of_a_curve_reach_the_der_within_a_poll(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    points = [[92, 44], [98, 0], [102, 0], [108, -44]]
    house.operate("PUT", "programs/2/default-control", {"modes": {"opModVoltVar": {"curve": points}}})
    await house.await_mode("opModVoltVar", "csip-default")
    other = [[90, 30], [110, -30]]
    while (await house.in_force("opModVoltVar"))["value"]["curve"] != points:
        await house.fleet.wait_step()
    house.operate("PUT", "programs/2/curves/1", {"value": {"curve": other}})
    changed_s = house.clock.now_s()
    while (await house.in_force("opModVoltVar"))["value"]["curve"] != other:
        await house.fleet.wait_step()
        assert house.clock.now_s() - changed_s <= A_POLL_S


@pytest.mark.parametrize(("flags", "answer"), [((), 251), (("--csip-2018-compat",), 252)])
async def test_a_mode_of_2023_alone_is_rejected(autojump_clock, open_house, flags, answer):
    house = await open_house("PV", LIMIT_100, *flags)
    order = {"modes": {"opModMaxLimVarInject": 1000}, "start_in_s": 12, "duration_s": 60}
    mrid = house.operate("POST", "programs/2/controls", order)["mRID"]
    await house.until(lambda: house.responses(mrid) == [1, answer], 30)
    assert not house.operate("GET", "violations")


async def test_a_control_for_another_device_category_is_not_run(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    order = {"modes": {"opModMaxLimW": 20}, "duration_s": 30, "device_category": "00000001"}
    mrid = house.operate("POST", "programs/2/controls", order)["mRID"]
    await house.until(lambda: house.operate("GET", "controls") == [], 90)
    assert (await house.in_force("opModMaxLimW"))["source"] == "csip-default"
    assert house.responses(mrid) == []


async def test_a_device_that_is_not_enabled_waits_until_it_is(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    lfdi = house.operate("GET", "end-devices")[0]["lfdi"]
    house.operate("PUT", f"end-devices/{lfdi}", {"enabled": False})
    await house.until(lambda: house.client.snapshot()["state"] != "connected", 60)
    assert any("is not enabled" in entry.message for entry in house.log.entries())
    house.operate("PUT", f"end-devices/{lfdi}", {"enabled": True})
    await house.until(lambda: house.client.snapshot()["state"] == "connected", 60)


async def test_a_device_that_is_removed_registers_itself_anew_and_tells_all_again(autojump_clock, open_house):
    house = await open_house("PV", LIMIT_100)
    lfdi = house.operate("GET", "end-devices")[0]["lfdi"]
    house.operate("DELETE", f"end-devices/{lfdi}")
    await house.until(lambda: [d["href"] for d in house.operate("GET", "end-devices")] == ["/edev/2"], 15)
    documents = ("capability", "settings", "status", "availability")
    der = lambda: house.operate("GET", "end-devices")[0]["der"]  # noqa: E731 - looked at again and again
    await house.until(lambda: all(der()[name] for name in documents), 30)
