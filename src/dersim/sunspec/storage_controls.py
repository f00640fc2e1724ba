"""124, basic storage controls: how evcc, Home Assistant and Fronius tools steer a battery.

StorCtl_Mod bit 0 puts InWRte in force, bit 1 OutWRte: the modes of `hardware/storage_limits.py`. As in 704,
the registers show what is in force, else what was written. InOutWRte_RvrtTms ends both after that time; the
timer restarts with every write of StorCtl_Mod, a rate or itself while a bit is set. With InOutWRte_WinTms a
change of these registers acts at a random instant within that time.

WChaMax and VAChaMax are the settings setMaxChargeRateW and setMaxChargeRateVA. WChaGra and WDisChaGra are
both setGradW: this machine has one rate for all commands of active power.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.hardware.storage_limits import GRID, IN, OUT, RESERVE
from dersim.local_control.reversion import Timers
from dersim.local_control.submitting import changes_of, check, release, submit, update_settings
from dersim.local_control.view import View
from dersim.modes import ModeValue
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Meaning, Model, Values
from dersim.sunspec.exceptions import ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales, finest
from dersim.sunspec.storage import charge_state, reserve_pct

_BITS = {IN: 1, OUT: 2}
_MODE, _DETAIL = "StorCtl_Mod", "124.StorCtl_Mod"
_WINDOW, _REVERT, _RAMP = "InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms"
_SETTINGS = {"WChaMax": "setMaxChargeRateW", "VAChaMax": "setMaxChargeRateVA"}
_RATES_OF_CHANGE = ("WChaGra", "WDisChaGra")
#: The points whose writing acts within the window and restarts the timer.
_STEERING = frozenset({_MODE, IN, OUT, _REVERT})


class StorageControls(Model):
    """The registers of 124."""

    KEPT = ("_stored", "_waiting")

    model_id = 124

    def __init__(self, view: View, scales: Scales, timers: Timers) -> None:
        self.view = view
        plate = view.plate
        rated_ah = plate.rtgMaxWh / plate.pv_v
        self.scales = {
            "WChaMax_SF": finest(plate.rtgMaxChargeRateW, 65534, lowest=0),
            "WChaDisChaGra_SF": -2,
            "VAChaMax_SF": finest(plate.rtgMaxChargeRateVA, 65534, lowest=0),
            "MinRsvPct_SF": -2,
            "ChaState_SF": -2,
            "StorAval_SF": finest(rated_ah, 65534, -2),
            "InBatV_SF": scales.dc_v,
            "InOutWRte_SF": -2,
        }
        self._stored: dict[str, Any] = {IN: 100.0, OUT: 100.0, _WINDOW: 0, _REVERT: 0, _RAMP: 0}
        #: Registers that were written and wait for their instant in the window, and who wrote them.
        self._waiting: dict[str, Any] = {}
        self._source = SetpointSource.MODBUS
        self._timer = timers.add(self._revert)
        self._window = timers.add(self._begin)

    def stamp(self) -> object:
        """Changes with setpoints, settings and registers, and with every step, which moves the charge."""
        return (self.view.rules_stamp(), self.view.state_stamp())

    def values(self) -> Values:
        """What is in force, else what was written; the battery's charge."""
        view = self.view
        state, settings = view.device.state, view.settings
        soc, reserve = state.soc_pct or 0.0, reserve_pct(view)
        side = state.battery
        out: dict[str, Value] = {**self._stored, **self._steering()}
        out |= {point: settings[name] for point, name in _SETTINGS.items()}
        out |= dict.fromkeys(_RATES_OF_CHANGE, self._rate())
        return out | {
            RESERVE: reserve,
            "ChaState": soc,
            "StorAval": max(0.0, soc - max(reserve, view.plate.soc_min_pct))
            / 100
            * settings.setMaxWh
            / view.plate.pv_v,
            "InBatV": side.v if side is not None else 0.0,
            "ChaSt": charge_state(state, view.plate),
            GRID: int(view.setpoints.value(GRID) is not False),
        }

    def _rate(self) -> float:
        """setGradW in percent of WChaMax per second; 0 where that is 0."""
        settings = self.view.settings
        base_w = settings.setMaxChargeRateW
        return settings.setGradW * settings.setMaxW / base_w if base_w else 0.0

    def _steering(self) -> dict[str, Any]:
        """StorCtl_Mod and both rates: what is in force, whoever asked for it, else what was written."""
        held = {mode: self.view.in_force_or_waiting(mode) for mode in _BITS}
        out: dict[str, Any] = {mode: item.value for mode, item in held.items() if item is not None}
        return {IN: self._stored[IN], OUT: self._stored[OUT], **out, _MODE: sum(_BITS[mode] for mode in out)}

    def writable(self, path: str) -> bool:  # noqa: ARG002 - as in Model
        """Every point that the definition marks RW."""
        return True

    def write(self, changes: Mapping[str, Any], source: SetpointSource) -> None:
        """Check everything; then settings, reserve and grid at once, the rates at once or in their window."""
        now = self._steering()
        if not 0 <= changes.get(_MODE, 0) <= sum(_BITS.values()):
            raise ModbusRefusal(ILLEGAL_VALUE, f"{_DETAIL}: {changes[_MODE]} is not 0 to 3")
        at_once: dict[str, ModeValue | None] = {}
        if RESERVE in changes:
            at_once[RESERVE] = float(changes[RESERVE])
        if GRID in changes:
            at_once[GRID] = bool(changes[GRID])
        check(self.view, at_once | {mode: float(changes[mode]) for mode in _BITS if mode in changes})
        settings = self._settings_of(changes)
        if settings:
            update_settings(self.view, source, settings, "124")
        for mode, value in at_once.items():
            submit(self.view, changes_of(self.view, source, {mode: value}, f"124.{mode}"))
        steering = {point: value for point, value in changes.items() if point in _STEERING}
        self._stored |= {point: value for point, value in changes.items() if point in self._stored}
        if steering:
            self._steer(now | self._waiting | steering, source)
        self.view.touched()

    def meaning(self, values: Values) -> Meaning:
        """Limits as settings; the rates that StorCtl_Mod selects, reserve and grid as modes."""
        read = {point: v for point, v in values.items() if isinstance(v, int | float)}
        bits = int(read.get(_MODE, 0))
        modes: dict[str, ModeValue] = {
            m: float(read[m]) for m, bit in _BITS.items() if bits & bit and m in read
        }
        if read.get(RESERVE, self.view.plate.soc_min_pct) != self.view.plate.soc_min_pct:
            modes[RESERVE] = float(read[RESERVE])
        if read.get(GRID) == 0:
            modes[GRID] = False
        return Meaning(
            {name: read[point] for point, name in _SETTINGS.items() if point in read},
            modes,
            {point: read[point] for point in self._stored if point in read},
        )

    def restore(self, registers: Mapping[str, Any]) -> None:
        """The rates that do not act, and their times."""
        super().restore({point: value for point, value in registers.items() if point not in self._stored})
        self._stored = {**self._stored, **registers}
        self.view.touched()

    def _settings_of(self, changes: Mapping[str, Any]) -> dict[str, float]:
        """The settings that are written."""
        found = {name: float(changes[point]) for point, name in _SETTINGS.items() if point in changes}
        rates = {float(changes[point]) for point in _RATES_OF_CHANGE if point in changes}
        if "WChaMax" not in changes:
            rates.discard(self._rate())
        if len(rates) > 1:
            raise ModbusRefusal(ILLEGAL_VALUE, "124.WDisChaGra: this machine has the same as WChaGra")
        for rate in rates:
            max_w = self.view.settings.setMaxW
            base_w = found.get("setMaxChargeRateW", self.view.settings.setMaxChargeRateW)
            if max_w <= 0 or base_w <= 0:
                why = "setMaxW is 0; write 702.WMax first" if max_w <= 0 else "WChaMax is 0; write it first"
                raise ModbusRefusal(ILLEGAL_VALUE, f"124.WChaGra: {why}")
            found["setGradW"] = rate * base_w / max_w
        return found

    def _steer(self, wanted: Mapping[str, Any], source: SetpointSource) -> None:
        """Put StorCtl_Mod and the rates in force, now or within the window."""
        self._source = source
        window_s = self._stored[_WINDOW]
        if window_s:
            self._waiting = {point: wanted[point] for point in (_MODE, IN, OUT)}
            if not self._window.running:
                self._window.start(self.view.device.rng.uniform(0, window_s))
            return
        self._put(wanted)

    def _begin(self) -> None:
        """The instant within the window has come."""
        wanted, self._waiting = self._waiting, {}
        self._put(wanted)
        self.view.touched()

    def _put(self, wanted: Mapping[str, Any]) -> None:
        bits, revert_s = wanted[_MODE], self._stored[_REVERT]
        self._waiting = {}
        self._window.stop()
        values: dict[str, ModeValue | None] = {
            mode: float(wanted[mode]) if bits & bit else None for mode, bit in _BITS.items()
        }
        expires_s = self.view.now_s() + revert_s if revert_s else None
        ramp_s = float(self._stored[_RAMP]) or None
        changes = changes_of(self.view, self._source, values, _DETAIL, expires_s)
        submit(self.view, [change._replace(ramp_s=ramp_s) for change in changes])
        self._timer.start(revert_s if bits else 0)

    def _revert(self) -> None:
        """The timer ran out: no rate that was set here acts any more."""
        submit(self.view, release(self.view, _BITS, _DETAIL))
        self.view.say("Info", f"{_DETAIL}: reversion timer ran out")
        self.view.touched()
