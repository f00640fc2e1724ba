"""DeviceCapability, Time, EndDevice and related resources (2030.5-2018 8, 9, B.2.3)."""

from typing import Annotated, TypeAlias

from dersim.ieee2030_5.declare import (
    Attr,
    Element,
    EmptyIsZero,
    EmptyMeans,
    Extra,
    IfMissing,
    IfMissing0,
    IfMissingEmpty,
    Since2023,
    resource,
)
from dersim.ieee2030_5.resources.identification import (
    Link,
    ListLink,
    RealEnergy,
    Resource,
    SubscribableList,
    SubscribableResource,
)
from dersim.ieee2030_5.resources.quantity import ActivePower
from dersim.ieee2030_5.resources.simple import (
    AggregationDistributionType,
    Boolean,
    DeviceCategoryType,
    HexBinary32,
    HexBinary64,
    HexBinary160,
    PENType,
    PhaseCode,
    PINType,
    PowerSourceType,
    SFDIType,
    String32,
    SubscribableType,
    TimeOffsetType,
    TimeType,
    UInt8,
    UInt32,
    VersionType,
    mRIDType,
)


@resource()
class FunctionSetAssignmentsBase(Resource):
    CustomerAccountListLink: ListLink | None = None
    DemandResponseProgramListLink: ListLink | None = None
    DERProgramListLink: ListLink | None = None
    FileListLink: ListLink | None = None
    MessagingProgramListLink: ListLink | None = None
    PrepaymentListLink: ListLink | None = None
    ResponseSetListLink: ListLink | None = None
    TariffProfileListLink: ListLink | None = None
    TimeLink: Link | None = None
    UsagePointListLink: ListLink | None = None


@resource(root=True)
class DeviceCapability(FunctionSetAssignmentsBase):
    """The entry: links to all that the server has."""

    pollRate: Attr[UInt32 | None] = None
    EndDeviceListLink: ListLink | None = None
    MirrorUsagePointListLink: ListLink | None = None
    SelfDeviceLink: Link | None = None


@resource(root=True)
class FunctionSetAssignments(FunctionSetAssignmentsBase):
    """What a device is assigned to; its TimeLink rules the events reached through it."""

    subscribable: Attr[SubscribableType | None] = None
    mRID: mRIDType
    description: String32 | None = None
    version: EmptyIsZero[VersionType | None] = None


_FunctionSetAssignments: TypeAlias = FunctionSetAssignments


@resource(root=True)
class FunctionSetAssignmentsList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    FunctionSetAssignments: tuple[_FunctionSetAssignments, ...] = ()


@resource(root=True)
class Time(Resource):
    """UTC seconds since 1970 without leap seconds. quality 7: intentionally uncoordinated."""

    pollRate: Attr[UInt32 | None] = None
    currentTime: TimeType
    dstEndTime: IfMissing0[TimeType]
    dstOffset: IfMissing0[TimeOffsetType]
    dstStartTime: IfMissing0[TimeType]
    localTime: TimeType | None = None
    quality: Annotated[UInt8, IfMissing(7)]
    tzOffset: IfMissing0[TimeOffsetType]


@resource()
class AbstractDevice(SubscribableResource):
    AggregatedDeviceListLink: Since2023[ListLink | None] = None
    AggregationPriorityLink: Since2023[Link | None] = None
    ConfigurationLink: Link | None = None
    DERListLink: ListLink | None = None
    deviceCategory: DeviceCategoryType | None = None
    DeviceInformationLink: Link | None = None
    DeviceStatusLink: Link | None = None
    distribution: Since2023[AggregationDistributionType | None] = None
    FileStatusLink: Link | None = None
    IPInterfaceListLink: ListLink | None = None
    lFDI: HexBinary160 | None = None
    LoadShedAvailabilityListLink: ListLink | None = None
    LogEventListLink: ListLink | None = None
    phase: Since2023[PhaseCode | None] = None
    PowerStatusLink: Link | None = None
    sFDI: SFDIType


@resource()
class ExternalDevice(AbstractDevice):
    """A base of its own since 2023; in 2018 these members are EndDevice's."""

    changedTime: IfMissing0[TimeType]
    enabled: Annotated[Boolean | None, EmptyMeans("true")] = None
    FlowReservationRequestListLink: ListLink | None = None
    FlowReservationResponseListLink: ListLink | None = None
    FunctionSetAssignmentsListLink: ListLink | None = None
    postRate: UInt32 | None = None
    RegistrationLink: Link | None = None


@resource(root=True)
class EndDevice(ExternalDevice):
    """A client as its server sees it; enabled false means deregistered."""

    ProxiedDeviceListLink: Since2023[ListLink | None] = None
    SubscriptionListLink: ListLink | None = None


_EndDevice: TypeAlias = EndDevice


@resource(root=True)
class EndDeviceList(SubscribableList):
    pollRate: Attr[UInt32 | None] = None
    EndDevice: tuple[_EndDevice, ...] = ()


@resource(root=True)
class SelfDevice(AbstractDevice):
    pollRate: Attr[UInt32 | None] = None
    ProxiedDeviceListLink: Since2023[ListLink | None] = None


@resource(root=True)
class Registration(Resource):
    """pIN: five digits and a check digit; as a number it has lost its leading zeros."""

    pollRate: Attr[UInt32 | None] = None
    dateTimeRegistered: IfMissing0[TimeType]
    pIN: PINType


@resource()
class GPSLocationType(Element):
    lat: String32
    lon: String32
    extra: tuple[Extra, ...] = ()


@resource()
class DRLCCapabilities(Element):
    averageEnergy: RealEnergy
    maxDemand: ActivePower
    optionsImplemented: HexBinary32
    extra: tuple[Extra, ...] = ()


_DRLCCapabilities: TypeAlias = DRLCCapabilities


@resource(root=True)
class DeviceInformation(Resource):
    """What the maker says of a device. Some servers show an empty one before the first PUT."""

    pollRate: Attr[UInt32 | None] = None
    connectionPointID: Since2023[String32 | None] = None
    DRLCCapabilities: _DRLCCapabilities | None = None
    functionsImplemented: HexBinary64 | None = None
    gpsLocation: GPSLocationType | None = None
    lFDI: IfMissingEmpty[HexBinary160]
    mfDate: IfMissing0[TimeType]
    mfHwVer: IfMissingEmpty[String32]
    mfID: IfMissing0[PENType]
    mfInfo: String32 | None = None
    mfModel: IfMissingEmpty[String32]
    mfSerNum: IfMissingEmpty[String32]
    primaryPower: IfMissing0[PowerSourceType]
    secondaryPower: IfMissing0[PowerSourceType]
    SupportedLocaleListLink: ListLink | None = None
    swActTime: IfMissing0[TimeType]
    swVer: IfMissingEmpty[String32]
