"""The ratings of a nameplate from the registers of a machine.

The points of 702 come first, then those of the older 120 and 802, then settings, which are ratings on
machines that give no others. What no register says is assumed, and told.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dersim.errors import ConfigError, DersimError
from dersim.hardware.nameplate_points import POINTS
from dersim.numeric import number
from dersim.twin.sunspec_map import Machine

#: Line-to-line and phase-to-neutral voltages of the world's grids, V.
_NOMINAL_V = (100, 110, 115, 120, 127, 200, 208, 220, 230, 240, 277, 380, 400, 415, 480, 600, 690)
_PHASES = {101: 1, 102: 2, 103: 3, 111: 1, 112: 2, 113: 3}
_PV, _STORAGE = 0, 1  # 714.PrtTyp
_PV_AND_STORAGE = 82
_VAR_SHARE = 0.44


class NoTwin(DersimError):  # noqa: N818 - says what follows
    """Registers of which no nameplate can be made."""


@dataclass(slots=True)
class Ratings:
    """points: of the nameplate, by ``model.point``. assumed: what no register says, a line each."""

    points: dict[str, Any] = field(default_factory=dict)
    assumed: list[str] = field(default_factory=list)

    def assume(self, name: str, value: Any, why: str) -> None:
        """Take a value that no register says."""
        self.points[name] = value
        self.assumed.append(f"{name} {value:g} {POINTS[name].unit}".rstrip() + f": {why}")


class _From(NamedTuple):
    """A rating, and the registers that say it, the best first; sizes: without their sign."""

    name: str
    registers: tuple[tuple[int, str], ...]


_RATINGS = (
    _From("702.WMaxRtg", ((702, "WMaxRtg"), (120, "WRtg"), (702, "WMax"), (121, "WMax"))),
    _From("702.VAMaxRtg", ((702, "VAMaxRtg"), (120, "VARtg"), (702, "VAMax"), (121, "VAMax"))),
    _From(
        "702.VarMaxInjRtg",
        ((702, "VarMaxInjRtg"), (120, "VArRtgQ1"), (702, "VarMaxInj"), (121, "VArMaxQ1")),
    ),
    _From(
        "702.VarMaxAbsRtg",
        ((702, "VarMaxAbsRtg"), (120, "VArRtgQ4"), (702, "VarMaxAbs"), (121, "VArMaxQ4")),
    ),
    _From("702.VNomRtg", ((702, "VNomRtg"), (702, "VNom"), (121, "VRef"))),
    _From("702.VMinRtg", ((702, "VMinRtg"), (702, "VMin"), (121, "VMin"))),
    _From("702.VMaxRtg", ((702, "VMaxRtg"), (702, "VMax"), (121, "VMax"))),
    _From("702.AMaxRtg", ((702, "AMaxRtg"), (120, "ARtg"), (702, "AMax"))),
    _From("702.PFOvrExtRtg", ((702, "PFOvrExtRtg"), (120, "PFRtgQ1"))),
    _From("702.PFUndExtRtg", ((702, "PFUndExtRtg"), (120, "PFRtgQ4"))),
    _From("702.NorOpCatRtg", ((702, "NorOpCatRtg"),)),
    _From("702.AbnOpCatRtg", ((702, "AbnOpCatRtg"),)),
)
_OF_STORAGE = (
    _From("702.WChaRteMaxRtg", ((702, "WChaRteMaxRtg"), (120, "MaxChaRte"), (802, "WChaRteMax"))),
    _From("702.WDisChaRteMaxRtg", ((702, "WDisChaRteMaxRtg"), (120, "MaxDisChaRte"), (802, "WDisChaRteMax"))),
    _From("702.VAChaRteMaxRtg", ((702, "VAChaRteMaxRtg"),)),
    _From("702.VADisChaRteMaxRtg", ((702, "VADisChaRteMaxRtg"),)),
    _From("713.SoC", ((713, "SoC"), (802, "SoC"), (124, "ChaState"))),
    _From("dersim.SoCMin", ((802, "SoCMin"),)),
    _From("dersim.SoCMax", ((802, "SoCMax"),)),
)
_CHARGE = ("dersim.SoCMin", "dersim.SoCMax", "713.SoC")
_CAPACITY = ((713, "WHRtg"), (802, "WHRtg"), (120, "WHRtg"))
_ENERGIES = {
    "701.TotWhInjL": ((701, "TotWhInj"), (103, "WH"), (102, "WH"), (101, "WH")),
    "701.TotWhAbsL": ((701, "TotWhAbs"),),
    "701.TotVarhInjL": ((701, "TotVarhInj"),),
    "701.TotVarhAbsL": ((701, "TotVarhAbs"),),
}


def read_ratings(machine: Machine) -> Ratings:
    """The nameplate's points. NoTwin where the registers do not say the power of the machine."""
    ratings = Ratings()
    _identity(machine, ratings)
    _take(machine, ratings, _RATINGS)
    if not ratings.points.get("702.WMaxRtg"):
        have = ", ".join(map(str, machine.models))
        raise NoTwin(
            f"{machine.where}: neither 702.WMaxRtg nor 120.WRtg says its power (it has the models {have}); "
            f"is it an inverter?"
        )
    _phases(machine, ratings)
    _voltage(machine, ratings)
    _frequency(machine, ratings)
    _reactive_power(machine, ratings)
    _categories(ratings)
    _dc_side(machine, ratings)
    _energies(machine, ratings)
    if "713.WHRtg" in ratings.points:
        _charge(machine, ratings.points)
    return ratings


def _first(machine: Machine, registers: Iterable[tuple[int, str]]) -> float | None:
    """The first register that has a value other than 0."""
    return next((v for model, point in registers if (v := machine.number(model, point))), None)


def _take(machine: Machine, ratings: Ratings, wanted: Iterable[_From]) -> None:
    for name, registers in wanted:
        point = POINTS[name]
        read = (machine.number(model, path) for model, path in registers)
        for value in read:
            if value is None or (value == 0 and point.low > 0):
                continue
            try:
                number(name, abs(value), point.low, point.high, point.unit)
            except ConfigError as error:
                machine.unread.append(f"{error}; it is left out")
                continue
            if not point.allowed or value in point.allowed:
                ratings.points[name] = abs(value)
                break


def _identity(machine: Machine, ratings: Ratings) -> None:
    for point in ("Mn", "Md", "Opt", "Vr", "SN"):
        value = machine.value(1, point)
        ratings.points[f"1.{point}"] = value if isinstance(value, str) else ""
    address = machine.number(1, "DA")
    if address is not None and 1 <= address <= 247:
        ratings.points["1.DA"] = address


def _phases(machine: Machine, ratings: Ratings) -> None:
    kind = machine.number(701, "ACType")
    legacy = [phases for model, phases in _PHASES.items() if model in machine.models]
    if kind in (0, 1, 2):
        ratings.points["701.ACType"] = int(kind) + 1
    elif legacy:
        ratings.points["701.ACType"] = legacy[0]
    else:
        ratings.assume("701.ACType", 3, "neither 701.ACType nor a model 101 to 103 says the phases")


def _voltage(machine: Machine, ratings: Ratings) -> None:
    points = ratings.points
    if "702.VNomRtg" not in points:
        single = points["701.ACType"] == 1
        registers = [(701, "LNV" if single else "LLV")]
        registers += [(model, "PhVphA" if single else "PPVphAB") for model in _PHASES]
        measured = _first(machine, registers)
        if measured is not None:
            nominal = min(_NOMINAL_V, key=lambda volts: abs(volts - measured))
            ratings.assume("702.VNomRtg", nominal, f"the nearest to the {measured:g} V that it measures")
        else:
            ratings.assume("702.VNomRtg", 230 if single else 400, "no register says it")
    low, high = points.get("702.VMinRtg"), points.get("702.VMaxRtg")
    nominal = points["702.VNomRtg"]
    for name, wrong in (
        ("702.VMinRtg", low is not None and low >= nominal),
        ("702.VMaxRtg", high is not None and high <= nominal),
    ):
        if wrong:
            machine.unread.append(
                f"{name} {points.pop(name):g} V does not go with {nominal:g} V; it is left out"
            )


def _frequency(machine: Machine, ratings: Ratings) -> None:
    window = machine.number(703, "ESHzLo"), machine.number(703, "ESHzHi")
    said = _first(machine, ((121, "ECPNomHz"), (701, "Hz"), *((model, "Hz") for model in _PHASES)))
    if said is None and window[0] and window[1]:
        said = sum(hz for hz in window if hz) / 2
    if said is None:
        ratings.assume("dersim.HzNom", 60, "no register says it")
    else:
        ratings.points["dersim.HzNom"] = 50 if said < 55 else 60


def _reactive_power(machine: Machine, ratings: Ratings) -> None:
    points = ratings.points
    points.setdefault("702.VAMaxRtg", points["702.WMaxRtg"])
    if points["702.VAMaxRtg"] < points["702.WMaxRtg"]:
        machine.unread.append(
            f"702.VAMaxRtg {points['702.VAMaxRtg']:g} VA is less than 702.WMaxRtg, which is taken"
        )
        points["702.VAMaxRtg"] = points["702.WMaxRtg"]
    va = points["702.VAMaxRtg"]
    for name, other in (("702.VarMaxInjRtg", "702.VarMaxAbsRtg"), ("702.VarMaxAbsRtg", "702.VarMaxInjRtg")):
        if name not in points:
            value = points.get(other, round(_VAR_SHARE * va, 1))
            ratings.assume(name, value, f"as {other}" if other in points else "44 % of the apparent power")
        if points[name] > va:
            machine.unread.append(f"{name} {points[name]:g} var is more than {va:g} VA, which is taken")
            points[name] = va
    pri = machine.number(705, "Crv[0].Pri")
    pri = machine.number(704, "VarSetPri") if pri is None else pri
    if pri in (0, 1):
        points["dersim.Priority"] = "reactive" if pri else "active"
    if machine.number(704, "AntiIslEna") == 0:
        points["704.AntiIslEna"] = 0


def _categories(ratings: Ratings) -> None:
    for name in ("702.PFOvrExtRtg", "702.PFUndExtRtg", "702.NorOpCatRtg", "702.AbnOpCatRtg"):
        if name not in ratings.points:
            ratings.assume(name, POINTS[name].default, f"no register says it ({POINTS[name].doc})")


def _dc_side(machine: Machine, ratings: Ratings) -> None:
    capacity_wh = _first(machine, _CAPACITY)
    storage = capacity_wh is not None and capacity_wh > 0
    if storage:
        ratings.points["713.WHRtg"] = capacity_wh
    ports = machine.models.get(714, {})
    types = {path[: -len("PrtTyp")]: kind for path, kind in ports.items() if path.endswith("PrtTyp")}
    if storage:
        _take(machine, ratings, _OF_STORAGE)
    # Model 120 has one type for a battery with and without PV beside it.
    beside = _PV in types.values() if types else machine.number(120, "DERTyp") == _PV_AND_STORAGE
    if not storage or beside:
        why = "registers say the power of the moment, not that of the array; edit it if you know it"
        ratings.assume("714.Prt[0].DCW", ratings.points["702.WMaxRtg"], why)
    volts = _dc_volts(machine, storage=storage, types=types)
    if volts is None or volts <= 0:
        ratings.assume("714.Prt[0].DCV", POINTS["714.Prt[0].DCV"].default, "no register says it")
    else:
        ratings.points["714.Prt[0].DCV"] = volts


def _dc_volts(machine: Machine, *, storage: bool, types: dict[str, Any]) -> float | None:
    """Measured at the port; of a battery whose ampere hours tell otherwise, what they tell."""
    kind = _STORAGE if storage else _PV
    measured = _first(machine, [(714, f"{prefix}DCV") for prefix, of in types.items() if of == kind])
    if measured is None:
        legacy = ((802, "V"),) if storage else ()
        measured = _first(machine, (*legacy, (160, "module[0].DCV"), *((model, "DCV") for model in _PHASES)))
    wh, ah = machine.number(802, "WHRtg"), machine.number(802, "AHRtg")
    if storage and wh and ah and (measured is None or abs(wh / measured - ah) > 0.005 * ah):
        return wh / ah
    return measured


def _energies(machine: Machine, ratings: Ratings) -> None:
    phases = ratings.points["701.ACType"]
    for stem, totals in _ENERGIES.items():
        each = [machine.number(701, f"{stem[4:]}{n}") for n in range(1, phases + 1)]
        total = _first(machine, totals)
        if any(each):
            ratings.points |= {f"{stem}{n}": value for n, value in enumerate(each, 1) if value}
        elif total is not None:
            ratings.points |= {f"{stem}{n}": total / phases for n in range(1, phases + 1)}


def _charge(machine: Machine, points: dict[str, Any]) -> None:
    """A state of charge within its limits; limits that no register says move out of its way."""
    lowest, highest, now = (POINTS[name].default for name in _CHARGE)
    low, high, soc = (points.get(name) for name in _CHARGE)
    soc = now if soc is None else soc
    low = min(lowest, soc) if low is None else low
    high = max(highest, soc) if high is None else high
    if low >= high:
        machine.tell(f"802.SoCMin {low:g} % is not below SoCMax {high:g} %; both are left out")
        low, high = min(lowest, soc), max(highest, soc)
    points |= zip(_CHARGE, (low, high, min(max(soc, low), high)), strict=True)
