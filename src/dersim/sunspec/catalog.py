"""The models of a device, in the order of the register map.

The 7xx models of IEEE 1547-2018 and the legacy ones, without which many tools see no power. Models of
functions that the DER does not have (``--without volt-var``) are left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from dersim.errors import PluginError
from dersim.fences import Fences, at_start
from dersim.hardware.dc_sides import parts_of
from dersim.local_control.reversion import Timers
from dersim.local_control.switch import Switch
from dersim.local_control.view import View
from dersim.logbuffer import LogBuffer
from dersim.plugin.sunspec_model import OwnedModel
from dersim.sunspec import curve_forms, measurements, ratings, storage
from dersim.sunspec.ac_controls import AcControls
from dersim.sunspec.battery_base import Battery
from dersim.sunspec.block import Model
from dersim.sunspec.csip_control import CsipControl, FindClient
from dersim.sunspec.immediate import Immediate
from dersim.sunspec.meter import SiteMeter
from dersim.sunspec.mppt import Mppt
from dersim.sunspec.operation import Operation
from dersim.sunspec.plugin_models import plugin_model
from dersim.sunspec.scales import Scales
from dersim.sunspec.simulation import Simulation
from dersim.sunspec.storage_controls import StorageControls
from dersim.sunspec.stored_sets import Form, StoredSets
from dersim.sunspec.trips import Trips


def models_of(
    view: View,
    timers: Timers,
    unit_id: int,
    *,
    csip: FindClient,
    more: Sequence[OwnedModel] = (),
    fences: Fences | None = None,
) -> list[Model]:
    """All models of a device, in rising order.

    unit_id: the initial value of 1.DA. csip: finds the CSIP client. more: models of plug-ins; PluginError for
    one that cannot be, or whose number the device has already. fences: around what these do later.
    """
    scales = Scales.of(view.plate)
    controls, switch = AcControls(view, scales, timers), Switch(view, timers)
    models: list[Model] = [
        ratings.Common(view, unit_id),
        measurements.LegacyInverter(view, scales),
        ratings.LegacyNameplate(view, scales),
        ratings.LegacySettings(view, scales),
        measurements.LegacyStatus(view, scales),
        Immediate(view, controls, switch),
        measurements.AcMeasurement(view, scales),
        ratings.Capacity(view, scales),
        ratings.EnterService(view),
        controls,
        storage.StorageCapacity(view, scales),
        measurements.DcMeasurement(view, scales),
        Operation(view),
        Simulation(view),
        CsipControl(view, csip),
        *(StoredSets(view, form, timers) for form in _forms(view)),
    ]
    models += _models_of_sources(view, scales, timers, switch)
    if view.device.inputs.site is not None:
        models.append(SiteMeter(view, scales))
    for owned in more:
        _add_of_plugin(models, view, owned, fences or Fences(LogBuffer()))
    return sorted(models, key=lambda model: model.model_id)


def _models_of_sources(view: View, scales: Scales, timers: Timers, switch: Switch) -> list[Model]:
    """What only a PV array or a battery has."""
    kinds = {part.kind for part in parts_of(view.device.source, view.plate)}
    models: list[Model] = []
    if kinds & {"pv", "battery"}:
        models.append(Mppt(view, scales))
    if "battery" in kinds:
        models.append(Battery(view, scales, switch))
        if view.supports("InWRte"):
            models.append(StorageControls(view, scales, timers))
    return models


def _add_of_plugin(models: list[Model], view: View, owned: OwnedModel, fences: Fences) -> None:
    """PluginError for a model that cannot be, or whose number the device has already."""
    plugin, kind = owned
    with at_start(plugin, f"SunSpec model {kind.definition.get('id')}"):
        if not kind.suits(view.plate):
            return
        model = plugin_model(view, plugin, kind, fences)
    if model.model_id in {each.model_id for each in models}:
        raise PluginError(
            f"plug-in {plugin}: the device has a SunSpec model {model.model_id} already; "
            f"give another id, or leave the plug-in out with --without {plugin}"
        )
    models.append(model)


def _forms(view: View) -> list[Form]:
    curves: list[Form] = [
        curve_forms.VoltVar(view),
        curve_forms.VoltWatt(view),
        curve_forms.WattVar(view),
        curve_forms.Droop(view),
    ]
    trips = [Trips(view, model) for model in (707, 708, 709, 710)]
    return [form for form in (*curves, *trips) if view.supports(*form.modes)]
