"""Random scenarios of one DER for hypothesis; see `device_scenarios`."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from tests.device_scenarios import INSTANT_S, Action, Ask, Commanded, Conditioned, Scenario, Setting

from dersim.grid.conditions import Conditions
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoint_sources import SetpointSource

SETTINGS = tuple(make_device().settings.as_dict())
MACHINES = [kind.name for kind in DEVICE_TYPES]
ASKING = [SetpointSource.CSIP_DEFAULT, SetpointSource.REST, SetpointSource.MODBUS, SetpointSource.CSIP]


def _rounded(low: float, high: float, steps: int = 100) -> st.SearchStrategy[float]:
    """Numbers from low to high, at equal steps; they shrink to low."""
    return st.integers(0, steps).map(lambda n: low + (high - low) * n / steps)


def _often(usual: Any, other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.just(usual), other)


_ONE_IN_THREE = st.sampled_from((False, False, True))
_ONE_IN_TWENTY = st.sampled_from((False,) * 19 + (True,))


def _seldom(usual: st.SearchStrategy[Any], other: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return _ONE_IN_TWENTY.flatmap(lambda seldom: other if seldom else usual)


@st.composite
def curves(
    draw: Any,
    xs: tuple[float, float],
    ys: tuple[float, float],
    references: tuple[int, ...],
    steps: int = 20,
    longest_s: float = 20.0,
) -> Curve:
    """A curve of rising x, without vertical pieces."""
    at = sorted(draw(st.sets(st.integers(0, steps), min_size=1, max_size=6)))
    low, high = xs
    points = tuple((low + (high - low) * n / steps, draw(_rounded(*ys, 20))) for n in at)
    response_s = draw(st.one_of(st.none(), st.just(0.0), _rounded(0.2, longest_s)))
    return Curve(points, draw(st.sampled_from(references)), response_s)


@st.composite
def _volt_var(draw: Any) -> Curve:
    curve: Curve = draw(curves((80, 120), (-100, 100), (1, 2, 3, 8)))
    if draw(st.booleans()):
        return curve
    return curve._replace(
        v_ref=draw(_rounded(95, 105)), autonomous_v_ref=True, autonomous_v_ref_s=draw(_rounded(1, 300))
    )


@st.composite
def _watt_pf(draw: Any) -> Curve:
    """Of both excitations: where it turns, Q goes from one side to the other within a few percent of P."""
    curve: Curve = draw(curves((0, 100), (0.8, 1.0), (0,), 5))
    turns = st.sampled_from(("inject", "absorb"))
    return curve._replace(excitations=tuple(draw(turns) for _ in curve.points))


@st.composite
def _through(draw: Any, xs: tuple[float, float], ys: tuple[float, float], rising: bool) -> Curve:
    """A ride-through curve of two or three points."""
    count = draw(st.integers(2, 3))
    times = sorted(draw(_rounded(*xs, 50)) for _ in range(count))
    levels = sorted((draw(_rounded(*ys, 20)) for _ in range(count)), reverse=not rising)
    return Curve(tuple(zip(times, levels, strict=True)), 0)


_PF = st.builds(FixedPowerFactor, _rounded(0.8, 1.0, 20), st.sampled_from(("inject", "absorb")))
_DROOP = st.builds(
    FreqDroop,
    _rounded(0.017, 0.5),
    _rounded(0.017, 0.5),
    _rounded(0.01, 0.2),
    _rounded(0.01, 0.2),
    st.one_of(st.just(0.0), _rounded(0.2, 10)),
    st.one_of(st.none(), _rounded(0, 3000)),
)
_PERCENT, _SHARE = _rounded(-100, 100, 40), _rounded(-1, 1, 40)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "opModConnect": st.booleans(),
    "opModEnergize": st.booleans(),
    "opModFixedPFAbsorbW": _PF,
    "opModFixedPFInjectW": _PF,
    "opModFixedVar": st.builds(FixedVar, _PERCENT, st.sampled_from(("setMaxW", "setMaxVar", "statVarAvail"))),
    "opModFixedW": _PERCENT,
    "opModFreqDroop": _DROOP,
    "opModFreqWatt": curves((58, 62), (-100, 100), (0, 1)),
    "opModHFRTMayTrip": _through((0.1, 20), (61, 66), rising=False),
    "opModHFRTMustTrip": _through((0.1, 20), (61, 66), rising=False),
    "opModHVRTMayTrip": _through((0.1, 20), (110, 130), rising=False),
    "opModHVRTMomentaryCessation": _through((0.1, 20), (110, 130), rising=False),
    "opModHVRTMustTrip": _through((0.1, 20), (110, 130), rising=False),
    "opModLFRTMayTrip": _through((0.1, 20), (50, 59), rising=True),
    "opModLFRTMustTrip": _through((0.1, 20), (50, 59), rising=True),
    "opModLVRTMayTrip": _through((0.1, 20), (0, 90), rising=True),
    "opModLVRTMomentaryCessation": _through((0.1, 20), (0, 90), rising=True),
    "opModLVRTMustTrip": _through((0.1, 20), (0, 90), rising=True),
    "opModMaxLimW": _rounded(0, 100, 40),
    "opModTargetVar": _SHARE,
    "opModTargetW": _SHARE,
    "opModVoltVar": _volt_var(),
    "opModVoltWatt": curves((90, 115), (-100, 100), (1, 7)),
    "opModWattPF": _watt_pf(),
    "opModWattVar": curves((-100, 100), (-100, 100), (1, 2, 3, 8), 10),
    "rampTms": _often(0.0, _rounded(0, 60)),
    "setESDelay": _rounded(0, 20),
    "setESHighFreq": _rounded(60, 61),
    "setESHighVolt": _rounded(105, 110),
    "setESLowFreq": _rounded(59, 60),
    "setESLowVolt": _rounded(88, 95),
    "setESRampTms": _often(0.0, _rounded(0, 60)),
    "setESRandomDelay": _often(0.0, _rounded(0, 10)),
    "setGradW": st.sampled_from((0.0, 0.5, 1.0, 10.0, 100.0)),
    "setSoftGradW": st.sampled_from((0.0, 0.5, 1.0, 10.0, 100.0)),
    "InWRte": _PERCENT,
    "OutWRte": _PERCENT,
    "MinRsvPct": _rounded(0, 100),
    "ChaGriSet": st.booleans(),
}


_MOVING = ("opModTargetW", "opModFixedW", "InWRte", "OutWRte")
#: Seldom asked for: they end service, or are settings.
_SELDOM = tuple(
    mode for mode in MODES if "RT" in mode or mode.startswith(("opModConnect", "opModEnergize", "setES"))
)


def asks(modes: tuple[str, ...] = tuple(MODES)) -> st.SearchStrategy[Ask]:
    """A setpoint of one of these modes, its end, or one that ends by itself."""
    ramps = st.one_of(st.none(), _rounded(0, 60, 6))
    ends = st.one_of(st.none(), st.integers(1, 40).map(lambda n: (n + 0.31) * INSTANT_S))
    source = st.sampled_from(ASKING)
    often = tuple(mode for mode in modes if mode not in _SELDOM)
    return _seldom(st.sampled_from(often), st.sampled_from(modes)).flatmap(
        lambda mode: _ONE_IN_THREE.flatmap(
            lambda ends_it: (
                st.builds(Ask, st.just(mode), st.none(), source)
                if ends_it
                else st.builds(Ask, st.just(mode), VALUES[mode], source, ramps, ends)
            )
        )
    )


settings_written = st.builds(
    Setting,
    st.sampled_from(SETTINGS),
    _seldom(st.sampled_from((1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4)), _rounded(0, 1, 20)),
    _ONE_IN_TWENTY.map(lambda seldom: not seldom),
)


_NEAR_PU = st.sampled_from((1.0, *(0.93 + n / 100 for n in range(14)), 1.0, 1.0, 1.02, 1.04))
_FAR_PU = st.sampled_from((0.0, 0.3, 0.48, 0.55, 0.67, 0.75, 0.85, 0.89, 1.09, 1.105, 1.14, 1.19, 1.25))


@st.composite
def voltages(draw: Any) -> tuple[float, float, float]:
    """Near nominal, seldom far from it, or a different one on each phase."""
    a = draw(_seldom(_NEAR_PU, _FAR_PU))
    if not draw(_ONE_IN_THREE):
        return (a, a, a)
    return (a, draw(_NEAR_PU), draw(_seldom(_NEAR_PU, _FAR_PU)))


_NEAR_HZ = st.sampled_from((60.0, 60.0, 60.0, *(59.4 + n / 10 for n in range(13))))
frequencies = _seldom(_NEAR_HZ, st.sampled_from((56.0, 57.2, 58.3, 59.1, 61.1, 61.5, 62.5)))
_grid = st.one_of(
    voltages().map(lambda v: (("voltage_pu", v),)), frequencies.map(lambda f: (("frequency_hz", f),))
)
_weather = st.tuples(
    st.sampled_from((1000.0, 0.0, 20.0, 50.0, 150.0, 400.0, 700.0, 1200.0)),
    st.sampled_from((25.0, -20.0, 0.0, 45.0)),
    st.sampled_from((1.0, 0.0, 8.0)),
)
_commands = st.sampled_from(("stop", "start", "start", "reset"))
_weather_names = ("irradiance_w_m2", "temperature_c", "wind_m_s")


def actions(modes: tuple[str, ...] = tuple(MODES)) -> st.SearchStrategy[Action]:
    """Anything that may happen to a DER."""
    weather = _weather.map(lambda w: tuple(zip(_weather_names, w, strict=True)))
    usual = st.one_of(
        asks(modes),
        asks(modes),
        st.builds(Conditioned, _grid),
        st.builds(Conditioned, st.one_of(_grid, weather)),
        settings_written,
    )
    return _seldom(usual, st.builds(Commanded, _commands))


_plates = st.fixed_dictionaries(
    {},
    optional={
        "dersim.Priority": st.just("active"),
        "702.NorOpCatRtg": st.just(0),
        "dersim.BatteryRampTms": st.just(50),
        "713.SoC": _rounded(10, 95, 17),
    },
)
_conditions = st.builds(lambda v, f, w: Conditions(v, f, *w), voltages(), frequencies, _weather)


@st.composite
def scenarios(
    draw: Any,
    *,
    modes: tuple[str, ...] = tuple(MODES),
    machines: tuple[str, ...] = tuple(MACHINES),
    gaps: tuple[int, int] = (0, 40),
    length: int = 8,
) -> Scenario:
    """A scenario of up to `length` actions with gaps of so many instants."""
    changes = draw(_plates)
    kind = draw(st.sampled_from(machines))
    if kind.startswith("PV"):
        changes = {
            name: value for name, value in changes.items() if name not in ("713.SoC", "dersim.BatteryRampTms")
        }
    later = draw(st.lists(st.tuples(st.integers(*gaps), actions(modes)), min_size=2, max_size=length))
    rows = draw(
        st.one_of(
            st.just([]),
            st.lists(st.tuples(st.integers(3, 30), voltages(), frequencies), min_size=1, max_size=5),
        )
    )
    first = draw(st.lists(st.one_of(asks(modes), settings_written), max_size=3))
    # At 83 % the rated power takes all of the current at nominal voltage.
    first.insert(0, Setting("setMaxA", draw(st.sampled_from((1.0, 0.83, 0.83, 0.7)))))
    if not kind.startswith("PV"):
        # A battery at rest does nothing.
        mode = draw(st.sampled_from([each for each in _MOVING if each in modes]))
        first.insert(0, Ask(mode, draw(VALUES[mode])))
    return Scenario(
        kind, tuple(sorted(changes.items())), draw(_conditions), tuple(first), tuple(later), tuple(rows)
    )
