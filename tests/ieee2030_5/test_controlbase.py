"""Modes on the wire and in plain values: there and back, and what does not fit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import Edition, controlbase, decode, encode, extensions
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeSpec, ModeValue

HUNDREDTHS = st.integers(0, 65535).map(lambda n: n / 100)


def number_of(spec: ModeSpec) -> st.SearchStrategy[float]:
    if spec.unit in ("W", "var"):
        return st.builds(
            lambda n, m: n * 10.0**m if m >= 0 else n / 10.0**-m,
            st.integers(-32767, 32767),
            st.integers(-3, 9),
        )
    low, high = math.ceil(spec.low * 100), math.floor(spec.high * 100)
    return st.integers(low, high).map(lambda n: n / 100)


def curve_of(spec: ModeSpec) -> st.SearchStrategy[Curve]:
    coordinate = st.integers(-(10**6), 10**6).map(lambda n: n / 1000)

    def build(points: list[tuple[float, float]], absorbing: list[bool], optional: list[Any]) -> Curve:
        watt_pf = spec.name == "opModWattPF"
        excitations = tuple("absorb" if a else "inject" for a in absorbing[: len(points)]) if watt_pf else ()
        ref = optional[0] or spec.y_ref_type
        return Curve(tuple(points), ref, *optional[1:3], excitations, *optional[3:])  # type: ignore[arg-type]

    optional = st.tuples(
        st.integers(0, 8),
        st.none() | HUNDREDTHS,
        st.none() | HUNDREDTHS,
        st.booleans(),
        *[st.none() | HUNDREDTHS] * 4,
    ).map(list)
    points = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=10)
    return st.builds(build, points, st.lists(st.booleans(), min_size=10, max_size=10), optional)


def value_of(spec: ModeSpec) -> st.SearchStrategy[Any]:
    thousandths = st.integers(0, 65535).map(lambda n: n / 1000)
    match spec.kind:
        case "bool":
            return st.booleans()
        case "number":
            return number_of(spec)
        case "fixed_var":
            percent = st.integers(-10000, 10000).map(lambda n: n / 100)
            return st.builds(FixedVar, percent, st.sampled_from(["setMaxW", "setMaxVar", "statVarAvail"]))
        case "power_factor":
            pf = st.integers(1, 10000).map(lambda n: n / 10000)
            return st.builds(FixedPowerFactor, pf, st.sampled_from(["inject", "absorb"]))
        case "droop":
            four = [thousandths] * 4
            return st.builds(FreqDroop, *four, HUNDREDTHS, st.none() | st.integers(0, 32767).map(float))
        case _:
            return curve_of(spec)


WIRE_MODES = [spec for spec in MODES.values() if not spec.default_only and not spec.local]


def test_no_control_carries_a_mode_of_model_124() -> None:
    local = {spec.name for spec in MODES.values() if spec.local}
    assert local == {"InWRte", "OutWRte", "MinRsvPct", "ChaGriSet"}
    for name in local:
        with pytest.raises(LocalProtocolError, match=f"{name}: a DERControlBase cannot carry it"):
            controlbase.base_of({name: 50.0}, lambda mode: f"/dc/{mode}")


@given(st.fixed_dictionaries({}, optional={spec.name: value_of(spec) for spec in WIRE_MODES}))
def test_modes_return_from_the_wire_as_they_went(modes: dict[str, ModeValue]) -> None:
    base, curves = controlbase.base_of(modes, lambda mode: f"/dc/{mode}")
    control = r.DefaultDERControl(mRID="00", DERControlBase=base)
    read = decode(encode(control, Edition.E2023), r.DefaultDERControl, edition=Edition.E2023)
    assert read.violations == ()
    shelf = {curve.href: decode(encode(curve, Edition.E2018)).resource for _, curve in curves}
    assert controlbase.modes_of(read.resource.DERControlBase, shelf) == modes  # type: ignore[arg-type]


@given(st.fixed_dictionaries({}, optional={s.name: number_of(s) for s in MODES.values() if s.default_only}))
def test_what_only_a_default_carries_returns_too(modes: dict[str, float]) -> None:
    default = r.DefaultDERControl(
        mRID="00", DERControlBase=r.DERControlBase(opModConnect=True), **controlbase.default_members(modes)
    )
    read = decode(encode(default, Edition.E2018), edition=Edition.E2018).resource
    assert controlbase.default_modes_of(read, {}) == {**modes, "opModConnect": True}


@pytest.mark.parametrize(
    ("watts", "value", "multiplier"),
    [(60, 60, 0), (40_000, 4000, 1), (-32_767, -32_767, 0), (1234.5, 12345, -1), (0, 0, 0), (5e9, 500, 7)],
)
def test_power_takes_the_multiplier_that_fits(watts: float, value: int, multiplier: int) -> None:
    wire = controlbase.base_of({"opModTargetW": watts}, str)[0].opModTargetW
    assert wire is not None
    assert wire.value * 10.0**wire.multiplier == watts
    assert abs(wire.value) <= 32767
    if multiplier <= 0:
        assert (wire.value, wire.multiplier) == (value, multiplier)


def test_the_wire_units_are_those_of_the_standard() -> None:
    base, curves = controlbase.base_of(
        {
            "opModMaxLimW": 60,
            "opModFixedPFInjectW": FixedPowerFactor(0.95, "absorb"),
            "opModFixedVar": FixedVar(-44.5, "setMaxVar"),
            "opModFreqDroop": FreqDroop(0.036, 0.017, 0.05, 0.04, 5),
            "opModVoltVar": Curve(((92, 44), (98, 0), (102, 0), (107.5, -44)), 2, 5, 100),
            "rampTms": 2.5,
        },
        lambda mode: f"/dc/{mode}",
    )
    assert base.opModMaxLimW == 6000
    assert base.opModFixedPFInjectW == r.PowerFactorWithExcitationControlType(
        displacement=95, excitation=True, multiplier=-2
    )
    assert base.opModFixedVar == r.FixedVarControlType(refType=2, value=-4450)
    assert base.opModFreqDroop == r.FreqDroopType(dBOF=36, dBUF=17, kOF=50, kUF=40, openLoopTms=500)
    assert base.opModVoltVar == r.DERCurveLink(href="/dc/opModVoltVar")
    assert base.rampTms == 250
    ((mode, curve),) = curves
    assert (mode, curve.curveType, curve.xMultiplier, curve.yMultiplier) == ("opModVoltVar", 11, -1, 0)
    assert [(p.xvalue, p.yvalue) for p in curve.CurveData] == [(920, 44), (980, 0), (1020, 0), (1075, -44)]
    assert (curve.openLoopTms, curve.vRef, curve.yRefType) == (500, 10000, 2)


@pytest.mark.parametrize(
    ("mode", "value", "message"),
    [
        ("opModMaxLimW", 101, "outside 0 to 100"),
        ("opModMaxLimW", "60", "a number is needed"),
        ("opModMaxLimW", math.nan, "a number is needed"),
        ("opModMaxLimW", 10**400, "a number is needed"),
        ("rampTms", 10**400, "a number is needed"),
        ("opModFreqDroop", FreqDroop(10**400, 0.1, 0.1, 0.1, 5), "db_of_hz"),
        ("opModVoltVar", Curve(((1.0, 0.0),), 2, open_loop_s=10**400), "open_loop_s"),
        ("opModTargetW", 1e15, "does not fit"),
        ("opModTargetW", math.inf, "a number is needed"),
        ("opModConnect", 1, "true or false"),
        ("opModFixedPFInjectW", FixedPowerFactor(1.2, "inject"), "power factor"),
        ("opModFixedVar", 5.0, "FixedVar is needed"),
        ("opModFreqDroop", FreqDroop(0.1, 0.1, 70, 0.1, 5), "k_of"),
        ("opModFreqDroop", FreqDroop(math.inf, 0.1, 0.1, 0.1, 5), "db_of_hz"),
        ("opModFreqDroop", FreqDroop(0.1, 0.1, 0.1, 0.1, math.nan), "open_loop_s"),
        ("opModVoltVar", Curve((), 2), "0 points"),
        ("opModVoltVar", Curve(((math.inf, 0.0),), 2), "must be numbers"),
        ("opModVoltVar", Curve(((1.0, 0.0),) * 11, 2), "11 points"),
        ("opModVoltVar", 3.0, "a curve is needed"),
        ("opModWattPF", Curve(((1.0, 0.9),), 0), "excitation"),
        ("opModVoltVar", Curve(((1.0, 0.0),), 2, open_loop_s=700), "open_loop_s"),
        ("setGradW", 1.0, "cannot carry"),
        ("opModNonsense", 1.0, "cannot carry"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(mode: str, value: Any, message: str) -> None:
    with pytest.raises(LocalProtocolError, match=message) as caught:
        controlbase.base_of({mode: value}, str)
    assert mode in str(caught.value)


def test_disabled_members_are_not_modes() -> None:
    base = r.DERControlBase(
        opModMaxLimW=r.Disabled(6000),
        opModTargetW=r.ActivePowerControlType(multiplier=0, value=5, disabled=True),
        opModVoltVar=r.DERCurveLink(href="/nowhere", disabled=True),
        opModFixedW=1000,
    )
    assert controlbase.modes_of(base, {}) == {"opModFixedW": 10.0}


def test_a_curve_that_is_not_at_hand_or_of_another_type_is_refused() -> None:
    base = r.DERControlBase(opModVoltVar=r.DERCurveLink(href="/dc/1"))
    with pytest.raises(RemoteProtocolError, match="opModVoltVar: its curve /dc/1 is not at hand"):
        controlbase.modes_of(base, {})
    _, ((_, watt_var),) = controlbase.base_of({"opModWattVar": Curve(((1.0, 1.0),), 2)}, lambda _: "/dc/1")
    with pytest.raises(RemoteProtocolError, match="curveType 14, not 11"):
        controlbase.modes_of(base, {"/dc/1": watt_var})


def test_a_reference_of_no_meaning_is_refused() -> None:
    base = r.DERControlBase(opModFixedVar=r.FixedVarControlType(refType=7, value=1))
    with pytest.raises(RemoteProtocolError, match="opModFixedVar: refType 7"):
        controlbase.modes_of(base, {})


def test_masks_follow_the_edition() -> None:
    names = ["opModMaxLimW", "opModVoltVar", "charge", "opModDeltaW", "opModMaxLimWInject", "rampTms"]
    assert controlbase.modes_mask(names, Edition.E2018) == (1 << 20 | 1 << 23 | 1, 0)
    bits, bits2 = controlbase.modes_mask(names)
    assert (bits, bits2) == (1 << 20 | 1 << 23 | 1 | 1 << 28, 1 << 8)
    assert controlbase.modes_in_mask(bits, bits2) == set(names) - {"rampTms"}


LIMIT = SchemaExtension(
    namespace="https://example.org/ns",
    element="opModExpLimW",
    parents=("DERControlBase",),
    mode=ModeSpec("opModExpLimW", "number", "W"),
    wire_type="ActivePower",
)


@pytest.fixture
def registered() -> Iterator[None]:
    extensions.register(LIMIT)
    yield
    extensions.unregister(LIMIT)


@pytest.mark.parametrize("edition", Edition)
@pytest.mark.usefixtures("registered")
def test_the_mode_of_an_extension_travels_like_the_others(edition: Edition) -> None:
    modes: dict[str, ModeValue] = {"opModMaxLimW": 50.0, "opModExpLimW": 1500.0}
    base, _ = controlbase.base_of(modes, str)
    body = encode(r.DefaultDERControl(mRID="00", DERControlBase=base), edition)
    read = decode(body, edition=edition)
    assert read.violations == ()
    assert controlbase.default_modes_of(read.resource, {}) == modes
