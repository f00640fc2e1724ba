"""BASIC-029 for a server: mirrors and readings, and what is found of them below UsagePointList."""

from __future__ import annotations

from typing import NamedTuple

from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import common
from dersim.ieee2030_5 import resources as r

_PEN = "00009F1C"
_POINT = f"D0000000000000000000000A{_PEN}"


class _Quantity(NamedTuple):
    """A quantity that is metered. value: raw, of the multiplier."""

    name: str
    uom: int
    kind: int
    multiplier: int
    value: int

    @property
    def mrid(self) -> str:
        """Of its MirrorMeterReading."""
        return f"D00000000000000000000{self.uom:03X}{_PEN}"


_QUANTITIES = (
    _Quantity("W", 38, 37, 0, 7420),
    _Quantity("var", 63, 37, 0, -1230),
    _Quantity("Hz", 33, 0, -2, 6001),
    _Quantity("V", 29, 0, -1, 2402),
)


def _definition(quantity: _Quantity) -> r.MirrorMeterReading:
    return r.MirrorMeterReading(
        mRID=quantity.mrid,
        description=quantity.name,
        ReadingType=r.ReadingType(
            accumulationBehaviour=12,
            commodity=1,
            dataQualifier=0,
            flowDirection=1,
            kind=quantity.kind,
            phase=0,
            powerOfTenMultiplier=quantity.multiplier,
            uom=quantity.uom,
        ),
    )


def _reading(quantity: _Quantity, now_s: float, value: int) -> r.MirrorMeterReading:
    reading = r.Reading(timePeriod=r.DateTimeInterval(duration=0, start=int(now_s)), value=value)
    return r.MirrorMeterReading(mRID=quantity.mrid, Reading=reading)


def _point(der: Der, *readings: r.MirrorMeterReading) -> r.MirrorUsagePoint:
    return r.MirrorUsagePoint(
        mRID=_POINT,
        description="conformance",
        roleFlags=0x49,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=der.lfdi,
        MirrorMeterReading=readings,
    )


async def basic_029(der: Der) -> None:
    """Definitions, readings and their values."""
    seen = await common.registered(der)
    mup = walk.link(seen.dcap, "MirrorUsagePointListLink")
    if not der.check("MirrorUsagePointList is linked", mup is not None, f"link {mup}") or mup is None:
        return
    made = await der.post(mup, _point(der, _definition(_QUANTITIES[0])))
    there = common.located(der, "the MirrorUsagePoint is answered 201", made)
    if there is None:
        raise Stopped
    for quantity in _QUANTITIES[1:]:
        posted = await der.post(there, _definition(quantity))
        common.located(der, f"the definition of {quantity.name} is answered 201", posted)
    again = await der.post(mup, _point(der))
    der.status("the same MirrorUsagePoint once more is answered 204", again, 204)
    der.check("and with the same Location", again.location == there, f"Location {again.location}", again)
    await _post_readings(der, there)
    await _read_back(der, seen)


async def _post_readings(der: Der, there: str) -> None:
    point, exchange = await der.exchange(r.MirrorUsagePoint, there)
    der.check(
        "the MirrorUsagePoint says its postRate", bool(point.postRate), f"postRate {point.postRate}", exchange
    )
    der.check(
        "its GET has the first level only", not point.MirrorMeterReading,
        f"{len(point.MirrorMeterReading)} MirrorMeterReadings", exchange, printed_only=True,
    )  # fmt: skip
    for value in (-1, 0):
        for quantity in _QUANTITIES:
            posted = await der.post(there, _reading(quantity, der.clock.now_s(), quantity.value + value))
            der.status(f"a reading of {quantity.name} is answered 204", posted, 204)
        await der.sleep(2)
    unknown = _reading(_QUANTITIES[0], der.clock.now_s(), 1)
    unknown.mRID = f"D00000000000000000000EEE{_PEN}"
    refused = await der.post(there, unknown)
    der.status("a reading of an unknown mRID without ReadingType is answered 400", refused, 400)


async def _read_back(der: Der, seen: walk.Seen) -> None:
    points = await der.items(r.UsagePointList, walk.link(seen.dcap, "UsagePointListLink"))
    mine = [each for each in points if str(each.mRID).upper() == _POINT]
    if not der.check(
        "the UsagePoint is listed", len(mine) == 1, f"{len(mine)} of {len(points)} with its mRID"
    ):
        return
    readings = await der.items(r.MeterReadingList, walk.link(mine[0], "MeterReadingListLink"))
    by_mrid = {str(each.mRID).upper(): each for each in readings}
    for quantity in _QUANTITIES:
        found = by_mrid.get(quantity.mrid)
        if not der.check(
            f"the MeterReading of {quantity.name} is listed", found is not None, f"{len(readings)} are"
        ):
            continue
        kind = await der.read(r.ReadingType, walk.link(found, "ReadingTypeLink"))
        reading, exchange = await der.exchange(r.Reading, walk.link(found, "ReadingLink"))
        der.check(
            f"{quantity.name} is what was posted last",
            (reading.value, kind.uom, kind.powerOfTenMultiplier or 0)
            == (quantity.value, quantity.uom, quantity.multiplier),
            f"value {reading.value} of uom {kind.uom}, {quantity.value} is due",
            exchange,
        )


PROCEDURES = (
    ServerProcedure(
        "BASIC-029", "Meter readings", basic_029, 5,
        reading="Readings are posted to the MirrorUsagePoint's own Location.",
    ),
)  # fmt: skip
