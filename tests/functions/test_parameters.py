"""Declared parameters: each has a source, fast check and schema agree, bad declarations are named."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from dersim.errors import PluginError
from dersim.functions.contract import FunctionType, Parameter
from dersim.functions.parameters import objection
from dersim.functions.schema import schema_objection, schema_of
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.settings import SETTING_MODES, Settings
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES

WITH = [(kind, mode) for kind in FUNCTION_TYPES for mode in kind.parameters]


def draw(mode: str, parameters: tuple[Parameter, ...], rng: random.Random) -> ModeValue:
    """A value of the mode's kind whose numbers lie around the ends of the declared ranges."""

    def around(path: str) -> float:
        for p in parameters:
            if p.path == path:
                return rng.choice([p.low, p.high, p.low - 0.5, p.high + 0.5, (p.low + p.high) / 2])
        return 1.0

    kind = MODES[mode].kind
    if kind == "number":
        return around("")
    if kind == "fixed_var":
        return FixedVar(around("percent"), "setMaxW")
    if kind == "power_factor":
        return FixedPowerFactor(around("pf"), "inject")
    if kind == "droop":
        return FreqDroop(*(around(p) for p in ("db_of_hz", "db_uf_hz", "k_of", "k_uf", "open_loop_s")))
    xs = sorted(around("x") for _ in range(3))
    return Curve(tuple((x, around("y")) for x in xs), 2, around("open_loop_s"))


@pytest.mark.parametrize("least", [60, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    ("kind", "mode"), WITH, ids=lambda item: item if isinstance(item, str) else item.name
)
def test_the_schema_and_the_fast_check_agree(kind: FunctionType, mode: str, least: int) -> None:
    rng = random.Random(mode)
    schema = schema_of(kind)
    verdicts: set[bool] = set()
    for number in range(400):
        if number >= least and verdicts == {True, False}:
            break
        value = draw(mode, kind.parameters[mode], rng)
        fast = objection(mode, value, kind.parameters[mode])
        assert bool(fast) == bool(schema_objection(schema, kind, mode, value)), (value, fast)
        verdicts.add(bool(fast))
    assert verdicts == {True, False}


def test_every_mode_of_the_standard_is_some_function_s() -> None:
    owners = [mode for kind in FUNCTION_TYPES for mode in kind.modes]
    assert sorted(owners) == sorted(MODES)


def test_every_parameter_names_its_source() -> None:
    for kind, mode in WITH:
        for parameter in kind.parameters[mode]:
            assert parameter.clause
            assert parameter.low < parameter.high
    assert all(kind.doc for kind in FUNCTION_TYPES)


def test_settings_take_what_their_modes_take() -> None:
    """A register and a DefaultDERControl that write the same setting have one range."""
    plate = read_nameplate(bundled("10kW-3Phase"))
    settings = Settings(plate)
    ranges = {
        mode: kind.parameters[mode][0]
        for kind in FUNCTION_TYPES
        for mode in kind.modes
        if mode in SETTING_MODES
    }
    assert set(ranges) == set(SETTING_MODES)
    for mode, parameter in ranges.items():
        assert settings.allowed(mode) == (parameter.low, parameter.high)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"opModMaxLimW": (Parameter("", "%", 5, 1, "none"),)}, "low 5 is above high 1"),
        ({"opModOther": ()}, "parameters of opModOther, which is not in its modes"),
        ({"opModMaxLimW": (Parameter("a b", "%", 0, 1, "none"),)}, "its parameters make no schema"),
    ],
)
def test_a_bad_declaration_is_named(parameters: Any, said: str) -> None:
    max_w = next(kind for kind in FUNCTION_TYPES if kind.name == "max-w")
    with pytest.raises(PluginError, match="control function max-w: .*" + said):
        schema_of(replace(max_w, parameters=parameters))


@pytest.mark.parametrize("value", ["text", None, True, 1, FixedVar(1.0, "setMaxW")])
def test_a_value_of_another_kind(value: Any) -> None:
    assert "a value of kind curve is needed" in objection("opModVoltVar", value, ())


def test_points_are_named() -> None:
    assert objection("opModVoltVar", Curve((), 2), ()) == "a curve needs at least one point"
    assert "point 2: x falls from 5 to 4" in objection("opModVoltVar", Curve(((5, 1), (4, 1)), 2), ())
    assert "point 1 is not a number" in objection("opModVoltVar", Curve(((float("nan"), 1),), 2), ())
