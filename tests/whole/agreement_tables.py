"""Which values tell the same thing: all tables of docs/agreement.md."""

from __future__ import annotations

from tests.whole.agreement import Place, Row, row
from tests.whole.agreement_controls import CONTROLS
from tests.whole.agreement_measured import DC, MEASURED
from tests.whole.agreement_site import SITE
from tests.whole.agreement_status import STATUS
from tests.whole.places import Look

#: Setting -> its registers; a minus: with the other sign.
_SETTINGS = {
    "setMaxW": "121.WMax 702.WMax",
    "setMaxVA": "121.VAMax 702.VAMax",
    "setMaxVar": "121.VArMaxQ1 702.VarMaxInj",
    "setMaxVarNeg": "121.VArMaxQ4 -702.VarMaxAbs",
    "setMaxChargeRateW": "124.WChaMax 702.WChaRteMax",
    "setMaxChargeRateVA": "124.VAChaMax 702.VAChaRteMax",
    "setMaxDischargeRateVA": "702.VADisChaRteMax",
    "setMaxDischargeRateW": "702.WDisChaRteMax",
    "setMaxA": "702.AMax",
    "setMaxV": "121.VMax 702.VMax",
    "setMinV": "121.VMin 702.VMin",
    "setMaxWh": "",
    "setVNom": "702.VNom",
    "setVRef": "121.VRef",
    "setVRefOfs": "121.VRefOfs",
    "setMinPFOverExcited": "-121.PFMinQ1 702.PFOvrExt 702.WOvrExtPF",
    "setMinPFUnderExcited": "121.PFMinQ4 702.PFUndExt 702.WUndExtPF",
    "setGradW": "121.WGra 704.WRmp",
    "setSoftGradW": "",
    "setESDelay": "703.ESDlyTms",
    "setESRandomDelay": "703.ESRndTms",
    "setESRampTms": "703.ESRmpTms",
    "setESLowVolt": "703.ESVLo",
    "setESHighVolt": "703.ESVHi",
    "setESLowFreq": "703.ESHzLo",
    "setESHighFreq": "703.ESHzHi",
}


_HUNDREDTHS = ("setGradW", "setSoftGradW")


_OF_STORAGE = ("setMaxCharge", "setMaxDischarge", "setMaxWh")


#: Rating -> its registers.
_RATINGS = {
    "rtgMaxW": "120.WRtg 702.WMaxRtg",
    "rtgMaxVA": "120.VARtg 702.VAMaxRtg",
    "rtgMaxVar": "120.VArRtgQ1 702.VarMaxInjRtg",
    "rtgMaxVarNeg": "120.VArRtgQ4 -702.VarMaxAbsRtg",
    "rtgMaxA": "120.ARtg 702.AMaxRtg",
    "rtgMaxV": "702.VMaxRtg",
    "rtgMinV": "702.VMinRtg",
    "rtgVNom": "702.VNomRtg",
    "rtgMaxChargeRateW": "120.MaxChaRte 702.WChaRteMaxRtg 802.WChaRteMax",
    "rtgMaxChargeRateVA": "702.VAChaRteMaxRtg",
    "rtgMaxDischargeRateW": "120.MaxDisChaRte 702.WDisChaRteMaxRtg 802.WDisChaRteMax",
    "rtgMaxDischargeRateVA": "702.VADisChaRteMaxRtg",
    "rtgMaxWh": "120.WHRtg 713.WHRtg 802.WHRtg",
    "rtgMinPFOverExcited": "-120.PFRtgQ1 702.PFOvrExtRtg",
    "rtgMinPFUnderExcited": "120.PFRtgQ4 702.PFUndExtRtg",
}


def _minus(value: float) -> float:
    return -value


def _registers(names: str) -> tuple[Place, ...]:
    return tuple(
        Place(
            name.lstrip("-"),
            *((_minus,) if name[0] == "-" else ()),
            note="with the other sign" * (name[0] == "-"),
        )
        for name in names.split()
    )


def _setting(name: str, registers: str) -> Row:
    def truth(look: Look) -> float | None:
        of_storage = name.startswith(_OF_STORAGE)
        return float(look.device.settings[name]) if look.plate.rtgMaxWh or not of_storage else None

    def told(value: float) -> float | None:
        if name.startswith("setES") or name in _HUNDREDTHS:
            return 100 * value
        return None if name == "setVRefOfs" and value < 0 else value

    body = Place(f"DERSettings.{name}", told, note="where not negative" * (name == "setVRefOfs"))
    return row(name, truth, *_registers(registers), body, f"nameplate.settings.{name}")


def _rating(name: str, registers: str) -> Row:
    def truth(look: Look) -> float | None:
        return float(getattr(look.plate, name)) or None

    return row(name, truth, *_registers(registers), f"DERCapability.{name}, nameplate.ratings.{name}")


GROUPS = {
    "Measurements": MEASURED,
    "DC sources and what is available": DC,
    "A site with a load": SITE,
    "Status": STATUS,
    "Setpoints": CONTROLS,
    "Settings": tuple(_setting(name, registers) for name, registers in _SETTINGS.items()),
    "Ratings": tuple(_rating(name, registers) for name, registers in _RATINGS.items()),
}


ROWS = tuple(line for rows in GROUPS.values() for line in rows)


def page() -> str:
    """The tables of docs/agreement.md."""
    parts = []
    for title, rows in GROUPS.items():
        lines = [
            f"## {title}",
            "",
            "| Quantity | SunSpec | 2030.5 | Mirror | REST |",
            "|---|---|---|---|---|",
        ]
        for line in rows:
            cells: list[list[str]] = [[], [], [], []]
            for place in line.places:
                cells[place.column].append(place.shown.replace("in_force ", "in_force: ").replace(". ", ": "))
            lines.append(f"| {line.quantity} | " + " | ".join("<br>".join(cell) for cell in cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"
