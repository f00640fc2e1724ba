"""Builds DERCapability, DERSettings, DERStatus and DERAvailability of both editions from a device.

The editions differ in more than the set of elements:

* connection: 2018 has genConnectStatus and storConnectStatus of five bits (connected, available, operating,
  test, fault), 2023 has one connectStatus with two (connected, energized); both come from `Connection`.
* availability: in 2018 statVarAvail is the smaller of both directions; in 2023 it is the injecting side, and
  statVarAbsorbAvail and statWAbsorbAvail are the absorbing side.
* mode masks: bits 27 to 31 and the second mask exist only in 2023.

setMaxVarNeg and rtgMaxVarNeg are negative in every edition. Quantities are 16 bits and a power of ten,
so 40 kW is 4000 x 10. Elements of national profiles (CSIP-AUS: doeModesSupported) come from plug-ins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.state import Connection, DeviceState, StorageMode
from dersim.ieee2030_5 import Edition, extensions
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.modes import MODES

if TYPE_CHECKING:
    from dersim.device import Device

_INT16, _UINT16 = 32_767, 65_535
#: The bits of DERControlType that exist in 2018.
_MASK_2018 = (1 << 27) - 1
_CHARGE, _DISCHARGE = 1 << 0, 1 << 1
_PV, _STORAGE, _PV_AND_STORAGE = 4, 80, 83


def scaled(kind: type[Any], value: float, *, finest: int = 0) -> Any:
    """`value` as a quantity {multiplier, value}, with the finest power of ten in which it fits 16 bits."""
    limit = _INT16 if kind in (r.ActivePower, r.ReactivePower) else _UINT16
    multiplier = finest
    while abs(round(value / 10**multiplier)) > limit:
        multiplier += 1
    return kind(multiplier=multiplier, value=round(value / 10**multiplier))


def power_factor(value: float) -> r.PowerFactor:
    """A displacement power factor, in thousandths."""
    return r.PowerFactor(displacement=round(abs(value) * 1000), multiplier=-3)


def mode_mask(modes: frozenset[str], der_type: int, edition: Edition) -> int:
    """The DERControlType bitmap of `modes`; storage adds the charge and discharge bits."""
    mask = 0
    for name in modes:
        spec = MODES.get(name)
        if spec is not None and spec.bit is not None and spec.bit < 32:
            mask |= 1 << spec.bit
    if der_type in (_STORAGE, _PV_AND_STORAGE):
        mask |= _CHARGE | _DISCHARGE
    return mask & _MASK_2018 if edition is Edition.E2018 else mask


def _from_plugins(parent: str, modes: frozenset[str], device: Device | None) -> tuple[Extra, ...]:
    """The elements that plug-ins add to that resource; without a device only those that follow from modes."""
    found = []
    for extension in extensions.children_of(parent):
        each, value = extension.declared, None
        if each.tell is not None:
            value = each.tell(modes)
        elif each.report is not None and device is not None:
            value = each.report(device)
        if isinstance(value, int | float) and extension.cls is not None:
            value = scaled(extension.cls, value)
        if value is not None:
            found.append(Extra(each.namespace, each.element, value))
    return tuple(found)


def capability(
    plate: Nameplate, modes: frozenset[str], edition: Edition, device: Device | None = None
) -> r.DERCapability:
    """The nameplate as a DERCapability. device: of which plug-ins report."""
    body = r.DERCapability(
        modesSupported=mode_mask(modes, plate.der_type, edition),
        rtgAbnormalCategory=plate.rtgAbnormalCategory,
        rtgMaxA=scaled(r.CurrentRMS, plate.rtgMaxA, finest=-2),
        rtgMaxV=scaled(r.VoltageRMS, plate.rtgMaxV, finest=-1),
        rtgMaxVA=scaled(r.ApparentPower, plate.rtgMaxVA),
        rtgMaxVar=scaled(r.ReactivePower, plate.rtgMaxVar),
        rtgMaxVarNeg=scaled(r.ReactivePower, -abs(plate.rtgMaxVarNeg)),
        rtgMaxW=scaled(r.ActivePower, plate.rtgMaxW),
        rtgMinPFOverExcited=power_factor(plate.rtgMinPFOverExcited),
        rtgMinPFUnderExcited=power_factor(plate.rtgMinPFUnderExcited),
        rtgMinV=scaled(r.VoltageRMS, plate.rtgMinV, finest=-1),
        rtgNormalCategory=plate.rtgNormalCategory,
        rtgVNom=scaled(r.VoltageRMS, plate.rtgVNom, finest=-1),
        type=plate.der_type,
        extra=_from_plugins("DERCapability", modes, device),
    )
    if plate.rtgMaxWh:
        body.rtgMaxChargeRateVA = scaled(r.ApparentPower, plate.rtgMaxChargeRateVA)
        body.rtgMaxChargeRateW = scaled(r.ActivePower, plate.rtgMaxChargeRateW)
        body.rtgMaxDischargeRateVA = scaled(r.ApparentPower, plate.rtgMaxDischargeRateVA)
        body.rtgMaxDischargeRateW = scaled(r.ActivePower, plate.rtgMaxDischargeRateW)
        body.rtgMaxWh = scaled(r.WattHour, plate.rtgMaxWh)
    return body


#: Settings that are sent in hundredths.
_HUNDREDTHS = (
    "setESDelay",
    "setESHighFreq",
    "setESHighVolt",
    "setESLowFreq",
    "setESLowVolt",
    "setESRampTms",
    "setESRandomDelay",
    "setSoftGradW",
)


def settings(
    plate: Nameplate,
    values: Settings,
    modes: frozenset[str],
    updated_time: int,
    edition: Edition,
    device: Device | None = None,
) -> r.DERSettings:
    """The settings in force. updated_time: server time of their last change, s. device: see `capability`."""
    body = r.DERSettings(
        modesEnabled=mode_mask(modes, plate.der_type, edition),
        setMaxA=scaled(r.CurrentRMS, values.setMaxA, finest=-2),
        setMaxV=scaled(r.VoltageRMS, values.setMaxV, finest=-1),
        setMaxVA=scaled(r.ApparentPower, values.setMaxVA),
        setMaxVar=scaled(r.ReactivePower, values.setMaxVar),
        setMaxVarNeg=scaled(r.ReactivePower, -abs(values.setMaxVarNeg)),
        setMaxW=scaled(r.ActivePower, values.setMaxW),
        setMinPFOverExcited=power_factor(values.setMinPFOverExcited),
        setMinPFUnderExcited=power_factor(values.setMinPFUnderExcited),
        setMinV=scaled(r.VoltageRMS, values.setMinV, finest=-1),
        setVNom=scaled(r.VoltageRMS, values.setVNom, finest=-1),
        setVRef=scaled(r.VoltageRMS, values.setVRef, finest=-1),
        setGradW=round(values.setGradW * 100),
        updatedTime=updated_time,
        extra=_from_plugins("DERSettings", modes, device),
    )
    for name in _HUNDREDTHS:
        setattr(body, name, round(values[name] * 100))
    if values.setVRefOfs >= 0:  # setVRefOfs is unsigned on the wire
        body.setVRefOfs = scaled(r.VoltageRMS, values.setVRefOfs, finest=-1)
    if plate.rtgMaxWh:
        body.setMaxChargeRateVA = scaled(r.ApparentPower, values.setMaxChargeRateVA)
        body.setMaxChargeRateW = scaled(r.ActivePower, values.setMaxChargeRateW)
        body.setMaxDischargeRateVA = scaled(r.ApparentPower, values.setMaxDischargeRateVA)
        body.setMaxDischargeRateW = scaled(r.ActivePower, values.setMaxDischargeRateW)
        body.setMaxWh = scaled(r.WattHour, values.setMaxWh)
    return body


def connect_bits_2018(connection: Connection) -> int:
    """ConnectStatusType: 0 connected, 1 available, 2 operating, 3 test, 4 fault."""
    return (
        connection.connected
        | connection.available << 1
        | connection.operating << 2
        | connection.test << 3
        | connection.fault << 4
    )


def connect_bits_2023(connection: Connection) -> int:
    """ConnectStatusType2: 0 connected, 1 energized."""
    return connection.connected | connection.energized << 1


def status(
    plate: Nameplate,
    state: DeviceState,
    *,
    remote: bool,
    since: Any,
    reading_time: int,
    edition: Edition,
    gen_for_storage: bool = False,
) -> r.DERStatus:
    """The live status. gen_for_storage: in 2018 a storage has a genConnectStatus, too.

    remote: neither a local setpoint nor the operator's stop is in force. since(name, value): the time of its
    change.
    """

    def stamped(kind: type[Any], name: str, value: Any) -> Any:
        return kind(dateTime=since(name, value), value=value)

    body = r.DERStatus(
        alarmStatus=int(state.alarms),
        inverterStatus=stamped(r.InverterStatusType, "inverterStatus", int(state.inverter_status)),
        localControlModeStatus=stamped(r.LocalControlModeStatusType, "localControlModeStatus", int(remote)),
        manufacturerStatus=stamped(
            r.ManufacturerStatusType, "manufacturerStatus", manufacturer_status(state)
        ),
        operationalModeStatus=stamped(
            r.OperationalModeStatusType, "operationalModeStatus", int(state.operational_mode)
        ),
        readingTime=reading_time,
    )
    if edition is Edition.E2023:
        bits = connect_bits_2023(state.connection)
        body.connectStatus = stamped(r.ConnectStatusType2, "connectStatus", bits)
    else:
        if plate.der_type != _STORAGE or gen_for_storage:
            bits = connect_bits_2018(state.connection_of("pv"))
            body.genConnectStatus = stamped(r.ConnectStatusType, "genConnectStatus", bits)
        if plate.rtgMaxWh:
            bits = connect_bits_2018(state.connection_of("battery"))
            body.storConnectStatus = stamped(r.ConnectStatusType, "storConnectStatus", bits)
    if state.soc_pct is not None:
        soc = round(state.soc_pct * 100)
        body.stateOfChargeStatus = stamped(r.StateOfChargeStatusType, "stateOfChargeStatus", soc)
        mode = StorageMode.HOLDING if state.storage_mode is None else state.storage_mode
        body.storageModeStatus = stamped(r.StorageModeStatusType, "storageModeStatus", int(mode))
    return body


def manufacturer_status(state: DeviceState) -> str:
    """A state name of at most six characters (manufacturerStatus is free text)."""
    if state.tripped:
        return "TRIP"
    if state.connection.fault:
        return "FAULT"
    return "RUN" if state.connection.operating else "READY" if state.connection.connected else "OFF"


def availability(state: DeviceState, reading_time: int, edition: Edition) -> r.DERAvailability:
    """The power available now. statWAbsorbAvail is the charging power of a battery; 0 for PV."""
    inject, absorb = state.var_inject_available, state.var_absorb_available
    if edition is Edition.E2018:
        var_available = min(abs(inject), abs(absorb))
        return r.DERAvailability(
            readingTime=reading_time,
            statVarAvail=scaled(r.ReactivePower, var_available),
            statWAvail=scaled(r.ActivePower, state.available_w),
        )
    return r.DERAvailability(
        readingTime=reading_time,
        statVarAbsorbAvail=scaled(r.UnsignedReactivePower, abs(absorb)),
        statVarAvail=scaled(r.ReactivePower, abs(inject)),
        statWAbsorbAvail=scaled(r.UnsignedActivePower, state.charge_available_w),
        statWAvail=scaled(r.ActivePower, max(state.available_w, 0.0)),
    )
