"""UTIL-001, 002 and MAINT for a server: an aggregator with four DERs in the topology of figure 15."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.conformance.operator import Step
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der
from dersim.conformance.server.notices import list_of, listening
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import common
from dersim.conformance.server.steps import (
    AddGroup,
    AddProgram,
    Assign,
    Publish,
    Register,
    SetPrimacy,
    Unregister,
)
from dersim.conformance.server.walk import Seen
from dersim.ieee2030_5 import resources as r

#: The DERs behind the aggregator, and their service points.
DERS: Mapping[str, str] = {"EDA1": "DA01" * 10, "EDA2": "DA02" * 10, "EDB1": "DB01" * 10, "EDB2": "DB02" * 10}
ADDED = "DA0E" * 10
#: The status of a Notification about a resource that is gone.
DELETED = 4
#: Figure 15 below the system: name, level, parent, primacy.
GROUPS = (
    ("ST", "subtransmission", None, 9),
    ("SS", "substation", "ST", 8),
    *((f"FD{x}", "feeder", "SS", 7) for x in "AB"),
    *((f"SG{x}", "segment", f"FD{x}", 6) for x in "AB"),
    *((f"TF{x}", "transformer", f"SG{x}", 5) for x in "AB"),
    *((f"SP{x}{n}", "service_point", f"TF{x}", 4) for x in "AB" for n in (1, 2)),
)
PRIMACIES: Mapping[str, int] = {"SY": 10, **{name: primacy for name, _, _, primacy in GROUPS}}
_TFA_DEFAULT, _TFB_DEFAULT = {"opModMaxLimW": 70}, {"opModMaxLimW": 80}


def set_up(
    der: Der,
    primacies: Mapping[str, int] | None = None,
    defaults: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Step]:
    """U-SETUP: the groups, a DERProgram in each, the aggregator and its four DERs."""
    primacies, defaults = primacies or {}, defaults or {}
    steps: list[Step] = [Register(der.lfdi)]
    steps += [Register(lfdi, aggregator=der.lfdi) for lfdi in DERS.values()]
    steps += [AddGroup(name, level, parent) for name, level, parent, _ in GROUPS]
    steps += [Assign(lfdi, f"SP{name[2:]}") for name, lfdi in DERS.items()]
    steps.append(AddProgram("SY", 10))
    for name, _, _, primacy in GROUPS:
        steps.append(AddProgram(name, primacies.get(name, primacy), (name,), defaults.get(name)))
    return steps


def above(name: str) -> list[str]:
    """The programs of a DER, the best first: of its service point and all above it."""
    feeder = name[2]
    return [f"SP{name[2:]}", f"TF{feeder}", f"SG{feeder}", f"FD{feeder}", "SS", "ST", "SY"]


async def of_device(der: Der, name: str) -> Seen:
    """The walk to all that one of the four DERs is assigned to."""
    return await walk.whole(der, DERS[name])


def judge_programs(der: Der, name: str, seen: Seen, due: list[str], *, when: str = "") -> None:
    """Note that a device reaches these programs of figure 15, and no others of it."""
    known = {"SY", *(group for group, *_ in GROUPS)}
    found = {each.name for each in seen.programs.values() if each.name in known}
    missing, more = sorted(set(due) - found), sorted(found - set(due))
    said = f"missing {missing}, not its own {more}" if missing or more else ", ".join(due)
    der.check(f"{name} has the DERPrograms of its groups{when}", not missing and not more, said)


async def util_001(der: Der) -> None:
    """Five EndDevices; each device has the programs of all nodes above it."""
    await der.carry_out(*set_up(der))
    dcap = await der.read(r.DeviceCapability, der.target.path)
    listed = await der.items(r.EndDeviceList, walk.link(dcap, "EndDeviceListLink"))
    found = {str(each.lFDI).upper() for each in listed}
    due = {der.lfdi, *DERS.values()}
    der.check("EndDeviceList has the five EndDevices", found >= due, f"{len(found & due)} of 5")
    for name in DERS:
        seen = await of_device(der, name)
        judge_programs(der, name, seen, above(name))
        wrong = [
            f"{each.name} {each.program.primacy}"
            for each in seen.programs.values()
            if each.name in PRIMACIES and each.program.primacy != PRIMACIES[each.name]
        ]
        der.check(
            f"the primacies of {name} are those of figure 15", not wrong, ", ".join(wrong) or "as printed"
        )


async def util_002(der: Der) -> None:
    """The aggregator's own PIN, and the documents of its four DERs."""
    await der.carry_out(*set_up(der))
    walk.judge_identity(der, await walk.to_device(der))
    for lfdi in DERS.values():
        seen = await walk.to_device(der, lfdi)
        found = await common.der_of(der, seen.device)
        now_s = der.clock.now_s()
        await common.put_and_get(der, walk.link(found, "DERCapabilityLink"), common.capability())
        await common.put_and_get(der, walk.link(found, "DERSettingsLink"), common.settings(now_s))
        await common.put_and_get(der, walk.link(found, "DERStatusLink"), common.status(now_s))
        await common.put_and_get(der, walk.link(found, "DERAvailabilityLink"), common.availability(now_s))


async def maint_001(der: Der) -> None:
    """A removed EndDevice is not listed any more, its href is 404, and both are notified."""
    await der.carry_out(*set_up(der), Register(ADDED, aggregator=der.lfdi), Assign(ADDED, "SPA1"))
    seen = await walk.to_device(der, ADDED)
    own = (await walk.to_device(der)).device
    listed_at = walk.link(seen.dcap, "EndDeviceListLink")
    async with listening(der) as inbox:
        devices = await inbox.subscribe(list_of(own), listed_at)
        hrefs = [each.href for each in await der.items(r.EndDeviceList, listed_at)]
        made = {href: await inbox.subscribe(list_of(own), href) for href in hrefs}
        removed = made.get(seen.device.href)
        since = inbox.now
        await der.carry_out(Unregister(ADDED))
        if devices is not None:
            await inbox.told(devices, since)
        if removed is not None:
            await inbox.ended(removed, since, DELETED)
    await _judge_removed(der, seen)


async def _judge_removed(der: Der, seen: Seen) -> None:
    listed = await der.items(r.EndDeviceList, walk.link(seen.dcap, "EndDeviceListLink"))
    found = [each.href for each in listed if str(each.lFDI).upper() == ADDED]
    der.check("the removed EndDevice is not listed", not found, f"{len(listed)} EndDevices")
    for href in (seen.device.href, walk.link(seen.device, "RegistrationLink")):
        der.status("what belonged to it is answered 404", await der.get(str(href)), 404)
    for name, lfdi in DERS.items():
        der.check(f"{name} is still listed", any(str(each.lFDI).upper() == lfdi for each in listed), name)


async def maint_003(der: Der) -> None:
    """EDB1 moves from SPB1 to SPA1, which is notified."""
    await der.carry_out(*set_up(der, defaults={"TFA": _TFA_DEFAULT, "TFB": _TFB_DEFAULT}))
    own = (await walk.to_device(der)).device
    before = await of_device(der, "EDB1")
    judge_programs(der, "EDB1", before, above("EDB1"))
    async with listening(der) as inbox:
        assigned = walk.link(before.device, "FunctionSetAssignmentsListLink")
        subscribed = await inbox.subscribe(list_of(own), assigned)
        since = inbox.now
        await der.carry_out(Assign(DERS["EDB1"], "SPA1"))
        if subscribed is not None:
            await inbox.told(subscribed, since)
    seen = await of_device(der, "EDB1")
    judge_programs(der, "EDB1", seen, above("EDA1"), when=" after the move")
    judge_programs(der, "EDB2", await of_device(der, "EDB2"), above("EDB2"), when=" after the move")
    transformer = seen.named("TFA", PRIMACIES["TFA"])
    default = None if transformer is None else transformer.default
    served = None if default is None else default.DERControlBase.opModMaxLimW
    due = _TFA_DEFAULT["opModMaxLimW"] * 100
    der.check("the default of TFA is its own now", served == due, f"opModMaxLimW {served}, {due} is due")


async def maint_004(der: Der) -> None:
    """A new control of TFA is notified, reaches EDA1 and EDA2 alone, and takes a Response of each."""
    await der.carry_out(*set_up(der, primacies={"TFA": 5, "TFB": 5}))
    own = (await walk.to_device(der)).device
    async with listening(der) as inbox:
        made = {}
        for name, node in (("EDA1", "TFA"), ("EDB1", "TFB")):
            program = (await of_device(der, name)).named(node, PRIMACIES[node])
            href = None if program is None else walk.link(program.program, "DERControlListLink")
            made[node] = await inbox.subscribe(list_of(own), href)
        since, now_s = inbox.now, int(der.clock.now_s())
        start_s, duration_s = now_s + round(900 * der.scale), max(1, round(300 * der.scale))
        await der.carry_out(Publish("new", "TFA", start_s, 900, duration_s, {"opModMaxLimW": 50}))
        if (concerned := made["TFA"]) is not None:
            await inbox.told(concerned, since)
        if (other := made["TFB"]) is not None:
            await inbox.quiet([other], since, 0, "no Notification for TFB, where nothing has changed")
    for name in DERS:
        await _judge_new(der, name)


async def _judge_new(der: Der, name: str) -> None:
    seen = await of_device(der, name)
    controls = [each for program in seen.programs.values() for each in program.controls]
    found = [each for each in controls if each.description == "new"]
    due = 1 if name.startswith("EDA") else 0
    der.check(f"{name} has the control {'once' if due else 'not'}", len(found) == due, f"{len(found)} times")
    for control in found:
        if not der.check(f"it has a replyTo for {name}", bool(control.replyTo), f"replyTo {control.replyTo}"):
            continue
        response = r.DERControlResponse(
            createdDateTime=int(der.clock.now_s()), endDeviceLFDI=DERS[name], status=1, subject=control.mRID
        )
        posted = await der.post(str(control.replyTo), response)
        der.status(f"the Response for {name} is answered 201", posted, 201)


async def maint_005(der: Der) -> None:
    """The primacies of transformers and segments are swapped, and notified."""
    transformers, segments = ("TFA", "TFB"), ("SGA", "SGB")
    before = {**dict.fromkeys(transformers, 1), **dict.fromkeys(segments, 2)}
    defaults = {name: {"opModMaxLimW": 60 + 10 * primacy} for name, primacy in before.items()}
    await der.carry_out(*set_up(der, before, defaults))
    own = (await walk.to_device(der)).device
    await _judge_best(der, before, "")
    async with listening(der) as inbox:
        hrefs = []
        for name in ("EDA1", "EDB1"):
            hrefs += [await _list_with(der, each) for each in (await of_device(der, name)).assignments]
        made = [await inbox.subscribe(list_of(own), href) for href in dict.fromkeys(hrefs) if href]
        after = {**dict.fromkeys(transformers, 2), **dict.fromkeys(segments, 1)}
        since = inbox.now
        await der.carry_out(*(SetPrimacy(name, primacy) for name, primacy in after.items()))
        for subscribed in made:
            if subscribed is not None:
                await inbox.told(subscribed, since)
    await _judge_best(der, after, " after the swap")


async def _list_with(der: Der, assignment: r.FunctionSetAssignments) -> str | None:
    """The DERProgramList of an assignment, where a transformer's or a segment's program is in it."""
    href = walk.link(assignment, "DERProgramListLink")
    listed = await der.items(r.DERProgramList, href) if href else ()
    return href if any(str(each.description)[:2] in ("TF", "SG") for each in listed) else None


async def _judge_best(der: Der, primacies: Mapping[str, int], when: str) -> None:
    for name in ("EDA1", "EDB1"):
        seen = await of_device(der, name)
        served = {
            each.name: each.program.primacy for each in seen.programs.values() if each.name in primacies
        }
        due = {key: value for key, value in primacies.items() if key[2] == name[2]}
        der.check(f"the primacies of {name} are as set{when}", served == due, f"{served}, {due} is due")


PROCEDURES = (
    ServerProcedure("UTIL-001", "Server start-up, groups", util_001, required=""),
    ServerProcedure("UTIL-002", "Aggregator commissioning", util_002, required="AS"),
    ServerProcedure("MAINT-001", "Inverter removed out of band", maint_001, required="AS"),
    ServerProcedure("MAINT-003", "Group change", maint_003, required="AS"),
    ServerProcedure("MAINT-004", "New control", maint_004, 40, required="AS"),
    ServerProcedure("MAINT-005", "Primacy swap", maint_005, required="AS"),
)
