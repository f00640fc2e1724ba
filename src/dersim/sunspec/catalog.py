"""Which models a device has, and in which order they stand.

The 7xx models of IEEE 1547-2018 beside the legacy ones, without which tools in the field see no power; models
of functions that the machine lacks (``--without volt-var``) are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dersim.sunspec import measurements, ratings, storage
from dersim.sunspec.block import Model
from dersim.sunspec.reversion import Timers
from dersim.sunspec.scales import Scales
from dersim.sunspec.view import View

if TYPE_CHECKING:
    from dersim.extension import FrontendContext


def models_of(view: View, timers: Timers, context: FrontendContext, unit_id: int) -> list[Model]:
    """All models of a device, in rising order; unit_id: what 1.DA says at first."""
    plate, scales = view.plate, Scales.of(view.plate)
    models: list[Model] = [
        ratings.Common(view, unit_id),
        measurements.LegacyInverter(view, scales),
        ratings.LegacyNameplate(view, scales),
        ratings.LegacySettings(view, scales),
        measurements.LegacyStatus(view, scales),
        measurements.AcMeasurement(view, scales),
        ratings.Capacity(view, scales),
        ratings.EnterService(view),
        storage.StorageCapacity(view, scales),
        measurements.DcMeasurement(view, scales),
    ]
    if plate.pv_w:
        models.append(measurements.Mppt(view, scales))
    if plate.rtgMaxWh:
        models.append(storage.Battery(view, scales))
    return sorted(models, key=lambda model: model.model_id)
