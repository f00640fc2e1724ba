"""What each DC source of a DER gives and takes, and its energy.

A source that is made of several names them (`Combined`); any other is one side. A part that counts its own
energy is `Metered`, as the battery is. For the others the energy follows from the AC registers: what the
metered parts did not exchange, by the inverter's efficiency. So a step without any change costs nothing here.
"""

from __future__ import annotations

from dersim.hardware.nameplate import Nameplate
from dersim.hardware.source import Metered, Part, Source, SourceKind, beside_battery_w, combined, metered
from dersim.hardware.state import DcSide

_PV_TYPES = (4, 83)


class DcSides:
    """Reads the DC sides of one DER."""

    KEPT = ("_delivered_wh", "_taken_wh")

    def __init__(self, plate: Nameplate, source: Source) -> None:
        self._efficiency = plate.inverter_efficiency
        self._source, self._combined = source, combined(source)
        parts = parts_of(source, plate)
        self._parts = [(part, metered(part.source)) for part in parts]
        self._meters = [meter for _, meter in self._parts if meter is not None]
        # What an inverter alone draws at night does not reach its array.
        self._takes = not (self._combined is None and parts[0].kind == "pv")
        self._delivered_wh = self._taken_wh = 0.0

    def read(self, p_w: float, exported_wh: float, imported_wh: float) -> tuple[DcSide, ...]:
        """The sides while the AC side delivers p_w.

        exported_wh, imported_wh: AC energy since the start.
        """
        self._count(exported_wh, imported_wh)
        if self._combined is None:
            (kind, source), meter = self._parts[0]
            delivered_wh, taken_wh = self._delivered_wh, self._taken_wh
            if meter is not None:
                delivered_wh, taken_wh = meter.delivered_wh, meter.taken_wh
            v, a, dc_w = source.dc(p_w)
            give_w, take_w = source.available_w, source.charge_w
            return (DcSide(kind, dc_w, v, a, p_w, delivered_wh, taken_wh, give_w, take_w),)
        shares = self._combined.shares(p_w)
        return tuple(
            self._side(part, meter, ac_w) for (part, meter), ac_w in zip(self._parts, shares, strict=True)
        )

    def stopped(self, exported_wh: float, imported_wh: float) -> tuple[DcSide, ...]:
        """The sides of a DER that failed: no power, and the energies as they were."""
        self._count(exported_wh, imported_wh)
        return tuple(
            DcSide(part.kind, 0.0, 0.0, 0.0, 0.0, *self._energies(meter), 0.0) for part, meter in self._parts
        )

    def _count(self, exported_wh: float, imported_wh: float) -> None:
        if self._meters:
            net_wh = exported_wh - imported_wh - sum(meter.ac_net_wh for meter in self._meters)
            exported_wh, imported_wh = net_wh, 0.0
        # The highest value stays, because the last digits of a difference may fall.
        self._delivered_wh = max(self._delivered_wh, exported_wh / self._efficiency)
        if self._takes:
            self._taken_wh = max(self._taken_wh, imported_wh * self._efficiency)

    def _energies(self, meter: Metered | None) -> tuple[float, float]:
        if meter is not None:
            return meter.delivered_wh, meter.taken_wh
        return self._delivered_wh, self._taken_wh

    def _side(self, part: Part, meter: Metered | None, ac_w: float) -> DcSide:
        source = part.source
        v, a, p_w = source.dc(ac_w)
        # PV beside a battery may charge it where the grid must not.
        take_w = source.charge_w
        take_w = min(getattr(source, "take_w", take_w), take_w + beside_battery_w(self._source))
        return DcSide(part.kind, p_w, v, a, ac_w, *self._energies(meter), source.available_w, take_w)


def parts_of(source: Source, plate: Nameplate) -> tuple[Part, ...]:
    """The DC sources that a source is made of, in the order of `DeviceState.dc_sides`."""
    several = combined(source)
    return (Part(_kind_of(source, plate), source),) if several is None else several.parts


def _kind_of(source: Source, plate: Nameplate) -> SourceKind:
    if source.soc_pct is not None:
        return "battery"
    return "pv" if plate.der_type in _PV_TYPES else "generator"
