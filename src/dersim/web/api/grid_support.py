"""The control functions, read and set: by 2030.5's modes, and by SunSpec's models and points.

What is set here has the source `rest` in the precedence of `dersim.setpoints`: beside Modbus, below an active
DERControl.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, NotRequired, TypedDict

from dersim.json_schema import described, unit
from dersim.modes import MODES, modes_from_json, value_from_json, value_to_json
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Route
from dersim.plugin.services import SunspecService
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict
from dersim.timestamps import rfc3339_or_none
from dersim.web.api.mode_editors import ByDefault, Field, Reference, by_default, fields, proposal, references
from dersim.web.api.setpoints import ModeJson, SetpointEntry, in_force_entry
from dersim.web.context import Call, WebContext

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.setpoints import InForce


class ModeEntry(TypedDict):
    """One mode that the device obeys: the values it takes, and the one that acts."""

    mode: str
    kind: Annotated[str, described("number, bool, fixed_var, power_factor, droop or curve")]
    unit: str
    low: float | None
    high: float | None
    y_ref_type: int | None
    function: str
    in_force: SetpointEntry | None
    by_default: Annotated[ByDefault | None, described("what acts while the mode has no setpoint")]
    rest: Annotated[ModeJson, described("what was set over REST, whether or not it acts")]
    rest_until: str | None
    proposal: Annotated[ModeJson, described("a value for this machine to begin with, where nothing acts")]
    fields: Annotated[list[Field], described("the parts of a value with their units and ranges")]
    references: Annotated[list[Reference], described("what y of a curve can be a percent of")]


class FunctionEntry(TypedDict):
    """One control function."""

    name: str
    doc: str
    stage: str
    modes: list[ModeEntry]


class Functions(TypedDict):
    """The control functions of one DER, in the order of the step."""

    functions: list[FunctionEntry]


class ModesChange(TypedDict):
    """Modes to set, null to withdraw. duration_s: they end by themselves (reversion).

    keep_end: without a duration_s, a mode that was set over REST before ends when it did.
    """

    modes: Annotated[dict[str, Any], described("mode -> value in plain units, or null", minProperties=1)]
    duration_s: NotRequired[Annotated[float, unit("s", minimum=0.1, maximum=4_294_967)]]
    keep_end: NotRequired[bool]


class PointsChange(TypedDict):
    """Points of a SunSpec model by name, in plain units; sets of curves may be nested."""

    model: Annotated[int, described("a SunSpec model number, e.g. 704", minimum=1, maximum=65535)]
    points: Annotated[dict[str, Any], described("point -> value or word, or nested sets", minProperties=1)]


class PointsDocument(TypedDict):
    """The points of a model as the registers show them now, and what is in force."""

    model: int
    points: dict[str, Any]
    in_force: list[SetpointEntry]


class ModelEntry(TypedDict):
    """A SunSpec model that the device has."""

    model: int
    name: str


class Points(TypedDict):
    """The models, or the points of one."""

    models: NotRequired[list[ModelEntry]]
    model: NotRequired[int]
    points: NotRequired[dict[str, Any]]


class ModesOutcome(TypedDict):
    """What is now in force."""

    in_force: list[SetpointEntry]


def _functions(context: WebContext, call: Call) -> dict[str, Any]:
    del context
    device = call.device
    acting = {item.mode: item for item in device.setpoints.in_force()}
    ours = _over_rest(device)

    def mode_entry(kind: Any, mode: str) -> dict[str, Any]:
        spec, item = MODES.get(mode), acting.get(mode)
        return {
            "mode": mode,
            "kind": spec.kind if spec else "number",
            "unit": spec.unit if spec else "",
            "low": _finite(spec.low) if spec else None,
            "high": _finite(spec.high) if spec else None,
            "y_ref_type": spec.y_ref_type if spec and spec.kind == "curve" else None,
            "function": kind.name,
            "in_force": None if item is None else in_force_entry(item),
            "by_default": by_default(device, kind, mode),
            "rest": value_to_json(ours[mode].value) if mode in ours else None,
            "rest_until": rfc3339_or_none(ours[mode].until_s) if mode in ours else None,
            "proposal": proposal(device, mode),
            "fields": fields(device, kind, mode),
            "references": references(device, mode),
        }

    return {
        "functions": [
            {
                "name": kind.name,
                "doc": kind.doc,
                "stage": kind.stage,
                "modes": [mode_entry(kind, mode) for mode in kind.modes],
            }
            for kind in device.function_types
        ]
    }


def _over_rest(device: Device) -> dict[str, InForce]:
    """What was set over REST, by mode."""
    setpoints = device.setpoints
    both = (*setpoints.in_force(), *setpoints.overridden())
    return {item.mode: item for item in both if item.source is SetpointSource.REST}


def _finite(value: float) -> float | None:
    return value if abs(value) < 1e30 else None


def _set(context: WebContext, call: Call) -> dict[str, Any]:
    wanted = call.body["modes"]
    given = {name: value for name, value in wanted.items() if value is not None}
    values = modes_from_json(given) if given else {}
    for name in set(wanted) - set(given):
        value_from_json(name, True) if name not in MODES else None
    ends = dict.fromkeys(wanted)
    if "duration_s" in call.body:
        ends = dict.fromkeys(values, context.engine.clock.now_s() + call.body["duration_s"])
    elif call.body.get("keep_end"):
        ends = {name: item.until_s for name, item in _over_rest(call.device).items() if name in values}
    changes = [
        SetpointChange(SetpointSource.REST, name, values.get(name), "REST", ends.get(name)) for name in wanted
    ]
    _submit(call.device, changes)
    context.engine.log.log("Info", "AC", f"set over REST: {', '.join(wanted)}", call.device.number)
    return {"in_force": [in_force_entry(item) for item in call.device.setpoints.in_force()]}


def _submit(device: Device, changes: list[SetpointChange]) -> None:
    outcomes = device.setpoints.submit(*changes)
    refused = [outcome for outcome in outcomes if outcome.verdict is not Verdict.ACCEPTED]
    if refused:
        kind = "unsupported" if refused[0].verdict is Verdict.UNSUPPORTED else "bad-request"
        raise Problem(kind, "; ".join(outcome.reason for outcome in refused))


def _registers(context: WebContext, device: Device) -> SunspecService:
    unit = context.engine.service(SunspecService, device.number)
    if unit is None:
        raise Problem("unavailable", "the SunSpec registers are off", hint="Start without --without modbus.")
    return unit


def _points(context: WebContext, call: Call) -> dict[str, Any]:
    return _registers(context, call.device).shown_points(call.query["model"])


def _set_points(context: WebContext, call: Call) -> dict[str, Any]:
    shown = _registers(context, call.device).apply_points(call.body["model"], call.body["points"])
    told = f"set over REST: model {call.body['model']}, {', '.join(call.body['points'])}"
    context.engine.log.log("Info", "AC", told, call.device.number)
    return {**shown, "in_force": [in_force_entry(item) for item in call.device.setpoints.in_force()]}


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/grid-support",
        handler=_points,
        summary="The SunSpec models of the device, or the points of one.",
        response=Points,
        query=(Query("model", int, None, "A SunSpec model number; without it, the list.", 1, 65535),),
        tag="Grid support",
        problems=("bad-request", "unavailable"),
    ),
    Route(
        method="POST",
        path="/api/dersim/grid-support",
        handler=_set_points,
        summary="Set points of a SunSpec model by name.",
        request=PointsChange,
        response=PointsDocument,
        tag="Grid support",
        problems=("bad-request", "unavailable"),
    ),
    Route(
        method="GET",
        path="/api/dersim/functions",
        handler=_functions,
        summary="The control functions, their modes and what acts.",
        response=Functions,
        tag="Grid support",
        etag=True,
    ),
    Route(
        method="POST",
        path="/api/dersim/setpoints",
        handler=_set,
        summary="Set modes, or withdraw them with null.",
        request=ModesChange,
        response=ModesOutcome,
        tag="Grid support",
        problems=("bad-request", "unsupported"),
    ),
]
