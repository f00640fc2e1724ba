"""What `/api/feeder/...` tells, as plain documents made from a feeder and its series."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, TypedDict

import numpy as np

from dersim.plugin import Fleet, described, rfc3339
from dersim_feeder.feeder import Feeder
from dersim_feeder.results import DEAD_PU, Day, Snapshot
from dersim_feeder.series import Row, Series


class Extreme(TypedDict):
    """A voltage, and the bus where it is."""

    pu: float
    bus: str


class DayDocument(TypedDict):
    """The present local day so far."""

    since: str
    v_min_pu: float
    v_max_pu: float
    hours_above: Annotated[float, described("at least one node above 1.05 pu, h")]
    hours_below: Annotated[float, described("at least one node below 0.95 pu, h")]
    losses_kwh: float
    head_import_kwh: float
    head_export_kwh: float


class Overview(TypedDict):
    """The feeder now."""

    name: str
    time: str
    buses: int
    ders: int
    lowest: Extreme
    highest: Extreme
    head_kw: Annotated[float, described("into the feeder at its head, kW; < 0 exports")]
    head_kvar: float
    ders_kw: float
    ders_kvar: float
    losses_kw: float
    curtailed_kw: Annotated[float, described("offered by the sun and not delivered, of DERs without storage")]
    curtailed_kwh: float
    loading_max_pct: float
    rate: Annotated[float, described("simulated seconds per second, as asked for")]
    effective_rate: Annotated[float, described("the same, as measured since the start")]
    step_s: Annotated[float | None, described("the longest step that is allowed now, s; null: any")]
    open_loop_s: Annotated[float | None, described("of the fastest response to the voltage; null: none")]
    gain: Annotated[float | None, described("of the loop between DERs and feeder; null: not measured")]
    stable_below: Annotated[float | None, described("the gain below which the loop is stable; null: any")]
    damping: Annotated[float, described("the part of a change of voltage that is handed over; 1: all")]
    not_converged: Annotated[int, described("power flows without a solution, so far")]
    solve_ms: float
    today: DayDocument


class NodeDocument(TypedDict):
    """One node of a bus: its voltage, and today's extremes."""

    node: int
    pu: float
    min_pu: float
    max_pu: float
    hours_above: float
    hours_below: float


class BusDocument(TypedDict):
    """A bus. ders: the numbers of the DERs there."""

    bus: str
    km: Annotated[float | None, described("from the head; null: nothing feeds it")]
    kv: Annotated[float, described("rated, phase to neutral")]
    transformer: Annotated[str, described("the nearest on the way to the head, or empty")]
    x: float | None
    y: float | None
    ders: list[int]
    nodes: list[NodeDocument]


class BranchDocument(TypedDict):
    """A line or transformer, from the head on."""

    kind: str
    name: str
    from_bus: str
    to_bus: str
    km: float


class TransformerDocument(TypedDict):
    """A transformer and its loading in percent of the rated current."""

    name: str
    bus: str
    kva: float
    loading_pct: float
    loading_max_pct: Annotated[float, described("today")]


class DerDocument(TypedDict):
    """A DER on the feeder."""

    device: int
    bus: str
    nodes: list[int]
    transformer: str
    p_kw: float
    q_kvar: float
    v_pu: Annotated[float, described("the mean of its phases, per unit of rtgVNom")]
    curtailed_kwh: float
    controls: Annotated[dict[str, list[str]], described("modes that DERControls hold, by mRID")]


class MarkerDocument(TypedDict):
    """A DERControl began on its first DER, or ended on its last."""

    number: int
    time: str
    began: bool
    control: str
    modes: list[str]
    ders: int


class ProfilePoint(TypedDict):
    """The voltage of a node over its distance from the head."""

    bus: str
    node: int
    km: float
    pu: float


class ProfileDocument(TypedDict):
    """All nodes that are fed, at one instant."""

    time: str
    points: list[ProfilePoint]


class HistoryDocument(TypedDict):
    """Columns of equal length, units as in the overview."""

    every_s: float
    time: list[str]
    v_min_pu: list[float]
    v_max_pu: list[float]
    head_kw: list[float]
    head_kvar: list[float]
    losses_kw: list[float]
    ders_kw: list[float]
    ders_kvar: list[float]
    curtailed_kw: list[float]
    loading_max_pct: list[float]


def finite(number: float, digits: int = 4) -> float | None:
    """A number as JSON: null for one that is infinite or unknown."""
    return round(number, digits) if math.isfinite(number) else None


class Telling:
    """Makes the documents. rate: (asked for, measured), read when asked."""

    def __init__(self, feeder: Feeder, series: Series, fleet: Fleet) -> None:
        self._feeder, self._series, self._fleet = feeder, series, fleet
        self._at = _ders_at(feeder)

    def overview(self, last: Snapshot, rate: float, effective_rate: float) -> Overview:
        """The feeder at this solution."""
        v = last.voltage_pu
        live = np.where(v > DEAD_PU, v, np.nan)
        seen = [each.seen for each in self._fleet.devices]
        return {
            "name": self._feeder.name,
            "time": rfc3339(last.time_s),
            "buses": len(self._feeder.buses),
            "ders": len(self._feeder.connections),
            "lowest": self._extreme(int(np.nanargmin(live)), last),
            "highest": self._extreme(int(np.nanargmax(live)), last),
            "head_kw": round(last.head_w / 1000, 3),
            "head_kvar": round(last.head_var / 1000, 3),
            "ders_kw": round(sum(each.p_w for each in seen) / 1000, 3),
            "ders_kvar": round(sum(each.q_var for each in seen) / 1000, 3),
            "losses_kw": round(last.losses_w / 1000, 3),
            "curtailed_kw": round(self._series.curtailed_kw, 3),
            "curtailed_kwh": round(float(self._series.curtailed_kwh.sum()), 3),
            "loading_max_pct": round(float(last.loading_pct.max(initial=0.0)), 1),
            "rate": rate,
            "effective_rate": round(effective_rate, 2),
            "step_s": finite(last.step_s),
            "open_loop_s": finite(last.open_loop_s),
            "gain": finite(last.gain),
            "stable_below": finite(last.bound),
            "damping": round(last.damping, 4),
            "not_converged": self._feeder.not_converged,
            "solve_ms": round(last.solve_s * 1000, 3),
            "today": _day(self._feeder.days.today or Day.beginning(last)),
        }

    def _extreme(self, row: int, last: Snapshot) -> Extreme:
        name = self._feeder.node_names[row]
        return {"pu": round(float(last.voltage_pu[row]), 5), "bus": name.rpartition(".")[0]}

    def buses(self, last: Snapshot) -> list[BusDocument]:
        """All buses, nearest to the head first."""
        feeder, topology = self._feeder, self._feeder.topology
        day = feeder.days.today or Day.beginning(last)
        far = {name: topology.km.get(name, math.inf) for name in feeder.buses}
        out: list[BusDocument] = []
        for name in sorted(feeder.buses, key=lambda each: (far[each], each)):
            bus, place = feeder.buses[name], topology.coordinates.get(name)
            nodes = [_node(node, row, last, day) for node, row in zip(bus.nodes, bus.rows, strict=True)]
            out.append(
                {
                    "bus": name,
                    "km": finite(far[name]),
                    "kv": round(bus.kv_ln, 4),
                    "transformer": topology.feeding.get(name, ""),
                    "x": place[0] if place else None,
                    "y": place[1] if place else None,
                    "ders": self._at.get(name, []),
                    "nodes": nodes,
                }
            )
        return out

    def branches(self) -> list[BranchDocument]:
        """What connects the buses, from the head on."""
        return [
            {"kind": b.kind, "name": b.name, "from_bus": b.from_bus, "to_bus": b.to_bus, "km": round(b.km, 5)}
            for b in self._feeder.topology.branches
        ]

    def transformers(self, last: Snapshot) -> list[TransformerDocument]:
        """All transformers, in the feeder's order."""
        day = self._feeder.days.today or Day.beginning(last)
        return [
            {
                "name": each.name,
                "bus": each.bus,
                "kva": each.kva,
                "loading_pct": round(float(last.loading_pct[i]), 1),
                "loading_max_pct": round(float(day.loading_max_pct[i]), 1),
            }
            for i, each in enumerate(self._feeder.topology.transformers)
        ]

    def ders(self) -> list[DerDocument]:
        """All DERs, in the order of the fleet."""
        out: list[DerDocument] = []
        for i, device in enumerate(self._fleet.devices):
            at, seen = self._feeder.connections[device.number], device.seen
            out.append(
                {
                    "device": device.number,
                    "bus": at.bus,
                    "nodes": list(at.nodes),
                    "transformer": self._feeder.topology.feeding.get(at.bus, ""),
                    "p_kw": round(seen.p_w / 1000, 4),
                    "q_kvar": round(seen.q_var / 1000, 4),
                    "v_pu": round(seen.terminal_v_pu, 5),
                    "curtailed_kwh": round(float(self._series.curtailed_kwh[i]), 4),
                    "controls": {mrid: list(modes) for mrid, modes in self._series.controls_of(i).items()},
                }
            )
        return out

    def markers(self) -> list[MarkerDocument]:
        """When controls began and ended, oldest first."""
        return [
            {
                "number": each.number,
                "time": rfc3339(each.time_s),
                "began": each.began,
                "control": each.control,
                "modes": list(each.acting.modes),
                "ders": each.acting.most,
            }
            for each in self._series.markers
        ]

    def profile(self, at: Snapshot) -> ProfileDocument:
        """The voltages over the distance, at this solution."""
        return {"time": rfc3339(at.time_s), "points": list(self._points(at))}

    def _points(self, at: Snapshot) -> Iterator[ProfilePoint]:
        km = self._feeder.topology.km
        for row, name in enumerate(self._feeder.node_names):
            bus, _, node = name.rpartition(".")
            if bus in km and at.voltage_pu[row] > DEAD_PU:
                pu = round(float(at.voltage_pu[row]), 5)
                yield {"bus": bus, "node": int(node), "km": round(km[bus], 4), "pu": pu}

    def history(self) -> HistoryDocument:
        """The past since the start."""
        rows = self._series.rows
        columns = {
            name: [round(getattr(each, name), 5) for each in rows] for name in Row._fields if name != "time_s"
        }
        times = [rfc3339(each.time_s) for each in rows]
        return HistoryDocument(every_s=self._series.every_s, time=times, **columns)  # type: ignore[typeddict-item]  # the fields of Row


def _ders_at(feeder: Feeder) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for number, each in feeder.connections.items():
        found.setdefault(each.bus, []).append(number)
    return found


def _node(node: int, row: int, last: Snapshot, day: Day) -> NodeDocument:
    return {
        "node": node,
        "pu": round(float(last.voltage_pu[row]), 5),
        "min_pu": round(float(day.v_min[row]), 5),
        "max_pu": round(float(day.v_max[row]), 5),
        "hours_above": round(float(day.high_s[row]) / 3600, 3),
        "hours_below": round(float(day.low_s[row]) / 3600, 3),
    }


def _day(day: Day) -> DayDocument:
    live = day.v_min[day.v_min > DEAD_PU]
    return {
        "since": rfc3339(day.start_s),
        "v_min_pu": round(float(live.min()), 5),
        "v_max_pu": round(float(day.v_max.max()), 5),
        "hours_above": round(day.any_high_s / 3600, 3),
        "hours_below": round(day.any_low_s / 3600, 3),
        "losses_kwh": round(day.losses_wh / 1000, 3),
        "head_import_kwh": round(day.head_import_wh / 1000, 3),
        "head_export_kwh": round(day.head_export_wh / 1000, 3),
    }
