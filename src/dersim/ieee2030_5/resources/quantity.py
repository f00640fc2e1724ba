"""Quantities: a value times a power of ten, and their 2023 variants that can be `disabled`.

The types named ...ControlType occur only in a DERControlBase; in a 2018 document the plain type is in their
place, and a disabled member is not written at all, since 2018 could not say that it is disabled.
"""

from dersim.ieee2030_5.declare import Attr, Element, Extra, Since2023, resource
from dersim.ieee2030_5.resources.simple import (
    Boolean,
    DeltaBidirectionalType,
    DERUnitRefType,
    Int16,
    PerCent,
    PowerOfTenMultiplierType,
    SignedPerCent,
    UInt16,
    UInt32,
)


@resource()
class ActivePower(Element):
    """Watts; + is out of the DER."""

    multiplier: PowerOfTenMultiplierType
    value: Int16
    extra: tuple[Extra, ...] = ()


@resource()
class ReactivePower(Element):
    """var; + injects."""

    multiplier: PowerOfTenMultiplierType
    value: Int16
    extra: tuple[Extra, ...] = ()


@resource()
class ApparentPower(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class VoltageRMS(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class CurrentRMS(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class AmpereHour(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class WattHour(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class ReactiveSusceptance(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource(since_2023=True)
class UnsignedActivePower(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource(since_2023=True)
class UnsignedReactivePower(Element):
    multiplier: PowerOfTenMultiplierType
    value: UInt16
    extra: tuple[Extra, ...] = ()


@resource()
class PowerFactor(Element):
    """displacement x 10^multiplier, always positive."""

    displacement: UInt16
    multiplier: PowerOfTenMultiplierType
    extra: tuple[Extra, ...] = ()


@resource()
class PowerFactorWithExcitation(Element):
    """excitation true: absorbing var (under-excited)."""

    displacement: UInt16
    excitation: Boolean
    multiplier: PowerOfTenMultiplierType
    extra: tuple[Extra, ...] = ()


@resource()
class FixedVar(Element):
    """A signed percent (hundredths) of what refType says; + injects."""

    refType: DERUnitRefType
    value: SignedPerCent
    extra: tuple[Extra, ...] = ()


@resource(since_2023=True)
class UnsignedFixedVar(Element):
    refType: DERUnitRefType
    value: PerCent
    extra: tuple[Extra, ...] = ()


@resource()
class FreqDroopType(Element):
    """Dead-bands in mHz, k in thousandths, openLoopTms in hundredths of a second."""

    dBOF: UInt32
    dBUF: UInt32
    kOF: UInt16
    kUF: UInt16
    openLoopTms: UInt16
    pMin: Since2023[ActivePower | None] = None
    extra: tuple[Extra, ...] = ()
    disabled: Since2023[Attr[Boolean | None]] = None


@resource(name_2018="ActivePower")
class ActivePowerControlType(ActivePower):
    disabled: Since2023[Attr[Boolean | None]] = None


@resource(name_2018="ReactivePower")
class ReactivePowerControlType(ReactivePower):
    disabled: Since2023[Attr[Boolean | None]] = None


@resource(name_2018="PowerFactorWithExcitation")
class PowerFactorWithExcitationControlType(PowerFactorWithExcitation):
    disabled: Since2023[Attr[Boolean | None]] = None


@resource(name_2018="FixedVar")
class FixedVarControlType(FixedVar):
    disabled: Since2023[Attr[Boolean | None]] = None


@resource(since_2023=True)
class ActivePowerDeltaControlType(ActivePower):
    bidirectional: Attr[DeltaBidirectionalType | None] = None
    disabled: Attr[Boolean | None] = None


@resource(since_2023=True)
class ReactivePowerDeltaControlType(ReactivePower):
    bidirectional: Attr[DeltaBidirectionalType | None] = None
    disabled: Attr[Boolean | None] = None


@resource(since_2023=True)
class UnsignedFixedVarControlType(UnsignedFixedVar):
    disabled: Attr[Boolean | None] = None


@resource(since_2023=True)
class UnsignedActivePowerControlType(UnsignedActivePower):
    disabled: Attr[Boolean | None] = None


@resource(since_2023=True)
class UnsignedReactivePowerControlType(UnsignedReactivePower):
    disabled: Attr[Boolean | None] = None


@resource(since_2023=True)
class VoltageRMSControlType(VoltageRMS):
    disabled: Attr[Boolean | None] = None
