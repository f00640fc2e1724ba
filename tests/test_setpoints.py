"""The door: verdicts, precedence between sources and modes, expiry, atomicity, journal."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from dersim.device import Device, ManualClock
from dersim.functions.base import Function
from dersim.functions.chain import Chain
from dersim.functions.contract import FunctionType
from dersim.modes import Curve, FixedPowerFactor, FixedVar, FreqDroop, ModeValue
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import JOURNAL_LENGTH, Outcome, SetpointChange, Setpoints, Verdict

VV = Curve(((92.0, 44.0), (98.0, 0.0), (102.0, 0.0), (108.0, -44.0)), 1, 5.0)
WV = Curve(((20.0, 0.0), (50.0, 0.0), (100.0, -44.0)), 1)
WPF = Curve(((20.0, 1.0), (100.0, 0.9)), 0, excitations=("inject", "absorb"))
PF = FixedPowerFactor(0.95, "inject")
DROOP = FreqDroop(0.036, 0.036, 0.05, 0.05, 5.0)
FW = Curve(((60.5, 100.0), (61.5, 0.0)), 1)
MAX = "opModMaxLimW"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1000.0)


@pytest.fixture
def device(clock: ManualClock) -> Device:
    device = make_device(clock=clock)
    device.step(1000.0)
    return device


@pytest.fixture
def points(device: Device) -> Setpoints:
    return device.setpoints


def change(
    mode: str,
    value: ModeValue | None,
    source: SetpointSource = SetpointSource.CSIP,
    detail: str = "",
    until: float | None = None,
) -> SetpointChange:
    return SetpointChange(source, mode, value, detail, until)


def accepted(points: Setpoints, *changes: SetpointChange) -> None:
    outcomes = points.submit(*changes)
    assert all(outcome.verdict is Verdict.ACCEPTED for outcome in outcomes), outcomes


def acting(points: Setpoints) -> dict[str, SetpointSource]:
    return {item.mode: item.source for item in points.in_force()}


class TestPerModeBySource:
    """DERControl, then the latest of Modbus, REST, operator, then DefaultDERControl, then nameplate."""

    @pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
    def test_in_whatever_order_they_came(self, points: Setpoints, order: tuple[int, ...]) -> None:
        changes = [
            change(MAX, 60.0, SetpointSource.CSIP),
            change(MAX, 70.0, SetpointSource.MODBUS),
            change(MAX, 50.0, SetpointSource.CSIP_DEFAULT),
        ]
        for index in order:
            accepted(points, changes[index])
        assert points.value(MAX) == 60.0  # an event's 60 % replaces a default's 50 %
        assert {(i.value, i.overridden_by) for i in points.overridden()} == {
            (70.0, "opModMaxLimW (csip)"),
            (50.0, "opModMaxLimW (csip)"),
        }
        accepted(points, change(MAX, None, SetpointSource.CSIP))
        assert points.value(MAX) == 70.0
        accepted(points, change(MAX, None, SetpointSource.MODBUS))
        assert points.value(MAX) == 50.0
        accepted(points, change(MAX, None, SetpointSource.CSIP_DEFAULT))
        assert points.value(MAX) is None

    @pytest.mark.parametrize(
        "order",
        list(itertools.permutations((SetpointSource.MODBUS, SetpointSource.REST, SetpointSource.OPERATOR))),
    )
    def test_of_the_local_sources_the_latest(
        self, points: Setpoints, order: tuple[SetpointSource, ...]
    ) -> None:
        for level, source in enumerate(order):
            accepted(points, change(MAX, 10.0 * (level + 1), source))
        assert acting(points)[MAX] is order[-1]
        accepted(points, change(MAX, 90.0, order[0]))
        assert acting(points)[MAX] is order[0]

    def test_saying_the_same_again_counts_as_latest(self, points: Setpoints) -> None:
        accepted(points, change(MAX, 40.0, SetpointSource.REST))
        accepted(points, change(MAX, 30.0, SetpointSource.MODBUS))
        accepted(points, change(MAX, 40.0, SetpointSource.REST))
        assert points.value(MAX) == 40.0


class TestBetweenModes:
    """1547 has one reactive mode at a time; one target; one answer to frequency."""

    STRENGTH = (
        ("opModFixedVar", FixedVar(10.0, "setMaxVar")),
        ("opModFixedPFInjectW", PF),
        ("opModWattVar", WV),
        ("opModVoltVar", VV),
    )

    @pytest.mark.parametrize(("strong", "weak"), list(itertools.combinations(range(4), 2)))
    @pytest.mark.parametrize("strong_first", [True, False])
    def test_within_one_source(self, points: Setpoints, strong: int, weak: int, strong_first: bool) -> None:
        pair = [change(*self.STRENGTH[strong]), change(*self.STRENGTH[weak])]
        for one in pair if strong_first else reversed(pair):
            accepted(points, one)
        assert list(acting(points)) == [self.STRENGTH[strong][0]]
        (loser,) = points.overridden()
        assert loser.mode == self.STRENGTH[weak][0]
        assert loser.overridden_by == f"{self.STRENGTH[strong][0]} (csip)"

    @pytest.mark.parametrize(("strong", "weak"), list(itertools.combinations(range(4), 2)))
    def test_the_higher_source_rules_whatever_the_mode(
        self, points: Setpoints, strong: int, weak: int
    ) -> None:
        accepted(points, change(*self.STRENGTH[weak], SetpointSource.CSIP))
        accepted(points, change(*self.STRENGTH[strong], SetpointSource.CSIP_DEFAULT))
        assert list(acting(points)) == [self.STRENGTH[weak][0]]
        accepted(points, change(self.STRENGTH[weak][0], None, SetpointSource.CSIP))
        assert list(acting(points)) == [self.STRENGTH[strong][0]]

    def test_of_equals_the_latest(self, points: Setpoints) -> None:
        accepted(points, change("opModFixedVar", FixedVar(10.0, "setMaxVar")))
        accepted(points, change("opModTargetVar", 500.0))
        assert list(acting(points)) == ["opModTargetVar"]
        accepted(points, change("opModTargetVar", None), change("opModWattPF", WPF))
        assert list(acting(points)) == ["opModFixedVar"]

    def test_between_local_sources_the_one_that_spoke_last(self, points: Setpoints) -> None:
        accepted(points, change("opModTargetVar", 500.0, SetpointSource.MODBUS))
        accepted(points, change("opModVoltVar", VV, SetpointSource.REST))
        assert list(acting(points)) == ["opModVoltVar"]

    def test_the_two_power_factors_are_no_rivals(self) -> None:
        device = make_device(device_type="Batt", clock=ManualClock())
        accepted(device.setpoints, change("opModFixedPFInjectW", PF), change("opModFixedPFAbsorbW", PF))
        assert len(device.setpoints.in_force()) == 2

    def test_a_reactive_mode_of_a_plug_in_is_a_rival_as_strong_as_fixed_var(self) -> None:
        kind = FunctionType("mine", ("opModMine",), "reactive", Function)
        device = make_device(functions=[*FUNCTION_TYPES, kind], clock=ManualClock())
        points = device.setpoints
        accepted(
            points, change("opModMine", 1.0), change("opModVoltVar", VV), change("opModFixedPFInjectW", PF)
        )
        assert list(acting(points)) == ["opModMine"]
        assert {o.overridden_by for o in points.overridden()} == {"opModMine (csip)"}
        accepted(points, change("opModFixedVar", FixedVar(10.0, "setMaxVar")))
        assert list(acting(points)) == ["opModFixedVar"]  # as strong, and the latest
        accepted(points, change("opModMine", 2.0))
        assert list(acting(points)) == ["opModMine"]

    def test_targets_and_answers_to_frequency(self, points: Setpoints) -> None:
        accepted(points, change("opModFixedW", 50.0), change("opModTargetW", 100.0))
        accepted(points, change("opModFreqWatt", FW), change("opModFreqDroop", DROOP))
        assert set(acting(points)) == {"opModTargetW", "opModFreqDroop"}

    def test_limits_do_not_compete(self, points: Setpoints) -> None:
        accepted(
            points, change(MAX, 50.0), change("opModVoltWatt", VV._replace(points=((106, 100), (110, 0))))
        )
        assert points.overridden() == []


class TestVerdicts:
    """Accepted, unsupported, out of range; and all or none."""

    def test_check_says_what_submit_says_and_does_nothing(self, points: Setpoints) -> None:
        for mode, value in ((MAX, 40.0), (MAX, 400.0), ("opModNonsense", 1.0)):
            verdict = points.check(mode, value)
            assert points.in_force() == []
            assert points.submit(change(mode, value)) == [verdict]
            points.submit(change(mode, None))

    def test_an_unknown_mode(self, points: Setpoints) -> None:
        outcome = points.check("opModNonsense", 1.0)
        assert outcome == Outcome(Verdict.UNSUPPORTED, "opModNonsense: this device has no such mode")

    def test_a_mode_whose_function_was_left_out(self) -> None:
        device = make_device(functions=[kind for kind in FUNCTION_TYPES if kind.name != "volt-var"])
        assert device.setpoints.check("opModVoltVar", VV).verdict is Verdict.UNSUPPORTED
        assert "opModVoltVar" not in device.setpoints.supported_modes

    def test_a_mode_that_the_machine_cannot_have(self, points: Setpoints) -> None:
        assert points.check("opModFixedPFAbsorbW", PF).verdict is Verdict.UNSUPPORTED
        assert "opModFixedPFAbsorbW" not in points.supported_modes
        battery = make_device(device_type="Batt").setpoints
        assert battery.check("opModFixedPFAbsorbW", PF).verdict is Verdict.ACCEPTED
        of_batteries = {"opModFixedPFAbsorbW", "InWRte", "OutWRte", "MinRsvPct", "ChaGriSet"}
        assert battery.supported_modes == points.supported_modes | of_batteries

    def test_a_nameplate_s_mode_that_the_machine_cannot_have_is_left_out(self) -> None:
        from dersim.hardware.nameplate import bundled, read_nameplate

        modes = {"opModFixedPFAbsorbW": {"pf": 0.95}, MAX: 70}
        plate = read_nameplate(bundled("10kW-3Phase"), **{"dersim.modes": modes})
        assert list(acting(make_device(nameplate=plate).setpoints)) == [MAX]

    @pytest.mark.parametrize("value", [math.nan, math.inf, -0.001, 100.001, True, "40"])
    def test_out_of_range(self, points: Setpoints, value: float) -> None:
        assert points.check(MAX, value).verdict is Verdict.OUT_OF_RANGE

    def test_one_refusal_stops_the_whole_bundle(self, points: Setpoints, device: Device) -> None:
        accepted(points, change(MAX, 40.0, detail="old"))
        before = device.state
        outcomes = points.submit(change(MAX, None), change(MAX, 60.0), change("opModFixedW", 200.0))
        assert [o.verdict for o in outcomes] == [Verdict.ACCEPTED, Verdict.ACCEPTED, Verdict.OUT_OF_RANGE]
        assert points.value(MAX) == 40.0
        assert device.state is before
        assert [entry.outcome.verdict for entry in points.journal][-1] is Verdict.OUT_OF_RANGE


class TestTime:
    """Steps at once, hand-overs, expiries."""

    def test_the_der_is_stepped_before_submit_returns(self, points: Setpoints, device: Device) -> None:
        accepted(points, change("opModConnect", False))
        assert device.state.p_w == 0

    def test_a_hand_over_never_shows_what_lies_beneath(
        self, device: Device, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        points = device.setpoints
        device.settings.update({"setGradW": 0.0})
        accepted(points, change(MAX, 10.0, SetpointSource.CSIP_DEFAULT), change(MAX, 60.0, detail="first"))
        seen: list[float] = []
        step = Chain.step

        def spy(chain: Chain, *args: Any) -> None:
            step(chain, *args)
            seen.append(chain.p_w)

        monkeypatch.setattr(Chain, "step", spy)
        clock.time_s += 0.5
        accepted(points, change(MAX, None, detail="first"), change(MAX, 60.0, detail="second"))
        assert seen
        assert all(p == pytest.approx(6000) for p in seen)
        (item,) = points.in_force()
        assert (item.detail, item.since_s) == ("second", 1000.5)

    def test_the_same_again_changes_nothing(self, points: Setpoints, clock: ManualClock) -> None:
        accepted(points, change(MAX, 60.0, detail="m"))
        changes = points.changes
        clock.time_s += 5
        accepted(points, change(MAX, 60.0, detail="m"))
        assert points.changes == changes
        assert points.in_force()[0].since_s == 1000.0

    def test_an_expiry_is_exact_within_a_long_tick(self, device: Device, clock: ManualClock) -> None:
        device.settings.update({"setGradW": 0.0})
        sun_w = device.state.p_w
        accepted(device.setpoints, change(MAX, 0.0, SetpointSource.REST, until=1012.5))
        assert device.setpoints.in_force()[0].until_s == 1012.5
        before = sum(device.state.exported_wh)
        clock.time_s = 1060.0
        device.step(1060.0)
        ran_s = (sum(device.state.exported_wh) - before) * 3600 / sun_w
        assert ran_s == pytest.approx(60 - 12.5)
        assert device.setpoints.in_force() == []
        entry = device.setpoints.journal[-1]
        assert (entry.value, entry.outcome.reason) == (None, "expired")

    def test_an_expiry_uncovers_what_lies_beneath(self, device: Device, clock: ManualClock) -> None:
        points = device.setpoints
        accepted(
            points,
            change(MAX, 30.0, SetpointSource.CSIP_DEFAULT),
            change(MAX, 80.0, SetpointSource.MODBUS, until=1001.0),
        )
        clock.time_s = 1002.0
        device.step(1002.0)
        assert points.value(MAX) == 30.0
        assert points.next_expiry_s == math.inf

    def test_an_expiry_while_overridden(self, device: Device, clock: ManualClock) -> None:
        points = device.setpoints
        accepted(points, change(MAX, 30.0), change(MAX, 80.0, SetpointSource.MODBUS, until=1001.0))
        clock.time_s = 1002.0
        device.step(1002.0)
        assert points.overridden() == []


TELEX = SetpointSource("telex", "Telex")
LOCAL = (SetpointSource.OPERATOR, SetpointSource.REST, SetpointSource.MODBUS, TELEX)


@pytest.mark.parametrize("order", list(itertools.permutations(LOCAL)))
def test_of_all_local_sources_the_latest_wins(points: Setpoints, order: tuple[SetpointSource, ...]) -> None:
    accepted(points, change(MAX, 90.0, SetpointSource.CSIP_DEFAULT))
    for source, percent in zip(order, (80.0, 70.0, 60.0, 50.0), strict=True):
        accepted(points, change(MAX, percent, source))
        [acting] = points.in_force()
        assert (acting.source, acting.value) == (source, percent)
    accepted(points, change(MAX, 40.0, SetpointSource.CSIP))
    assert points.value(MAX) == 40.0
    accepted(points, change(MAX, None, SetpointSource.CSIP))
    for source in reversed(order):
        assert [each.source for each in points.in_force()] == [source]
        accepted(points, change(MAX, None, source))
    assert points.value(MAX) == 90.0


def test_a_source_that_asks_again_for_the_same_is_the_latest(points: Setpoints) -> None:
    for source in (TELEX, SetpointSource.REST, SetpointSource("telex")):
        accepted(points, change(MAX, 50.0, source))
    assert [each.source for each in points.in_force()] == [TELEX]
    assert [each.source for each in points.overridden()] == [SetpointSource.REST]


def test_the_journal_tells_and_is_bounded(points: Setpoints, clock: ManualClock) -> None:
    accepted(points, change(MAX, 41.0, SetpointSource.REST, "PUT /grid-support", 1010.0))
    entry = points.journal[-1]
    assert entry[:6] == (1000.0, SetpointSource.REST, MAX, 41.0, "PUT /grid-support", 1010.0)
    assert entry.outcome.verdict is Verdict.ACCEPTED
    for k in range(JOURNAL_LENGTH + 7):
        points.submit(change(MAX, float(k % 100)))
    assert len(points.journal) == JOURNAL_LENGTH


def test_a_nameplate_s_modes_are_the_lowest_source() -> None:
    from dersim.hardware.nameplate import bundled, read_nameplate

    plate = read_nameplate(bundled("10kW-3Phase"), **{"dersim.modes": {MAX: 70}})
    device = make_device(nameplate=plate, clock=ManualClock())
    device.step(0.0)
    assert device.state.p_w == pytest.approx(7000)
    assert acting(device.setpoints) == {MAX: SetpointSource.NAMEPLATE}
    accepted(device.setpoints, change(MAX, 90.0, SetpointSource.CSIP_DEFAULT))
    assert acting(device.setpoints) == {MAX: SetpointSource.CSIP_DEFAULT}
    assert SetpointSource.CSIP_DEFAULT.label == "csip-default"
