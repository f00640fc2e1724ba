"""`/api/csip/...`: what the client found on its server and what it reports, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.ieee2030_5.words import Told, in_words
from dersim.json_schema import described
from dersim.pages.routes import Query, Route
from dersim.plugin.services import DerResource
from dersim.web.api.csip import (
    ControlEntry,
    DefaultControlEntry,
    ProgramEntry,
    client_of,
    known_client,
    snapshot,
)
from dersim.web.context import BOTH, Call, WebContext
from dersim.web.resource_json import resource_json

if TYPE_CHECKING:
    from dersim.device import Device

Resource = Annotated[dict[str, Any], described("by the standard's own names")]


class EndDeviceEntry(TypedDict):
    """The EndDevice of one DER, with the resources linked from it."""

    device: int
    lfdi: str | None
    sfdi: str | None
    href: str | None
    end_device: Resource | None
    registration: dict[str, Any]
    function_set_assignments: list[Resource]
    der: dict[str, str | None] | None
    programs: list[ProgramEntry]
    log_event_list: str | None
    mirror_usage_point_list: str | None
    unreadable: Annotated[dict[str, str], described("branches that could not be read, and why")]


class EndDevices(TypedDict):
    """The discovered EndDevices of the fleet."""

    end_devices: list[EndDeviceEntry]


class DerResourceDocument(TypedDict):
    """One of the resources that the client PUTs."""

    device: int
    href: str | None
    sent: Annotated[Resource | None, described("what the server last took; null before the first PUT")]
    current: Annotated[Resource | None, described("as it would be PUT now")]
    sent_words: Annotated[list[Told], described("`sent` in plain units and words")]
    current_words: Annotated[list[Told], described("`current` likewise")]


class Controls(TypedDict):
    """The DERControls that are held."""

    active_controls: list[ControlEntry]
    scheduled_controls: list[ControlEntry]


class DefaultControl(TypedDict):
    """The DefaultDERControl."""

    default_control: DefaultControlEntry | None


def _end_devices(context: WebContext, call: Call) -> dict[str, Any]:
    number = call.query["device"]
    devices = context.engine.fleet.devices
    chosen = [each for each in devices if number in (None, each.number)]
    return {"end_devices": [_end_device(context, device) for device in chosen]}


def _end_device(context: WebContext, device: Device) -> dict[str, Any]:
    known, client = snapshot(context, device), client_of(context, device)
    found = None if client is None else client.found()
    out: dict[str, Any] = {
        "device": device.number,
        "lfdi": known["lfdi"],
        "sfdi": known["sfdi"],
        "href": known["end_device"],
        "end_device": None,
        "registration": known["registration"],
        "function_set_assignments": [],
        "der": None,
        "programs": known["programs"],
        "log_event_list": None,
        "mirror_usage_point_list": None,
        "unreadable": {},
    }
    if found is not None:
        out["end_device"] = None if found.end_device is None else resource_json(found.end_device)
        out["function_set_assignments"] = [resource_json(each) for each in found.function_set_assignments]
        out["der"] = found.der
        out["log_event_list"] = found.log_event_list
        out["mirror_usage_point_list"] = found.mirror_usage_point_list
        out["unreadable"] = found.unreadable
    return out


def _der_resource(name: DerResource, place: str) -> Any:
    def handler(context: WebContext, call: Call) -> dict[str, Any]:
        client = known_client(context, call.device)
        found, sent, current = client.found(), client.sent(name), client.body(name)
        places = {} if found is None or found.der is None else found.der
        return {
            "device": call.device.number,
            "href": places.get(place),
            "sent": None if sent is None else resource_json(sent),
            "current": None if current is None else resource_json(current),
            "sent_words": [] if sent is None else in_words(sent),
            "current_words": [] if current is None else in_words(current),
        }

    return handler


#: Path below /api/csip, resource, and its place in `FoundResources.der`.
_DER_RESOURCES: tuple[tuple[str, DerResource, str], ...] = (
    ("der-capability", "DERCapability", "capability"),
    ("der-settings", "DERSettings", "settings"),
    ("der-status", "DERStatus", "status"),
    ("der-availability", "DERAvailability", "availability"),
)


def _controls(context: WebContext, call: Call) -> dict[str, Any]:
    known = snapshot(context, call.device)
    return {key: known[key] for key in ("active_controls", "scheduled_controls")}


def _default(context: WebContext, call: Call) -> dict[str, Any]:
    return {"default_control": snapshot(context, call.device)["default_control"]}


def _route(name: str, handler: Any, summary: str, response: Any, **more: Any) -> Route:
    return Route(
        method="GET",
        path=f"/api/csip/{name}",
        handler=handler,
        summary=summary,
        response=response,
        sites=BOTH,
        tag="CSIP",
        etag=True,
        **more,
    )


ROUTES = [
    _route(
        "end-devices",
        _end_devices,
        "The discovered EndDevice tree.",
        EndDevices,
        per_device=False,
        query=(Query("device", int, None, "Only this DER.", 1),),
    ),
    *(
        _route(
            path,
            _der_resource(name, place),
            f"{name}: what the server took, and what is true now.",
            DerResourceDocument,
            problems=("conflict",),
        )
        for path, name, place in _DER_RESOURCES
    ),
    _route("controls", _controls, "The DERControls that are active or scheduled.", Controls),
    _route("default-control", _default, "The DefaultDERControl.", DefaultControl),
]
