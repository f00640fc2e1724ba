"""The bases that all resources are built on, and the links between them (2030.5-2018 B.2.3.4)."""

from dersim.ieee2030_5.declare import Attr, Element, EmptyIsZero, Extra, IfMissing0, resource
from dersim.ieee2030_5.resources.simple import (
    AnyURI,
    HexBinary8,
    Int32,
    PowerOfTenMultiplierType,
    String32,
    SubscribableType,
    TimeType,
    UInt16,
    UInt32,
    UInt48,
    UomType,
    VersionType,
    mRIDType,
)


@resource()
class Link(Element):
    href: Attr[AnyURI]
    extra: tuple[Extra, ...] = ()


@resource()
class ListLink(Link):
    all: Attr[UInt32 | None] = None


@resource()
class Resource(Element):
    href: Attr[AnyURI | None] = None
    extra: tuple[Extra, ...] = ()


@resource()
class SubscribableResource(Resource):
    subscribable: Attr[SubscribableType | None] = None


@resource()
class IdentifiedObject(Resource):
    mRID: mRIDType
    description: String32 | None = None
    version: EmptyIsZero[VersionType | None] = None


@resource()
class SubscribableIdentifiedObject(SubscribableResource):
    mRID: mRIDType
    description: String32 | None = None
    version: EmptyIsZero[VersionType | None] = None


@resource()
class RespondableResource(Resource):
    replyTo: Attr[AnyURI | None] = None
    responseRequired: Attr[HexBinary8 | None] = None


@resource()
class RespondableSubscribableIdentifiedObject(RespondableResource):
    subscribable: Attr[SubscribableType | None] = None
    mRID: mRIDType
    description: String32 | None = None
    version: EmptyIsZero[VersionType | None] = None


@resource()
class List(Resource):
    """Base of the lists. Where a peer left `all` or `results` out, the reader counts the items."""

    all: Attr[UInt32]
    results: Attr[UInt32]


@resource()
class SubscribableList(SubscribableResource):
    """Base of the subscribable lists; see `List`."""

    all: Attr[UInt32]
    results: Attr[UInt32]


@resource()
class DateTimeInterval(Element):
    """Half open: from start (UTC seconds), for duration seconds."""

    duration: UInt32
    start: TimeType
    extra: tuple[Extra, ...] = ()


@resource()
class UnitValueType(Element):
    multiplier: PowerOfTenMultiplierType
    unit: UomType
    value: Int32
    extra: tuple[Extra, ...] = ()


@resource()
class RealEnergy(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt48
    extra: tuple[Extra, ...] = ()


@resource(root=True)
class Error(Element):
    """The body of a refusal (2030.5-2018 5.6): reasonCode 0 bad form, 1 bad values, 2 resource limit."""

    maxRetryDuration: UInt16 | None = None
    reasonCode: IfMissing0[UInt16]
    extra: tuple[Extra, ...] = ()
