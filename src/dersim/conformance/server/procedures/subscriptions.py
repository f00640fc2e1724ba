"""CORE-018, 019 and UTIL-003, 004 for a server: Subscriptions, and Notifications of what has changed."""

from __future__ import annotations

from collections.abc import Mapping

from dersim.conformance.operator import Step
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.notices import Inbox, Subscribed, list_of, listening
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.procedures import utility
from dersim.conformance.server.steps import AddGroup, AddProgram, Assign, EndSubscription, Publish, Register
from dersim.conformance.server.walk import Seen
from dersim.http11 import Response
from dersim.ieee2030_5 import resources as r

#: Bits of `subscribable`: 1 is without conditions, 3 with them, too.
_SUBSCRIBABLE = (1, 3)
#: Where UTIL-004 publishes, and whom it concerns.
_AFFECTED: Mapping[str, tuple[str, ...]] = {
    "SPA1": ("EDA1",),
    "SPA2": ("EDA2",),
    "SPB1": ("EDB1",),
    "SPB2": ("EDB2",),
    "FDA": ("EDA1", "EDA2"),
    "FDB": ("EDB1", "EDB2"),
    "SY": ("EDA1", "EDA2", "EDB1", "EDB2"),
}
_CANCELLED = 1
CREATED = 201


async def _assignments_href(der: Der, seen: Seen) -> str:
    href = walk.link(seen.device, "FunctionSetAssignmentsListLink")
    listed = await der.read(r.FunctionSetAssignmentsList, href)
    der.check(
        "the FunctionSetAssignmentsList is subscribable",
        listed.subscribable in _SUBSCRIBABLE,
        f"subscribable {listed.subscribable}",
    )
    return str(href)


async def core_018(der: Der) -> None:
    """A Subscription to the FunctionSetAssignmentsList."""
    await der.carry_out(*_device_in_a_group(der))
    seen = await walk.to_device(der)
    async with listening(der) as inbox:
        href = await _assignments_href(der, seen)
        offered = getattr(seen.device, "SubscriptionListLink", None)
        der.check("SubscriptionListLink has all=0", offered is not None and offered.all == 0, f"{offered}")
        subscribed = await inbox.subscribe(list_of(seen.device), href)
        if subscribed is None:
            raise Stopped
        kept, exchange = await der.exchange(r.Subscription, subscribed.href)
        der.check(
            "the Subscription is kept as it was posted",
            (kept.subscribedResource, kept.notificationURI) == (href, inbox.uri),
            f"{kept.subscribedResource} to {kept.notificationURI}",
            exchange,
        )
        since = inbox.now
        await der.carry_out(*_another_group(der, "second"))
        if await inbox.told(subscribed, since) is not None:
            await inbox.quiet([subscribed], since, 1, "one Notification for one change")
        await _ends(der, inbox, subscribed)


async def _ends(der: Der, inbox: Inbox, subscribed: Subscribed) -> None:
    """The DER ends its Subscription: no more Notifications."""
    ended = await der.send("DELETE", subscribed.href, headers=())
    der.status("DELETE of the Subscription is accepted", ended, 200, 204)
    der.status("it is gone", await der.get(subscribed.href), 404)
    since = inbox.now
    await der.carry_out(*_another_group(der, "third"))
    await inbox.quiet([subscribed], since, 0, "no Notification after the end")


def _device_in_a_group(der: Der) -> tuple[Step, ...]:
    return (Register(der.lfdi), *_another_group(der, "first"))


def _another_group(der: Der, name: str) -> tuple[AddGroup, AddProgram, Assign]:
    group = f"Group-{name}"
    return (
        AddGroup(group, "non_topology"),
        AddProgram(f"program {name}", 20, (group,)),
        Assign(der.lfdi, group),
    )


async def core_019(der: Der) -> None:
    """Subscriptions to the EndDevice and to its assignments; the server ends one."""
    await der.carry_out(*_device_in_a_group(der))
    seen = await walk.to_device(der)
    async with listening(der) as inbox:
        der.check(
            "the EndDevice is subscribable",
            seen.device.subscribable in _SUBSCRIBABLE,
            f"subscribable {seen.device.subscribable}",
        )
        href = await _assignments_href(der, seen)
        device = await inbox.subscribe(list_of(seen.device), seen.device.href)
        assigned = await inbox.subscribe(list_of(seen.device), href)
        if device is None or assigned is None:
            raise Stopped
        since = inbox.now
        await der.carry_out(*_another_group(der, "second"))
        await inbox.told(assigned, since)
        await inbox.quiet([device], since, 0, "no Notification for the EndDevice, which has not changed")
        since = inbox.now
        await der.carry_out(EndSubscription(der.lfdi, href))
        await inbox.ended(assigned, since, _CANCELLED)
        der.status("the Subscription that was ended is gone", await der.get(assigned.href), 404)


async def _subscribed_programs(inbox: Inbox, seen: Seen, sub_list: str | None) -> dict[str, Subscribed]:
    """A Subscription to each DERProgramList and DERControlList of a device, once each; by resource."""
    hrefs = [walk.link(each, "DERProgramListLink") for each in seen.assignments]
    hrefs += [walk.link(each.program, "DERControlListLink") for each in seen.programs.values()]
    made: dict[str, Subscribed] = {}
    for href in hrefs:
        if href is not None and (found := await inbox.subscribe(sub_list, href)) is not None:
            made[href] = found
    return made


async def util_003(der: Der) -> None:
    """Every DERProgramList and DERControlList of the four DERs, each once."""
    await der.carry_out(*utility.set_up(der))
    async with listening(der) as inbox:
        await _subscribe_to_all(der, inbox)


async def _subscribe_to_all(der: Der, inbox: Inbox) -> tuple[dict[str, Seen], dict[str, Subscribed]]:
    own = (await walk.to_device(der)).device
    seen: dict[str, Seen] = {}
    made: dict[str, Subscribed] = {}
    for name in utility.DERS:
        seen[name] = found = await utility.of_device(der, name)
        utility.judge_programs(der, name, found, utility.above(name))
        new = _without(found, made)
        made |= await _subscribed_programs(inbox, new, list_of(own))
    return seen, made


def _without(seen: Seen, known: Mapping[str, Subscribed]) -> Seen:
    """What has no Subscription yet: shared resources take one."""
    assignments = [each for each in seen.assignments if walk.link(each, "DERProgramListLink") not in known]
    programs = {
        href: each
        for href, each in seen.programs.items()
        if walk.link(each.program, "DERControlListLink") not in known
    }
    return Seen(seen.dcap, seen.device, seen.time, seen.registration, assignments, programs)


async def util_004(der: Der) -> None:
    """A control in seven programs in turn: a Notification each, and 36 Responses."""
    await der.carry_out(*utility.set_up(der))
    async with listening(der) as inbox:
        seen, made = await _subscribe_to_all(der, inbox)
        published = []
        for node, names in _AFFECTED.items():
            program = seen[names[0]].named(node, utility.PRIMACIES[node])
            href = None if program is None else walk.link(program.program, "DERControlListLink")
            if href is None or href not in made:
                der.check(f"{node} is subscribed to", False, f"DERControlList {href}")
                continue
            since, now_s = inbox.now, int(der.clock.now_s())
            start_s, duration_s = now_s + round(120 * der.scale) + 1, max(1, round(120 * der.scale))
            await der.carry_out(
                Publish(f"event {node}", node, start_s, 120, duration_s, {"opModMaxLimW": 50})
            )
            await inbox.told(made[href], since)
            listed = await der.items(r.DERControlList, href)
            control = next((each for each in listed if each.description == f"event {node}"), None)
            is_listed = der.check(
                f"the new control of {node} is listed", control is not None, f"{len(listed)} controls"
            )
            if is_listed and control is not None:
                published.append((await der.read(r.DERControl, control.href), names))
        await _responses(der, published)


async def _responses(der: Der, published: list[tuple[r.DERControl, tuple[str, ...]]]) -> None:
    """Responses 1, 2 and 3 of each device that a control concerns, each answered 201."""
    if not published:
        return
    starts = [int(control.interval.start) for control, _ in published]
    ends = [int(control.interval.start + control.interval.duration) for control, _ in published]
    answers = []
    for status, moment_s in ((1, 0), (2, max(starts)), (3, max(ends))):
        await der.clock.sleep_until(max(der.clock.now_s(), float(moment_s)))
        for control, names in published:
            for name in names:
                response = r.DERControlResponse(
                    createdDateTime=int(der.clock.now_s()),
                    endDeviceLFDI=utility.DERS[name],
                    status=status,
                    subject=control.mRID,
                )
                answers.append(await der.post(str(control.replyTo), response))
    wrong = [
        (f"POST {each.target} is answered {each.status}", each) for each in answers if each.status != 201
    ]
    der.all_of("each Response of each device is answered 201", wrong, f"{len(answers)} Responses")


async def err_002(der: Der) -> None:
    """A Notification that is answered 400 ends the Subscription, without another word."""
    await der.carry_out(*_device_in_a_group(der))
    seen = await walk.to_device(der)
    async with listening(der) as inbox:
        subscribed = await inbox.subscribe(list_of(seen.device), await _assignments_href(der, seen))
        if subscribed is None:
            raise Stopped
        inbox.answers, since = Response(400), inbox.now
        await der.carry_out(*_another_group(der, "second"))
        found = await inbox.next(subscribed, since)
        shown = () if found is None else (found[0],)
        der.check("the change is notified", found is not None, "it is answered 400", *shown)
        await inbox.quiet([subscribed], since, 1, "the refused Notification is not repeated")
        der.status("the Subscription is gone", await der.get(subscribed.href), 404)
        since = inbox.now
        await der.carry_out(*_another_group(der, "third"))
        await inbox.quiet([subscribed], since, 0, "no Notification after it")


PROCEDURES = (
    ServerProcedure("CORE-018", "Basic subscription", core_018, 90, required="AS"),
    ServerProcedure("CORE-019", "Advanced subscription", core_019, 60, required="AS"),
    ServerProcedure(
        "UTIL-003", "Group retrieval", util_003, required="AS",
        reading="What devices share is subscribed to once.",
    ),
    ServerProcedure(
        "UTIL-004", "DER retrieval, fan-out", util_004, 300, required="AS",
        reading="The seven controls are published one after the other, and answered together.",
    ),
    ServerProcedure(
        "ERR-002", "Subscription errors", err_002, 80, required="AS",
        reading="The part of a server under test: the client has refused a Notification. The end "
        "by the server is in CORE-019; a restart is left to its owner.",
    ),
)  # fmt: skip
