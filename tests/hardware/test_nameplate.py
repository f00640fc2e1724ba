"""Nameplate files: what they mean, and the point that an error names."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from dersim.errors import ConfigError
from dersim.hardware.nameplate import PROFILES, bundled, nameplate_from_json, read_nameplate
from dersim.json_text import BodyError
from dersim.plugin.builtin import DEVICE_TYPES

GOOD: dict[str, dict[str, Any]] = {
    "701": {"ACType": 3},
    "702": {"WMaxRtg": 8000, "VAMaxRtg": 9000, "VarMaxInjRtg": 4000, "VarMaxAbsRtg": 3000, "VNomRtg": 400},
    "714": {"Prt": [{"DCW": 8500, "DCV": 620}]},
    "dersim": {"HzNom": 50},
}


def changed(**points: Any) -> dict[str, dict[str, Any]]:
    return json.loads(json.dumps(GOOD)) | points


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.json")), ids=lambda path: path.stem)
def test_every_bundled_profile_is_good(path: Path) -> None:
    plate = read_nameplate(path)
    assert plate.rtgMaxW > 0
    assert plate.v_ln_v > 100


def test_the_10_kw_and_500_kw_machines_are_there_and_every_type_has_its_own() -> None:
    assert read_nameplate(bundled("10kW-3Phase")).rtgMaxW == 10_000
    assert read_nameplate(bundled("500kW-3Phase")).rtgMaxW == 500_000
    assert len({kind.profile for kind in DEVICE_TYPES}) == len(DEVICE_TYPES)
    with pytest.raises(ConfigError, match="'9kW' is not bundled; bundled are 10kW-1Phase"):
        bundled("9kW")


def test_a_plugin_brings_a_file_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(GOOD))
    assert read_nameplate(bundled(str(path))).rtgMaxW == 8000
    with pytest.raises(ConfigError, match=r"nameplate .*absent\.json: No such file"):
        read_nameplate(bundled(str(tmp_path / "absent.json")))


def test_what_the_points_mean() -> None:
    plate = nameplate_from_json(GOOD)
    assert (plate.rtgMaxVar, plate.rtgMaxVarNeg) == (4000, -3000)
    assert plate.v_ln_v == pytest.approx(400 / math.sqrt(3))
    assert plate.frequency_hz == 50
    assert (plate.der_type, plate.rtgMaxChargeRateW, plate.q_needs_power) == (4, 0, True)
    assert plate.rtgMaxA == pytest.approx(1.2 * 9000 / 3 / (400 / math.sqrt(3)))


def test_a_battery_and_both() -> None:
    battery = changed(**{"713": {"WHRtg": 15000}, "714": {"Prt": [{"DCV": 400}]}})
    plate = nameplate_from_json(battery)
    assert (plate.der_type, plate.rtgMaxChargeRateW, plate.q_needs_power) == (80, 8000, False)
    assert nameplate_from_json(changed(**{"713": {"WHRtg": 15000}})).der_type == 83


def test_a_machine_that_is_neither_says_what_it_is() -> None:
    fuel_cell = changed(**{"714": {"Prt": [{"DCV": 300}]}, "dersim": {"HzNom": 50, "DERType": 3}})
    plate = nameplate_from_json(fuel_cell)
    assert (plate.der_type, plate.pv_w, plate.rtgMaxWh, plate.rtgMaxChargeRateW) == (3, 0, 0, 0)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "a JSON object such as"),
        ({"702": 5}, "/702: 5 is not an object"),
        (
            changed(**{"702": {"WMaxRtg": 8000}}),
            "/702: VarMaxInjRtg is missing (reactive power rating, injecting, var)",
        ),
        (
            changed(**{"702": GOOD["702"] | {"WMax": 1}}),
            "/702/WMax: WMax is not known; did you mean WMaxRtg?",
        ),
        (
            changed(**{"702": GOOD["702"] | {"WMaxRtg": "8 kW"}}),
            "/702/WMaxRtg: '8 kW' is not a number",
        ),
        (
            changed(**{"702": GOOD["702"] | {"WMaxRtg": -8}}),
            "/702/WMaxRtg: -8 is outside 0.001 to 1e+09 W",
        ),
        (changed(**{"702": GOOD["702"] | {"WMaxRtg": math.nan}}), "/702/WMaxRtg: nan is not a number"),
        (
            changed(**{"702": GOOD["702"] | {"PFOvrExtRtg": 1.5}}),
            "/702/PFOvrExtRtg: 1.5 is outside 0 to 1",
        ),
        (changed(**{"701": {"ACType": 4}}), "/701/ACType: 4 is not one of 1, 2, 3"),
        (changed(dersim={"HzNom": 50, "DERType": 7}), "/dersim/DERType: 7 is not one of 1, 2, 3"),
        (changed(dersim={"HzNom": 55}), "/dersim/HzNom: 55 is not one of 50, 60"),
        (
            changed(dersim={"Priority": "none"}),
            "/dersim/Priority: 'none' is not one of active, reactive",
        ),
        (changed(**{"1": {"Mn": 5}}), "/1/Mn: 5 is not a text"),
        (changed(**{"714": {"Prt": [5]}}), "/714/Prt/0: 5 is not an object"),
        (
            changed(**{"702": GOOD["702"] | {"WMaxRtg": 9500}}),
            "/702/WMaxRtg: 9500 W is more than 702.VAMaxRtg, 9000 VA",
        ),
        (
            changed(**{"702": GOOD["702"] | {"VarMaxAbsRtg": 9500}}),
            "/702/VarMaxAbsRtg: 9500 var is more than",
        ),
        (
            changed(**{"702": GOOD["702"] | {"WChaRteMaxRtg": 9500}, "713": {"WHRtg": 9000}}),
            "/702/WChaRteMaxRtg: 9500 W is more than 702.VAChaRteMaxRtg, 9000 VA",
        ),
        (
            changed(
                **{"702": GOOD["702"] | {"WDisChaRteMaxRtg": 8000, "VADisChaRteMaxRtg": 7000}},
                **{"713": {"WHRtg": 9000}},
            ),
            "/702/WDisChaRteMaxRtg: 8000 W is more than 702.VADisChaRteMaxRtg, 7000 VA",
        ),
        (changed(**{"702": GOOD["702"] | {"VMaxRtg": 390}}), "/702/VNomRtg: 400 V is not between"),
        (changed(**{"714": {"Prt": [{"DCV": 600}]}}), "neither a PV array nor a battery"),
        (changed(**{"713": {"WHRtg": 9, "SoC": 99}}), "/713/SoC: 99 % is outside dersim.SoCMin, 5 %"),
        (
            changed(dersim={"modes": {"opModMaxLimW": 400}}),
            "/dersim/modes/opModMaxLimW: 400 is outside 0 to 100 %",
        ),
        ({"EVSE": {}}, "give it with --evse_profile"),
    ],
)
def test_an_error_names_the_point(document: Any, said: str) -> None:
    with pytest.raises(BodyError) as caught:
        nameplate_from_json(document)
    assert said in caught.value.placed


def test_an_error_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "n.json"
    for text, said in (("{", " line 1 column 2: not JSON"), ("{}", ": 701 is missing")):
        path.write_text(text)
        with pytest.raises(ConfigError, match=f"nameplate .*n.json{said}"):
            read_nameplate(path)
    with pytest.raises(ConfigError, match="No such file"):
        read_nameplate(tmp_path / "none.json")
