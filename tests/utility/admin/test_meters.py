"""`/power` and `/end-devices/{lfdi}/readings`: what the mirrors report over time."""

import pytest

from dersim.ieee2030_5 import resources as r


def kind(uom, phase=0, exponent=0, accumulation=12):
    return r.ReadingType(
        uom=uom,
        phase=phase,
        powerOfTenMultiplier=exponent,
        accumulationBehaviour=accumulation,
        flowDirection=1,
    )


@pytest.fixture
def report(lab):
    """`report(client, {"name": (ReadingType, value)})`: a device posts its readings now."""

    def post(client, readings, number=1, role=0):
        meters = tuple(
            r.MirrorMeterReading(
                mRID=f"{number:04X}{index:028X}",
                description=name,
                ReadingType=of,
                Reading=r.Reading(value=value, timePeriod=r.DateTimeInterval(duration=0, start=int(lab.now))),
            )
            for index, (name, (of, value)) in enumerate(readings.items(), 1)
        )
        point = r.MirrorUsagePoint(
            mRID=f"{number:032X}", deviceLFDI=client.lfdi, roleFlags=role, serviceCategoryKind=0, status=1,
            MirrorMeterReading=meters,
        )  # fmt: skip
        assert client.post("/mup", point).status in (201, 204)

    return post


def power(lab, query="seconds=60"):
    status, found = lab.admin("GET", f"/power?{query}")
    assert status == 200
    return found


def test_the_power_is_summed_over_devices_and_holds_until_it_is_too_old(lab, report):
    one, two = lab.client(), lab.client(b"certificate of the second")
    for client in (one, two):
        client.get("/dcap")
    report(one, {"W": (kind(38), 4000), "var": (kind(63), -500)})
    lab.now += 20
    report(two, {"W": (kind(38, exponent=3), 2)})
    found = power(lab)
    assert found["power_w"][-1] == 6000
    assert found["reactive_power_var"][-1] == -500
    assert found["reporting"][-1] == 2
    assert found["power_w"][found["time"].index("2023-11-14T22:13:30.000Z")] == 4000
    assert found["power_w"][0] is None
    assert power(lab, f"seconds=60&lfdi={two.lfdi}")["power_w"][-1] == 2000
    lab.now += 140
    assert power(lab)["power_w"][-1] == 2000  # the first was silent for more than 2.5 posts
    lab.now += 200
    assert (power(lab)["power_w"][-1], power(lab)["reporting"][-1]) == (None, 0)


def test_the_power_of_a_site_is_not_that_of_its_der_and_is_marked(lab, client, report):
    client.get("/dcap")
    report(client, {"W": (kind(38), 4000)}, role=0x49)
    report(client, {"W": (kind(38), -1500)}, number=0xFFFF, role=0x03)
    assert power(lab)["power_w"][-1] == 4000
    status, found = lab.admin("GET", f"/end-devices/{client.lfdi}/readings?seconds=60")
    assert status == 200
    assert {(each["value"][-1], each["of_site"]) for each in found["meters"]} == {
        (4000, False),
        (-1500, True),
    }
    _, mirrors = lab.admin("GET", "/mirror-usage-points")
    assert sorted(each["roleFlags"] for each in mirrors) == ["0003", "0049"]


def test_phases_are_summed_where_there_is_no_total_and_energy_is_no_power(lab, client, report):
    client.get("/dcap")
    phases = {f"W {phase}": (kind(38, phase), 100) for phase in (128, 64, 32)}
    report(client, {**phases, "wrong": (kind(38, accumulation=4), 7)})
    assert power(lab)["power_w"][-1] == 300
    report(client, {**phases, "total": (kind(38), 290)})
    assert power(lab)["power_w"][-1] == 290


def test_the_quantities_of_a_device_have_their_units_and_scaled_values(lab, client, report):
    client.get("/dcap")
    for hertz in (50_010, 49_990):
        report(client, {"frequency": (kind(33, exponent=-3), hertz), "<b>V</b>": (kind(29, 129, -1), 2301)})
        lab.now += 60
    status, found = lab.admin("GET", f"/end-devices/{client.lfdi}/readings")
    assert status == 200
    frequency, voltage = found["meters"]
    assert (frequency["unit"], frequency["value"]) == ("Hz", [50.01, 49.99])
    assert frequency["time"] == ["2023-11-14T22:13:20.000Z", "2023-11-14T22:14:20.000Z"]
    assert (voltage["description"], voltage["quantity"]) == ("<b>V</b>", "V, phase A-N")
    assert voltage["value"][-1] == 230.1
    assert lab.admin("GET", f"/end-devices/{'0' * 40}/readings")[0] == 404


def test_the_power_of_nobody_is_null(lab):
    assert set(power(lab)["power_w"]) == {None}
    assert len(power(lab, "seconds=172800")["time"]) <= 242


def test_log_events_are_told_in_words(lab, client):
    client.get("/dcap")
    event = r.LogEvent(
        createdDateTime=1_700_000_000, functionSet=11, logEventCode=3, logEventID=1, logEventPEN=40732,
        profileID=2, details="<img src=x onerror=alert(1)>",
    )  # fmt: skip
    assert client.post("/edev/1/lel", event).status == 201
    (told,) = lab.admin("GET", "/log-events")[1]
    assert (told["function_set"], told["text"]) == ("DER", "over voltage, back to normal")
    assert told["time"] == "2023-11-14T22:13:20.000Z"
