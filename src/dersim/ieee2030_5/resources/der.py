"""A DER and what it tells of itself: capability, settings, status, availability (2030.5-2018 10.10, B.2.3.2)."""

from typing import Annotated, TypeAlias

from dersim.ieee2030_5.declare import Attr, Element, Extra, IfMissing, IfMissing0, Since2023, resource
from dersim.ieee2030_5.resources.identification import (
    Link,
    List,
    ListLink,
    Resource,
    SubscribableResource,
)
from dersim.ieee2030_5.resources.quantity import (
    ActivePower,
    AmpereHour,
    ApparentPower,
    CurrentRMS,
    PowerFactor,
    ReactivePower,
    ReactiveSusceptance,
    UnsignedActivePower,
    UnsignedReactivePower,
    VoltageRMS,
    WattHour,
)
from dersim.ieee2030_5.resources.simple import (
    DERControlType,
    DERControlType2,
    DERType,
    HexBinary8,
    HexBinary32,
    Int16,
    PerCent,
    String6,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
)

_NO_POWER = ActivePower(multiplier=0, value=0)


@resource(root=True)
class DER(SubscribableResource):
    AssociatedDERProgramListLink: ListLink | None = None
    AssociatedUsagePointLink: Link | None = None
    CurrentDERControlsLink: Since2023[Link | None] = None
    CurrentDERProgramLink: Link | None = None
    DERAvailabilityLink: Link | None = None
    DERCapabilityLink: Link | None = None
    DERComponentListLink: Since2023[ListLink | None] = None
    DERSettingsLink: Link | None = None
    DERStatusLink: Link | None = None


_DER: TypeAlias = DER


@resource(root=True)
class DERList(List):
    pollRate: Attr[UInt32 | None] = None
    DER: tuple[_DER, ...] = ()


@resource(root=True)
class DERCapability(Resource):
    """The nameplate. Before the first PUT some servers show an empty one: it is then all zeros."""

    modesSupported: IfMissing0[DERControlType]
    modesSupported2: Since2023[DERControlType2 | None] = None
    rtgAbnormalCategory: UInt8 | None = None
    rtgMaxA: CurrentRMS | None = None
    rtgMaxAh: AmpereHour | None = None
    rtgMaxChargeRateVA: ApparentPower | None = None
    rtgMaxChargeRateW: ActivePower | None = None
    rtgMaxDischargeRateVA: ApparentPower | None = None
    rtgMaxDischargeRateW: ActivePower | None = None
    rtgMaxV: VoltageRMS | None = None
    rtgMaxVA: ApparentPower | None = None
    rtgMaxVar: ReactivePower | None = None
    rtgMaxVarNeg: ReactivePower | None = None
    rtgMaxW: Annotated[ActivePower, IfMissing(_NO_POWER)]
    rtgMaxWh: WattHour | None = None
    rtgMinPFOverExcited: PowerFactor | None = None
    rtgMinPFUnderExcited: PowerFactor | None = None
    rtgMinV: VoltageRMS | None = None
    rtgNormalCategory: UInt8 | None = None
    rtgOverExcitedPF: PowerFactor | None = None
    rtgOverExcitedW: ActivePower | None = None
    rtgReactiveSusceptance: ReactiveSusceptance | None = None
    rtgUnderExcitedPF: PowerFactor | None = None
    rtgUnderExcitedW: ActivePower | None = None
    rtgVNom: VoltageRMS | None = None
    type: IfMissing0[DERType]


@resource(root=True)
class DERSettings(SubscribableResource):
    """The settings in force. setMaxVarNeg is negative; times, gradients, Hz and V are in hundredths."""

    modesEnabled: DERControlType | None = None
    modesEnabled2: Since2023[DERControlType2 | None] = None
    setESDelay: UInt32 | None = None
    setESHighFreq: UInt16 | None = None
    setESHighVolt: Int16 | None = None
    setESLowFreq: UInt16 | None = None
    setESLowVolt: Int16 | None = None
    setESRampTms: UInt32 | None = None
    setESRandomDelay: UInt32 | None = None
    setGradW: IfMissing0[UInt16]
    setMaxA: CurrentRMS | None = None
    setMaxAh: AmpereHour | None = None
    setMaxChargeRateVA: ApparentPower | None = None
    setMaxChargeRateW: ActivePower | None = None
    setMaxDischargeRateVA: ApparentPower | None = None
    setMaxDischargeRateW: ActivePower | None = None
    setMaxV: VoltageRMS | None = None
    setMaxVA: ApparentPower | None = None
    setMaxVar: ReactivePower | None = None
    setMaxVarNeg: ReactivePower | None = None
    setMaxW: Annotated[ActivePower, IfMissing(_NO_POWER)]
    setMaxWh: WattHour | None = None
    setMinPFOverExcited: PowerFactor | None = None
    setMinPFUnderExcited: PowerFactor | None = None
    setMinV: VoltageRMS | None = None
    setSoftGradW: UInt16 | None = None
    setVNom: VoltageRMS | None = None
    setVRef: VoltageRMS | None = None
    setVRefOfs: VoltageRMS | None = None
    updatedTime: IfMissing0[TimeType]


@resource()
class ConnectStatusType(Element):
    """Bits 0 connected, 1 available, 2 operating, 3 test, 4 fault (2018's)."""

    dateTime: TimeType
    value: HexBinary8
    extra: tuple[Extra, ...] = ()


@resource(since_2023=True)
class ConnectStatusType2(Element):
    """Bits 0 connected, 1 energized: not those of ConnectStatusType."""

    dateTime: TimeType
    value: HexBinary8
    extra: tuple[Extra, ...] = ()


@resource()
class InverterStatusType(Element):
    dateTime: TimeType
    value: UInt8
    extra: tuple[Extra, ...] = ()


@resource()
class LocalControlModeStatusType(Element):
    """0 local, 1 remote."""

    dateTime: TimeType
    value: UInt8
    extra: tuple[Extra, ...] = ()


@resource()
class ManufacturerStatusType(Element):
    dateTime: TimeType
    value: String6
    extra: tuple[Extra, ...] = ()


@resource()
class OperationalModeStatusType(Element):
    """0 unknown, 1 off, 2 operational, 3 test."""

    dateTime: TimeType
    value: UInt8
    extra: tuple[Extra, ...] = ()


@resource()
class StateOfChargeStatusType(Element):
    """Hundredths of a percent."""

    dateTime: TimeType
    value: PerCent
    extra: tuple[Extra, ...] = ()


@resource()
class StorageModeStatusType(Element):
    """0 charging, 1 discharging, 2 holding."""

    dateTime: TimeType
    value: UInt8
    extra: tuple[Extra, ...] = ()


@resource(root=True)
class DERStatus(SubscribableResource):
    """connectStatus belongs to 2023, which deprecates genConnectStatus and storConnectStatus."""

    alarmStatus: HexBinary32 | None = None
    connectStatus: Since2023[ConnectStatusType2 | None] = None
    genConnectStatus: ConnectStatusType | None = None
    inverterStatus: InverterStatusType | None = None
    localControlModeStatus: LocalControlModeStatusType | None = None
    manufacturerStatus: ManufacturerStatusType | None = None
    operationalModeStatus: OperationalModeStatusType | None = None
    readingTime: IfMissing0[TimeType]
    stateOfChargeStatus: StateOfChargeStatusType | None = None
    storageModeStatus: StorageModeStatusType | None = None
    storConnectStatus: ConnectStatusType | None = None


@resource(root=True)
class DERAvailability(SubscribableResource):
    """What could be had now. statVarAvail and statWAvail are the injecting side since 2023."""

    availabilityDuration: UInt32 | None = None
    maxChargeDuration: UInt32 | None = None
    readingTime: IfMissing0[TimeType]
    reserveChargePercent: PerCent | None = None
    reservePercent: PerCent | None = None
    statVarAbsorbAvail: Since2023[UnsignedReactivePower | None] = None
    statVarAvail: ReactivePower | None = None
    statWAbsorbAvail: Since2023[UnsignedActivePower | None] = None
    statWAvail: ActivePower | None = None
