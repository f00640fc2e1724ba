"""Polls and Responses as the public harness watches them."""

from __future__ import annotations

import itertools

import pytest

pytestmark = pytest.mark.dersim(frontends=["csip"], poll_s=60)


@pytest.mark.parametrize(
    "path",
    ["/dcap", "/edev", "*/fsa", "*/der", "*/derp*", "*/dderc", "*/derc", "/mup"],
)
def test_each_resource_is_polled_every_minute(der, clock, conversation, path):
    """ALL-06, ALL-21: no gap above 1.5 intervals, and no more than six reads in three of them."""
    der.wait_connected()
    clock.advance(600)
    found = {}
    for seen in conversation.assert_get(path):
        if path != "*/derp*" or seen.path.endswith("/derp"):
            found.setdefault(seen.path, []).append(seen.time_s)
    assert found
    for times in found.values():
        gaps = [b - a for a, b in itertools.pairwise(times)]
        assert max(gaps) <= 90
        assert all(b - a > 180 for a, b in zip(times, times[6:], strict=False))


def test_a_changed_poll_rate_is_followed(der, clock, utility, conversation):
    """ALL-19, ALL-20."""
    der.wait_connected()
    clock.advance(60)
    utility.operate("PUT", "poll-rates", {"derp": 120})
    clock.advance(70)
    conversation.clear()
    clock.advance(480)
    assert len([seen for seen in conversation.assert_get("*/derp") if seen.path.endswith("/derp")]) in (
        3,
        4,
        5,
    )


def test_twenty_four_controls_in_a_row(der, clock, utility):
    """ALL-24: each is answered with 1, 2 and 3, and the last power is that of the last."""
    der.wait_connected()
    utility.set_default({"setGradW": 100})
    mrids = [
        utility.publish({"opModGenLimW": 1000 + 100 * n}, start_in_s=70 + 60 * n, duration_s=60)
        for n in range(24)
    ]
    clock.advance(70 + 60 * 23 + 30)
    assert der.p_w == pytest.approx(1000 + 100 * 23, abs=1)
    clock.advance(60)
    assert [utility.responses(each) for each in mrids] == [[1, 2, 3]] * 24


def test_cancelled_is_6_and_superseded_7(der, clock, utility):
    der.wait_connected()
    cancelled = utility.publish({"opModExpLimW": 1000}, start_in_s=0, duration_s=900)
    clock.advance(70)
    utility.cancel(cancelled)
    clock.advance(70)
    assert utility.responses(cancelled) == [1, 2, 6]
    programs = {each["id"]: each["primacy"] for each in utility.operate("GET", "programs")}
    strong, weak = sorted(programs, key=programs.get)[:2]
    lost = utility.publish({"opModExpLimW": 1000}, start_in_s=0, duration_s=900, program=weak)
    clock.advance(70)
    utility.publish({"opModExpLimW": 2000}, start_in_s=0, duration_s=900, program=strong)
    clock.advance(70)
    assert utility.responses(lost) == [1, 2, 7]


def test_a_429_without_retry_after_slows_nothing_down_and_speeds_nothing_up(der, clock, faults, conversation):
    """P-05: two to nine reads of the DERControlList in 210 s."""
    der.wait_connected()
    clock.advance(60)
    conversation.clear()
    planted = faults.plant("status", status=429, path="*/derc")
    clock.advance(120)
    faults.remove(planted)
    clock.advance(90)
    by_path = {}
    for seen in conversation.assert_get("*/derc"):
        by_path[seen.path] = by_path.get(seen.path, 0) + 1
    assert all(2 <= count <= 9 for count in by_path.values())


@pytest.mark.parametrize(("multiplier", "watts"), [(1, 60_000), (2, 600_000)])
@pytest.mark.dersim(frontends=["csip"], poll_s=60, flags=["--device_type", "PV-3Phase"])
def test_a_limit_with_a_multiplier_is_read(der, clock, utility, conversation, multiplier, watts):
    der.wait_connected()
    utility.publish({"opModExpLimW": watts}, start_in_s=0, duration_s=600)
    clock.advance(70)
    [control] = [seen for seen in conversation.assert_get("*/derc") if b"opModExpLimW" in seen.response_body][
        :1
    ]
    assert f"<multiplier>{multiplier}</multiplier>".encode() in control.response_body
    assert der.setpoint("opModExpLimW") == watts
