"""Random scenarios of one DER for hypothesis: a machine, settings, controls, grid and weather over time.

A scenario is plain data that can be printed. `play` carries it out with a division into ticks; everything in
it happens at the same instants whatever the division.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from dersim.device import Device, ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile
from dersim.hardware.device_type import DeviceType, find_type
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import MODES, Curve, FixedPowerFactor, FixedVar, FreqDroop
from dersim.plugin.builtin import DEVICE_TYPES, make_device
from dersim.setpoints import SetpointChange, SetpointSource

#: Instants lie on this grid (s), so that no timer with a round number ends at the same time.
INSTANT_S = 0.5137
SETTINGS = tuple(make_device().settings.as_dict())
MACHINES = [kind.name for kind in DEVICE_TYPES]
ASKING = [SetpointSource.CSIP_DEFAULT, SetpointSource.REST, SetpointSource.MODBUS, SetpointSource.CSIP]
#: Within the length of a scenario, and seconds rather than minutes.
ENTER_SERVICE = {"setESDelay": 5.0, "setESRampTms": 20.0}
#: The range of most changes of these settings; the full one mostly keeps the DER out of service.
_SMALL = {
    "setESDelay": (0.0, 20.0),
    "setESRandomDelay": (0.0, 10.0),
    "setESRampTms": (0.0, 60.0),
    "setESLowVolt": (88.0, 95.0),
    "setESHighVolt": (105.0, 110.0),
    "setESLowFreq": (59.0, 59.9),
    "setESHighFreq": (60.1, 61.0),
    "setGradW": (0.0, 10.0),
    "setSoftGradW": (0.0, 10.0),
}
#: Likewise, per unit of rtgVNom.
_SMALL_PU = {"setVNom": (0.95, 1.05), "setVRef": (0.95, 1.05), "setVRefOfs": (-0.04, 0.04)}


class Setting(NamedTuple):
    """Write a setting at a share of the allowed range; small: of a small range around nominal."""

    name: str
    share: float
    small: bool = True

    def act(self, device: Device) -> None:
        """Write it."""
        low, high = device.settings.allowed(self.name)
        if self.small and self.name in _SMALL:
            low, high = _SMALL[self.name]
        elif self.small and self.name in _SMALL_PU:
            low, high = (share * device.nameplate.rtgVNom for share in _SMALL_PU[self.name])
        elif self.name == "setMaxVarNeg":
            low, high = high, low
        device.settings.update({self.name: low + self.share * (high - low)}, device._clock.now_s())


class Ask(NamedTuple):
    """Submit a setpoint; None withdraws. A number for a mode in W or var is a share of the rating."""

    mode: str
    value: Any
    source: SetpointSource = SetpointSource.REST
    ramp_s: float | None = None
    for_s: float | None = None

    def act(self, device: Device) -> None:
        """Submit it; the device may refuse it."""
        value, plate = self.value, device.nameplate
        if self.mode == "opModTargetVar" and value is not None:
            value *= plate.rtgMaxVar
        elif self.mode == "opModTargetW" and value is not None:
            value *= plate.rtgMaxW if value > 0 else plate.rtgMaxChargeRateW
        until = None if self.for_s is None or value is None else device._clock.now_s() + self.for_s
        if self.mode in device.setpoints.supported_modes:
            change = SetpointChange(self.source, self.mode, value, "", until, self.ramp_s)
            device.setpoints.submit(change)


class Conditioned(NamedTuple):
    """Change inputs of grid or weather."""

    values: tuple[tuple[str, Any], ...]

    def act(self, device: Device) -> None:
        """Set them."""
        device.inputs.set(**dict(self.values))


class Commanded(NamedTuple):
    """The operator's start, stop or reset."""

    command: Any

    def act(self, device: Device) -> None:
        """Give the command."""
        device.command(self.command)


Action = Setting | Ask | Conditioned | Commanded


class Scenario(NamedTuple):
    """A machine and what happens to it.

    plate: changes of nameplate points. first: before time 0. later: (instants since the one before, action).
    rows: of a grid profile, as (instants, voltage of each phase pu, Hz); without any the grid is constant.
    """

    kind: str
    plate: tuple[tuple[str, Any], ...]
    conditions: Conditions
    first: tuple[Action, ...]
    later: tuple[tuple[int, Action], ...]
    rows: tuple[tuple[int, tuple[float, float, float], float], ...] = ()

    @property
    def instants(self) -> list[float]:
        """When something happens, s, from 0 to the end."""
        times, total = [0.0], 0
        for gap, _ in self.later:
            total += gap
            times.append(total * INSTANT_S)
        return times

    def make(self) -> tuple[Device, ManualClock]:
        """The machine at time 0, after `first`."""
        kind: DeviceType = find_type(self.kind, DEVICE_TYPES)
        plate = read_nameplate(bundled(kind.profile), **dict(self.plate))
        clock = ManualClock()
        inputs = Inputs(self.conditions, grid=self._profile())
        device = make_device(device_type=kind, nameplate=plate, clock=clock, inputs=inputs)
        device.settings.update(ENTER_SERVICE)
        for action in self.first:
            action.act(device)
        device.step(0.0)
        return device, clock

    def _profile(self) -> Profile | None:
        if not self.rows:
            return None
        times, total = [], 0
        for gap, _, _ in self.rows:
            times.append(total * INSTANT_S)
            total += gap
        # The last row lasts as long as the one before it.
        times.append(total * INSTANT_S)
        columns = {
            "voltage_pu": [v for _, v, _ in self.rows] + [self.rows[-1][1]],
            "frequency_hz": [f for _, _, f in self.rows] + [self.rows[-1][2]],
        }
        return Profile(times, columns, stepwise=True)


def play(scenario: Scenario, ticks_s: tuple[float, ...]) -> Iterator[tuple[Device, bool]]:
    """Carry out a scenario; yields the device after each tick, and with True before and after each action.

    ticks_s: lengths of the ticks in turn, whatever happens in between.
    """
    device, clock = scenario.make()
    yield device, True
    count = 0
    for end_s, (_, action) in zip(scenario.instants[1:], scenario.later, strict=True):
        while clock.time_s < end_s:
            clock.time_s = min(clock.time_s + ticks_s[count % len(ticks_s)], end_s)
            count += 1
            device.step(clock.time_s)
            yield device, clock.time_s == end_s
        action.act(device)
        device.step(clock.time_s)
        yield device, True


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
    """Of one excitation: where it turns, Q goes from one side to the other within a few percent of P."""
    curve: Curve = draw(curves((0, 100), (0.8, 1.0), (0,), 5))
    return curve._replace(excitations=(draw(st.sampled_from(("inject", "absorb"))),) * len(curve.points))


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


def finite(device: Device) -> bool:
    """Whether the last state has no NaN or infinity."""
    s = device.state
    numbers = (
        s.p_w, s.q_var, s.s_va, s.dc_w, s.dc_v, s.dc_a, s.available_w, s.charge_available_w,
        s.var_inject_available, s.var_absorb_available, s.soc_pct or 0.0, s.cell_temperature_c,
        *s.current_a, *s.voltage_ln_v, *s.voltage_ll_v, *s.phase_p_w, *s.phase_q_var,
        *s.exported_wh, *s.imported_wh, *s.injected_varh, *s.absorbed_varh,
    )  # fmt: skip
    return all(math.isfinite(x) for x in numbers)
