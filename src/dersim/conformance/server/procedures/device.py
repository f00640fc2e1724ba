"""CORE-003, 005, 009, 014 and BASIC-027, 028: poll rates, Time, the documents of a DER, LogEvents."""

from __future__ import annotations

import math
from typing import Any

from dersim.conformance.server import walk
from dersim.conformance.server.der import Der
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import common
from dersim.conformance.server.procedures.http import log_event
from dersim.conformance.server.steps import Register
from dersim.ieee2030_5 import resources as r

#: How many LogEvents BASIC-027 asks for.
LOG_EVENTS = 5
_QUALITIES = frozenset({3, 4, 5, 6, 7})


async def core_003(der: Der) -> None:
    """The walk of a device that polls, and the rates that it is told."""
    seen = await common.with_program(der)
    walk.judge_identity(der, seen)
    listed: Any = await der.read(r.EndDeviceList, walk.link(seen.dcap, "EndDeviceListLink"))
    assigned: Any = await der.read(
        r.FunctionSetAssignmentsList, walk.link(seen.device, "FunctionSetAssignmentsListLink")
    )
    hrefs = [href for each in seen.assignments if (href := walk.link(each, "DERProgramListLink"))]
    der.check("a DERProgramList is assigned", bool(hrefs), f"{len(seen.programs)} DERPrograms")
    programs = [await der.read(r.DERProgramList, href) for href in hrefs[:1]]
    for each in (seen.dcap, listed, assigned, *programs):
        name, rate = type(each).__name__, each.pollRate
        der.check(f"{name} says its pollRate", bool(rate), f"pollRate {rate}")


async def core_005(der: Der) -> None:
    """Time is right, of quality 7, and goes on."""
    await der.prepare(Register(der.lfdi))
    seen = await walk.to_device(der)
    walk.judge_time(der, seen)
    if seen.time is None:
        return
    quality = seen.time.quality
    der.check("quality is one of the standard", quality in _QUALITIES, f"quality {quality}")
    der.check("quality is 7", quality == 7, f"quality {quality}", printed_only=True)
    before = seen.time.currentTime
    await der.clock.sleep_until(math.ceil(der.clock.now_s()) + 5)
    later, exchange = await der.exchange(r.Time, walk.link(seen.dcap, "TimeLink"))
    passed_s = later.currentTime - before
    der.check(
        "currentTime goes on by a second a second", 4 <= passed_s <= 7, f"{passed_s} s in five", exchange
    )


async def core_009(der: Der) -> None:
    """The EndDevice, its PIN, and the four documents of its DER."""
    seen = await common.registered(der)
    walk.judge_identity(der, seen)
    await _four_documents(der, seen.device)


async def _four_documents(der: Der, device: r.EndDevice) -> None:
    found = await common.der_of(der, device)
    now_s = der.clock.now_s()
    for name, resource in (
        ("DERCapabilityLink", common.capability()),
        ("DERSettingsLink", common.settings(now_s)),
        ("DERStatusLink", common.status(now_s)),
        ("DERAvailabilityLink", common.availability(now_s)),
    ):
        await common.put_and_get(der, walk.link(found, name), resource, (200, 201, 204))


async def core_014(der: Der) -> None:
    """Ratings and settings are kept, and kept true."""
    seen = await common.registered(der)
    found = await common.der_of(der, seen.device)
    await common.put_and_get(der, walk.link(found, "DERCapabilityLink"), common.capability())
    for max_w in (10000, 8000):
        await common.put_and_get(
            der, walk.link(found, "DERSettingsLink"), common.settings(der.clock.now_s(), max_w)
        )


async def basic_027(der: Der) -> None:
    """Five LogEvents, each with its Location, and the list with the newest first."""
    seen = await common.registered(der)
    href = walk.link(seen.device, "LogEventListLink")
    if not der.check("LogEventList is linked", href is not None, f"LogEventListLink {href}") or href is None:
        return
    posted = {}
    for number in range(1, LOG_EVENTS + 1):
        made = await der.post(href, log_event(der, 100 + number))
        there = common.located(der, f"LogEvent {number} is answered 201", made)
        if there is not None:
            posted[100 + number] = there
        await der.sleep(2)
    listed = await der.items(r.LogEventList, href)
    found = [each.logEventID for each in listed if each.logEventID in posted]
    due = sorted(posted, reverse=True)
    der.check("the list has them, the newest first", found == due, f"logEventID {found}, {due} is due")
    for number, there in posted.items():
        event = await der.read(r.LogEvent, there)
        der.check(
            f"LogEvent {number - 100} is at its Location",
            event.logEventID == number,
            f"logEventID {event.logEventID}",
        )


async def basic_028(der: Der) -> None:
    """DERStatus of a generator."""
    seen = await common.registered(der)
    found = await common.der_of(der, seen.device)
    await common.put_and_get(der, walk.link(found, "DERStatusLink"), common.status(der.clock.now_s()))


PROCEDURES = (
    ServerProcedure(
        "CORE-003", "Polling", core_003, reading="The four resources that are polled must say a pollRate."
    ),
    ServerProcedure(
        "CORE-005", "Time", core_005, 5,
        reading="currentTime is right when it is within 10 s of the suite's clock.",
    ),
    ServerProcedure("CORE-009", "EndDevice", core_009),
    ServerProcedure("CORE-014", "DER settings of a generating device", core_014),
    ServerProcedure("BASIC-027", "Alarms", basic_027, 10),
    ServerProcedure("BASIC-028", "Inverter status", basic_028),
)  # fmt: skip
