"""Every number of every document that a client sends, at its extremes: no 500, no view that fails then."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from tests.fuzz import documents
from tests.fuzz.conftest import ADMIN_VIEWS, SAMPLED
from tests.utility.conftest import Client, Lab, T

from dersim.ieee2030_5 import resources as r
from dersim.utility.tree import ROUTES

LFDI = Client(None, b"certificate of the first").lfdi
POINT = {"mRID": "11" * 16, "roleFlags": 0x49, "serviceCategoryKind": 0, "status": 1, "deviceLFDI": LFDI}
PERIOD = r.DateTimeInterval(duration=300, start=int(T))
READING = r.Reading(value=5, timePeriod=PERIOD)
SET = r.MirrorReadingSet(mRID="33" * 16, timePeriod=PERIOD, Reading=(READING,))
METER = r.MirrorMeterReading(
    mRID="22" * 16, ReadingType=r.ReadingType(uom=38), Reading=READING, MirrorReadingSet=(SET,)
)
EVENT = r.LogEvent(
    createdDateTime=int(T), functionSet=0, logEventCode=2, logEventID=1, logEventPEN=40732, profileID=2
)
DER = "/edev/1/der/1"
SENT: dict[str, tuple[str, str, Any]] = {
    "DERCapability": ("PUT", f"{DER}/dercap", r.DERCapability),
    "DERSettings": ("PUT", f"{DER}/derg", r.DERSettings),
    "DERStatus": ("PUT", f"{DER}/ders", r.DERStatus(alarmStatus=2, readingTime=5)),
    "DERAvailability": ("PUT", f"{DER}/dera", r.DERAvailability(readingTime=5)),
    "DeviceInformation": ("PUT", "/edev/1/di", r.DeviceInformation),
    "LogEvent": ("POST", "/edev/1/lel", EVENT),
    "EndDevice": ("POST", "/edev", r.EndDevice(lFDI=LFDI, sFDI=5, changedTime=0)),
    "DERControlResponse": (
        "POST",
        "/rsps/1/rsp",
        r.DERControlResponse(createdDateTime=int(T), endDeviceLFDI=LFDI, status=1, subject="00" * 16),
    ),
    "Subscription": (
        "POST",
        "/edev/1/sub",
        r.Subscription(
            encoding=0,
            level="+S1",
            limit=1,
            notificationURI="https://127.0.0.1:9443/notify",
            subscribedResource="/edev/1/fsa",
        ),
    ),
    "MirrorUsagePoint": ("POST", "/mup", r.MirrorUsagePoint(**POINT, MirrorMeterReading=(METER,))),
    "MirrorMeterReading": ("POST", "/mup/1", METER),
    "MirrorMeterReadingList": (
        "POST",
        "/mup/1",
        r.MirrorMeterReadingList(all=1, results=1, MirrorMeterReading=(METER,)),
    ),
}
ADMIN = (*ADMIN_VIEWS, "requests")
PATHS = [shape.replace("*", "1") for shape in ROUTES]


def test_every_document_that_a_client_sends_is_tried():
    writable = {path for path, route in zip(PATHS, ROUTES.values(), strict=True) if route.put or route.post}
    assert writable == {path for _, path, _ in SENT.values()}


@pytest.mark.parametrize("name", SENT)
def test_extremes_of(name):
    method, path, resource = SENT[name]
    if isinstance(resource, type):
        resource = documents.least(resource)
    lab = Lab(registration="inband" if name == "EndDevice" else "open")
    every = itertools.product(documents.numbers(type(resource)), documents.EXTREMES)
    taken = 0
    for place, text in itertools.islice(every, 0, None, min(SAMPLED, 41)):
        client = lab.client()
        client.get("/dcap")
        if name.startswith("MirrorMeter"):
            client.post("/mup", r.MirrorUsagePoint(**POINT))
        case = f"{name}/{documents.name_of(place)} = {text[:24]!r}"
        answer = client.send(method, path, documents.with_number(resource, place, text))
        assert answer.status < 500, case
        taken += answer.status < 300
        for each in PATHS:
            assert client.ask("GET", f"{each}?l=255").status in (200, 404), f"{case}: {each}"
        for view in ADMIN:
            assert lab.admin("GET", f"/{view}")[0] == 200, f"{case}: {view}"
    assert taken
