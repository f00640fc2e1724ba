"""The two mirrors and their means; each fact as the public harness checks it."""

from __future__ import annotations

import itertools

import pytest

SITE, DER = 0x0003, 0x0049
W, VAR, V, HZ, WH = 38, 63, 29, 33, 72
START_S = 1_800_000_000  # a whole minute


def aus(*flags, poll_s=60, **more):
    return pytest.mark.dersim(frontends=["csip"], poll_s=poll_s, flags=list(flags), **more)


pytestmark = aus("--site_load", "2000")


class Meters:
    """What was posted: mirrors by roleFlags, types by mRID, readings by roleFlags, uom and dataQualifier."""

    def __init__(self, conversation):
        points = [seen.sent() for seen in conversation.assert_post("/mup")]
        self.points = {point.roleFlags: point for point in points}
        self.posts = conversation.exchanges("POST", "/mup/*")
        self.types = {
            each.mRID: (role, each.ReadingType)
            for role, point in self.points.items()
            for each in point.MirrorMeterReading
        }

    def types_of(self, role, uom, qualifier):
        return [
            kind
            for whose, kind in self.types.values()
            if (whose, kind.uom, kind.dataQualifier) == (role, uom, qualifier)
        ]

    def readings(self, role, uom, qualifier=2, *, status=None):
        """(start, duration, value in units), oldest first."""
        found = []
        for seen in self.posts:
            if status is not None and seen.status != status:
                continue
            for each in seen.sent().MirrorMeterReading:
                whose, kind = self.types[each.mRID]
                if (whose, kind.uom, kind.dataQualifier, kind.phase) == (role, uom, qualifier, 0):
                    period = each.Reading.timePeriod
                    value = each.Reading.value * 10.0**kind.powerOfTenMultiplier
                    found.append((period.start, period.duration, value))
        return found


@pytest.fixture
def meters(der, clock, conversation):
    def after(seconds):
        der.wait_connected()
        clock.advance(seconds)
        return Meters(conversation)

    return after


def test_there_is_a_mirror_of_the_site_and_one_of_the_der(meters):
    assert set(meters(1).points) == {SITE, DER}


@aus()
def test_a_site_without_a_load_has_its_mirror_too(meters):
    found = meters(130)
    assert set(found.points) == {SITE, DER}
    [(_, _, site_w), *_] = found.readings(SITE, W)
    [(_, _, der_w), *_] = found.readings(DER, W)
    assert site_w == -der_w < 0


@pytest.mark.parametrize("role", [SITE, DER])
@pytest.mark.parametrize("uom", [W, VAR, V, HZ])
def test_a_mean_has_data_qualifier_2_and_kind_37(meters, role, uom):
    [kind] = meters(1).types_of(role, uom, 2)
    assert kind.kind == 37


@pytest.mark.parametrize("role", [SITE, DER])
def test_the_values_of_an_instant_are_beside_the_means(meters, role):
    found = meters(130)
    assert found.types_of(role, W, 0)
    assert found.readings(role, W, 0)


def test_a_mean_begins_on_a_whole_minute_and_lasts_post_rate(meters):
    found = meters(310)
    for role in (SITE, DER):
        for uom in (W, VAR, V, HZ):
            periods = [(start, duration) for start, duration, _ in found.readings(role, uom)]
            assert periods == [(START_S + 60 * minute, 60) for minute in range(1, 5)]


def test_every_reading_is_of_a_whole_minute(meters):
    found = meters(310)
    starts = [
        each.Reading.timePeriod.start for seen in found.posts for each in seen.sent().MirrorMeterReading
    ]
    assert starts
    assert not [start for start in starts if start % 60]


def test_a_mean_is_posted_within_two_seconds_of_its_end(meters):
    found = meters(310)
    for seen in found.posts:
        end_s = max(
            each.Reading.timePeriod.start + each.Reading.timePeriod.duration
            for each in seen.sent().MirrorMeterReading
        )
        assert 0 <= seen.time_s - end_s < 2


def test_generation_of_the_der_is_positive_and_export_of_the_site_negative(meters, der):
    found = meters(130)
    [*_, (_, _, der_w)] = found.readings(DER, W)
    [*_, (_, _, site_w)] = found.readings(SITE, W)
    assert der_w == pytest.approx(der.p_w, rel=1e-3)
    assert site_w == pytest.approx(2000 - der.p_w, rel=1e-3)
    assert site_w < 0


@aus("--device_type", "Batt-1Phase", "--site_load", "2000")
def test_consumption_of_the_der_is_negative_and_import_of_the_site_positive(der, utility, meters):
    der.wait_connected()
    utility.publish({"opModTargetW": -3000}, duration_s=600)
    found = meters(250)
    assert found.readings(DER, W)[-1][2] == pytest.approx(-3000, abs=5)
    assert found.readings(SITE, W)[-1][2] == pytest.approx(5000, abs=5)


def test_a_mean_is_the_integral_of_what_changes_within_the_interval(meters, der, utility, clock):
    der.wait_connected()
    clock.advance(60)
    utility.set_default({"setGradW": 100})
    utility.publish({"opModGenLimW": 1000}, start_in_s=60 + 29, duration_s=120)
    before_w = der.p_w
    found = meters(260)
    of_minute = {start: value for start, _, value in found.readings(DER, W)}
    assert of_minute[START_S + 180] == pytest.approx(1000, abs=5)
    # 30 s at full power and 30 s at 1 kW, but for a second of the way.
    assert of_minute[START_S + 120] == pytest.approx((before_w + 1000) / 2, abs=(before_w - 1000) / 20)


def test_the_mean_of_the_voltage_follows_the_grid(meters, der, clock):
    der.wait_connected()
    clock.advance(90)
    der.set_inputs(voltage_pu=0.95)
    found = meters(160)
    volts = [value for _, _, value in found.readings(DER, V)]
    assert volts[0] == pytest.approx(277.1 * 0.975, abs=0.3)
    assert volts[1] == pytest.approx(277.1 * 0.95, abs=0.1)


def test_the_list_of_mirrors_is_polled_at_its_rate(meters, conversation):
    meters(320)
    times = [seen.time_s for seen in conversation.assert_get("/mup")]
    later = [b - a for a, b in itertools.pairwise(times[1:])]
    assert len(later) >= 4
    assert all(55 <= gap <= 65 for gap in later)


def test_a_longer_post_rate_is_followed_at_its_own_boundaries(meters, der, utility, clock):
    der.wait_connected()
    clock.advance(70)
    utility.operate("PUT", "poll-rates", {"mup": 300})
    found = meters(900)
    periods = [(start, duration) for start, duration, _ in found.readings(SITE, W)]
    assert (START_S + 300, 300) in periods
    assert [each for each in periods if each[1] == 300][-1][0] % 300 == 0


def test_what_was_not_taken_during_an_outage_is_posted_later(meters, der, faults, clock):
    der.wait_connected()
    clock.advance(70)
    with faults.planted("status", status=503, path="/mup/*"):
        clock.advance(250)
    found = meters(130)
    for role in (SITE, DER):
        taken = [start for start, _, _ in found.readings(role, W, status=204)]
        assert taken == [START_S + 60 * minute for minute in range(1, 7)]


@aus("--device_type", "Batt-1Phase")
def test_a_battery_posts_the_energy_that_it_holds(meters, der):
    found = meters(130)
    [kind] = [kind for _, kind in found.types.values() if kind.uom == WH and kind.kind == 12 and _ == DER]
    assert kind.dataQualifier == 0
    [*_rest, (_, duration, stored_wh)] = found.readings(DER, WH, 0)
    assert duration == 0
    assert stored_wh == pytest.approx(7500, rel=0.1)
