"""JSON bodies with one number replaced: the dashboard's (from its OpenAPI document) and the operator's."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dersim.modes import MODES

#: What takes the place of the number while a body is written.
HOLE = "\u2026hole\u2026"

EXTREMES = (
    "0", "-1", str(2**31), str(2**63 - 1), str(-(2**63)), "1" + "0" * 19, "1" + "0" * 400, "9" * 5000,
    "253402300800", "1800000000000", "NaN", "Infinity", "-1e308", "1e400", "0.5", '""', "true", "null",
    '"\\ud800"', "[" * 3000 + "]" * 3000,
)  # fmt: skip


class Case(NamedTuple):
    """A request; `body` has HOLE where a number belongs, `query` as well. name: for the report."""

    name: str
    method: str
    path: str
    body: Any = None
    query: str = ""

    def text(self, extreme: str) -> bytes:
        """The JSON body with `extreme` for the number."""
        return json.dumps(self.body).replace(json.dumps(HOLE), extreme).encode()


def mode_forms() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every number of every mode: a name, and `{mode: value}` with HOLE in its place."""
    curve = {"curve": [[90, 10], [110, 0]], "open_loop_s": 5, "y_ref_type": 1, "v_ref": 100}
    droop = {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05, "open_loop_s": 5}
    for name, spec in MODES.items():
        match spec.kind:
            case "fixed_var":
                yield f"{name}/percent", {name: {"percent": HOLE}}
            case "power_factor":
                yield f"{name}/pf", {name: {"pf": HOLE, "excitation": "absorb"}}
            case "droop":
                for key in droop:
                    yield f"{name}/{key}", {name: droop | {key: HOLE}}
            case "curve":
                for key in curve:
                    value = [[90, 10], [110, HOLE]] if key == "curve" else HOLE
                    yield f"{name}/{key}", {name: curve | {key: value}}
                yield f"{name}/x", {name: curve | {"curve": [[90, 10], [HOLE, 0]]}}
            case _:
                yield name, {name: HOLE}


def admin_cases() -> Iterator[Case]:
    """Every number of the operator's REST."""
    order = {"modes": {"opModMaxLimW": 60}, "start_in_s": 5, "duration_s": 20}
    order |= {"randomize_start_s": 0, "randomize_duration_s": 0, "response_required": 7}
    controls = "programs/2/controls"
    for key in order:
        if key != "modes":
            yield Case(f"controls/{key}", "POST", controls, order | {key: HOLE})
    for name, modes in mode_forms():
        mode = next(iter(modes))
        if not MODES[mode].default_only:
            yield Case(f"controls/{name}", "POST", controls, order | {"modes": modes})
        yield Case(f"default-control/{name}", "PUT", "programs/1/default-control", {"modes": modes})
    yield Case("programs/primacy", "POST", "programs", {"description": "x", "primacy": HOLE})
    yield Case("end-devices/pin", "POST", "end-devices", {"lfdi": "0" * 40, "pin": HOLE})
    for key in ("dcap", "edev", "fsa", "derp", "der", "mup", "post"):
        yield Case(f"poll-rates/{key}", "PUT", "poll-rates", {key: HOLE})
    yield Case("requests?limit", "GET", "requests", query=f"limit={HOLE}")


def point_cases(models: Mapping[int, Mapping[str, Any]]) -> Iterator[Case]:
    """Every number of every SunSpec model by name; of repeated groups the first two, as they are shown."""
    path = "/api/dersim/grid-support"
    for model, points in models.items():
        for name, given in _points(points):
            yield Case(f"post {path}/{model}{name}", "POST", path, {"model": model, "points": given})


def _points(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, each in value.items():
            for place, given in _points(each):
                yield f"/{name}{place}", {name: given}
    elif isinstance(value, list):
        for index, each in enumerate(value[:2]):
            for place, given in _points(each):
                yield f"/{index}{place}", [*[None] * index, given]
    elif isinstance(value, int | float) or value is None:
        yield "", HOLE


def rest_cases(document: Mapping[str, Any]) -> Iterator[Case]:
    """Every number of the dashboard's REST: in bodies, free-form modes included, and in queries."""
    schemas = document["components"]["schemas"]
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            for parameter in operation["parameters"]:
                if parameter["schema"].get("type") in ("integer", "number"):
                    query = f"{parameter['name']}={HOLE}"
                    yield Case(f"{method} {path}?{parameter['name']}", method.upper(), path, {}, query)
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                for name, body in _bodies(schema, schemas):
                    yield Case(f"{method} {path}{name}", method.upper(), path, body)


def _bodies(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Every number of a schema: its place, and a valid value of the schema with HOLE there."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        for option in schema["anyOf"]:
            yield from _bodies(option, schemas)
    elif schema.get("type") in ("integer", "number"):
        yield "", HOLE
    elif schema.get("type") == "array":
        count = max(1, schema.get("minItems", 1))
        for name, item in _bodies(schema["items"], schemas):
            yield f"/0{name}", [item, *[_valid(schema["items"], schemas)] * (count - 1)]
    elif schema.get("type") == "object":
        yield from _members(schema, schemas)


def _members(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    needed = {name: _valid(schema["properties"][name], schemas) for name in schema.get("required", ())}
    for name, each in schema.get("properties", {}).items():
        if name == "modes" and each.get("type") == "object":
            for place, modes in mode_forms():
                yield f"/modes/{place}", needed | {"modes": modes}
            continue
        for place, value in _bodies(each, schemas):
            yield f"/{name}{place}", needed | {name: value}


def _valid(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Any:
    if "$ref" in schema:
        return _valid(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return _valid(schema["anyOf"][0], schemas)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "string":
            return "x"
        case "boolean":
            return False
        case "array":
            return [_valid(schema["items"], schemas)] * schema.get("minItems", 0)
        case "object":
            return {"opModMaxLimW": 50} if schema.get("minProperties") else {}
        case _:
            return None
