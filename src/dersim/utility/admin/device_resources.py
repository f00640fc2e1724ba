"""`/device-resources`: the documents that plug-ins have added to EndDevices, and those of each device."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.errors import ConfigError
from dersim.ieee2030_5.declare import Kind
from dersim.json_schema import described
from dersim.pages.routes import Query
from dersim.utility import device_resources
from dersim.utility.admin import views
from dersim.utility.admin.context import LFDI, AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.admin.views import EndDeviceView

EXAMPLE = {"connectionPointId": "41020000002"}

Members = Annotated[dict[str, Any], described("the members of the document by their names")]


class MemberView(TypedDict):
    """One member, and what its values are."""

    name: str
    kind: Annotated[Kind, described("int: a number, bool: true or false; the others are texts but hex_int")]


class DeviceResourceView(TypedDict):
    """A document that each EndDevice may have."""

    name: Annotated[str, described("last part of its path, /edev/k/NAME")]
    title: str
    element: str
    namespace: str
    members: list[MemberView]
    writes: Annotated[list[str], described("methods of the client besides GET")]


def _all(context: AdminContext, _: Call) -> list[dict[str, Any]]:
    return [
        {
            "name": each.name,
            "title": each.title,
            "element": each.element,
            "namespace": each.namespace,
            "members": [
                {"name": name, "kind": simple.kind} for name, simple in device_resources.members_of(each)
            ],
            "writes": list(each.writes),
        }
        for each in context.head_end.parts.resources
    ]


def _set(context: AdminContext, call: Call) -> dict[str, Any]:
    return _change(context, call, call.body)


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    return _change(context, call, None)


def _change(context: AdminContext, call: Call, values: dict[str, Any] | None) -> dict[str, Any]:
    lfdi, name = call.ids
    device = context.device(lfdi)
    try:
        device_resources.find(context.head_end, name)
    except ConfigError as error:
        raise refusal("not-found", str(error), f"GET {PREFIX}/device-resources lists them") from None
    device_resources.set_by_operator(context.head_end, device, name, values)
    return views.end_device(device)


_NAME = Query("name", str, None, "The name of the document, such as cp.")
_PATH = f"{PREFIX}/end-devices/{{lfdi}}/resources/{{name}}"

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/device-resources",
        handler=_all,
        summary="The documents that plug-ins have added to EndDevices.",
        response=list[DeviceResourceView],
        tag="EndDevices",
    ),
    AdminRoute(
        method="PUT",
        path=_PATH,
        handler=_set,
        summary="Set such a document of a device, by the check that its own PUT meets.",
        response=EndDeviceView,
        request=Members,
        example=EXAMPLE,
        path_parameters=(LFDI, _NAME),
        tag="EndDevices",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=_PATH,
        handler=_remove,
        summary="Remove such a document of a device.",
        response=EndDeviceView,
        path_parameters=(LFDI, _NAME),
        tag="EndDevices",
        problems=("not-found",),
    ),
]
