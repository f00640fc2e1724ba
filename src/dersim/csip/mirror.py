"""The meter of a DER as a MirrorUsagePoint: its quantities, their ReadingTypes and their values.

The ReadingType of an mRID never changes, so the sign is in the value: W and VAr are positive when the DER
delivers or injects, always with flowDirection 1. Energy is two counters that only rise: flowDirection 1 for
delivered, 19 for received. mRIDs are derived from LFDI, quantity and phase, with the PEN in the low 32 bits
(2030.5-2018 B.2.3.5), so that they are the same after a restart.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable
from typing import NamedTuple

from dersim.csip.means import Means
from dersim.hardware.state import DeviceState
from dersim.ieee2030_5 import resources as r

#: flowDirection of what is delivered by the DER, or to the customer of a site, and of what is received.
DELIVERED, RECEIVED = 1, 19
#: The PEN of IEEE 2030.5; dersim has no PEN of its own.
PEN = 40732
_INSTANTANEOUS, _SUMMATION = 12, 9
POWER_KIND, _ENERGY_KIND = 37, 12
_VALID = 0x0001
_AVERAGE = 2
PHASES = (("A", 128, 129), ("B", 64, 65), ("C", 32, 33))


class Quantity(NamedTuple):
    """One measured quantity. value: in units of `uom`, before the multiplier; key: input of the mRID.

    mean: in place of `value`, of a quantity that is a mean over each interval of posting (`average`).
    """

    key: str
    description: str
    uom: int
    kind: int
    multiplier: int
    phase: int
    accumulation: int
    flow_direction: int
    value: Callable[[DeviceState], float]
    data_qualifier: int = 0
    mean: Callable[[Means], float] | None = None

    def reading_type(self) -> r.ReadingType:
        """The quantity and its unit as a ReadingType."""
        return r.ReadingType(
            accumulationBehaviour=self.accumulation,
            commodity=1,
            dataQualifier=self.data_qualifier,
            flowDirection=self.flow_direction,
            kind=self.kind,
            phase=self.phase,
            powerOfTenMultiplier=self.multiplier,
            uom=self.uom,
        )


@functools.cache
def quantities(phases: int) -> tuple[Quantity, ...]:
    """The quantities of a DER with 1, 2 or 3 phases; those of missing phases are not sent (CSIP G27)."""
    found = [
        instantaneous("W", 38, POWER_KIND, 0, 0, lambda s: s.p_w),
        instantaneous("VAr", 63, POWER_KIND, 0, 0, lambda s: s.q_var),
        instantaneous("VA", 61, POWER_KIND, 0, 0, lambda s: s.s_va),
        instantaneous("Hz", 33, 0, -3, 0, lambda s: s.frequency_hz),
        energy("Wh exported", 0, DELIVERED, lambda s: sum(s.exported_wh)),
        energy("Wh imported", 0, RECEIVED, lambda s: sum(s.imported_wh)),
    ]
    for index in range(phases):
        found += _phase_quantities(index)
    return tuple(found)


def _phase_quantities(i: int) -> list[Quantity]:
    name, phase, to_neutral = PHASES[i]
    return [
        instantaneous("W", 38, POWER_KIND, 0, phase, lambda s: s.phase_p_w[i], name),
        instantaneous("VAr", 63, POWER_KIND, 0, phase, lambda s: s.phase_q_var[i], name),
        instantaneous("V", 29, 0, -1, to_neutral, lambda s: s.voltage_ln_v[i], name),
        instantaneous("A", 5, 0, -2, phase, lambda s: s.current_a[i], name),
        energy("Wh exported", phase, DELIVERED, lambda s: s.exported_wh[i], name),
        energy("Wh imported", phase, RECEIVED, lambda s: s.imported_wh[i], name),
    ]


def instantaneous(
    unit: str,
    uom: int,
    kind: int,
    multiplier: int,
    phase: int,
    value: Callable[[DeviceState], float],
    name: str = "",
) -> Quantity:
    """A value of one instant."""
    text = f"{unit} {name}".strip()
    return Quantity(text, text, uom, kind, multiplier, phase, _INSTANTANEOUS, DELIVERED, value)


def energy(
    text: str, phase: int, flow_direction: int, value: Callable[[DeviceState], float], name: str = ""
) -> Quantity:
    """A counter of energy, Wh."""
    text = f"{text} {name}".strip()
    return Quantity(text, text, 72, _ENERGY_KIND, 0, phase, _SUMMATION, flow_direction, value)


def average(
    unit: str,
    uom: int,
    multiplier: int,
    mean: Callable[[Means], float],
    *,
    kind: int = POWER_KIND,
    flow_direction: int = DELIVERED,
    phase: int = 0,
) -> Quantity:
    """A mean over each interval of posting: dataQualifier 2."""
    text = f"{unit} mean"
    return Quantity(
        text, text, uom, kind, multiplier, phase, _INSTANTANEOUS, flow_direction, _no_instant, _AVERAGE, mean
    )


def _no_instant(_state: DeviceState) -> float:
    raise ValueError("a mean has no value of an instant")


class MirrorKind(NamedTuple):
    """One of the mirrors of a DER. key: input of its mRID. suffix: after the DER's name in its description.

    quantities: by the number of phases.
    """

    key: str
    role_flags: int
    suffix: str
    quantities: Callable[[int], tuple[Quantity, ...]]


#: A mirror (bit 0) of a DER (3) by a sub-meter (6).
OF_DER = MirrorKind("usage point", 0x0049, "", quantities)


def derived_mrid(lfdi: str, key: str, end: str = "") -> str:
    """96 bits of a digest, then the PEN; always the same for one device and quantity.

    end: eight characters that a profile has in place of the PEN.
    """
    digest = hashlib.sha256(f"{lfdi}/{key}".encode()).hexdigest()[:24].upper()
    return f"{digest}{end or f'{PEN:08X}'}"


def usage_point(
    lfdi: str, items: tuple[Quantity, ...], name: str, kind: MirrorKind = OF_DER, end: str = ""
) -> r.MirrorUsagePoint:
    """The MirrorUsagePoint with every ReadingType and no values: some servers refuse values here."""
    return r.MirrorUsagePoint(
        mRID=derived_mrid(lfdi, kind.key, end),
        description=name[: 32 - len(kind.suffix)] + kind.suffix,
        roleFlags=kind.role_flags,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI=lfdi,
        MirrorMeterReading=tuple(
            r.MirrorMeterReading(
                mRID=derived_mrid(lfdi, item.key, end),
                description=item.description,
                ReadingType=item.reading_type(),
            )
            for item in items
        ),
    )


def readings(
    lfdi: str, items: tuple[Quantity, ...], state: DeviceState, time: int, end: str = ""
) -> tuple[r.MirrorMeterReading, ...]:
    """One reading of every quantity of an instant. time: server time, whole seconds."""
    period = r.DateTimeInterval(duration=0, start=time)
    return tuple(
        _reading(derived_mrid(lfdi, item.key, end), period, item.value(state) / 10**item.multiplier)
        for item in items
        if item.mean is None
    )


def mean_readings(
    lfdi: str, items: tuple[Quantity, ...], means: Means, end: str = ""
) -> tuple[r.MirrorMeterReading, ...]:
    """One reading of every quantity that is a mean of an interval."""
    period = r.DateTimeInterval(duration=means.duration_s, start=means.start_s)
    return tuple(
        _reading(derived_mrid(lfdi, item.key, end), period, item.mean(means) / 10**item.multiplier)
        for item in items
        if item.mean is not None
    )


def _reading(mrid: str, period: r.DateTimeInterval, value: float) -> r.MirrorMeterReading:
    return r.MirrorMeterReading(
        mRID=mrid, Reading=r.Reading(qualityFlags=_VALID, timePeriod=period, value=round(value))
    )
