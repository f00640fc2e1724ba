"""The past of a run on a feeder: rows at equal intervals, curtailed energy, begins and ends of controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import Device, SetpointSource
from dersim_feeder.results import DEAD_PU, Snapshot

Array = NDArray[np.float64]
#: Between two rows, simulated s; twice as much whenever all rows are in use.
EVERY_S, MOST_ROWS = 10.0, 4096
#: Begins and ends of controls that are kept, each with the solution before it.
MOST_MARKERS = 50


class Row(NamedTuple):
    """One instant: the time (UTC, s), and of the whole feeder, kW, kvar, pu and percent."""

    time_s: float
    v_min_pu: float
    v_max_pu: float
    head_kw: float
    head_kvar: float
    losses_kw: float
    ders_kw: float
    ders_kvar: float
    curtailed_kw: float
    loading_max_pct: float


@dataclass(slots=True)
class Acting:
    """A control that acts or has acted: its modes, on how many DERs now, and at most."""

    modes: tuple[str, ...]
    ders: int = 0
    most: int = 0


class Marker(NamedTuple):
    """A DERControl that began to act on the first of its DERs, or ended on the last.

    control: its mRID. acting: its modes, and on how many DERs. before: the solution before it began, or
    before it ended.
    """

    number: int
    time_s: float
    began: bool
    control: str
    acting: Acting
    before: Snapshot


@dataclass(slots=True)
class _Held:
    """Of a DER: the modes that each control holds, by mRID. changes: of its setpoints, as seen."""

    changes: int = -1
    controls: dict[str, tuple[str, ...]] = field(default_factory=dict)


class Series:
    """Looks at every solution; all of it may be read at any time. curtailed_kwh: by DER, in fleet order.

    A DER with storage curtails nothing: what it does not deliver it keeps.
    """

    def __init__(self, devices: Sequence[Device]) -> None:
        self.rows: list[Row] = []
        self.markers: list[Marker] = []
        self.every_s = EVERY_S
        self.curtailed_kwh: Array = np.zeros(len(devices))
        self._devices = devices
        self._solar = np.array([each.nameplate.rtgMaxWh <= 0 for each in devices])
        self._held = [_Held() for _ in devices]
        self._acting: dict[str, Acting] = {}
        self._last: Snapshot | None = None
        self._curtailed_kw: Array = np.zeros(len(devices))

    def see(self, now: Snapshot) -> None:
        """Take a solution."""
        last, self._last = self._last, now
        if last is not None:
            self.curtailed_kwh += self._curtailed_kw * (max(0.0, now.time_s - last.time_s) / 3600)
        seen = [each.seen for each in self._devices]
        kept_w = np.fromiter((each.available_w - each.p_w for each in seen), np.float64, len(seen))
        self._curtailed_kw = np.maximum(0.0, kept_w) * self._solar / 1000
        self._mark(now, last or now)
        if last is None or now.time_s // self.every_s != last.time_s // self.every_s:
            self._add(now)

    def _add(self, now: Snapshot) -> None:
        live = now.voltage_pu[now.voltage_pu > DEAD_PU]
        seen = [each.seen for each in self._devices]
        self.rows.append(
            Row(
                now.time_s,
                float(live.min()),
                float(live.max()),
                now.head_w / 1000,
                now.head_var / 1000,
                now.losses_w / 1000,
                sum(each.p_w for each in seen) / 1000,
                sum(each.q_var for each in seen) / 1000,
                self.curtailed_kw,
                float(now.loading_pct.max()) if now.loading_pct.size else 0.0,
            )
        )
        if len(self.rows) >= MOST_ROWS:
            self.rows = self.rows[::2]
            self.every_s *= 2

    def _mark(self, now: Snapshot, before: Snapshot) -> None:
        """Markers for the controls that have begun on a first DER, or ended on their last."""
        known = set(self._acting)
        for device, held in zip(self._devices, self._held, strict=True):
            if device.setpoints.changes != held.changes:
                held.changes = device.setpoints.changes
                self._count(held, _controls(device))
        for control, acting in list(self._acting.items()):
            if not acting.ders:
                del self._acting[control]
                self._keep(now, False, control, acting, before)
            elif control not in known:
                self._keep(now, True, control, acting, before)

    def _count(self, held: _Held, controls: dict[str, tuple[str, ...]]) -> None:
        for control, modes in controls.items():
            if control not in held.controls:
                acting = self._acting.setdefault(control, Acting(modes))
                acting.ders += 1
                acting.most = max(acting.most, acting.ders)
        for control in held.controls.keys() - controls.keys():
            self._acting[control].ders -= 1
        held.controls = controls

    def _keep(self, now: Snapshot, began: bool, control: str, acting: Acting, before: Snapshot) -> None:
        number = self.markers[-1].number + 1 if self.markers else 1
        self.markers.append(Marker(number, now.time_s, began, control, acting, before))
        del self.markers[:-MOST_MARKERS]

    @property
    def curtailed_kw(self) -> float:
        """Of all DERs, as of the last solution."""
        return float(self._curtailed_kw.sum())

    def controls_of(self, position: int) -> dict[str, tuple[str, ...]]:
        """The modes that each DERControl holds on a DER, by mRID. position: in the fleet."""
        return self._held[position].controls


def _controls(device: Device) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in device.setpoints.in_force():
        if each.source is SetpointSource.CSIP:
            found[each.detail] = (*found.get(each.detail, ()), each.mode)
    return found
