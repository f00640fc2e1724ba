"""`/end-devices`: the EndDevices, with what each has PUT."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from dersim.errors import ConfigError
from dersim.json_schema import described
from dersim.json_text import BodyError
from dersim.pages.routes import Query, Reply
from dersim.utility.admin import views
from dersim.utility.admin.context import LFDI, AdminContext, AdminRoute, Call
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page, wanted_lfdi
from dersim.utility.admin.problems import PREFIX
from dersim.utility.admin.views import EndDeviceView

EXAMPLE = {"lfdi": "3E4F45AB31EDFE5B67E343E5E4562E31984E23E5", "pin": 111115}

_Pin = Annotated[
    int | str, described("up to six digits, the last one the check digit; default that of --pin")
]
_Aggregator = Annotated[str | None, described("LFDI of the client that may act for it; null: nobody")]


class EndDeviceBody(TypedDict):
    """An EndDevice to register, or another PIN for one."""

    lfdi: Annotated[str, described("40 hexadecimal digits")]
    pin: NotRequired[_Pin]
    aggregator: NotRequired[_Aggregator]


class EndDeviceChange(TypedDict):
    """What is to change of an EndDevice."""

    pin: NotRequired[_Pin]
    enabled: NotRequired[Annotated[bool, described("false: it may read its EndDevice, and nothing else")]]
    aggregator: NotRequired[_Aggregator]


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    query = call.query
    lfdi, aggregator = wanted_lfdi(query), wanted_lfdi(query, "aggregator")
    found = (
        device
        for device in context.head_end.end_devices
        if matches(device.lfdi, lfdi)
        and matches(device.aggregator_lfdi, aggregator)
        and matches(device.edition.value, query["edition"])
        and matches("yes" if device.enabled else "no", query["enabled"])
    )
    return [views.end_device(device) for device in page(found, query, lambda device: device.number)]


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return views.end_device(context.device(call.ids[0]))


def _add(context: AdminContext, call: Call) -> Reply:
    body = call.body
    device, created = context.head_end.provision(body["lfdi"], _pin(body), body.get("aggregator"))
    return Reply(201 if created else 200, views.end_device(device))


def _change(context: AdminContext, call: Call) -> dict[str, Any]:
    device, body = context.device(call.ids[0]), call.body
    if not body:
        raise ConfigError("one of pin, enabled and aggregator is needed")
    pin = _pin(body)
    context.head_end.update_device(
        device,
        device.pin if pin is None else pin,
        enabled=body.get("enabled", device.enabled),
        aggregator=body.get("aggregator", device.aggregator_lfdi),
    )
    return views.end_device(device)


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    device = context.device(call.ids[0])
    context.head_end.remove_device(device)
    return views.end_device(device)


def _pin(body: dict[str, Any]) -> int | None:
    """The PIN as a number; as a text it has six digits, so that leading zeros are not lost."""
    pin = body.get("pin")
    if isinstance(pin, str):
        if not (pin.isascii() and pin.isdigit() and len(pin) == 6):
            raise BodyError(f"pin: six digits are needed, not {pin[:40]!r}", "/pin")
        return int(pin)
    return pin


_PATH = f"{PREFIX}/end-devices/{{lfdi}}"

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/end-devices",
        handler=_all,
        summary="The EndDevices, with what each has PUT.",
        response=list[EndDeviceView],
        query=(
            Query("lfdi", str, None, "Only that of this LFDI."),
            Query("aggregator", str, None, "Only those that the client with this LFDI acts for."),
            Query("edition", str, None, "Only those that speak this edition.", choices=("2018", "2023")),
            Query("enabled", str, None, "Only those that are enabled, or not.", choices=("yes", "no")),
            LIMIT,
            AFTER,
        ),
        tag="EndDevices",
    ),
    AdminRoute(
        method="POST",
        path=f"{PREFIX}/end-devices",
        handler=_add,
        summary="Register a device; for a known one: change its PIN, 200.",
        response=EndDeviceView,
        status=201,
        request=EndDeviceBody,
        example=EXAMPLE,
        tag="EndDevices",
    ),
    AdminRoute(
        method="GET",
        path=_PATH,
        handler=_get,
        summary="One EndDevice.",
        response=EndDeviceView,
        path_parameters=(LFDI,),
        tag="EndDevices",
        problems=("not-found",),
    ),
    AdminRoute(
        method="PUT",
        path=_PATH,
        handler=_change,
        summary="Change an EndDevice: what is left out stays.",
        response=EndDeviceView,
        request=EndDeviceChange,
        example={"enabled": False},
        path_parameters=(LFDI,),
        tag="EndDevices",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=_PATH,
        handler=_remove,
        summary="Remove an EndDevice. It comes back if it POSTs itself, or the operator registers it.",
        response=EndDeviceView,
        path_parameters=(LFDI,),
        tag="EndDevices",
        problems=("not-found",),
    ),
]
