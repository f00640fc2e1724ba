"""The DER resources in plain units and words, with the wire value beside."""

import pytest

from dersim.csip.der_bodies import capability
from dersim.hardware.state import Alarm, InverterStatus, OperationalMode, StorageMode
from dersim.ieee2030_5 import Edition, words
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.words import in_words
from dersim.plugin.builtin import make_device


def told(resource):
    return {each["name"]: (each["text"], each["wire"]) for each in in_words(resource)}


def test_quantities_are_plain_with_the_multiplier_beside():
    settings = r.DERSettings(
        setMaxW=r.ActivePower(multiplier=1, value=4000),
        setMaxV=r.VoltageRMS(multiplier=-1, value=5280),
        setMinPFOverExcited=r.PowerFactor(displacement=950, multiplier=-3),
        setGradW=10000,
        setESHighFreq=6010,
        updatedTime=1_780_000_000,
    )
    shown = told(settings)
    assert shown["setMaxW"] == ("40000 W", "4000 * 10^1")
    assert shown["setMaxV"] == ("528 V", "5280 * 10^-1")
    assert shown["setMinPFOverExcited"] == ("0.95", "950 * 10^-3")
    assert shown["setGradW"] == ("100 % of setMaxW per s", "10000")
    assert shown["setESHighFreq"] == ("60.1 Hz", "6010")
    assert shown["updatedTime"] == ("2026-05-28T20:26:40.000Z", "1780000000")


def test_codes_and_bitmaps_are_in_words():
    status = r.DERStatus(
        alarmStatus=int(Alarm.OVER_VOLTAGE | Alarm.LOW_POWER_INPUT) | 1 << 20,
        inverterStatus=r.InverterStatusType(dateTime=1_780_000_000, value=4),
        genConnectStatus=r.ConnectStatusType(dateTime=1_780_000_000, value=7),
        stateOfChargeStatus=r.StateOfChargeStatusType(dateTime=1_780_000_000, value=5025),
        storageModeStatus=r.StorageModeStatusType(dateTime=1_780_000_000, value=9),
        readingTime=1_780_000_000,
    )
    shown = told(status)
    assert shown["alarmStatus"] == ("over voltage, low power input, bit 20", "100202 hex")
    assert shown["inverterStatus"] == ("running", "4")
    assert shown["genConnectStatus"] == ("connected, available, operating", "7 hex")
    assert shown["stateOfChargeStatus"] == ("50.25 %", "5025")
    assert shown["storageModeStatus"] == ("unknown to the standard", "9")
    assert {each["since"] for each in in_words(status) if each["since"]} == {"2026-05-28T20:26:40.000Z"}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (InverterStatus, words.INVERTER_STATUS),
        (OperationalMode, words.OPERATIONAL_MODE),
        (StorageMode, words.STORAGE_MODE),
    ],
)
def test_the_codes_are_those_of_our_devices(kind, told):
    assert told == {int(each): each.name.lower().replace("_", " ") for each in kind}


def test_the_alarms_are_those_of_our_devices():
    assert {1 << bit: word for bit, word in words.ALARMS.items()} == {
        int(each): each.name.lower().replace("_", " ") for each in Alarm
    }


def test_no_alarm_is_said():
    assert told(r.DERStatus(alarmStatus=0, readingTime=1))["alarmStatus"] == ("no alarm", "0 hex")


@pytest.mark.parametrize("edition", list(Edition))
@pytest.mark.parametrize("machine", ["PV-3Phase", "HybridDC-3Phase"])
def test_the_modes_supported_are_those_of_the_machine(machine, edition):
    device = make_device(1, device_type=machine)
    modes = device.setpoints.supported_modes
    shown = told(capability(device.nameplate, modes, edition))
    text, _ = shown["modesSupported"]
    assert (
        {"opModVoltVar", "opModMaxLimW"} <= set(text.split(", ")) <= {*modes, "charge mode", "discharge mode"}
    )
    assert shown["type"][0].startswith(("photovoltaic", "combined photovoltaic"))
    assert shown["rtgAbnormalCategory"] == ("Category III", "3")
