"""What a utility asks of a DER: programs, controls, defaults, curves (2030.5-2018 10.10, B.2.3.2)."""

from typing import Annotated, TypeAlias

from dersim.ieee2030_5.declare import (
    Attr,
    Element,
    EmptyIsFalse,
    EmptyIsZero,
    Extra,
    IfMissing,
    IfMissing0,
    Occurs,
    Since2023,
    resource,
)
from dersim.ieee2030_5.resources.identification import (
    DateTimeInterval,
    IdentifiedObject,
    Link,
    List,
    ListLink,
    RespondableSubscribableIdentifiedObject,
    SubscribableIdentifiedObject,
    SubscribableList,
)
from dersim.ieee2030_5.resources.quantity import (
    ActivePowerControlType,
    ActivePowerDeltaControlType,
    FixedVarControlType,
    FreqDroopType,
    PowerFactorWithExcitationControlType,
    ReactivePowerControlType,
    ReactivePowerDeltaControlType,
    UnsignedActivePowerControlType,
    UnsignedFixedVarControlType,
    UnsignedReactivePowerControlType,
    VoltageRMSControlType,
)
from dersim.ieee2030_5.resources.simple import (
    Boolean,
    DERCurveType,
    DERUnitRefType,
    DeviceCategoryType,
    Int16,
    Int32,
    OneHourRangeType,
    PerCent,
    PerCentControl,
    PowerOfTenMultiplierType,
    PrimacyType,
    SignedPerCentControl,
    String192,
    TimeType,
    UInt8,
    UInt16,
    UInt32,
)


@resource(root=True)
class DERProgram(SubscribableIdentifiedObject):
    """A set of controls with one primacy; the lower number rules."""

    ActiveDERControlListLink: ListLink | None = None
    DefaultDERControlLink: Link | None = None
    DERControlListLink: ListLink | None = None
    DERCurveListLink: ListLink | None = None
    primacy: PrimacyType


_DERProgram: TypeAlias = DERProgram


@resource(root=True)
class DERProgramList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    DERProgram: tuple[_DERProgram, ...] = ()


@resource()
class EventStatus(Element):
    """currentStatus: 0 scheduled, 1 active, 2 cancelled, 3 cancelled with randomization, 4 superseded,
    5 completed (2023). Servers leave parts of it out: those are then 0 and false.
    """

    currentStatus: IfMissing0[UInt8]
    dateTime: IfMissing0[TimeType]
    potentiallySuperseded: Annotated[Boolean, IfMissing(False)]
    potentiallySupersededTime: TimeType | None = None
    reason: String192 | None = None
    extra: tuple[Extra, ...] = ()


_EventStatus: TypeAlias = EventStatus


@resource()
class Event(RespondableSubscribableIdentifiedObject):
    creationTime: IfMissing0[TimeType]
    EventStatus: Annotated[
        _EventStatus,
        IfMissing(EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False)),
    ]
    interval: DateTimeInterval


@resource()
class RandomizableEvent(Event):
    randomizeDuration: EmptyIsZero[OneHourRangeType | None] = None
    randomizeStart: EmptyIsZero[OneHourRangeType | None] = None


@resource()
class DERCurveLink(Link):
    """Points at a DERCurve, usually one of the program's DERCurveList."""

    disabled: Since2023[Attr[Boolean | None]] = None


@resource()
class DERControlBase(Element):
    """The modes asked for; absent ones are left as they are. Percents are in hundredths."""

    opModConnect: Boolean | None = None
    opModDeltaVar: Since2023[ReactivePowerDeltaControlType | None] = None
    opModDeltaW: Since2023[ActivePowerDeltaControlType | None] = None
    opModEnergize: Boolean | None = None
    opModFixedPFAbsorbW: PowerFactorWithExcitationControlType | None = None
    opModFixedPFInjectW: PowerFactorWithExcitationControlType | None = None
    opModFixedV: Since2023[SignedPerCentControl | None] = None
    opModFixedVar: FixedVarControlType | None = None
    opModFixedW: SignedPerCentControl | None = None
    opModFreqDroop: FreqDroopType | None = None
    opModFreqWatt: DERCurveLink | None = None
    opModGridConnectPermit: Since2023[Boolean | None] = None
    opModHFRTMayTrip: DERCurveLink | None = None
    opModHFRTMustTrip: DERCurveLink | None = None
    opModHVRTMayTrip: DERCurveLink | None = None
    opModHVRTMomentaryCessation: DERCurveLink | None = None
    opModHVRTMustTrip: DERCurveLink | None = None
    opModIslandPermit: Since2023[Boolean | None] = None
    opModLFRTMayTrip: DERCurveLink | None = None
    opModLFRTMustTrip: DERCurveLink | None = None
    opModLVRTMayTrip: DERCurveLink | None = None
    opModLVRTMomentaryCessation: DERCurveLink | None = None
    opModLVRTMustTrip: DERCurveLink | None = None
    opModMaxLimPctVAAbsorb: Since2023[PerCentControl | None] = None
    opModMaxLimPctVAInject: Since2023[PerCentControl | None] = None
    opModMaxLimPctVarAbsorb: Since2023[UnsignedFixedVarControlType | None] = None
    opModMaxLimPctVarInject: Since2023[UnsignedFixedVarControlType | None] = None
    opModMaxLimPctWAbsorb: Since2023[PerCentControl | None] = None
    opModMaxLimVarAbsorb: Since2023[UnsignedReactivePowerControlType | None] = None
    opModMaxLimVarInject: Since2023[UnsignedReactivePowerControlType | None] = None
    opModMaxLimW: PerCentControl | None = None
    opModMaxLimWAbsorb: Since2023[UnsignedActivePowerControlType | None] = None
    opModMaxLimWInject: Since2023[UnsignedActivePowerControlType | None] = None
    opModTargetV: Since2023[VoltageRMSControlType | None] = None
    opModTargetVar: ReactivePowerControlType | None = None
    opModTargetW: ActivePowerControlType | None = None
    opModVoltVar: DERCurveLink | None = None
    opModVoltWatt: DERCurveLink | None = None
    opModWattPF: DERCurveLink | None = None
    opModWattVar: DERCurveLink | None = None
    rampTms: UInt16 | None = None
    extra: tuple[Extra, ...] = ()


_DERControlBase: TypeAlias = DERControlBase


@resource(root=True)
class DERControl(RandomizableEvent):
    """An event: what to do (DERControlBase), and when (interval)."""

    DERControlBase: _DERControlBase
    deviceCategory: DeviceCategoryType | None = None


_DERControl: TypeAlias = DERControl


@resource(root=True)
class DERControlList(SubscribableList):
    """The controls of a program; the active ones alone come in a list of the same type."""

    DERControl: tuple[_DERControl, ...] = ()


@resource(root=True, not_in_2018=("replyTo", "responseRequired"))
class DefaultDERControl(RespondableSubscribableIdentifiedObject):
    """What holds where no event controls a mode. Times, gradients, Hz and V are in hundredths."""

    DERControlBase: _DERControlBase
    setESDelay: UInt32 | None = None
    setESHighFreq: UInt16 | None = None
    setESHighVolt: Int16 | None = None
    setESLowFreq: UInt16 | None = None
    setESLowVolt: Int16 | None = None
    setESRampTms: UInt32 | None = None
    setESRandomDelay: UInt32 | None = None
    setGradW: UInt16 | None = None
    setSoftGradW: UInt16 | None = None
    updatedTime: Since2023[TimeType | None] = None


@resource()
class CurveData(Element):
    """A point; excitation (true: absorbing) only in opModWattPF."""

    excitation: Boolean | None = None
    xvalue: Int32
    yvalue: Int32
    extra: tuple[Extra, ...] = ()


_CurveData: TypeAlias = CurveData


@resource(root=True)
class DERCurve(IdentifiedObject):
    """A function of one variable; real value = raw x 10^multiplier, times in hundredths of a second."""

    autonomousVRefEnable: EmptyIsFalse[Boolean | None] = None
    autonomousVRefTimeConstant: UInt32 | None = None
    creationTime: IfMissing0[TimeType]
    CurveData: Annotated[tuple[_CurveData, ...], Occurs(1, 10)]
    curveType: DERCurveType
    openLoopTms: UInt16 | None = None
    rampDecTms: UInt16 | None = None
    rampIncTms: UInt16 | None = None
    rampPT1Tms: UInt16 | None = None
    vRef: PerCent | None = None
    xMultiplier: PowerOfTenMultiplierType
    yMultiplier: PowerOfTenMultiplierType
    yRefType: DERUnitRefType


_DERCurve: TypeAlias = DERCurve


@resource(root=True)
class DERCurveList(List):
    DERCurve: tuple[_DERCurve, ...] = ()
