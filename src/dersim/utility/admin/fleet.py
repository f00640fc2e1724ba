"""`/fleet`: the EndDevices as a table in words, and all about one of them."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypedDict

from dersim.ieee2030_5.words import Told, bits, in_words
from dersim.json_schema import described, unit
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339, rfc3339_or_none
from dersim.utility.admin.context import LFDI, AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX
from dersim.utility.admin.views import scaled
from dersim.utility.end_devices import EndDeviceRecord, Registrant
from dersim.utility.groups import SYSTEM, Group
from dersim.utility.head_end import HeadEnd

State = Literal["connected", "silent", "never seen", "disabled"]
STATES: tuple[State, ...] = ("connected", "silent", "never seen", "disabled")
#: A device is silent after so many of the longest polls that it is told.
POLLS_MISSED = 2
_WATTS = 38


class DeviceRow(TypedDict):
    """An EndDevice as a row of a table."""

    id: int
    lfdi: str
    sfdi: int
    state: State
    last_seen: str | None
    edition: Literal["2018", "2023"]
    registered_by: Annotated[Registrant, described("its first request, itself by a POST, or the operator")]
    aggregator: str | None
    groups: Annotated[list[str], described("where it is, from the top, such as substation / feeder 7")]
    pin_read: Annotated[str | None, described("when it last read its Registration")]
    rtg_max_w: Annotated[float | None, unit("W")]
    set_max_w: Annotated[float | None, unit("W")]
    power_w: Annotated[float | None, unit("W", "newest real power that its mirrors report")]
    soc_percent: Annotated[float | None, unit("%")]
    status: Annotated[list[str], described("DERStatus in words")]
    alarms: Annotated[str, described("empty: none")]
    violations: int


class Fleet(TypedDict):
    """The devices that match, and how many there are in each state."""

    total: int
    matching: int
    states: dict[str, int]
    rows: list[DeviceRow]


class ProgramOf(TypedDict):
    """A program of a device."""

    id: int
    description: str
    primacy: int
    groups: list[str]


class DeviceDetail(TypedDict):
    """All about one device but its controls."""

    row: DeviceRow
    registered: str
    own_groups: Annotated[list[int], described("ids of the groups that it is in, from the top")]
    documents: Annotated[dict[str, list[Told]], described("what it has PUT, by the name of the resource")]
    resources: Annotated[dict[str, dict[str, Any]], described("documents of plug-ins, by their names")]
    programs: Annotated[list[ProgramOf], described("that it sees, by primacy")]
    violation_texts: Annotated[list[str], described("the newest ones, the newest first")]


def state_of(head_end: HeadEnd, device: EndDeviceRecord, now_s: float) -> State:
    """Whether the device is there."""
    if not device.enabled:
        return "disabled"
    if device.last_seen_s is None:
        return "never seen"
    patience_s = POLLS_MISSED * max(head_end.rates.as_dict().values())
    return "connected" if now_s - device.last_seen_s <= patience_s else "silent"


def row_of(head_end: HeadEnd, device: EndDeviceRecord, now_s: float) -> dict[str, Any]:
    """One row."""
    status = _reported(device, "status")
    return {
        "id": device.number,
        "lfdi": device.lfdi,
        "sfdi": device.sfdi,
        "state": state_of(head_end, device, now_s),
        "last_seen": rfc3339_or_none(device.last_seen_s),
        "edition": device.edition.value,
        "registered_by": device.registered_by,
        "aggregator": device.aggregator_lfdi,
        "groups": [path_of(group) for group in own_groups(head_end, device.lfdi)],
        "pin_read": rfc3339_or_none(device.pin_read_s),
        "rtg_max_w": _watts(device, "capability", "rtgMaxW"),
        "set_max_w": _watts(device, "settings", "setMaxW"),
        "power_w": power_w(head_end, device.lfdi),
        "soc_percent": _percent(getattr(status, "stateOfChargeStatus", None)),
        "status": _status_words(status),
        "alarms": bits("alarmStatus", alarm) if (alarm := getattr(status, "alarmStatus", None)) else "",
        "violations": device.violations,
    }


def own_groups(head_end: HeadEnd, lfdi: str) -> list[Group]:
    """The groups of a device that no other group of it is below, by number."""
    found = head_end.groups.of(lfdi)
    lowest = [group for group in found if all(other.parent is not group for other in found)]
    return sorted(lowest, key=lambda group: group.number)


def path_of(group: Group) -> str:
    """The names from the top to the group; the system is named only where it is the group itself."""
    names = [each.name for each in group.above() if each is group or each.number != SYSTEM]
    return " / ".join(reversed(names))


def power_w(head_end: HeadEnd, lfdi: str) -> float | None:
    """The newest real power of the device's mirrors, the first that has one, W."""
    for mirror in head_end.mirrors.listed((lfdi,)):
        for meter in mirror.readings.values():
            newest = meter.newest() if meter.reading_type.uom == _WATTS else None
            if newest is not None and newest.value is not None:
                return scaled(newest.value, meter.reading_type.powerOfTenMultiplier or 0)
    return None


def _reported(device: EndDeviceRecord, name: str) -> Any:
    document = device.reported.get(name)
    return None if document is None else document.resource


def _watts(device: EndDeviceRecord, name: str, member: str) -> float | None:
    power = getattr(_reported(device, name), member, None)
    return None if power is None else scaled(power.value, power.multiplier)


def _percent(status: Any) -> float | None:
    return None if status is None else round(status.value / 100, 2)


_STATUS = (
    "inverterStatus",
    "operationalModeStatus",
    "connectStatus",
    "genConnectStatus",
    "storConnectStatus",
)
#: Attributes that are no part of what the device says.
_LINKS = frozenset({"href", "subscribable"})


def _status_words(status: Any) -> list[str]:
    if status is None:
        return []
    told = {each["name"]: each["text"] for each in in_words(status)}
    return [told[name] for name in _STATUS if name in told]


def _all(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, query = context.head_end, call.query
    now_s, text = head_end.now_s(), (query["text"] or "").strip().upper()
    states = {device: state_of(head_end, device, now_s) for device in head_end.end_devices}
    found = [
        device
        for device, state in states.items()
        if query["state"] in (None, state)
        and (query["violating"] == "no" or device.violations)
        and (query["group"] is None or _is_in(head_end, device, query["group"]))
        and (not text or _matches(head_end, device, text))
    ]
    shown = found[query["start"] : query["start"] + query["limit"]]
    return {
        "total": len(states),
        "matching": len(found),
        "states": dict(Counter(states.values())),
        "rows": [row_of(head_end, device, now_s) for device in shown],
    }


def _is_in(head_end: HeadEnd, device: EndDeviceRecord, number: int) -> bool:
    return any(group.number == number for group in head_end.groups.of(device.lfdi))


def _matches(head_end: HeadEnd, device: EndDeviceRecord, text: str) -> bool:
    if text in device.lfdi or str(device.sfdi).startswith(text) or str(device.number) == text:
        return True
    return any(text in group.name.upper() for group in head_end.groups.of(device.lfdi))


_RESOURCES = {
    "capability": "DERCapability",
    "settings": "DERSettings",
    "status": "DERStatus",
    "availability": "DERAvailability",
    "information": "DeviceInformation",
}


def _one(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, device = context.head_end, context.device(call.ids[0])
    groups = set(head_end.groups.of(device.lfdi))
    programs = [each for each in head_end.programs.listed() if groups.intersection(each.groups)]
    return {
        "row": row_of(head_end, device, head_end.now_s()),
        "registered": rfc3339(device.registered_s),
        "own_groups": [group.number for group in own_groups(head_end, device.lfdi)],
        "documents": {
            title: [each for each in in_words(_reported(device, name)) if each["name"] not in _LINKS]
            for name, title in _RESOURCES.items()
            if name in device.reported
        },
        "resources": {name: dict(values) for name, values in device.resources.items()},
        "programs": [
            {
                "id": each.number,
                "description": each.description,
                "primacy": each.primacy,
                "groups": [group.name for group in each.groups],
            }
            for each in programs
        ],
        "violation_texts": list(reversed(device.violation_texts)),
    }


ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/fleet",
        handler=_all,
        summary="The EndDevices as a table: state, groups, status in words, power.",
        response=Fleet,
        query=(
            Query("text", str, None, "Only those whose LFDI, SFDI or group has this in it."),
            Query("state", str, None, "Only those in this state.", choices=STATES),
            Query("group", int, None, "Only those in this group.", 1),
            Query("violating", str, "no", "yes: only those with violations.", choices=("no", "yes")),
            Query("start", int, 0, "Leave out so many.", 0, 1_000_000),
            Query("limit", int, 100, "At most so many.", 0, 1000),
        ),
        tag="EndDevices",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/fleet/{{lfdi}}",
        handler=_one,
        summary="One EndDevice: its documents in words, the programs that it sees, its violations.",
        response=DeviceDetail,
        path_parameters=(LFDI,),
        tag="EndDevices",
        problems=("not-found",),
    ),
]
