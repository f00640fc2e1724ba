"""Random requests made from the OpenAPI document, sound and broken ones; the big brother is tests/api_fuzz.

Real devices with real setpoints; no answer may be a 5xx, and each must have the shape announced for it.
"""

import io
import json
import random
from types import SimpleNamespace
from urllib.parse import urlencode

import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dersim.clock import SimClock
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.json_schema import check
from dersim.logbuffer import LogBuffer
from dersim.modes import MODES
from dersim.pages.guard import Guard
from dersim.pages.openapi import openapi
from dersim.plugin.builtin import make_device
from dersim.plugin.services import Services
from dersim.saved_states import SavedStates
from dersim.web.api import ROUTES
from dersim.web.app import make_app
from dersim.web.context import WebContext
from dersim.web.history import History
from dersim.web.telemetry import Telemetry

DOCUMENT = openapi(ROUTES, "dashboard")
COMPONENTS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    (method.upper(), path): operation
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(sorted(MODES)) | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def fitting(schema):
    """Values that a schema of ours allows."""
    if "$ref" in schema:
        return fitting(COMPONENTS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return st.one_of([fitting(each) for each in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind in ("integer", "number"):
        low, high = schema.get("minimum"), schema.get("maximum")
        if kind == "integer":
            return st.integers(low, high)
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    if kind == "string":
        return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength", 20))
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems", 4)
        return st.lists(fitting(schema["items"]), min_size=least, max_size=most)
    if kind == "object" and "properties" in schema:
        needed = {name: fitting(schema["properties"][name]) for name in schema["required"]}
        others = {name: fitting(each) for name, each in schema["properties"].items() if name not in needed}
        return st.fixed_dictionaries(needed, optional=others)
    if kind == "object":
        names = st.sampled_from(sorted(MODES)) | st.text(max_size=8)
        return st.dictionaries(names, anything, min_size=schema.get("minProperties", 0), max_size=3)
    return {"boolean": st.booleans(), "null": st.none()}.get(kind, anything)


@st.composite
def requests(draw):
    """(method, path, query, body)"""
    method, path = draw(st.sampled_from(sorted(OPERATIONS)))
    operation = OPERATIONS[method, path]
    query = {}
    for parameter in operation["parameters"]:
        if draw(st.booleans()):
            value = draw(fitting(parameter["schema"]) | st.text(max_size=8) | st.just(1))
            query[parameter["name"]] = str(value)
    body = None
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        body = json.dumps(draw(st.one_of(fitting(schema), fitting(schema), anything))).encode()
        if draw(st.integers(0, 9)) == 9:
            body = draw(st.binary(max_size=40))
    return method, path, query, body


def application():
    clock = SimClock(start_s=1_800_000_000.0)
    clock.start()
    fleet = Fleet([make_device(1, clock=clock), make_device(2, device_type="Batt-3Phase", clock=clock)])
    for device in fleet.devices:
        device.step(clock.now_s())
    engine = SimpleNamespace(
        options=SimpleNamespace(), fleet=fleet, clock=clock, log=LogBuffer(stream=io.StringIO()), panels=(),
        service=Services().find, stop=lambda: None,
        rng=random.Random(1), statuses=lambda number=0: {}, plugins=(), sunspec_models=(),
        fences=Fences(LogBuffer(stream=io.StringIO())),
        addresses={},
        buffers={},
        metrics={},
        saved_states=SavedStates(),
    )  # fmt: skip
    context = WebContext(engine, History(fleet), lambda: DOCUMENT)
    return make_app(
        "dashboard", ROUTES, context, Guard(), Telemetry(fleet, lambda _: "", engine.fences)
    ), fleet


async def ask_all(asked):
    app, fleet = application()
    client = app.test_client()
    for method, path, query, body in asked:
        target = f"{path}?{urlencode(query, errors='replace')}"
        headers = {"Content-Type": "application/json"} if body is not None else {}
        answer = await client.open(target, method=method, data=body, headers=headers)
        judge(method, path, answer, await answer.get_data())
        # What was set must not break the physics either.
        for device in fleet.devices:
            device.step(device.state.time_s + 1.0)


def judge(method, path, answer, raw):
    operation = OPERATIONS[method, path]
    told = f"{method} {path}: {answer.status_code} {raw[:300]!r}"
    assert answer.status_code < 500 or answer.status_code == 503, told
    assert str(answer.status_code) in operation["responses"], told
    announced = operation["responses"][str(answer.status_code)]["content"]
    assert answer.mimetype in announced, told
    if answer.mimetype.endswith("json"):
        errors = check(announced[answer.mimetype]["schema"], COMPONENTS, json.loads(raw))
        assert errors == [], told


@settings(
    max_examples=12, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(st.lists(requests(), min_size=5, max_size=12))
def test_random_requests_get_the_answers_that_are_announced(asked):
    trio.run(ask_all, asked)
