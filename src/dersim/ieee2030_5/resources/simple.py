"""The simple types of IEEE 2030.5 and how they look in Python: int, bool or str.

A hexBinary that is a bitmap is an int; one that is an identifier (mRID, LFDI) is upper-case hex text.
"""

from __future__ import annotations

from typing import Annotated

from dersim.ieee2030_5.declare import Simple


def _unsigned(name: str, xsd: str, bits: int, of: str | None = None, control: str | None = None) -> Simple:
    return Simple(name, "int", xsd, 0, 2**bits - 1, of=of, control=control)


def _signed(name: str, xsd: str, bits: int, of: str | None = None, control: str | None = None) -> Simple:
    return Simple(name, "int", xsd, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1, of=of, control=control)


def _bitmap(name: str, octets: int, of: str | None = None) -> Simple:
    return Simple(name, "hex_int", "hexBinary", octets=octets, of=of)


def _text(name: str, length: int) -> Simple:
    return Simple(name, "text", "string", length=length)


class Disabled(int):
    """A number that came with `disabled="true"` (2023): the mode is not in use, whatever the number says."""

    __slots__ = ()


Boolean = Annotated[bool, Simple("boolean", "bool", "boolean")]
AnyURI = Annotated[str, Simple("anyURI", "uri", "anyURI")]

UInt8 = Annotated[int, _unsigned("UInt8", "unsignedByte", 8)]
UInt16 = Annotated[int, _unsigned("UInt16", "unsignedShort", 16)]
UInt32 = Annotated[int, _unsigned("UInt32", "unsignedInt", 32)]
# The schema bounds UInt40 as it does UInt48.
UInt40 = Annotated[int, Simple("UInt40", "int", "unsignedLong", 0, 2**48 - 1)]
UInt48 = Annotated[int, Simple("UInt48", "int", "unsignedLong", 0, 2**48 - 1)]
Int8 = Annotated[int, _signed("Int8", "byte", 8)]
Int16 = Annotated[int, _signed("Int16", "short", 16)]
Int32 = Annotated[int, _signed("Int32", "int", 32)]
Int48 = Annotated[int, Simple("Int48", "int", "long", -(2**47), 2**47)]
Int64 = Annotated[int, _signed("Int64", "long", 64)]

HexBinary8 = Annotated[int, _bitmap("HexBinary8", 1)]
HexBinary16 = Annotated[int, _bitmap("HexBinary16", 2)]
HexBinary32 = Annotated[int, _bitmap("HexBinary32", 4)]
HexBinary64 = Annotated[int, _bitmap("HexBinary64", 8)]
HexBinary160 = Annotated[str, Simple("HexBinary160", "hex_text", "hexBinary", octets=20)]

String6 = Annotated[str, _text("String6", 6)]
String16 = Annotated[str, _text("String16", 16)]
String32 = Annotated[str, _text("String32", 32)]
String192 = Annotated[str, _text("String192", 192)]

SubscribableType = Annotated[int, _unsigned("SubscribableType", "unsignedByte", 8)]
DeltaBidirectionalType = Annotated[int, _unsigned("DeltaBidirectionalType", "unsignedByte", 8)]

# Semantic types: a plain type with a meaning. In 2023 they take foreign attributes.
mRIDType = Annotated[str, Simple("mRIDType", "hex_text", "hexBinary", octets=16, of="HexBinary128")]
VersionType = Annotated[int, _unsigned("VersionType", "unsignedShort", 16, "UInt16")]
TimeType = Annotated[int, _signed("TimeType", "long", 64, "Int64")]
TimeOffsetType = Annotated[int, _signed("TimeOffsetType", "int", 32, "Int32")]
SFDIType = Annotated[int, Simple("SFDIType", "int", "unsignedLong", 0, 2**48 - 1, of="UInt40")]
PINType = Annotated[int, _unsigned("PINType", "unsignedInt", 32, "UInt32")]
PENType = Annotated[int, _unsigned("PENType", "unsignedInt", 32, "UInt32")]
PrimacyType = Annotated[int, _unsigned("PrimacyType", "unsignedByte", 8, "UInt8")]
OneHourRangeType = Annotated[int, _signed("OneHourRangeType", "short", 16, "Int16")]
PowerOfTenMultiplierType = Annotated[int, _signed("PowerOfTenMultiplierType", "byte", 8, "Int8")]
DeviceCategoryType = Annotated[int, _bitmap("DeviceCategoryType", 4, "HexBinary32")]
DERControlType = Annotated[int, _bitmap("DERControlType", 4, "HexBinary32")]
DERControlType2 = Annotated[int, _bitmap("DERControlType2", 4, "HexBinary32")]
RoleFlagsType = Annotated[int, _bitmap("RoleFlagsType", 2, "HexBinary16")]
DERType = Annotated[int, _unsigned("DERType", "unsignedByte", 8, "UInt8")]
DERUnitRefType = Annotated[int, _unsigned("DERUnitRefType", "unsignedByte", 8, "UInt8")]
DERCurveType = Annotated[int, _unsigned("DERCurveType", "unsignedByte", 8, "UInt8")]
PowerSourceType = Annotated[int, _unsigned("PowerSourceType", "unsignedByte", 8, "UInt8")]
AggregationDistributionType = Annotated[
    int, _unsigned("AggregationDistributionType", "unsignedByte", 8, "UInt8")
]
ServiceKind = Annotated[int, _unsigned("ServiceKind", "unsignedByte", 8, "UInt8")]
PhaseCode = Annotated[int, _unsigned("PhaseCode", "unsignedByte", 8, "UInt8")]
AccumulationBehaviourType = Annotated[int, _unsigned("AccumulationBehaviourType", "unsignedByte", 8, "UInt8")]
CommodityType = Annotated[int, _unsigned("CommodityType", "unsignedByte", 8, "UInt8")]
ConsumptionBlockType = Annotated[int, _unsigned("ConsumptionBlockType", "unsignedByte", 8, "UInt8")]
DataQualifierType = Annotated[int, _unsigned("DataQualifierType", "unsignedByte", 8, "UInt8")]
FlowDirectionType = Annotated[int, _unsigned("FlowDirectionType", "unsignedByte", 8, "UInt8")]
KindType = Annotated[int, _unsigned("KindType", "unsignedByte", 8, "UInt8")]
TOUType = Annotated[int, _unsigned("TOUType", "unsignedByte", 8, "UInt8")]
UomType = Annotated[int, _unsigned("UomType", "unsignedByte", 8, "UInt8")]

#: Hundredths of a percent.
PerCent = Annotated[int, _unsigned("PerCent", "unsignedShort", 16, "UInt16")]
SignedPerCent = Annotated[int, _signed("SignedPerCent", "short", 16, "Int16")]
PerCentControl = Annotated[int, _unsigned("PerCent", "unsignedShort", 16, "UInt16", "PerCentControlType")]
SignedPerCentControl = Annotated[
    int, _signed("SignedPerCent", "short", 16, "Int16", "SignedPerCentControlType")
]
