"""Meter readings: as a client mirrors them, and as a server then shows them (2030.5-2018 10.5, 10.11)."""

from typing import TypeAlias

from dersim.ieee2030_5.declare import (
    Attr,
    EmptyIsFalse,
    EmptyIsZero,
    IfMissing0,
    Since2023,
    resource,
)
from dersim.ieee2030_5.resources.identification import (
    DateTimeInterval,
    IdentifiedObject,
    Link,
    List,
    ListLink,
    Resource,
    SubscribableList,
    UnitValueType,
)
from dersim.ieee2030_5.resources.simple import (
    AccumulationBehaviourType,
    Boolean,
    CommodityType,
    ConsumptionBlockType,
    DataQualifierType,
    FlowDirectionType,
    HexBinary16,
    HexBinary160,
    Int48,
    KindType,
    PhaseCode,
    PowerOfTenMultiplierType,
    RoleFlagsType,
    ServiceKind,
    SubscribableType,
    TimeType,
    TOUType,
    UInt8,
    UInt32,
    UInt48,
    UomType,
)


@resource(root=True)
class ReadingType(Resource):
    """What a reading measures; it must not change under one mRID."""

    accumulationBehaviour: EmptyIsZero[AccumulationBehaviourType | None] = None
    calorificValue: UnitValueType | None = None
    commodity: EmptyIsZero[CommodityType | None] = None
    conversionFactor: UnitValueType | None = None
    dataQualifier: EmptyIsZero[DataQualifierType | None] = None
    flowDirection: EmptyIsZero[FlowDirectionType | None] = None
    intervalLength: UInt32 | None = None
    kind: EmptyIsZero[KindType | None] = None
    maxNumberOfIntervals: UInt8 | None = None
    numberOfConsumptionBlocks: EmptyIsZero[UInt8 | None] = None
    numberOfTouTiers: EmptyIsZero[UInt8 | None] = None
    phase: EmptyIsZero[PhaseCode | None] = None
    powerOfTenMultiplier: EmptyIsZero[PowerOfTenMultiplierType | None] = None
    subIntervalLength: UInt32 | None = None
    supplyLimit: UInt48 | None = None
    tieredConsumptionBlocks: EmptyIsFalse[Boolean | None] = None
    uom: EmptyIsZero[UomType | None] = None


_ReadingType: TypeAlias = ReadingType


@resource()
class ReadingBase(Resource):
    consumptionBlock: EmptyIsZero[ConsumptionBlockType | None] = None
    qualityFlags: EmptyIsZero[HexBinary16 | None] = None
    timePeriod: DateTimeInterval | None = None
    touTier: EmptyIsZero[TOUType | None] = None
    value: Int48 | None = None


@resource(root=True)
class Reading(ReadingBase):
    subscribable: Attr[SubscribableType | None] = None
    localID: HexBinary16 | None = None


_Reading: TypeAlias = Reading


@resource(root=True)
class ReadingList(SubscribableList):
    Reading: tuple[_Reading, ...] = ()


@resource()
class ReadingSetBase(IdentifiedObject):
    timePeriod: DateTimeInterval


@resource(root=True)
class ReadingSet(ReadingSetBase):
    ReadingListLink: ListLink | None = None


_ReadingSet: TypeAlias = ReadingSet


@resource(root=True)
class ReadingSetList(SubscribableList):
    ReadingSet: tuple[_ReadingSet, ...] = ()


@resource()
class MeterReadingBase(IdentifiedObject):
    pass


@resource(root=True)
class MeterReading(MeterReadingBase):
    RateComponentListLink: ListLink | None = None
    ReadingLink: Link | None = None
    ReadingSetListLink: ListLink | None = None
    ReadingTypeLink: Link


_MeterReading: TypeAlias = MeterReading


@resource(root=True)
class MeterReadingList(SubscribableList):
    MeterReading: tuple[_MeterReading, ...] = ()


@resource()
class UsagePointBase(IdentifiedObject):
    """roleFlags bits: 0 mirror, 1 premises, 2 PEV, 3 DER, 4 revenue quality, 5 DC, 6 submeter."""

    roleFlags: RoleFlagsType
    serviceCategoryKind: IfMissing0[ServiceKind]
    status: IfMissing0[UInt8]


@resource(root=True)
class UsagePoint(UsagePointBase):
    deviceLFDI: HexBinary160 | None = None
    MeterReadingListLink: ListLink | None = None


_UsagePoint: TypeAlias = UsagePoint


@resource(root=True)
class UsagePointList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    UsagePoint: tuple[_UsagePoint, ...] = ()


@resource()
class MirrorReadingSet(ReadingSetBase):
    Reading: tuple[_Reading, ...] = ()


_MirrorReadingSet: TypeAlias = MirrorReadingSet


@resource(root=True)
class MirrorMeterReading(MeterReadingBase):
    lastUpdateTime: TimeType | None = None
    MirrorReadingSet: tuple[_MirrorReadingSet, ...] = ()
    nextUpdateTime: TimeType | None = None
    Reading: _Reading | None = None
    ReadingType: _ReadingType | None = None


_MirrorMeterReading: TypeAlias = MirrorMeterReading


@resource(root=True)
class MirrorMeterReadingList(List):
    MirrorMeterReading: tuple[_MirrorMeterReading, ...] = ()


@resource(root=True)
class MirrorUsagePoint(UsagePointBase):
    subscribable: Since2023[Attr[SubscribableType | None]] = None
    deviceLFDI: HexBinary160
    MirrorMeterReading: tuple[_MirrorMeterReading, ...] = ()
    postRate: UInt32 | None = None
    UsagePointLink: Since2023[Link | None] = None


_MirrorUsagePoint: TypeAlias = MirrorUsagePoint


@resource(root=True, not_in_2018=("subscribable",))
class MirrorUsagePointList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    MirrorUsagePoint: tuple[_MirrorUsagePoint, ...] = ()
