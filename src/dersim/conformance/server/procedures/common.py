"""What several procedures set up and send."""

from __future__ import annotations

from typing import Any

from lxml import etree

from dersim.conformance.evidence import Exchange
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.steps import AddProgram, Register
from dersim.conformance.server.walk import Seen
from dersim.ieee2030_5 import resources as r

#: Attributes that a server adds to what it was sent.
_ADDED = frozenset({"href", "schemaVer", "subscribable"})
#: Everything that the documents of a PV inverter of 10 kW, 11 kVA say.
MODES_SUPPORTED = 0x01F67FAC


async def registered(der: Der) -> Seen:
    """The EndDevice is registered, and found."""
    await der.prepare(Register(der.lfdi))
    return await walk.to_device(der)


async def with_program(der: Der) -> Seen:
    """The EndDevice is registered, with a program for all devices that has a default."""
    await der.prepare(Register(der.lfdi), AddProgram("SY", 10, (), {"opModMaxLimW": 90}))
    return await walk.whole(der)


def power(value: int) -> r.ActivePower:
    """W."""
    return r.ActivePower(multiplier=0, value=value)


def capability() -> r.DERCapability:
    """The nameplate."""
    return r.DERCapability(
        modesSupported=MODES_SUPPORTED,
        rtgAbnormalCategory=3,
        rtgMaxVA=r.ApparentPower(multiplier=0, value=11000),
        rtgMaxVar=r.ReactivePower(multiplier=0, value=4840),
        rtgMaxVarNeg=r.ReactivePower(multiplier=0, value=-4840),
        rtgMaxW=power(10000),
        rtgMinPFOverExcited=r.PowerFactor(displacement=900, multiplier=-3),
        rtgMinPFUnderExcited=r.PowerFactor(displacement=900, multiplier=-3),
        rtgNormalCategory=2,
        type=4,
    )


def settings(now_s: float, max_w: int = 10000) -> r.DERSettings:
    """The settings. max_w: setMaxW."""
    return r.DERSettings(
        modesEnabled=MODES_SUPPORTED,
        setGradW=10000,
        setMaxVA=r.ApparentPower(multiplier=0, value=11000),
        setMaxVar=r.ReactivePower(multiplier=0, value=4840),
        setMaxVarNeg=r.ReactivePower(multiplier=0, value=-4840),
        setMaxW=power(max_w),
        setMinPFOverExcited=r.PowerFactor(displacement=900, multiplier=-3),
        setMinPFUnderExcited=r.PowerFactor(displacement=900, multiplier=-3),
        setSoftGradW=200,
        updatedTime=int(now_s),
    )


def status(now_s: float) -> r.DERStatus:
    """What BASIC-028 asks of a generator."""
    at = int(now_s)
    return r.DERStatus(
        alarmStatus=0,
        genConnectStatus=r.ConnectStatusType(dateTime=at, value=7),
        inverterStatus=r.InverterStatusType(dateTime=at, value=4),
        localControlModeStatus=r.LocalControlModeStatusType(dateTime=at, value=1),
        manufacturerStatus=r.ManufacturerStatusType(dateTime=at, value="dersim"),
        operationalModeStatus=r.OperationalModeStatusType(dateTime=at, value=2),
        readingTime=at,
    )


def availability(now_s: float) -> r.DERAvailability:
    """What could be had."""
    return r.DERAvailability(
        readingTime=int(now_s), statVarAvail=r.ReactivePower(multiplier=0, value=4840), statWAvail=power(8000)
    )


async def der_of(der: Der, device: r.EndDevice) -> r.DER:
    """The first DER of an EndDevice; Stopped without."""
    listed = await der.items(r.DERList, walk.link(device, "DERListLink"))
    if not der.check("the EndDevice has a DER", bool(listed), f"{len(listed)} in its DERList"):
        raise Stopped
    found: r.DER = listed[0]
    return found


async def put_and_get(der: Der, href: str | None, resource: Any, statuses: tuple[int, ...] = (204,)) -> None:
    """PUT of a document, and a GET that must give the same values."""
    name = type(resource).__name__
    if (
        not der.check(f"{name} is linked", href is not None, f"{name}Link of the DER is {href}")
        or href is None
    ):
        return
    put = await der.put(href, resource)
    if not der.status(f"the PUT of {name} is accepted", put, *statuses):
        return
    got = await der.get(href)
    der.status(f"{name} is served after the PUT", got, 200)
    if got.status == 200:
        said = differs(put.body, got.answer)
        der.check(f"{name} is what was PUT", said is None, said or "every value as it was sent", put, got)


def differs(sent: bytes, served: bytes) -> str | None:
    """The first difference of two documents, None without; hexadecimal digits may change their case."""
    try:
        one, other = etree.fromstring(sent), etree.fromstring(served)
    except etree.XMLSyntaxError as error:
        return str(error)
    return _differ(one, other)


def _differ(one: Any, other: Any) -> str | None:
    name = etree.QName(one).localname
    if one.tag != other.tag:
        return f"{name}: {etree.QName(other).localname} is in its place"
    first, second = (one.text or "").strip(), (other.text or "").strip()
    if first.upper() != second.upper():
        return f"{name}: {second or 'nothing'} instead of {first or 'nothing'}"
    attributes = [
        {key: value for key, value in each.attrib.items() if key not in _ADDED} for each in (one, other)
    ]
    if attributes[0] != attributes[1]:
        return f"{name}: attributes {attributes[1]} instead of {attributes[0]}"
    if len(one) != len(other):
        missing = {etree.QName(each).localname for each in one} ^ {
            etree.QName(each).localname for each in other
        }
        return f"{name}: {', '.join(sorted(missing)) or 'its elements'} differ"
    return next((said for a, b in zip(one, other, strict=True) if (said := _differ(a, b))), None)


def located(der: Der, text: str, exchange: Exchange) -> str | None:
    """Note that a POST is answered 201 with the Location of what it made; the Location."""
    if not der.status(text, exchange, 201):
        return None
    there = exchange.location
    der.check(f"{text}: with its Location", bool(there), f"Location {there or 'is missing'}", exchange)
    return there
