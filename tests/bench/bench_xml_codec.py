"""Reading ten controls with the schema check, writing sixteen meter readings: the same documents."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.measure import Result, at_least, cpu_per_call_us, interleaved

from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r

ROUNDS, CALLS = 5, 200


def ten_controls() -> bytes:
    """A DERControlList of ten as a server sends it."""
    controls = tuple(
        r.DERControl(
            href=f"/derp/0/derc/{k}",
            replyTo="/rsps/0/rsp",
            responseRequired=7,
            mRID=f"{k:032X}",
            description=f"control {k}",
            version=0,
            creationTime=1_795_000_000 + k,
            EventStatus=r.EventStatus(currentStatus=0, dateTime=1_795_000_000, potentiallySuperseded=False),
            interval=r.DateTimeInterval(duration=300, start=1_795_001_000 + 600 * k),
            randomizeStart=30,
            DERControlBase=r.DERControlBase(
                opModMaxLimW=5000 + k,
                opModFixedPFInjectW=r.PowerFactorWithExcitationControlType(
                    displacement=950, excitation=False, multiplier=-3
                ),
                opModVoltVar=r.DERCurveLink(href=f"/derp/0/dc/{k}"),
            ),
        )
        for k in range(10)
    )
    whole = r.DERControlList(href="/derp/0/derc", all=10, results=10, DERControl=controls)
    return encode(whole, Edition.E2018)


def sixteen_readings() -> r.MirrorMeterReadingList:
    """Sixteen readings as a DER posts them every minute."""
    readings = tuple(
        r.MirrorMeterReading(
            mRID=f"{k:032X}",
            description=f"reading {k}",
            Reading=r.Reading(
                qualityFlags=1,
                timePeriod=r.DateTimeInterval(duration=60, start=1_795_000_000),
                value=10_000 + k,
            ),
        )
        for k in range(16)
    )
    return r.MirrorMeterReadingList(all=16, results=16, MirrorMeterReading=readings)


def run() -> Iterator[Result]:
    """Both codecs on the same bytes and the same resources, in turn."""
    from py20305.models import sep
    from py20305.xml.serialization import from_xml, to_xml

    body = ten_controls()
    decode(body)  # both sides build their bindings on first use
    from_xml(body, sep.DercontrolList)
    ours, peer = interleaved(
        lambda: cpu_per_call_us(lambda: decode(body), CALLS),
        lambda: cpu_per_call_us(lambda: from_xml(body, sep.DercontrolList), CALLS // 4),
        ROUNDS,
    )
    yield at_least("read a DERControlList of ten, schema check on", ours, peer, 6)

    readings = sixteen_readings()
    theirs = from_xml(encode(readings, Edition.E2023), sep.MirrorMeterReadingList)
    ours, peer = interleaved(
        lambda: cpu_per_call_us(lambda: encode(readings, Edition.E2023), CALLS),
        lambda: cpu_per_call_us(lambda: to_xml(theirs), CALLS // 4),
        ROUNDS,
    )
    yield at_least("write sixteen meter readings", ours, peer, 25)
