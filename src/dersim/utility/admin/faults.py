"""`/faults`: faults planted in the answers of this server."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict, Union

from dersim.json_schema import described
from dersim.pages.routes import Query
from dersim.utility.admin.context import AdminContext, AdminRoute, Call, number_of
from dersim.utility.admin.paging import AFTER, LIMIT, matches, page
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.faults.forms import FORMS
from dersim.utility.faults.plans import fault_from
from dersim.utility.faults.planted import PlantedFault

PATH = f"{PREFIX}/faults"

#: Checked by `fault_from`, which knows its kinds and says more than a union of schemas can.
FaultBody: Any = Union[tuple(FORMS.values())]  # noqa: UP007 - of a table


class FaultView(TypedDict):
    """A planted fault."""

    id: int
    kind: str
    words: Annotated[str, described("what it does, in a few words")]
    state: Literal["waiting", "active", "over"]
    starts: str
    ends: str | None
    begins_in_s: float | None
    remaining_s: Annotated[float | None, described("null: until it is removed, or its count is used up")]
    acted: Annotated[int, described("how often it did")]
    remaining_count: int | None
    last_acted: str | None
    over_because: str | None
    fault: Annotated[dict[str, Any], described("as it was planted")]


def _all(context: AdminContext, call: Call) -> list[dict[str, Any]]:
    now_s, query = context.head_end.now_s(), call.query
    found = (
        fault
        for fault in context.head_end.faults
        if matches(fault.plan.kind, query["kind"]) and matches(fault.state(now_s), query["state"])
    )
    return [fault.to_json(now_s) for fault in page(found, query, lambda fault: fault.number)]


def _find(context: AdminContext, text: str) -> PlantedFault:
    fault = context.head_end.faults.find(number_of(text))
    if fault is None:
        raise refusal("not-found", f"there is no fault {text[:80]}", f"GET {PATH} lists them")
    return fault


def _get(context: AdminContext, call: Call) -> dict[str, Any]:
    return _find(context, call.ids[0]).to_json(context.head_end.now_s())


def _plant(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end = context.head_end
    return head_end.faults.plant(fault_from(call.body)).to_json(head_end.now_s())


def _remove(context: AdminContext, call: Call) -> dict[str, Any]:
    fault = _find(context, call.ids[0])
    context.head_end.faults.remove(fault)
    return fault.to_json(context.head_end.now_s())


_ID = (Query("id", int, None, "The fault's id.", 1),)

ROUTES = [
    AdminRoute(
        method="GET",
        path=PATH,
        handler=_all,
        summary="The faults: those that are not over, then those that are, newest first.",
        response=list[FaultView],
        query=(
            Query("kind", str, None, "Only those of this kind.", choices=tuple(FORMS)),
            Query("state", str, None, "Only those in this state.", choices=("waiting", "active", "over")),
            LIMIT,
            AFTER,
        ),
        tag="Faults",
    ),
    AdminRoute(
        method="POST",
        path=PATH,
        handler=_plant,
        summary="Plant a fault.",
        response=FaultView,
        status=201,
        request=FaultBody,
        example={"kind": "status", "status": 503, "path": "/derp/*", "count": 3},
        tag="Faults",
    ),
    AdminRoute(
        method="GET",
        path=f"{PATH}/{{id}}",
        handler=_get,
        summary="One fault.",
        response=FaultView,
        path_parameters=_ID,
        tag="Faults",
        problems=("not-found",),
    ),
    AdminRoute(
        method="DELETE",
        path=f"{PATH}/{{id}}",
        handler=_remove,
        summary="End a fault.",
        response=FaultView,
        path_parameters=_ID,
        tag="Faults",
        problems=("not-found",),
    ),
]
