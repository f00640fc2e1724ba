"""Values of modes in words."""

import pytest

from dersim.modes import value_from_json
from dersim.utility import modes_2023
from dersim.utility.mode_words import words_of


@pytest.mark.parametrize(
    ("mode", "value", "words"),
    [
        ("opModMaxLimW", 60, "60 %"),
        ("opModMaxLimWInject", 5000, "5000 W"),
        ("opModConnect", False, "off"),
        ("opModFixedVar", {"percent": -30, "ref": "setMaxW"}, "-30 % of setMaxW"),
        ("opModFixedPFInjectW", {"pf": 0.95, "excitation": "absorb"}, "PF 0.95, absorb"),
        ("opModVoltVar", {"curve": [[92, 44], [98, 0]], "y_ref_type": 2}, "(92, 44) (98, 0) % of setMaxVar"),
        ("opModWattPF", [[0, 1, "absorb"], [100, 0.95, "absorb"]], "(0, 1, absorb) (100, 0.95, absorb)"),
        (
            "opModFreqDroop",
            {"db_of_hz": 0.036, "db_uf_hz": 0.036, "k_of": 0.05, "k_uf": 0.05},
            "db_of_hz 0.036, db_uf_hz 0.036, k_of 0.05, k_uf 0.05, open_loop_s 0",
        ),
    ],
)
def test_a_value_is_told_with_its_unit(mode, value, words):
    assert words_of(mode, value_from_json(mode, value, modes_2023.all_specs())) == words
