"""704 and 123: what is written becomes a setpoint, acts, and reverts."""

import pytest

from dersim.modes import FixedPowerFactor, FixedVar
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

P_FREE = 7005  # what 800 W/m2 at 25 C make of the default machine, W


def in_force(bench):
    return {i.mode: (i.value, i.source, i.until_s) for i in bench.device.setpoints.in_force()}


def test_a_limit_is_stored_until_it_is_enabled(bench):
    assert bench.write(704, WMaxLimPct=40) == 0
    assert bench.read(704, "WMaxLimPct") == 40
    assert in_force(bench) == {}
    assert bench.write(704, WMaxLimPctEna=1) == 0
    bench.wait(2)
    assert bench.read(701, "W") == 4000
    assert in_force(bench) == {"opModMaxLimW": (40.0, SetpointSource.MODBUS, None)}
    assert bench.write(704, WMaxLimPctEna=0) == 0
    bench.wait(2)
    assert (bench.read(701, "W"), bench.read(704, "WMaxLimPctEna")) == (P_FREE, 0)
    assert bench.read(704, "WMaxLimPct") == 40


def test_enable_and_value_in_one_write(bench):
    assert bench.write(704, WMaxLimPctEna=1, WMaxLimPct=25.5) == 0
    bench.wait(2)
    assert bench.read(701, "W") == 2550


def test_the_timer_reverts_to_nothing(bench):
    bench.write(704, WMaxLimPctRvrtTms=10)
    bench.write(704, WMaxLimPctEna=1, WMaxLimPct=40)
    began = bench.clock.time_s
    assert in_force(bench)["opModMaxLimW"] == (40.0, SetpointSource.MODBUS, began + 10)
    bench.wait(4)
    assert bench.read(704, "WMaxLimPctRvrtRem") == 6
    bench.wait(5.5)
    assert (bench.read(701, "W"), bench.read(704, "WMaxLimPctRvrtRem")) == (4000, 1)
    bench.wait(2.5)
    assert bench.read(701, "W") == P_FREE
    assert (bench.read(704, "WMaxLimPctEna"), bench.read(704, "WMaxLimPctRvrtRem")) == (0, 0)
    assert bench.read(704, "WMaxLimPct") == 100  # WMaxLimPctRvrt


def test_the_timer_reverts_to_another_value_without_a_gap(bench):
    bench.write(704, WMaxLimPctRvrt=60, WMaxLimPctEnaRvrt=1)
    bench.write(704, WMaxLimPctRvrtTms=5)
    bench.write(704, WMaxLimPctEna=1, WMaxLimPct=20)
    powers = []
    for _ in range(80):
        bench.wait(0.1, tick_s=0.1)
        powers.append(bench.state.p_w)
    assert max(powers[20:]) == 6000  # never free in between
    assert powers[45] == 2000
    assert in_force(bench) == {"opModMaxLimW": (60.0, SetpointSource.MODBUS, None)}
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (60, 1)


@pytest.mark.parametrize(
    ("again", "restarts"),
    [
        ({"WMaxLimPct": 41}, True),
        ({"WMaxLimPctEna": 1}, True),
        ({"WMaxLimPctRvrtTms": 10}, True),
        ({"WMaxLimPctRvrt": 90}, False),
    ],
)
def test_what_restarts_the_timer(bench, again, restarts):
    bench.write(704, WMaxLimPctRvrtTms=10)
    bench.write(704, WMaxLimPctEna=1, WMaxLimPct=40)
    bench.wait(6)
    assert bench.write(704, **again) == 0
    assert bench.read(704, "WMaxLimPctRvrtRem") == (10 if restarts else 4)


def test_the_timer_stops_with_disable_and_does_not_start_while_disabled(bench):
    bench.write(704, WMaxLimPctRvrtTms=10)
    assert bench.read(704, "WMaxLimPctRvrtRem") == 0
    bench.write(704, WMaxLimPctEna=1)
    bench.write(704, WMaxLimPctEna=0)
    assert bench.read(704, "WMaxLimPctRvrtRem") == 0
    assert bench.server.timers.next_s == float("inf")


def test_an_event_rules_and_shows_and_ours_waits(bench):
    setpoints = bench.device.setpoints
    setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 60.0, "C1"))
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (60, 1)
    assert (bench.read(123, "WMaxLimPct"), bench.read(123, "WMaxLim_Ena")) == (60, 1)
    assert bench.write(704, WMaxLimPctEna=1, WMaxLimPct=30) == 0
    assert bench.read(704, "WMaxLimPct") == 60
    assert [i.source for i in setpoints.overridden()] == [SetpointSource.MODBUS]
    bench.wait(2)
    assert bench.read(701, "W") == 6000
    setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", None, "C1"))
    bench.wait(2)
    assert (bench.read(704, "WMaxLimPct"), bench.read(701, "W")) == (30, 3000)


def acting(bench):
    """The op modes in force, by name."""
    return {item.mode: item.value for item in bench.device.setpoints.in_force() if item.mode.startswith("op")}


def test_a_value_written_during_an_event_waits_for_its_end(bench):
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", 60.0, "C1"))
    assert bench.read(704, "WMaxLimPctEna") == 1
    assert bench.write(704, WMaxLimPct=10) == 0
    assert acting(bench) == {"opModMaxLimW": 60.0}
    assert bench.read(704, "WMaxLimPct") == 60
    bench.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModMaxLimW", None, "C1"))
    assert acting(bench) == {"opModMaxLimW": 10.0}
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (10, 1)


DEFAULTS = {
    "opModMaxLimW": 80.0,
    "opModFixedVar": FixedVar(20.0, "setMaxVar"),
    "opModFixedPFInjectW": FixedPowerFactor(0.95, "absorb"),
}


def by_default(bench, *modes):
    changes = [SetpointChange(SetpointSource.CSIP_DEFAULT, mode, DEFAULTS[mode], "D1") for mode in modes]
    for outcome in bench.device.setpoints.submit(*changes):
        assert outcome.verdict is Verdict.ACCEPTED


def test_a_set_point_written_over_a_default_control_acts(bench):
    by_default(bench, "opModMaxLimW")
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (80, 1)
    assert bench.write(704, WMaxLimPct=50) == 0
    assert acting(bench) == {"opModMaxLimW": 50.0}
    (item,) = [item for item in bench.device.setpoints.in_force() if item.mode == "opModMaxLimW"]
    assert item.source is SetpointSource.MODBUS
    assert bench.read(704, "WMaxLimPct") == 50
    assert bench.write(704, WMaxLimPctEna=0) == 0
    assert acting(bench) == {"opModMaxLimW": 80.0}
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (80, 1)


def test_one_register_of_two_keeps_the_other_as_it_is_shown(bench):
    by_default(bench, "opModFixedPFInjectW")
    assert (bench.read(704, "PFWInj.PF"), bench.read(704, "PFWInj.Ext")) == (0.95, 1)
    assert bench.write(704, **{"PFWInj.PF": 0.9}) == 0
    assert acting(bench) == {"opModFixedPFInjectW": FixedPowerFactor(0.9, "absorb")}


def test_a_selection_alone_takes_over_what_is_shown(bench):
    by_default(bench, "opModFixedVar")
    assert (bench.read(704, "VarSetMod"), bench.read(704, "VarSetPct")) == (1, 20)
    assert bench.write(704, VarSetMod=0) == 0
    assert acting(bench) == {"opModFixedVar": FixedVar(20.0, "setMaxW")}


def test_enabling_what_is_in_force_makes_it_ones_own(bench):
    assert bench.write(704, WMaxLimPct=30) == 0  # disabled: stored
    by_default(bench, "opModMaxLimW")
    assert bench.write(704, WMaxLimPctEna=1) == 0
    assert acting(bench) == {"opModMaxLimW": 80.0}
    change = SetpointChange(SetpointSource.CSIP_DEFAULT, "opModMaxLimW", None, "D1")
    bench.device.setpoints.submit(change)
    assert acting(bench) == {"opModMaxLimW": 80.0}


def test_the_timer_of_a_default_control_alone_takes_nothing_over(bench):
    by_default(bench, "opModMaxLimW")
    assert bench.write(704, WMaxLimPctRvrtTms=60) == 0
    (item,) = [item for item in bench.device.setpoints.in_force() if item.mode == "opModMaxLimW"]
    assert item.source is SetpointSource.CSIP_DEFAULT


@pytest.mark.parametrize(
    "values",
    [
        {"WMaxLimPct": 300},
        {"WMaxLimPctRvrt": 300},
        {"WSetPct": 300},
        {"WSetPctRvrt": -101},
        {"WSet": 20_000},
        {"WSetRvrt": 20_000},
        {"VarSetPct": 101},
        {"VarSet": 4_500},
        {"VarSetPctRvrt": -101},
        {"PFWInj.PF": 0.5},
        {"PFWInjRvrt.PF": 0.5},
    ],
    ids=lambda values: next(iter(values)),
)
def test_a_set_point_is_checked_when_it_is_written(bench, values):
    (path,) = values
    before = bench.read(704, path)
    assert bench.write_points(704, values) == 3
    assert bench.read(704, path) == before
    assert "opMod" in bench.logged()[-1]


def test_off_is_the_latest_word_of_the_local_doors(bench):
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 20.0, "REST"))
    assert bench.read(704, "WMaxLimPctEna") == 1
    assert bench.write(704, WMaxLimPctEna=0) == 0
    assert in_force(bench) == {}


@pytest.mark.parametrize(
    ("mode", "values", "expected"),
    [
        (0, {"VarSetPct": 20}, {"opModFixedVar": FixedVar(20.0, "setMaxW")}),
        (1, {"VarSetPct": -50}, {"opModFixedVar": FixedVar(-50.0, "setMaxVar")}),
        (2, {"VarSetPct": 50}, {"opModFixedVar": FixedVar(50.0, "statVarAvail")}),
        (3, {"VarSetPct": 10}, {"opModTargetVar": 1000.0}),
        (4, {"VarSet": -1500}, {"opModTargetVar": -1500.0}),
    ],
)
def test_reactive_power_in_every_unit(bench, mode, values, expected):
    assert bench.write_points(704, values) == 0
    assert bench.write(704, VarSetEna=1, VarSetMod=mode) == 0
    assert {m: v for m, (v, _, _) in in_force(bench).items()} == expected
    bench.wait(15)
    wanted = {0: 2000, 1: -2200, 2: 2200, 3: 1000, 4: -1500}[mode]
    assert bench.read(701, "Var") == pytest.approx(wanted, abs=5)
    assert bench.read(704, "VarSetMod") == mode


def test_changing_the_unit_leaves_one_mode(bench):
    bench.write(704, VarSetEna=1, VarSetMod=4)
    bench.write(704, VarSetMod=1)
    assert set(in_force(bench)) == {"opModFixedVar"}


def test_active_power_in_percent_and_watts(bench):
    bench.write(704, WSetPct=30)
    assert bench.write(704, WSetEna=1, WSetMod=0) == 0
    bench.wait(3)
    assert bench.read(701, "W") == 3000
    bench.write(704, WSet=2500)
    bench.write(704, WSetMod=1)
    bench.wait(3)
    assert bench.read(701, "W") == 2500
    assert set(in_force(bench)) == {"opModTargetW"}


def test_a_battery_charges_by_wset_and_has_a_power_factor_of_charging(make_bench):
    bench = make_bench(device_type="Batt-3Phase")
    bench.write(704, WSetPct=-50)
    bench.write(704, WSetEna=1)
    bench.wait(3)
    assert bench.read(701, "W") == -5000
    assert bench.write_points(704, {"PFWAbs.PF": 0.9, "PFWAbs.Ext": 1}) == 0
    assert bench.write(704, PFWAbsEna=1) == 0
    bench.wait(15)
    assert bench.read(701, "Var") == pytest.approx(-5000 * 0.4843, abs=10)
    assert bench.read(713, "SoC") > 50


def test_power_factor_and_its_reversion(bench):
    bench.write_points(704, {"PFWInjRvrt.PF": 1.0, "PFWInjRvrt.Ext": 0})
    bench.write(704, PFWInjEnaRvrt=1, PFWInjRvrtTms=20)
    bench.write_points(704, {"PFWInj.PF": 0.9, "PFWInj.Ext": 0})
    assert bench.write(704, PFWInjEna=1) == 0
    assert in_force(bench)["opModFixedPFInjectW"][0] == FixedPowerFactor(0.9, "inject")
    bench.wait(15)
    assert bench.read(701, "Var") == pytest.approx(P_FREE * 0.4843, abs=15)
    bench.wait(20)
    assert bench.read(701, "Var") == pytest.approx(0, abs=5)
    assert in_force(bench)["opModFixedPFInjectW"][0] == FixedPowerFactor(1.0, "inject")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"WMaxLimPct": 140}, 3),
        ({"PFWInj.PF": 0.2, "PFWInj.Ext": 0}, 3),
        ({"WSetPct": -20}, 3),  # a PV machine does not charge
        ({"VarSetPct": 150}, 3),
        ({"WMaxLimPctRvrtRem": 5}, 2),
        ({"WMaxLimPct_SF": 0}, 2),
        ({"PFWAbsEna": 1}, 2),
        ({"AntiIslEna": 2}, 3),
        ({"WMaxLimPctEna": 2}, 3),
    ],
)
def test_refusals_change_nothing(bench, values, code):
    for stem in ("WMaxLimPct", "PFWInj", "WSet", "VarSet"):
        bench.write_points(704, {f"{stem}Ena": 1})
    before, registers = in_force(bench), bench.unit.block(704).data()
    assert bench.write_points(704, values) == code
    assert in_force(bench) == before
    assert bench.unit.block(704).data() == registers


def test_anti_islanding_is_switched_by_its_register(bench):
    assert bench.read(704, "AntiIslEna") == 1
    assert bench.write(704, AntiIslEna=0) == 0
    assert bench.read(704, "AntiIslEna") == 0
    bench.device.inputs.set(grid_lost=True)
    bench.wait(5)
    assert not bench.device.state.tripped
    assert bench.write(704, AntiIslEna=1) == 0
    bench.wait(2)
    assert bench.device.state.tripped


def test_the_journal_names_the_register(bench):
    bench.write(704, WMaxLimPctEna=1, WMaxLimPct=40)
    assert bench.device.setpoints.journal[-1].detail == "704.WMaxLimPct"


def test_the_old_model_is_another_view_of_the_new(bench):
    assert bench.write(123, WMaxLimPct=35) == 0  # as evcc: the value, then the enable
    assert bench.write(123, WMaxLim_Ena=1) == 0
    bench.wait(2)
    assert (bench.read(103, "W"), bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (
        3500,
        35,
        1,
    )
    bench.write(123, OutPFSet=0.95)
    assert bench.write(123, OutPFSet_Ena=1) == 0
    assert in_force(bench)["opModFixedPFInjectW"][0] == FixedPowerFactor(0.95, "absorb")
    bench.write(123, OutPFSet_Ena=0)
    assert bench.write(123, VArMaxPct=40) == 0
    assert bench.write(123, VArPct_Mod=2, VArPct_Ena=1) == 0
    assert in_force(bench)["opModFixedVar"][0] == FixedVar(40.0, "setMaxVar")


@pytest.mark.parametrize(("written", "excitation", "under"), [(-0.9, "inject", 0), (0.9, "absorb", 1)])
def test_the_power_factor_of_the_old_model_has_the_sign_of_eei(bench, written, excitation, under):
    assert bench.read(123, "OutPFSet") == 1
    assert bench.write(123, OutPFSet=written) == 0
    assert bench.write(123, OutPFSet_Ena=1) == 0
    assert in_force(bench)["opModFixedPFInjectW"][0] == FixedPowerFactor(0.9, excitation)
    assert (bench.read(704, "PFWInj.PF"), bench.read(704, "PFWInj.Ext")) == (0.9, under)
    assert bench.read(123, "OutPFSet") == written
    bench.wait(10)
    assert bench.read(701, "Var") * written < 0
    assert abs(bench.read(701, "PF")) == pytest.approx(0.9, abs=0.001)


def test_a_power_factor_of_one_has_no_sign(bench):
    for written in (1.0, -1.0):
        assert bench.write(123, OutPFSet=written) == 0
        assert (bench.read(123, "OutPFSet"), bench.read(704, "PFWInj.Ext")) == (1, 0)


def test_the_switch_opens_and_closes_itself(bench):
    bench.write(703, ESDlyTms=0, ESRndTms=0, ESRmpTms=0)
    bench.write(123, Conn_RvrtTms=10)
    assert bench.write(123, Conn=0) == 0
    bench.wait(2)
    assert (bench.read(701, "ConnSt"), bench.read(701, "W"), bench.read(123, "Conn")) == (0, 0, 0)
    bench.wait(12)
    assert (bench.read(701, "ConnSt"), bench.read(701, "W"), bench.read(123, "Conn")) == (1, P_FREE, 1)


def test_closing_the_switch_ends_its_timer_so_that_a_later_opening_stays(bench):
    bench.write(123, Conn_RvrtTms=60)
    bench.write(123, Conn=0)
    bench.write(123, Conn=1)
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModConnect", False))
    bench.wait(100)
    assert bench.device.setpoints.value("opModConnect") is False


@pytest.mark.parametrize("reverts_to_another", [0, 1])
def test_a_setpoint_expires_by_itself_only_if_nothing_follows_it(bench, reverts_to_another):
    bench.write(704, WMaxLimPctRvrtTms=60)
    bench.write(704, WMaxLimPctEnaRvrt=reverts_to_another)
    bench.write(704, WMaxLimPct=20)
    bench.write(704, WMaxLimPctEna=1)
    (limit,) = bench.device.setpoints.in_force()
    assert limit.until_s == (None if reverts_to_another else bench.clock.now_s() + 60)


def test_a_set_point_that_acts_again_after_another_source_is_shown(bench):
    bench.write(704, WMaxLimPct=60)
    bench.write(704, WMaxLimPctEna=1)
    bench.unit.block(704).model.write({"WMaxLimPct": 40.0}, SetpointSource.REST)
    assert bench.read(704, "WMaxLimPct") == 40
    bench.device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", None))
    assert (bench.read(704, "WMaxLimPct"), bench.device.setpoints.value("opModMaxLimW")) == (60, 60)
