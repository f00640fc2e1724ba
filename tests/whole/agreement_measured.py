"""Where measurements, the DC sources and what is available are told."""

from __future__ import annotations

from collections.abc import Callable

from tests.whole.agreement import Place, row
from tests.whole.places import Look

from dersim.hardware.state import DcSide, StorageMode


def _phase(name: str) -> Callable[[Look, int], float]:
    return lambda look, i: float(getattr(look.state, name)[i])


def _of_state(name: str) -> Callable[[Look], float]:
    return lambda look: float(getattr(look.state, name))


def _total(name: str) -> Callable[[Look], float]:
    return lambda look: float(sum(getattr(look.state, name)))


def _pv(name: str) -> Callable[[Look], float | None]:
    return lambda look: _side(look.state.pv, name)


def _battery(name: str) -> Callable[[Look], float | None]:
    return lambda look: _side(look.state.battery, name)


def _side(side: DcSide | None, name: str) -> float | None:
    return None if side is None else float(getattr(side, name))


def _stated(look: Look) -> int | None:
    mode = look.state.storage_mode
    return None if mode is None else int(mode)


#: storageModeStatus -> ChaSt of 124 and 802: holding is EMPTY, FULL or HOLDING.
_CHARGE = {
    StorageMode.CHARGING: frozenset({4}),
    StorageMode.DISCHARGING: frozenset({3}),
    StorageMode.HOLDING: frozenset({2, 5, 6}),
}


def _power_factor(look: Look) -> float | None:
    s = look.state
    return s.p_w / s.s_va if s.s_va > 0.01 else None


def _reserve(look: Look) -> float | None:
    if not look.plate.rtgMaxWh:
        return None
    value = look.device.setpoints.value("MinRsvPct")
    return look.plate.soc_min_pct if value is None else float(value)


def _mean(name: str) -> Callable[[Look], float]:
    def mean(look: Look) -> float:
        used = [value for value in getattr(look.state, name) if value]
        return sum(used) / len(used) if used else 0.0

    return mean


def _grid_pu(look: Look) -> tuple[float, float, float]:
    return look.device.inputs.at(look.state.time_s).voltage_pu


def _to_next(look: Look, i: int) -> float | None:
    pairs = (0, 1, 3)[look.plate.phases - 1]
    return float(look.state.voltage_ll_v[i]) if i < pairs else None


def _line_to_line(look: Look) -> float | None:
    return _mean("voltage_ll_v")(look) if look.plate.phases > 1 else None


def _hundred(value: float) -> float:
    return 100 * value


MEASURED = (
    row(
        "P",
        _of_state("p_w"),
        "701.W, 10x.W, mirror W, metrics.power_kw, devices.power_kw",
        "dersim_active_power_watts",
    ),
    row(
        "Q",
        _of_state("q_var"),
        "701.Var, 10x.VAr, mirror VAr, metrics.reactive_power_kvar, devices.reactive_power_kvar",
        "dersim_reactive_power_vars",
    ),
    row("S", _of_state("s_va"), "701.VA, 10x.VA, mirror VA, metrics.apparent_power_kva"),
    row(
        "power factor, sign of P",
        _power_factor,
        "701.PF",
        Place("10x.PF", _hundred),
        "metrics.power_factor",
    ),
    row(
        "frequency",
        _of_state("frequency_hz"),
        "701.Hz, 10x.Hz, 64414.GridFrequency, mirror Hz, metrics.frequency_hz, inputs.frequency_hz",
        "dersim_frequency_hertz",
    ),
    row("V, mean of the phases", _mean("voltage_ln_v"), "701.LNV, metrics.voltage_ln_v"),
    row("V, mean between phases", _line_to_line, "701.LLV, metrics.voltage_ll_v"),
    row(
        "V from a phase to the next",
        _to_next,
        "701.VL{n}L{m}, 10x.PPVph{x}{y}",
        phases=True,
    ),
    row("A, all phases", _total("current_a"), "701.A, 10x.A"),
    row("P of a phase", _phase("phase_p_w"), "701.WL{n}, mirror W {x}, phases[{i}].power_kw", phases=True),
    row(
        "Q of a phase",
        _phase("phase_q_var"),
        "701.VarL{n}, mirror VAr {x}, phases[{i}].reactive_power_kvar",
        phases=True,
    ),
    row(
        "V of a phase",
        _phase("voltage_ln_v"),
        "701.VL{n}, 10x.PhVph{x}, mirror V {x}, phases[{i}].voltage_ln_v",
        phases=True,
    ),
    row(
        "A of a phase",
        _phase("current_a"),
        "701.AL{n}, 10x.Aph{x}, mirror A {x}, phases[{i}].current_a",
        phases=True,
    ),
    row(
        "energy delivered",
        _total("exported_wh"),
        "701.TotWhInj, 10x.WH, 122.ActWh, mirror Wh exported, metrics.energy_exported_kwh",
        "dersim_exported_watthours_total",
    ),
    row(
        "energy received",
        _total("imported_wh"),
        "701.TotWhAbs, mirror Wh imported, metrics.energy_imported_kwh",
        "dersim_imported_watthours_total",
    ),
    row(
        "energy delivered by a phase",
        _phase("exported_wh"),
        "701.TotWhInjL{n}, mirror Wh exported {x}",
        phases=True,
    ),
    row(
        "energy received by a phase",
        _phase("imported_wh"),
        "701.TotWhAbsL{n}, mirror Wh imported {x}",
        phases=True,
    ),
    row(
        "V of the grid, per unit",
        _grid_pu,
        *(Place(f"64414.GridVoltage{name}", lambda volts, i=i: volts[i]) for i, name in enumerate("ABC")),
        Place("inputs.voltage_pu", lambda volts: volts[0] if len(set(volts)) == 1 else list(volts)),
    ),
    row(
        "irradiance",
        _of_state("irradiance_w_m2"),
        "64414.Irradiance, metrics.irradiance_w_m2, inputs.irradiance_w_m2",
    ),
    row(
        "ambient temperature",
        _of_state("temperature_c"),
        "701.TmpAmb, 10x.TmpCab, 64414.Temperature, inputs.temperature_c",
    ),
)


DC = (
    row("P of all DC sources", _of_state("dc_w"), "10x.DCW, 714.DCW"),
    row(
        "PV power",
        _pv("p_w"),
        "160.module[0].DCW, 714.Prt[0].DCW, sources[pv].power_kw",
        "dersim_pv_power_watts",
    ),
    row("PV voltage", _pv("v"), "160.module[0].DCV, 714.Prt[0].DCV, sources[pv].voltage_v"),
    row("PV current", _pv("a"), "160.module[0].DCA, 714.Prt[0].DCA, sources[pv].current_a"),
    row(
        "PV energy",
        _pv("delivered_wh"),
        "160.module[0].DCWH, 714.Prt[0].DCWhInj, sources[pv].energy_delivered_kwh",
    ),
    row(
        "battery power, < 0 charges",
        _battery("p_w"),
        Place("160.module[2].DCW", lambda w: max(0.0, -w), note="charging"),
        Place("160.module[3].DCW", lambda w: max(0.0, w), note="discharging"),
        "714.Prt[last].DCW, 802.W, sources[battery].power_kw, dersim_battery_power_watts",
    ),
    row(
        "battery voltage",
        _battery("v"),
        "124.InBatV, 160.module[2].DCV, 160.module[3].DCV, 714.Prt[last].DCV, 802.V",
        "sources[battery].voltage_v",
    ),
    row("battery current", _battery("a"), "714.Prt[last].DCA, 802.A, sources[battery].current_a"),
    row(
        "battery energy given",
        _battery("delivered_wh"),
        "160.module[3].DCWH, 714.Prt[last].DCWhInj, sources[battery].energy_delivered_kwh",
    ),
    row(
        "battery energy taken",
        _battery("taken_wh"),
        "160.module[2].DCWH, 714.Prt[last].DCWhAbs, sources[battery].energy_taken_kwh",
    ),
    row(
        "state of charge",
        lambda look: look.state.soc_pct,
        "124.ChaState, 713.SoC, 802.SoC",
        Place("802.DoD", lambda pct: 100 - pct, note="(100 % less it)"),
        Place("DERStatus.stateOfChargeStatus", _hundred),
        "metrics.soc_pct, dersim_state_of_charge_percent",
    ),
    row(
        "storage mode",
        _stated,
        Place("124.ChaSt", lambda mode: _CHARGE[StorageMode(mode)]),
        Place("802.ChaSt", lambda mode: _CHARGE[StorageMode(mode)]),
        "DERStatus.storageModeStatus",
    ),
    row("reserve", _reserve, "124.MinRsvPct, 802.SoCRsvMin"),
    row(
        "available power",
        _of_state("available_w"),
        "122.WAval, DERAvailability.statWAvail, metrics.available_power_kw",
        "dersim_available_power_watts",
    ),
    row(
        "power that could be absorbed",
        _of_state("charge_available_w"),
        "2023 DERAvailability.statWAbsorbAvail, metrics.charge_available_power_kw",
        "dersim_charge_available_watts",
    ),
    row(
        "available var, injecting",
        _of_state("var_inject_available"),
        "122.VArAval, 2023 DERAvailability.statVarAvail",
    ),
    row(
        "available var, absorbing",
        _of_state("var_absorb_available"),
        "2023 DERAvailability.statVarAbsorbAvail",
    ),
    row(
        "available var, the lesser of both",
        lambda look: min(look.state.var_inject_available, look.state.var_absorb_available),
        "2018 DERAvailability.statVarAvail",
    ),
)
