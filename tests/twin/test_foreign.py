"""Devices that nobody here wrote: pymodbus with a map from pysunspec2, with 7xx and with older models."""

import importlib.resources
import json

import pytest
from tests.twin.foreign import COMMON, registers, served

from dersim.hardware.nameplate import nameplate_from_json
from dersim.twin import nameplate_from_modbus
from dersim.twin.ratings import NoTwin
from dersim.twin.stand_in import StandIn

POINTS = [{"V": 9200, "Var": 300}, {"V": 9700, "Var": 0}, {"V": 10300, "Var": 0}, {"V": 10700, "Var": -300}]
CURVE = {"ActPt": 4, "DeptRef": 1, "Pri": 1, "VRef": 10000, "VRefAutoEna": 0, "RspTms": 10, "Pt": POINTS}
MODERN = [
    COMMON,
    {"ID": 701, "ACType": 2, "W": 5000, "W_SF": 0, "Hz": 5000, "Hz_SF": -2},
    {
        "ID": 702,
        "WMaxRtg": 800,
        "VAMaxRtg": 880,
        "VarMaxInjRtg": 350,
        "VarMaxAbsRtg": 340,
        "VNomRtg": 4000,
        "WMax": 700,
        "AMaxRtg": 135,
        "PFOvrExtRtg": 90,
        "PFUndExtRtg": 80,
        "NorOpCatRtg": 1,
        "AbnOpCatRtg": 1,
        "W_SF": 1,
        "VA_SF": 1,
        "Var_SF": 1,
        "V_SF": -1,
        "A_SF": -1,
        "PF_SF": -2,
    },
    {"ID": 703, "ES": 1, "ESVHi": 1100, "ESVLo": 850, "ESDlyTms": 60, "V_SF": -1},
    {"ID": 704, "WMaxLimPctEna": 1, "WMaxLimPct": 65, "WMaxLimPct_SF": 0, "WSetEna": 0},
    {
        "ID": 705,
        "Ena": 1,
        "NPt": 4,
        "NCrv": 2,
        "V_SF": -2,
        "DeptRef_SF": -1,
        "RspTms_SF": 0,
        "AdptCrvReq": 0,
        "AdptCrvRslt": 1,
        "Crv": [{**CURVE, "ReadOnly": 1}, {**CURVE, "ReadOnly": 0}],
    },
    {"ID": 713, "WHRtg": 0, "SoC": 0, "WH_SF": 0, "Pct_SF": 0},
]
#: Fixed curves of 20 points.
OLD_CURVE = {"ActPt": 2, "DeptRef": 2, "V1": 95, "VAr1": 40, "V2": 105, "VAr2": -40}
LEGACY = [
    COMMON,
    {
        "ID": 103,
        "W": 5000,
        "W_SF": 0,
        "PPVphAB": 399,
        "V_SF": 0,
        "DCV": 6400,
        "DCV_SF": -1,
        "WH": 9000,
        "WH_SF": 0,
    },
    {
        "ID": 120,
        "DERTyp": 4,
        "WRtg": 10000,
        "WRtg_SF": 0,
        "VARtg": 10000,
        "VARtg_SF": 0,
        "VArRtgQ1": 5000,
        "VArRtgQ4": -5000,
        "VArRtg_SF": 0,
        "ARtg": 16,
        "ARtg_SF": 0,
        "PFRtgQ1": -85,
        "PFRtgQ4": 85,
        "PFRtg_SF": -2,
    },
    {"ID": 121, "WMax": 9500, "WMax_SF": 0, "VRef": 400, "VRef_SF": 0, "ECPNomHz": 50, "ECPNomHz_SF": 0},
    {
        "ID": 123,
        "Conn": 1,
        "WMaxLimPct": 8000,
        "WMaxLimPct_SF": -2,
        "WMaxLim_Ena": 1,
        "OutPFSet": 95,
        "OutPFSet_SF": -2,
        "OutPFSet_Ena": 0,
        "VArPct_Ena": 0,
        "VArPct_SF": 0,
    },
    {
        "ID": 126,
        "ActCrv": 2,
        "ModEna": 1,
        "NCrv": 2,
        "NPt": 20,
        "V_SF": 0,
        "DeptRef_SF": 0,
        "curve": [{**OLD_CURVE, "V1": 90}, OLD_CURVE],
    },
    {"ID": 127, "WGra": 40, "HzStr": 20, "HzStrStop_SF": -2, "WGra_SF": 0, "ModEna": 1},
]


def read(models, **how):
    with served(registers(models), **how) as (port, codes):
        twin = nameplate_from_modbus("127.0.0.1", port, timeout_s=5)
    assert set(codes) == {3}, "only FC 3: nothing is written to a device"
    return twin, StandIn(nameplate_from_json(twin.document), twin.device_type)


@pytest.mark.parametrize("base", [40000, 0, 50000])
def test_a_machine_with_the_models_of_2018(base):
    twin, made = read(MODERN, base=base)
    plate = made.device.nameplate
    assert (plate.manufacturer, plate.model, plate.serial_number) == ("Acme", "Sun 8000", "A-17")
    assert (plate.phases, plate.frequency_hz, plate.rtgMaxW, plate.rtgMaxVA) == (3, 50, 8000, 8800)
    assert (plate.rtgMaxVar, plate.rtgMaxVarNeg, plate.rtgVNom, plate.rtgMaxA) == (3500, -3400, 400, 13.5)
    assert (plate.rtgMinPFOverExcited, plate.abnormal_category) == (0.9, 2)
    assert (made.device.settings.setMaxW, made.device.settings.setESDelay) == (7000, 60)
    curve = made.device.setpoints.value("opModVoltVar")
    assert curve.points == ((92, 30), (97, 0), (103, 0), (107, -30))
    assert (curve.y_ref_type, curve.open_loop_s) == (2, 10)
    assert made.device.setpoints.value("opModMaxLimW") == 65
    assert (twin.device_type, twin.unread, twin.differs) == ("PV-3Phase", [], [])
    assert [line.split(":")[0] for line in twin.assumed] == ["714.Prt[0].DCW 8000 W", "714.Prt[0].DCV 600 V"]


def test_a_machine_with_the_older_models_alone():
    twin, made = read(LEGACY)
    plate = made.device.nameplate
    assert (plate.phases, plate.rtgMaxW, plate.rtgVNom, plate.frequency_hz) == (3, 10_000, 400, 50)
    assert (plate.rtgMinPFOverExcited, plate.pv_v, plate.rtgMaxVarNeg) == (0.85, 640, -5000)
    assert made.device.settings.setMaxW == 9500
    values = made.device.setpoints.values()
    assert values["opModMaxLimW"] == 80
    assert values["opModVoltVar"].points == ((95, 40), (105, -40))
    assert values["opModFreqWatt"].points == ((50.2, 100), (52.7, 0))
    assert set(values) == {"opModMaxLimW", "opModVoltVar", "opModFreqWatt"}
    assert sum(plate.initial_exported_wh) == 9000
    assert twin.differs == [
        "model 126: the twin has 705 in its place",
        "model 127: the twin has 711 in its place",
    ]
    assert not twin.unread


def test_the_1547_device_of_pysunspec2_s_own_tests():
    """Its registers hold what no machine has: percents as per unit, a droop of 600 Hz, ..."""
    file = importlib.resources.files("sunspec2") / "tests/test_data/device_1547.json"
    if not file.is_file():
        pytest.skip("this pysunspec2 comes without its tests")
    models = json.loads(file.read_text(encoding="utf-8"))["models"]
    twin, made = read([model for model in models if model["ID"] != 0xFFFF])
    assert twin.models == [1, *range(701, 714)]
    plate, settings = made.device.nameplate, made.device.settings
    assert (plate.manufacturer, plate.rtgMaxW, plate.rtgMaxVA, settings.setMaxVA) == (
        *("SunSpecTest", 10_000, 11_000, 10_000),
    )
    assert made.device.setpoints.value("opModLVRTMustTrip").points == ((5, 50),)
    assert made.device.setpoints.value("opModLFRTMustTrip") is not None
    assert made.shown(705)["Crv[1].Pt[3].Var"] == -40
    assert [line.partition(": point 1")[0] for line in twin.unread] == [
        "setESHighVolt 1.05 is outside 100 to 150; it is left out",
        "model 705: opModVoltVar: v_ref 0.01 is outside 50 to 150 % (2030.5 vRef); "
        "the twin starts without it",
        "model 709: opModLFRTMayTrip",
    ]
    assert [line.split(":")[0] for line in twin.differs] == [f"model {n}" for n in (702, 703, 705, 709, 710)]


def test_a_meter_is_no_inverter():
    with pytest.raises(NoTwin, match=r"neither 702\.WMaxRtg nor 120\.WRtg says its power"):
        read([COMMON, {"ID": 701, "ACType": 2}])


def test_ratings_that_contradict_one_another_are_mended_and_told():
    odd = {**MODERN[2], "VAMaxRtg": 700, "VMinRtg": 4100, "PFOvrExtRtg": 140, "VarMaxAbsRtg": 900}
    twin, made = read([*MODERN[:2], odd])
    assert made.device.nameplate.rtgMaxVA == 8000
    told = "\n".join(twin.unread)
    for word in ("702.VAMaxRtg", "702.VMinRtg", "702.PFOvrExtRtg", "702.VarMaxAbsRtg"):
        assert word in told


@pytest.mark.parametrize(
    ("low", "high", "soc", "held"),
    [
        (10, 90, 50, (10, 90, 50)),
        (90, 10, 50, (5, 95, 50)),
        (10, 90, 97, (10, 90, 90)),
        (None, None, 2, (2, 95, 2)),
    ],
)
def test_a_charge_outside_its_limits_is_mended(low, high, soc, held):
    battery = {"ID": 802, "WHRtg": 150, "WHRtg_SF": 2, "SoC": soc, "SoC_SF": 0, "V": 400, "V_SF": 0}
    limits = {"SoCMin": low, "SoCMax": high} if low else {}
    twin, made = read([*MODERN[:-1], battery | limits])
    plate = made.device.nameplate
    assert (plate.soc_min_pct, plate.soc_max_pct, plate.soc_pct) == held
    assert (twin.device_type, plate.rtgMaxWh, plate.pv_v) == ("Batt-3Phase", 15_000, 400)
    assert any("802.SoCMin 90 % is not below" in line for line in twin.unread) == (low == 90)


def test_settings_and_curves_that_the_twin_cannot_have_are_told():
    odd = {**MODERN[2], "WMax": 900}
    curve = {**MODERN[5], "Crv": [{**CURVE, "ActPt": 0}, CURVE]}
    limit = {**MODERN[4], "WMaxLimPct": 180}
    twin, made = read([*MODERN[:2], odd, MODERN[3], limit, curve])
    told = "\n".join(twin.unread)
    assert "setMaxW 9000 is outside 0 to 8000" in told
    assert "model 705: what is in force there cannot be used: ActPt: 0 is not 1 to 10" in told
    assert "model 704: opModMaxLimW" in told
    assert not made.device.setpoints.values()
    assert any(line.startswith("model 704: WMaxLimPctEna 1, twin 0") for line in twin.differs)
