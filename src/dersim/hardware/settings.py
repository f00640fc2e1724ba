"""The settings of a DER (2030.5 DERSettings, SunSpec 702 and 703).

Each setting has a *base* value, first from the nameplate, later as written. A setpoint in force (say a
DefaultDERControl's setGradW) takes its place. The attribute holds the value that acts. `changes` counts the
changes of such values and `changed_s` is the time of the last; the CSIP client PUTs DERSettings when the
count rises.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

from dersim.errors import ConfigError
from dersim.hardware.nameplate import Nameplate
from dersim.modes import ModeValue, value_from_kept, value_to_kept
from dersim.numeric import number

#: Settings that a DefaultDERControl carries as modes.
SETTING_MODES = (
    "setGradW",
    "setSoftGradW",
    "setESDelay",
    "setESRandomDelay",
    "setESRampTms",
    "setESLowVolt",
    "setESHighVolt",
    "setESLowFreq",
    "setESHighFreq",
)


def _ignore(*_values: object) -> None:
    return None


class Settings:
    """The settings of one DER, in plain units, as attributes (W, VA, var, V, A, Wh, s, Hz, %, %/s).

    setMaxVarNeg is negative. setVRef and setVRefOfs are in V; setVRef is setVNom until it is written itself
    (702 of SunSpec has only VNom). setESLowVolt and setESHighVolt are in percent of setVRef; setGradW and
    setSoftGradW in percent of setMaxW per second, 0 for no limit.
    `stored` holds curves and other values that were written but are not in force, by mode.
    anti_islanding: 704.AntiIslEna, which 2030.5 does not have.
    They start at the ratings, or at the nameplate's `settings`; ConfigError for one that is out of range.
    `before_change` is called before base values are written, `on_write` with them (and anti_islanding),
    `on_change` after one that acts changed.
    """

    # One of so many attributes would have a dict of 1.5 kB.
    __slots__ = (
        *("_base", "_governed", "_nameplate", "_ranges", "_written", "anti_islanding", "before_change"),
        *("changed_s", "changes", "on_change", "on_write", "setESDelay", "setESHighFreq", "setESHighVolt"),
        *("setESLowFreq", "setESLowVolt", "setESRampTms", "setESRandomDelay", "setGradW", "setMaxA"),
        *("setMaxChargeRateVA", "setMaxChargeRateW", "setMaxDischargeRateVA", "setMaxDischargeRateW"),
        *("setMaxV", "setMaxVA", "setMaxVar", "setMaxVarNeg", "setMaxW", "setMaxWh"),
        *("setMinPFOverExcited", "setMinPFUnderExcited", "setMinV", "setSoftGradW", "setVNom", "setVRef"),
        *("setVRefOfs", "stored"),
    )

    setMaxW: float
    setMaxVA: float
    setMaxVar: float
    setMaxVarNeg: float
    setMaxChargeRateW: float
    setMaxChargeRateVA: float
    setMaxDischargeRateVA: float
    setMaxDischargeRateW: float
    setMaxA: float
    setMaxV: float
    setMinV: float
    setMaxWh: float
    setVNom: float
    setVRef: float
    setVRefOfs: float
    setMinPFOverExcited: float
    setMinPFUnderExcited: float
    setGradW: float
    setSoftGradW: float
    setESDelay: float
    setESRandomDelay: float
    setESRampTms: float
    setESLowVolt: float
    setESHighVolt: float
    setESLowFreq: float
    setESHighFreq: float

    def __init__(self, nameplate: Nameplate) -> None:
        self._nameplate = nameplate
        self._ranges = _ranges(nameplate)
        self._base = _at_first(nameplate)
        self._written: frozenset[str] = frozenset()
        self._governed: dict[str, float] = {}
        self.stored: dict[str, ModeValue] = {}
        self.anti_islanding = nameplate.anti_islanding
        self.changes = 0
        self.changed_s = 0.0
        self.before_change: Callable[[], None] = _ignore
        self.on_write: Callable[[Mapping[str, float]], object] = _ignore
        self.on_change: Callable[[], None] = _ignore
        self._start_at(nameplate.settings)
        for name, value in self._base.items():
            setattr(self, name, value)

    def _start_at(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            try:
                self._check({name: value})
            except ConfigError as error:
                text = str(error).removeprefix(f"{name}: ")
                raise self._nameplate.refusal(f"/dersim/settings/{name}", text) from None
        self._store(values)

    def __getitem__(self, name: str) -> float:
        """The value that acts; KeyError for a name that is no setting."""
        if name not in self._base:
            raise KeyError(name)
        value: float = getattr(self, name)
        return value

    def as_dict(self) -> dict[str, float]:
        """The value that acts of every setting, by name."""
        return {name: getattr(self, name) for name in self._base}

    def written(self, name: str) -> bool:
        """Whether the base value of a setting was written; else it is that of the nameplate."""
        return name in self._written

    @property
    def charge_limit_w(self) -> float:
        """The highest charging power by setMaxChargeRateW and setMaxChargeRateVA, W."""
        return min(self.setMaxChargeRateW, self.setMaxChargeRateVA)

    @property
    def discharge_limit_w(self) -> float:
        """The highest discharging power by setMaxDischargeRateW and setMaxDischargeRateVA, W."""
        return min(self.setMaxDischargeRateW, self.setMaxDischargeRateVA)

    @property
    def alarm_window_pu(self) -> tuple[float, float]:
        """setMinV and setMaxV per unit of setVRef, corrected as the voltages that functions use."""
        return (self.setMinV - self.setVRefOfs) / self.setVRef, (
            self.setMaxV - self.setVRefOfs
        ) / self.setVRef

    def allowed(self, name: str) -> tuple[float, float]:
        """The lowest and highest value that `update` accepts for a setting."""
        return self._ranges[name]

    def update(self, values: Mapping[str, float], now_s: float = 0.0) -> None:
        """Write base values, all or none. ConfigError names the setting and what is allowed."""
        self._check(values)
        self.before_change()
        self._store(values)
        self.on_write(values)
        if self._refresh(now_s):
            self.on_change()

    def _check(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            if name not in self._base:
                raise ConfigError(f"{name} is not a setting; known are {', '.join(self._base)}")
            low, high = self._ranges[name]
            number(name, value, low, high)

    def _store(self, values: Mapping[str, float]) -> None:
        if values:
            base = {**self._base, **values}  # what was there is shared
            self._written |= values.keys()
            if "setVRef" not in self._written:
                base["setVRef"] = base["setVNom"]
            self._base = base

    def enable_anti_islanding(self, enabled: bool, now_s: float = 0.0) -> None:
        """Switch anti-islanding on or off."""
        if enabled is self.anti_islanding:
            return
        self.before_change()
        self.anti_islanding = enabled
        self.changes += 1
        self.changed_s = now_s
        self.on_write({"anti_islanding": enabled})
        self.on_change()

    def checkpoint(self) -> dict[str, Any]:
        """What was written and what overrides it, the values that are not in force, and the counters."""
        return {
            "written": {name: self._base[name] for name in self._base if name in self._written},
            "governed": dict(self._governed),
            "stored": {mode: value_to_kept(value) for mode, value in self.stored.items()},
            "anti_islanding": self.anti_islanding,
            "changes": self.changes,
            "changed_s": self.changed_s,
        }

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave, without a call of `on_change`."""
        self._base, self._written = _at_first(self._nameplate), frozenset()
        self._store(document["written"])
        self._governed = dict(document["governed"])
        self._refresh(0.0)
        self.stored = {mode: value_from_kept(kept) for mode, kept in document["stored"].items()}
        self.anti_islanding = document["anti_islanding"]
        self.changes, self.changed_s = document["changes"], document["changed_s"]

    def govern(self, values: Mapping[str, float], now_s: float) -> bool:
        """Replace the setpoints that override settings, by name; True if a value that acts changed."""
        self._governed = dict(values)
        return self._refresh(now_s)

    def _refresh(self, now_s: float) -> bool:
        changed = False
        for name, base in self._base.items():
            value = self._governed.get(name, base)
            if getattr(self, name) != value:
                setattr(self, name, value)
                changed = True
        if changed:
            self.changes += 1
            self.changed_s = now_s
        return changed


@functools.lru_cache(maxsize=256)
def _one_of(items: tuple[tuple[str, Any], ...]) -> Mapping[str, Any]:
    """A table; one for all DERs in which it is the same."""
    return dict(items)


def _at_first(plate: Nameplate) -> Mapping[str, float]:
    hz = plate.frequency_hz
    table = {
        "setMaxW": plate.rtgMaxW,
        "setMaxVA": plate.rtgMaxVA,
        "setMaxVar": plate.rtgMaxVar,
        "setMaxVarNeg": plate.rtgMaxVarNeg,
        "setMaxChargeRateW": plate.rtgMaxChargeRateW,
        "setMaxChargeRateVA": plate.rtgMaxChargeRateVA,
        "setMaxDischargeRateVA": plate.rtgMaxDischargeRateVA,
        "setMaxDischargeRateW": plate.rtgMaxDischargeRateW,
        "setMaxA": plate.rtgMaxA,
        "setMaxV": plate.rtgMaxV,
        "setMinV": plate.rtgMinV,
        "setMaxWh": plate.rtgMaxWh,
        "setVNom": plate.rtgVNom,
        "setVRef": plate.rtgVNom,
        "setVRefOfs": 0.0,
        "setMinPFOverExcited": plate.rtgMinPFOverExcited,
        "setMinPFUnderExcited": plate.rtgMinPFUnderExcited,
        "setGradW": 100.0,
        "setSoftGradW": 0.0,
        # 1547-2018 table 4, default settings of enter service; at 50 Hz those of EN 50549-1 table 3.
        "setESDelay": 300.0,
        "setESRandomDelay": 0.0,
        "setESRampTms": 300.0,
        "setESLowVolt": 91.7,
        "setESHighVolt": 105.0,
        "setESLowFreq": hz - 0.5,
        "setESHighFreq": hz + 0.1,
    }
    return _one_of(tuple(table.items()))


def _ranges(plate: Nameplate) -> Mapping[str, tuple[float, float]]:
    table = {
        "setMaxW": (0.0, plate.rtgMaxW),
        "setMaxVA": (0.0, plate.rtgMaxVA),
        "setMaxVar": (0.0, plate.rtgMaxVar),
        "setMaxVarNeg": (plate.rtgMaxVarNeg, 0.0),
        "setMaxChargeRateW": (0.0, plate.rtgMaxChargeRateW),
        "setMaxChargeRateVA": (0.0, plate.rtgMaxChargeRateVA),
        "setMaxDischargeRateVA": (0.0, plate.rtgMaxDischargeRateVA),
        "setMaxDischargeRateW": (0.0, plate.rtgMaxDischargeRateW),
        "setMaxA": (0.0, plate.rtgMaxA),
        "setMaxV": (plate.rtgVNom, plate.rtgMaxV),
        "setMinV": (plate.rtgMinV, plate.rtgVNom),
        "setMaxWh": (0.0, plate.rtgMaxWh),
        "setVNom": (plate.rtgMinV, plate.rtgMaxV),
        "setVRef": (0.5 * plate.rtgVNom, 1.5 * plate.rtgVNom),
        "setVRefOfs": (-0.5 * plate.rtgVNom, 0.5 * plate.rtgVNom),
        "setMinPFOverExcited": (plate.rtgMinPFOverExcited, 1.0),
        "setMinPFUnderExcited": (plate.rtgMinPFUnderExcited, 1.0),
        "setGradW": (0.0, 655.35),
        "setSoftGradW": (0.0, 655.35),
        # Wider than 1547-2018 table 4 (0 to 600 s, 1 to 1000 s, 88 to 95 %, ...): a test bench needs it.
        "setESDelay": (0.0, 86400.0),
        "setESRandomDelay": (0.0, 86400.0),
        "setESRampTms": (0.0, 86400.0),
        "setESLowVolt": (0.0, 100.0),
        "setESHighVolt": (100.0, 150.0),
        "setESLowFreq": (40.0, 60.0),
        "setESHighFreq": (50.0, 70.0),
    }
    return _one_of(tuple(table.items()))
