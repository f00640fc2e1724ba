"""The schemas in docs/schemas: those that the readers use; they accept every file that comes with dersim."""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped] # it comes without types
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.errors import ConfigError
from dersim.file_schemas import file_schemas
from dersim.fleet_file import plan_of
from dersim.hardware.nameplate import PROFILES, nameplate_from_json
from dersim.hardware.nameplate_points import SETTINGS
from dersim.hardware.settings import Settings
from dersim.json_schema import check
from dersim.json_text import BodyError
from dersim.modes import MODES, modes_from_json
from dersim.replayer import Runner
from dersim.utility.scenario.reader import scenario_of
from dersim.yaml_text import FileError, parse

REPO = Path(__file__).parents[1]
FOLDER = REPO / "docs" / "schemas"
SCHEMAS = {name: json.loads((FOLDER / name).read_text(encoding="utf-8")) for name in file_schemas()}


def valid(name: str, document: Any) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMAS[name]).is_valid(document))


def read(name: str, document: Any) -> str:
    """What the reader objects to; "" for nothing."""
    try:
        Runner(document) if "scenario" in name else nameplate_from_json(document)
    except BodyError as error:
        return error.placed
    return ""


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_committed_schema_is_that_of_the_reader(name: str) -> None:
    assert SCHEMAS[name] == file_schemas()[name], "run: python -m dersim.file_schemas docs/schemas"
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])
    assert {path.name for path in FOLDER.glob("*.json")} == set(SCHEMAS)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_number_and_choice_says_what_it_is(name: str) -> None:
    def properties(schema: Any) -> Any:
        if isinstance(schema, dict):
            yield from schema.get("properties", {}).items()
            for each in schema.values():
                yield from properties(each)
        elif isinstance(schema, list):
            for each in schema:
                yield from properties(each)

    untitled = {key for key, each in properties(SCHEMAS[name]) if each and "title" not in each}
    assert not untitled


def _docs(word: str) -> list[Any]:
    blocks = re.findall(r"```json\n(.*?)```", (REPO / "docs" / word).read_text(encoding="utf-8"), re.DOTALL)
    return [json.loads(block) for block in blocks]


PLATES = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(PROFILES.glob("*.json"))]
SCENARIO = next(each for each in _docs("replay.md") if "settings" in each)
REFERENCE = sorted((REPO / ".." / "shared" / "data" / "opender").glob("*.json"))
BATTERIES = [
    case["scenario"]
    for case in json.loads(
        (REPO / "tests" / "battery_trajectories.json").read_text(encoding="utf-8")
    ).values()
]


@pytest.mark.parametrize("plate", [*PLATES, *(each for each in _docs("inputs.md") if "702" in each)])
def test_a_nameplate_that_comes_with_dersim_is_valid(plate: Any) -> None:
    assert read("nameplate.json", plate) == ""
    assert valid("nameplate.json", {"$schema": "schemas/nameplate.json"} | plate)


@pytest.mark.parametrize("scenario", [SCENARIO, *BATTERIES, *(json.loads(p.read_text()) for p in REFERENCE)])
def test_a_scenario_that_comes_with_dersim_is_valid(scenario: Any) -> None:
    assert read("replay-scenario.json", scenario) == ""
    assert valid("replay-scenario.json", {"$schema": "schemas/replay-scenario.json"} | scenario)


def changed(document: Any, pointer: str, value: Any) -> Any:
    """A copy with one value set; `...` takes it away."""
    document = copy.deepcopy(document)
    *path, last = (int(key) if key.isdecimal() and len(key) == 1 and key != "1" else key
                   for key in pointer.split("/")[1:])  # fmt: skip
    holder = document
    for key in path:
        holder = holder[key] if isinstance(holder, list) else holder.setdefault(key, {})
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return document


PLATE = PLATES[0] | {"713": {}, "1": {"Mn": "x"}}
#: Where, the value put there, and what the reader says; a schema says no to each, too.
BAD_PLATES = [
    ("/702/WMaxRtg", ..., "/702: WMaxRtg is missing (active power rating, W)"),
    ("/702/WMaxRtg", "8 kW", "'8 kW' is not a number"),
    ("/702/WMaxRtg", None, "null is not a number"),
    ("/702/WMaxRtg", True, "true is not a number"),
    ("/702/WMaxRtg", -1, "-1 is outside 0.001 to 1e+09 W"),
    ("/702/WMaxRating", 5, "WMaxRating is not known; did you mean WMaxRtg?"),
    ("/703", {}, "703 is not known; known are $schema, 1, 701, 702"),
    ("/701/ACType", 2.5, "2.5 is not one of 1, 2, 3"),
    ("/701/ACType", True, "true is not one of 1, 2, 3"),
    ("/701/ACType", "3", "'3' is not one of 1, 2, 3; did you mean 3?"),
    ("/702/NorOpCatRtg", 0.5, "0.5 is not one of 0, 1"),
    ("/1/DA", 1.5, "1.5 is not a whole number"),
    ("/1/DA", 300, "300 is outside 1 to 247"),
    ("/1/Mn", "x" * 65, "65 characters, 0 to 64 are needed"),
    ("/713/SoC", 101, "101 is outside 0 to 100 %"),
    ("/714/Prt", {"DCW": 5}, "{'DCW': 5} is not a list"),
    ("/714/Prt", [{"DCW": 5}, {"DCW": 5}], "2 items, 1 is needed"),
    ("/714/Prt", [{"DCW": 5, "DCA": 5}], "/714/Prt/0/DCA: DCA is not known; did you mean DCW?"),
    ("/dersim/HzNom", 55, "55 is not one of 50, 60"),
    ("/dersim/Priority", "Active", "'Active' is not one of active, reactive; did you mean active?"),
    ("/dersim/modes/opModMaxLimW", 400, "400 is outside 0 to 100 %"),
    ("/dersim/modes/opModMaxLim", 40, "opModMaxLim is not known; did you mean opModMaxLimW?"),
    ("/dersim/modes/opModConnect", "false", "'false' is not true or false, without"),
    ("/dersim/modes/opModVoltVar", [[95, 0], [100]], "/dersim/modes/opModVoltVar/1: 1 items, 2 are"),
    (
        "/dersim/modes/opModVoltVar",
        {"curve": [[95, 0]], "autonomous_v_ref": "false"},
        "/dersim/modes/opModVoltVar/autonomous_v_ref: 'false' is not true or false",
    ),
    ("/dersim/settings/setMaxKW", 1, "setMaxKW is not known; did you mean setMaxW?"),
    ("/dersim/settings/setMaxW", "all", "'all' is not a number"),
    ("/dersim/registers/x", {}, "'x' is not of the form"),
    ("/dersim/registers/705", 3, "3 is not an object"),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "said"), BAD_PLATES)
def test_reader_and_schema_refuse_a_bad_nameplate(pointer: str, value: Any, said: str) -> None:
    document = changed(PLATE, pointer, value)
    assert read("nameplate.json", document).startswith(said if said[0] == "/" else f"{pointer}: {said}")
    assert not valid("nameplate.json", document)


BAD_SCENARIOS = [
    ("/settings/volt_vra", {}, "volt_vra is not known; did you mean volt_var?"),
    ("/setings", {}, "setings is not known; did you mean settings?"),
    ("/settings/volt_var/olrt", 5, "olrt is not known; did you mean olrt_s?"),
    ("/settings/volt_var/enabled", "false", "'false' is not true or false, without quotes"),
    ("/settings/volt_var/enabled", 1, "1 is not true or false"),
    ("/settings/volt_var/enabled", ..., "/settings/volt_var: enabled is missing (whether it acts)"),
    ("/settings/volt_var/curve", ..., "/settings/volt_var: curve is missing"),
    ("/settings/volt_var/curve", [[1, 0.4], [1]], "/settings/volt_var/curve/1: 1 items, 2"),
    ("/settings/volt_var/curve", [], "0 items, 1 to 10 are needed"),
    ("/settings/volt_var/curve", [[92, 0.4]], "/settings/volt_var/curve/0/0: 92 is outside 0 to 2 pu"),
    ("/settings/nameplate", ..., "/settings: nameplate is missing"),
    ("/settings/nameplate/phase", "three", "'three' is not one of SINGLE, SPLIT, THREE; did you mean"),
    ("/settings/nameplate/f_nom", -60, "-60 is not one of 50, 60"),
    ("/settings/nameplate/w_max", "100000", "'100000' is not a number"),
    ("/settings/nameplate/category", ["CAT_III", "CAT_B"], "/settings/nameplate/category/0: 'CAT_III'"),
    ("/settings/active_power_limit/limit", 40, "40 is outside 0 to 1 pu"),
    ("/settings/trip", {}, "ov2 is missing"),
    ("/settings/enter_service", {"enabled": True}, "/settings/enter_service/enabled: enabled is not known"),
    ("/settings/priority", "active", "'active' is not one of ACTIVE, REACTIVE; did you mean ACTIVE?"),
    ("/settings/storage", {}, "NP_BESS_CAPACITY is missing (Wh)"),
    ("/dt", 0, "0 is not above 0 s"),
    ("/dt", "1", "'1' is not a number"),
    ("/events", {}, "{} is not a list"),
    ("/events", [{"t": "2", "set": {"AP_LIMIT": 0.4}}], "/events/0/t: '2' is not a number"),
    ("/events", [{"t": 2, "set": {"AP_LIMIT": "0.4"}}], "/events/0/set/AP_LIMIT: '0.4' is not a number"),
    ("/events", [{"t": 2, "set": {"AP_LIMT": 1}}], "/events/0/set/AP_LIMT: AP_LIMT is not known"),
    ("/events", [{"t": 2, "set": {}}], "/events/0/set: at least one of AP_LIMIT, "),
    ("/events", [{"set": {"AP_LIMIT": 1}}], "/events/0: t is missing (s)"),
    ("/init", {"STATUS_INIT": "off"}, "/init/STATUS_INIT: 'off' is not one of ON, OFF; did you mean OFF?"),
    ("/columns", ["color"], "/columns/0: 'color' is not one of soc, phases"),
    ("/columns", "soc", "'soc' is not a list"),
]  # fmt: skip


@pytest.mark.parametrize(("pointer", "value", "said"), BAD_SCENARIOS)
def test_reader_and_schema_refuse_a_bad_scenario(pointer: str, value: Any, said: str) -> None:
    document = changed(SCENARIO, pointer, value)
    assert read("replay-scenario.json", document).startswith(said if said[0] == "/" else f"{pointer}: {said}")
    assert not valid("replay-scenario.json", document)


STORAGE = {"NP_BESS_CAPACITY": 9, "NP_BESS_SOC_MIN": 0, "NP_BESS_SOC_MAX": 1, "NP_EFFICIENCY": 0.9}


@pytest.mark.parametrize(
    ("pointer", "value", "said"),
    [
        ("/settings/nameplate/w_max", 2e5, "200000 W is more than va_max, 100000 VA"),
        ("/settings/nameplate/var_max_abs", 2e5, "200000 var is more than va_max"),
        ("/settings/volt_var/curve", [[1, 0], [0.9, 0.4]], "/settings/volt_var: opModVoltVar: point 2: x"),
        ("/events", [{"t": 2, "set": {"CONST_Q": 0.1}}], "/events/0/set/CONST_Q: settings has no const_var"),
    ],
)  # fmt: skip
def test_the_reader_refuses_what_a_schema_cannot_express(pointer: str, value: Any, said: str) -> None:
    document = changed(SCENARIO, pointer, value)
    assert read("replay-scenario.json", document).startswith(
        said if said[:1] == "/" else f"{pointer}: {said}"
    )
    assert valid("replay-scenario.json", document)


def test_a_battery_needs_its_charging_power_and_a_charge_within_its_limits() -> None:
    document = changed(SCENARIO, "/settings/storage", STORAGE | {"NP_BESS_SOC_MAX": 0.4})
    assert read("replay-scenario.json", document).startswith("/settings/nameplate: w_charge_max is missing")
    assert not valid("replay-scenario.json", document)
    document["settings"]["nameplate"]["w_charge_max"] = 1000
    assert read("replay-scenario.json", document) == (
        "/settings/storage/SOC_INIT: 50 % is outside NP_BESS_SOC_MIN, 0 %, to NP_BESS_SOC_MAX, 40 %"
    )
    document["init"] = {"SOC_INIT": 0.6}
    assert read("replay-scenario.json", document).startswith("/init/SOC_INIT: 60 % is outside")


def test_the_settings_of_the_schema_are_those_of_a_der() -> None:
    assert set(SETTINGS) == set(Settings(nameplate_from_json(PLATE)).as_dict())


DROOP = {"db_of_hz": 0.1, "db_uf_hz": 0.1, "k_of": 0.05, "k_uf": 0.05}
VALUES = {
    "number": (1, -1e12, "1"),
    "bool": (True, 1),
    "fixed_var": ({"percent": 5}, {"percent": 500}, {"ref": "setMaxW"}, {"percent": 5, "ref": "x"}),
    "power_factor": ({"pf": 0.9}, {"pf": 0}, {"pf": 1, "excitation": "INJ"}),
    "droop": (DROOP, DROOP | {"p_min_w": -900}, DROOP | {"p_min_w": "0"}, {"db_of_hz": 1}),
    "curve": ([[1, 1]], [[1, 1, "inject"]], [], *({"curve": [[1, 1]], "v_ref": v} for v in (201, None))),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_the_schema_of_modes_agrees_with_their_reader(mode: str) -> None:
    schema = SCHEMAS["nameplate.json"]["properties"]["dersim"]["properties"]["modes"]
    for value in VALUES[MODES[mode].kind]:
        try:
            modes_from_json({mode: value})
        except ConfigError:
            good = False
        else:
            good = True
        definitions = SCHEMAS["nameplate.json"]["$defs"]
        assert (not check(schema, definitions, {mode: value})) is good, value
        whole = jsonschema.Draft202012Validator(schema | {"$defs": definitions})
        assert whole.is_valid({mode: value}) is good, value


def pointers(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value within a document."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for key, each in inner for place in pointers(each, (*at, key)))]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 100_000) | st.sampled_from([0.5, 1e-9, -1e30, 2.5])
    | st.sampled_from(["", "THREE", "INJ", "ride", "x" * 70]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["enabled", "curve", "t", "set", "705", "x"]), inner, max_size=3),
    max_leaves=4,
)  # fmt: skip
WHOLE = [
    ("nameplate.json", PLATE | {"dersim": {"modes": {"opModVoltVar": {"curve": [[95, 0]]}}, "settings": {}}}),
    ("replay-scenario.json", SCENARIO),
    *(
        (name, parse(path.read_text(encoding="utf-8"), path.name).value)
        for name, folder in (("fleet.json", "fleets"), ("server-scenario.json", "scenarios"))
        for path in sorted((REPO / "examples" / folder).glob("*.yaml"))
    ),
]


@given(st.sampled_from(WHOLE), st.data(), JSON, st.booleans())
def test_our_check_agrees_with_jsonschema(
    whole: tuple[str, Any], data: st.DataObject, value: Any, gone: bool
) -> None:
    name, document = whole[0], copy.deepcopy(whole[1])
    *path, last = data.draw(st.sampled_from(pointers(document)[1:]))
    holder = document
    for key in path:
        holder = holder[key]
    if gone:
        del holder[last]
    else:
        holder[last] = value
    errors = check(SCHEMAS[name], SCHEMAS[name]["$defs"], document)
    assert (not errors) is valid(name, document), errors


CLASSES = ("ov2", "ov1", "uv1", "uv2", "of2", "of1", "uf1", "uf2")
FULL = changed(SCENARIO, "/settings/storage", STORAGE)
FULL["settings"]["nameplate"] |= {"w_charge_max": 1000, "phase": "SPLIT", "current_max_pu": 1.1, "f_nom": 50}
FULL["settings"] |= {
    "watt_var": {"enabled": True, "gen": [[0.2, 0], [1, -0.4]], "load": [[-0.2, 0]], "rt_s": 5},
    "freq_droop": DROOP | {"enabled": True, "olrt_s": 5, "p_min_pu": 0},
    "const_pf": {"enabled": True, "pf": 0.9, "excitation": "INJ", "rt_s": 1},
    "momentary_cessation": {"enabled": True, "v_low": 0.5, "v_high": 1.1},
    "trip": {name: [60 if "f" in name else 1, 1] for name in CLASSES},
}
FULL["init"] = {"SOC_INIT": 0.5}


@given(st.data(), st.sampled_from([0, -1, 1e-300, 1e9, 0.001, 1, 2, 400]) | JSON)
def test_a_scenario_is_refused_in_words_or_runs(data: st.DataObject, value: Any) -> None:
    document = copy.deepcopy(FULL)
    *path, last = data.draw(st.sampled_from(pointers(document)[1:]))
    holder = document
    for key in path:
        holder = holder[key]
    holder[last] = value
    try:
        runner = Runner(document)
    except BodyError:
        return
    out = runner.row("row 1", {"t": 0, "v_pu": 1, "f_hz": 50, "p_dem_pu": 0.5})
    assert math.isfinite(out["p_w"])
    assert math.isfinite(out["q_var"])


READERS = {
    "fleet.json": ("fleets", plan_of),
    "server-scenario.json": ("scenarios", scenario_of),
}


@pytest.mark.parametrize(("name", "document"), WHOLE, ids=str)
def test_the_schema_accepts_the_examples(name: str, document: Any) -> None:
    assert valid(name, document)


@given(st.sampled_from([each for each in WHOLE if each[0] in READERS]), st.data(), JSON)
def test_a_yaml_file_is_refused_with_its_line_or_read(
    whole: tuple[str, Any], data: st.DataObject, value: Any
) -> None:
    name, document = whole[0], copy.deepcopy(whole[1])
    *path, last = data.draw(st.sampled_from(pointers(document)[1:]))
    holder = document
    for key in path:
        holder = holder[key]
    holder[last] = value
    folder = REPO / "examples" / READERS[name][0]
    try:
        READERS[name][1](parse(json.dumps(document), "F"), folder)
    except FileError as error:
        assert re.match(r"F:1: (/\S*: )?\S", str(error))  # noqa: PT017 - most are refused
