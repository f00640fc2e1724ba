"""`/api/csip/...`: what the client found on its server and what it tells of itself, as resources."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Route
from dersim.pages.schema import described
from dersim.web.api.csip import ControlEntry, DefaultControlEntry, ProgramEntry, client_of, snapshot
from dersim.web.context import BOTH, Call, WebContext
from dersim.web.resource_json import resource_json

if TYPE_CHECKING:
    from dersim.device import Device

Resource = Annotated[dict[str, Any], described("by the standard's own names")]


class EndDeviceEntry(TypedDict):
    """The EndDevice of one DER, with what hangs on it."""

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
    tree = getattr(client, "tree", None)
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
    if tree is not None:
        node = tree.der
        out["end_device"] = None if tree.end_device is None else resource_json(tree.end_device)
        out["function_set_assignments"] = [resource_json(each) for each in tree.fsas]
        if node is not None:
            names = ("href", "capability", "settings", "status", "availability")
            out["der"] = {name: getattr(node, name) for name in names}
        out["log_event_list"] = tree.log_events
        out["mirror_usage_point_list"] = tree.mirrors
        out["unreadable"] = dict(tree.unreadable)
    return out


def _der_resource(name: str, place: str) -> Any:
    def handler(context: WebContext, call: Call) -> dict[str, Any]:
        client = client_of(context, call.device)
        if client is None:
            raise Problem("conflict", "the CSIP client is off", hint="Start with --csip_client_enable yes.")
        out: dict[str, Any] = {"device": call.device.number, "href": None, "sent": None, "current": None}
        lifecycle = client.lifecycle
        if lifecycle is not None:
            node = lifecycle.tree.der
            out["href"] = None if node is None else getattr(node, place)
            sent = lifecycle.reporter.sent.get(name)
            out["sent"] = None if sent is None else resource_json(sent)
            out["current"] = resource_json(lifecycle.reporter.body(name))
        return out

    return handler


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
        for path, name, place in (
            ("der-capability", "DERCapability", "capability"),
            ("der-settings", "DERSettings", "settings"),
            ("der-status", "DERStatus", "status"),
            ("der-availability", "DERAvailability", "availability"),
        )
    ),
    _route("controls", _controls, "The DERControls that are active or scheduled.", Controls),
    _route("default-control", _default, "The DefaultDERControl.", DefaultControl),
]
