"""The inputs that tell what the machine is and how it is set: AI 0 to 65, BI 27."""

from __future__ import annotations

from dersim_dnp3.points import AI, BI, Input, Read
from dersim_dnp3.see import See

_V, _A = 0.1, 0.1


def _over(see: See) -> float:
    p = see.plate
    return min(p.rtgMaxW, p.rtgMaxVA * p.rtgMinPFOverExcited)


def _under(see: See) -> float:
    p = see.plate
    return min(p.rtgMaxW, p.rtgMaxVA * p.rtgMinPFUnderExcited)


def _charging_over(see: See) -> float:
    p = see.plate
    return -min(p.rtgMaxChargeRateW, p.rtgMaxChargeRateVA * p.rtgMinPFOverExcited)


def _charging_under(see: See) -> float:
    p = see.plate
    return -min(p.rtgMaxChargeRateW, p.rtgMaxChargeRateVA * p.rtgMinPFUnderExcited)


def _row(
    index: int, name: str, read: Read, unit: str = "", multiplier: float = 1.0, event_class: int = 3
) -> Input:
    return Input(AI, index, name, read, unit, multiplier, event_class)


RATINGS = (
    _row(0, "version of the profile", lambda _see: 1.0, "", 0.01),
    _row(1, "level of the profile, 0 unknown", lambda _see: 0.0),
    _row(2, "lowest rated voltage", lambda see: see.plate.rtgMinV, "V", _V),
    _row(3, "highest rated voltage", lambda see: see.plate.rtgMaxV, "V", _V),
    _row(4, "rated generation", lambda see: see.plate.rtgMaxW, "W"),
    _row(5, "rated charging", lambda see: -see.plate.rtgMaxChargeRateW, "W"),
    _row(6, "rated generation at the over-excited power factor", _over, "W"),
    _row(7, "rated charging at the over-excited power factor", _charging_over, "W"),
    _row(8, "rated over-excited power factor", lambda see: see.plate.rtgMinPFOverExcited, "", 0.01),
    _row(9, "rated generation at the under-excited power factor", _under, "W"),
    _row(10, "rated charging at the under-excited power factor", _charging_under, "W"),
    _row(11, "rated under-excited power factor", lambda see: see.plate.rtgMinPFUnderExcited, "", 0.01),
    _row(12, "rated var injected", lambda see: see.plate.rtgMaxVar, "var"),
    _row(13, "rated var absorbed", lambda see: see.plate.rtgMaxVarNeg, "var"),
    _row(14, "rated apparent power, generating", lambda see: see.plate.rtgMaxVA, "VA"),
    _row(15, "rated apparent power, charging", lambda see: -see.plate.rtgMaxChargeRateVA, "VA"),
    _row(16, "rated energy of the storage", lambda see: see.plate.rtgMaxWh, "Wh"),
    _row(17, "energy of the storage as set", lambda see: see.settings.setMaxWh, "Wh"),
    _row(18, "usable energy of the storage", lambda see: see.settings.setMaxWh, "Wh"),
    _row(19, "rated current, generating", lambda see: see.plate.rtgMaxA, "A", _A),
    _row(
        20, "rated current, charging", lambda see: -see.plate.rtgMaxA if see.plate.rtgMaxWh else 0.0, "A", _A
    ),
    _row(21, "susceptance while out of service", lambda _see: 0.0, "S"),
    _row(22, "category of normal operation, 1 A, 2 B", lambda see: see.plate.rtgNormalCategory),
    _row(23, "category of abnormal operation, 1 to 3", lambda see: see.plate.rtgAbnormalCategory),
    _row(24, "schedules", lambda _see: 0.0),
    _row(25, "meters beside the one of the system", lambda _see: 0.0),
    _row(26, "inverters told one by one", lambda _see: 0.0),
    _row(27, "batteries told one by one", lambda _see: 0.0),
    _row(28, "DER units told one by one", lambda _see: 0.0),
)

SETTINGS = (
    _row(32, "highest generation", lambda see: see.settings.setMaxW, "W", 1, 2),
    _row(33, "highest charging", lambda see: -see.settings.setMaxChargeRateW, "W", 1, 2),
    _row(34, "highest var injected", lambda see: see.settings.setMaxVar, "var", 1, 2),
    _row(35, "highest var absorbed", lambda see: see.settings.setMaxVarNeg, "var", 1, 2),
    _row(36, "highest apparent power, generating", lambda see: see.settings.setMaxVA, "VA", 1, 2),
    _row(37, "highest apparent power, charging", lambda see: -see.settings.setMaxChargeRateVA, "VA", 1, 2),
    _row(38, "lowest voltage", lambda see: see.settings.setMinV, "V", _V, 2),
    _row(39, "highest voltage", lambda see: see.settings.setMaxV, "V", _V, 2),
    _row(40, "part of a change that a response time reaches", lambda _see: 90.0, "%", 0.1, 2),
    _row(62, "fastest rise of generation, 0 no limit", lambda see: see.settings.setGradW, "%/s", 0.1, 2),
    _row(63, "fastest fall of generation, 0 no limit", lambda see: see.settings.setGradW, "%/s", 0.1, 2),
    Input(BI, 27, "energy of the storage is in Wh", lambda _see: True, event_class=3),
)
