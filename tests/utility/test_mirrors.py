"""The metering mirror as BASIC-029 and 2030.5 10.11 want it."""

import pytest

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.utility.mirrors import MIRRORS_PER_DEVICE, READINGS_PER_MIRROR, SETS_KEPT

T = 1_700_000_000


def mrid(number):
    return f"{number:024X}00009F1C"


def reading_type(uom=38, **changes):
    return r.ReadingType(
        **{"accumulationBehaviour": 12, "commodity": 1, "flowDirection": 1, "kind": 37, "uom": uom} | changes
    )


def point(client, number=1, readings=(), **changes):
    return r.MirrorUsagePoint(
        **{
            "mRID": mrid(number),
            "roleFlags": 0x49,
            "serviceCategoryKind": 0,
            "status": 1,
            "deviceLFDI": client.lfdi,
            "MirrorMeterReading": tuple(readings),
        }
        | changes
    )


def reading(number, value=None, start=T, **changes):
    period = r.DateTimeInterval(duration=60, start=start)
    content = {} if value is None else {"Reading": r.Reading(value=value, timePeriod=period)}
    return r.MirrorMeterReading(mRID=mrid(number), **content, **changes)


def reading_set(number, *values, start=T):
    period = r.DateTimeInterval(duration=300, start=start)
    return r.MirrorReadingSet(
        mRID=mrid(number), timePeriod=period, Reading=tuple(r.Reading(value=value) for value in values)
    )


@pytest.fixture
def mup(client):
    """The Location of a mirror with one quantity, W, and no values."""
    response = client.post("/mup", point(client, readings=[reading(11, ReadingType=reading_type())]))
    assert response.status == 201
    return response.header("location")


def test_basic_029_definition_then_values(lab, client, mup):
    shown = client.get(mup)
    assert shown.postRate == 60
    assert shown.MirrorMeterReading == ()
    assert (shown.mRID, shown.roleFlags, shown.deviceLFDI) == (mrid(1), 0x49, client.lfdi)
    for number, uom in ((12, 63), (13, 33), (14, 29)):
        response = client.post(mup, reading(number, ReadingType=reading_type(uom)))
        assert (response.status, response.header("location")) == (201, f"/upt/1/mr/{number - 10}")
    for number, value in ((11, 8000), (12, -20), (13, 6000), (14, 2771)):
        response = client.post(mup, reading(number, value))
        assert (response.status, response.header("location")) == (204, f"/upt/1/mr/{number - 10}")
    usage_point = client.get("/upt?l=255").UsagePoint[0]
    meter_readings = client.get(usage_point.MeterReadingListLink.href + "?l=255").MeterReading
    assert [m.mRID for m in meter_readings] == [mrid(n) for n in (14, 13, 12, 11)]
    values = {
        client.get(m.ReadingTypeLink.href).uom: client.get(m.ReadingLink.href).value for m in meter_readings
    }
    assert values == {38: 8000, 63: -20, 33: 6000, 29: 2771}


def test_a_known_mirror_posted_again_is_overwritten_with_204(client, mup):
    response = client.post("/mup", point(client, status=0, description="again"))
    assert (response.status, response.header("location")) == (204, mup)
    assert client.get(mup).status == 0
    assert client.get("/mup").all == 1
    assert client.get("/upt/1/mr").all == 1, "its readings are still known"


def test_a_list_of_readings_goes_to_the_list_of_meter_readings(client, mup):
    both = r.MirrorMeterReadingList(
        all=2, results=2, MirrorMeterReading=(reading(11, 5), reading(12, 6, ReadingType=reading_type(63)))
    )
    response = client.post(mup, both)
    assert (response.status, response.header("location")) == (201, "/upt/1/mr")
    again = r.MirrorMeterReadingList(all=1, results=1, MirrorMeterReading=(reading(12, 7),))
    assert client.post(mup, again).status == 204
    assert client.get("/upt/1/mr/2/r").value == 7


def test_an_unknown_reading_without_its_type_is_400_and_nothing_is_taken(client, mup):
    both = r.MirrorMeterReadingList(all=2, results=2, MirrorMeterReading=(reading(11, 5), reading(99, 6)))
    response = client.post(mup, both)
    assert response.status == 400
    assert b"has no ReadingType" in response.body
    assert client.ask("GET", "/upt/1/mr/1/r").status == 404
    assert client.post("/mup", point(client, 2, [reading(99, 6)])).status == 400
    assert client.get("/mup").all == 1


def test_a_known_reading_is_taken_at_the_list_too_an_unknown_one_is_not(client, mup):
    response = client.post("/mup", reading(11, 42))
    assert (response.status, response.header("location")) == (204, "/upt/1/mr/1")
    assert client.get("/upt/1/mr/1/r").value == 42
    assert client.post("/mup", reading(12, 1, ReadingType=reading_type())).status == 400


def test_reading_sets_are_added_replaced_and_bounded(client, mup):
    client.post(mup, reading(11, MirrorReadingSet=(reading_set(1, 10, 20),)))
    client.post(mup, reading(11, MirrorReadingSet=(reading_set(2, 30, start=T + 300),)))
    client.post(mup, reading(11, MirrorReadingSet=(reading_set(1, 11, 21),)))
    sets = client.get("/upt/1/mr/1/rs?l=255").ReadingSet
    assert [s.mRID for s in sets] == [mrid(2), mrid(1)]
    older = client.get(sets[1].href)
    assert [i.value for i in client.get(older.ReadingListLink.href + "?l=255").Reading] == [11, 21]
    assert client.get("/upt/1/mr/1/r").value == 30
    for number in range(3, 3 + 2 * SETS_KEPT):
        client.post(mup, reading(11, MirrorReadingSet=(reading_set(number, 1, start=T + 300 * number),)))
    assert client.get("/upt/1/mr/1/rs").all == SETS_KEPT


def test_a_mirror_can_be_withdrawn(client, mup):
    assert client.ask("DELETE", mup).status == 204
    assert client.ask("GET", mup).status == 404
    assert client.post(mup, reading(11, 1)).status == 404
    assert client.post("/mup", point(client)).status == 201


def test_a_mirror_of_another_device_is_403_and_another_ones_is_404(lab, client, mup):
    other = lab.client(b"another")
    assert other.post("/mup", point(client, 5)).status == 403
    assert other.get("/mup").all == 0
    assert other.get("/upt").all == 0
    for path in (mup, "/upt/1", "/upt/1/mr", "/upt/1/mr/1", "/upt/1/mr/1/rt"):
        assert other.ask("GET", path).status == 404
    assert other.post(mup, reading(11, 1)).status == 404
    assert other.ask("DELETE", mup).status == 404
    assert other.post("/mup", reading(11, 1)).status == 400


def test_two_devices_may_use_one_mrid(lab, client, mup):
    other = lab.client(b"another")
    response = other.post("/mup", point(other))
    assert response.status == 201
    assert response.header("location") != mup


def test_a_full_mirror_is_413(client, mup):
    for number in range(2, MIRRORS_PER_DEVICE + 1):
        assert client.post("/mup", point(client, number)).status == 201
    assert client.post("/mup", point(client, 99)).status == 413
    many = tuple(reading(100 + n, ReadingType=reading_type()) for n in range(READINGS_PER_MIRROR))
    too_many = r.MirrorMeterReadingList(all=len(many), results=len(many), MirrorMeterReading=many)
    assert client.post(mup, too_many).status == 413


def test_a_2023_body_with_subscribable_is_taken(lab):
    client = lab.client(edition=Edition.E2023)
    assert client.post("/mup", point(client, subscribable=0)).status == 201


def test_a_type_that_changes_under_its_mrid_is_counted(lab, client, mup):
    assert client.post(mup, reading(11, 1, ReadingType=reading_type())).status == 204
    assert lab.head_end.end_devices.get(1).violations == 0
    assert client.post(mup, reading(11, 1, ReadingType=reading_type(63))).status == 204
    assert "its ReadingType must not change" in lab.head_end.end_devices.get(1).violation_texts[0]


def test_a_mirror_that_does_not_say_so_is_counted(lab, client):
    assert client.post("/mup", point(client, roleFlags=0x48)).status == 201
    assert "isMirror" in lab.head_end.end_devices.get(1).violation_texts[0]


def test_the_operator_sees_plain_values(lab, client, mup):
    client.post(mup, reading(14, 2771, ReadingType=reading_type(29, powerOfTenMultiplier=-1, phase=129)))
    (shown,) = lab.admin("GET", "/mirror-usage-points")[1]
    assert (shown["mRID"], shown["lfdi"]) == (mrid(1), client.lfdi)
    volts = shown["readings"][1]
    assert (volts["uom"], volts["phase"], volts["value"], volts["duration_s"]) == (29, 129, 277.1, 60)
    assert volts["start"] == "2023-11-14T22:13:20.000Z"
    assert shown["readings"][0]["value"] is None


@pytest.mark.parametrize("start", [T * 1000, 253_402_300_800, 2**63 - 1, -(2**63)])
def test_a_reading_with_a_time_that_no_calendar_has_is_a_violation_and_null(lab, client, mup, start):
    period = r.DateTimeInterval(duration=300, start=start)
    posted = r.MirrorMeterReading(mRID=f"{11:024X}00009F1C", Reading=r.Reading(timePeriod=period, value=7))
    assert client.post(mup, posted).status in (201, 204)
    path = "MirrorMeterReading/Reading/timePeriod/start"
    assert f"{path} is {start}" in lab.head_end.end_devices.get(1).violation_texts[-1]
    shown = {item["mRID"]: item for item in lab.admin("GET", "/mirror-usage-points")[1][0]["readings"]}
    reading = shown[posted.mRID]
    assert (reading["start"], reading["value"]) == (None, 7)


@pytest.mark.parametrize("multiplier", [10, -10, 127, -128])
def test_a_multiplier_outside_9_is_a_violation_and_the_value_null(lab, client, mup, multiplier):
    kind = r.ReadingType(uom=38, powerOfTenMultiplier=multiplier)
    posted = r.MirrorMeterReading(mRID="99" * 16, ReadingType=kind, Reading=r.Reading(value=7))
    assert client.post(mup, posted).status == 201
    path = "MirrorMeterReading/ReadingType/powerOfTenMultiplier"
    assert f"{path} is {multiplier}" in lab.head_end.end_devices.get(1).violation_texts[-1]
    shown = {item["mRID"]: item for item in lab.admin("GET", "/mirror-usage-points")[1][0]["readings"]}
    assert shown[posted.mRID]["value"] is None


def test_an_aggregator_posts_the_mirror_of_its_device(lab, client):
    client.get("/dcap")
    device = "AB" * 20
    lab.admin("POST", "/end-devices", {"lfdi": device, "aggregator": client.lfdi})
    place = client.post("/mup", point(client, deviceLFDI=device)).header("location")
    assert client.get(place).deviceLFDI == device
    assert lab.client(b"another").ask("GET", place).status == 404


@pytest.mark.parametrize(("refused", "status", "counted"), [((), 201, 1), (("foreign-mrid",), 400, 0)])
def test_the_mrid_of_another_devices_reading_is_counted_or_refused(make_lab, refused, status, counted):
    lab = make_lab(refused=frozenset(refused))
    first, second = lab.client(), lab.client(b"another")
    for each in (first, second):
        each.get("/edev")
    mine = [reading(11, ReadingType=reading_type())]
    place = first.post("/mup", point(first, readings=mine)).header("location")
    assert first.post("/mup", point(first, readings=mine)).status == 204, "its own"
    assert second.post("/mup", point(second, 2, readings=mine)).status == status
    told = lab.head_end.violations
    assert told[f"MirrorMeterReading/mRID {mrid(11)} is that of another device's"] == counted
    first.ask("DELETE", place)
    assert second.post("/mup", point(second, 3, readings=mine)).status == 201, "nobody else's any more"


def test_the_post_rate_is_that_of_the_list_until_it_has_its_own(lab, client, mup):
    lab.admin("PUT", "/poll-rates", {"mup": 120})
    assert (client.get("/mup").pollRate, client.get(mup).postRate) == (120, 120)
    assert "post" not in lab.admin("GET", "/poll-rates")[1]
    lab.admin("PUT", "/poll-rates", {"post": 300})
    assert (client.get("/mup").pollRate, client.get(mup).postRate) == (120, 300)
    lab.admin("PUT", "/poll-rates", {"mup": 60})
    assert (client.get("/mup").pollRate, client.get(mup).postRate) == (60, 300)
    assert lab.admin("GET", "/poll-rates")[1]["post"] == 300
    assert lab.admin("PUT", "/poll-rates", {"post": 0})[0] == 400
