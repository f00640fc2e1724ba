"""The rows of a trajectory that are refused, with file and line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import dersim
from dersim.cli.replay import main
from dersim.errors import ConfigError

NAMEPLATE = {"w_max": 10_000, "va_max": 10_000, "var_max_inj": 4_400, "var_max_abs": 4_400, "v_nom": 480}
SCENARIO: dict[str, Any] = {"dt": 1.0, "settings": {"nameplate": NAMEPLATE}}
STORAGE = {"NP_BESS_CAPACITY": 9, "NP_BESS_SOC_MIN": 0, "NP_BESS_SOC_MAX": 1, "NP_EFFICIENCY": 0.9}
HEAD = "t,v_pu,f_hz,p_avl_pu\n"


def said_of(folder: Path, trajectory: str | bytes, scenario: Any = SCENARIO) -> str:
    """What `dersim replay` says, without the folder; "" if it runs."""
    rows, plan = folder / "t.csv", folder / "s.json"
    rows.write_bytes(trajectory if isinstance(trajectory, bytes) else trajectory.encode())
    plan.write_text(scenario if isinstance(scenario, str) else json.dumps(scenario, indent=1))
    try:
        main([str(plan), str(rows), "--out", str(folder / "o.csv")])
    except ConfigError as error:
        return str(error).replace(f"{folder}/", "")
    return ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "t.csv line 1: the header is missing; name the columns: t, f_hz, v_pu"),
        ("t;v_pu;f_hz;p_avl_pu\n0;1;60;1\n", "t.csv line 1: columns are separated by semicolons; use commas"),
        ("t,v_pu,f_hz\n0,1,60\n", "t.csv line 1: column p_avl_pu is missing"),
        ("t,volt_pu,f_hz,p_avl_pu\n", "t.csv line 1: column 'volt_pu' is not known; did you mean v_pu?"),
        ("t,v_a_pu,f_hz,p_avl_pu\n0,1,60,1\n", "t.csv line 1: column v_pu is missing; give it, or v_a"),
        ("t,t,v_pu,f_hz,p_avl_pu\n", "t.csv line 1: a column is named twice, t"),
        (HEAD, "t.csv: no rows under the header"),
        (HEAD + "0,277,60,1\n", "t.csv line 2: v_pu 277 is outside 0 to 2 pu of v_nom"),
        (HEAD + "0,1,-60,1\n", "t.csv line 2: f_hz -60 is outside 30 to 90 Hz"),
        (HEAD + "0,1,60,5000\n", "t.csv line 2: p_avl_pu 5000 is outside 0 to 10 pu of w_max"),
        (HEAD + "0,1,60,-0.1\n", "t.csv line 2: p_avl_pu -0.1 is outside 0 to 10 pu of w_max"),
        (HEAD + "0,1,60,1\n1,nan,60,1\n", "t.csv line 3: v_pu 'nan' is not a finite number"),
        (HEAD + "0,1,60,1\n\n1,1,60,\n", "t.csv line 4: p_avl_pu is empty; a number is needed"),
        ("t,v_a_pu,v_b_pu,v_c_pu,f_hz,p_avl_pu\n0,,1,1,60,1\n", "t.csv line 2: v_a_pu is empty"),
        (HEAD + "nan,1,60,1\n", "t.csv line 2: t 'nan' is not a finite"),
        (HEAD + "noon,1,60,1\n", "t.csv line 2: t 'noon' is not a number"),
        (HEAD + "5,1,60,1\n4,1,60,1\n", "t.csv line 3: t 4 does not rise; it must in every row"),
        (HEAD + "5,1,60,1\n5,1,60,1\n", "t.csv line 3: t 5 does not rise"),
        (HEAD + "0,1,60,1,7\n", "t.csv line 2: 5 values under 4 columns"),
        (HEAD + "0,1,60\n", "t.csv line 2: 3 values under 4 columns"),
        (HEAD.encode("utf-16"), "t.csv: not a CSV file in UTF-8; save it as UTF-8"),
        (b"\xef\xbb\xbf" + HEAD.encode() + b"0,1,60,1\n", ""),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, text: str | bytes, said: str) -> None:
    found = said_of(tmp_path, text)
    assert found.startswith(said) if said else found == ""
    assert "\n" not in found


GOOD = HEAD + "0,1,60,1\n"


@pytest.mark.parametrize(
    ("scenario", "said"),
    [
        ('{"dt": 1,\n "dt": 2}', "s.json line 2: /dt: dt is given twice; remove one"),
        (
            '{"dt": 1,\n "settings": {\n  "volt_vra": {}}}',
            "s.json line 3: /settings/volt_vra: volt_vra is not",
        ),
        ("{", "s.json line 1 column 2: not JSON: a key in double quotes is needed here; "),
        ("", "s.json: not JSON: it is empty"),
        ("[]", "s.json: [] is not an object"),
        ("[" * 5000, "s.json: nested deeper than 20 levels"),
        ('{"dt": NaN}', "s.json line 1: /dt: NaN is not a JSON number"),
        ('{"dt": 1e999}', "s.json line 1: /dt: a number beyond 1.8e308 is not read"),
        ("\ufeff" + json.dumps(SCENARIO), ""),
    ],
)
def test_a_bad_scenario_is_named_by_file_line_and_pointer(tmp_path: Path, scenario: str, said: str) -> None:
    found = said_of(tmp_path, GOOD, scenario)
    assert found.startswith(said) if said else found == ""
    assert "\n" not in found


def test_a_battery_needs_a_demand(tmp_path: Path) -> None:
    settings = {"nameplate": NAMEPLATE | {"w_charge_max": 5000}, "storage": STORAGE}
    found = said_of(tmp_path, GOOD, {"dt": 1, "settings": settings})
    assert found == "t.csv line 1: column p_dem_pu is missing"


@pytest.mark.parametrize("name", ["s.json", "t.csv"])
def test_the_outputs_never_take_the_place_of_an_input(tmp_path: Path, name: str) -> None:
    assert said_of(tmp_path, GOOD) == ""
    inputs, path = [str(tmp_path / each) for each in ("s.json", "t.csv")], tmp_path / name
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=f"^--out .*{name}: this is an input, .*{name}; give another file$"):
        main([*inputs, "--out", str(tmp_path / "." / name)])
    assert path.read_bytes() == before


def test_columns_of_an_earlier_run_are_not_read(tmp_path: Path) -> None:
    text = "t,v_pu,f_hz,p_avl_pu,p_w,status\n0,1,60,1,x,Trip\n"
    assert said_of(tmp_path, text) == ""


def test_rows_of_a_program_are_named_by_their_number() -> None:
    rows: list[dict[str, Any]] = [{"t": 0, "v_pu": 1, "f_hz": 60, "p_avl_pu": 1}]
    with pytest.raises(ConfigError, match=r"^trajectory row 2: v_pu is empty"):
        dersim.replay(SCENARIO, [*rows, rows[0] | {"t": 1, "v_pu": None}])
    with pytest.raises(ConfigError, match=r"^trajectory row 2: f_hz true is not a number"):
        dersim.replay(SCENARIO, [*rows, rows[0] | {"t": 1, "f_hz": True}])
    with pytest.raises(ConfigError, match=r"^trajectory row 1: column f_hz is missing"):
        dersim.replay(SCENARIO, [{"t": 0, "v_pu": 1, "p_avl_pu": 1}])
