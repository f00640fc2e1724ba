"""JSON files from outside are read within bounds; each mistake is one line without Python in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dersim import json_text
from dersim.cli import replay
from dersim.errors import ConfigError
from dersim.hardware.nameplate import bundled, read_nameplate

WRONG = [
    ("9" * 5000, "/702/WMaxRtg: a number of 5000 digits; at most 40 are read"),
    ("9" * 400, "/702/WMaxRtg: a number of 400 digits; at most 40 are read"),
    ("[" * 3000 + "]" * 3000, "nested deeper than 20 levels"),
    ("[" * 30 + "]" * 30, "/702/WMaxRtg/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0: nested deeper than 20 levels"),
    ("1e400", "/702/WMaxRtg: a number beyond 1.8e308 is not read"),
    ("NaN", "/702/WMaxRtg: NaN is not a JSON number"),
    ('"\\ud800"', "/702/WMaxRtg: a text has half of a surrogate pair, which is no character"),
]


@pytest.mark.parametrize(("value", "words"), WRONG)
def test_a_nameplate_with_a_value_beyond_all_bounds_is_refused_by_its_place(
    tmp_path: Path, value: str, words: str
) -> None:
    document = json.loads(bundled("10kW-3Phase").read_text())
    document["702"]["WMaxRtg"] = "@"
    file = tmp_path / "plate.json"
    file.write_text("\n" + json.dumps(document).replace('"@"', value))
    with pytest.raises(ConfigError) as caught:
        read_nameplate(file)
    line = " line 2" if words.startswith("/") else ""
    assert str(caught.value).startswith(f"nameplate {file}{line}: {words}")


@pytest.mark.parametrize(("value", "words"), WRONG)
def test_a_scenario_with_a_value_beyond_all_bounds_is_refused_by_its_place(
    tmp_path: Path, value: str, words: str
) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('\n{"702": {"WMaxRtg": @}}'.replace("@", value))
    with pytest.raises(ConfigError) as caught:
        replay.main([str(file), str(file), "--out", str(tmp_path / "out.csv")])
    line = " line 2" if words.startswith("/") else ""
    assert str(caught.value).startswith(f"{file}{line}: {words}")


@pytest.mark.parametrize(
    ("section", "name", "value"),
    [
        ("nameplate", "v_nom", 0),
        ("nameplate", "category", 5),
        ("nameplate", "category", ["CAT_B", []]),
        ("trip", "uf1", None),
        ("volt_var", "enabled", "false"),
    ],
)
def test_a_scenario_with_a_value_of_another_kind_is_refused_without_python(
    tmp_path: Path, section: str, name: str, value: Any
) -> None:
    watts = {"w_max": 100, "va_max": 100, "var_max_inj": 44, "var_max_abs": 44, "v_nom": 480}
    scenario: dict[str, Any] = {"dt": 1.0, "settings": {"nameplate": watts}}
    scenario["settings"].setdefault(section, {})[name] = value
    file = tmp_path / "scenario.json"
    file.write_text(json.dumps(scenario))
    with pytest.raises(
        ConfigError, match=rf"scenario\.json line 1: /settings/{section}/{name}.*: .* is (not|outside) "
    ) as caught:
        replay.main([str(file), str(file), "--out", str(tmp_path / "out.csv")])
    assert "Error(" not in str(caught.value)


def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(ConfigError, match="the file has more than 16 MiB"):
        json_text.read_file(Path("/dev/zero"))


def test_a_file_that_is_not_utf_8_is_refused_in_words(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b'{"a": "\xff"}')
    with pytest.raises(ConfigError, match=r"x\.json: not JSON: it is not UTF-8$"):
        json_text.read_file(file)


def test_a_long_text_in_a_nameplate_is_cut_in_the_message(tmp_path: Path) -> None:
    document = json.loads(bundled("10kW-3Phase").read_text())
    document["1"]["Mn"] = "x" * 10_000
    file = tmp_path / "plate.json"
    file.write_text(json.dumps(document))
    with pytest.raises(ConfigError) as caught:
        read_nameplate(file)
    assert len(str(caught.value)) < 250


LINES = """{
 "a": {
  "b": [1,
   2, {"c":
 5}],
  "d/e": "x:,"
 }, "a2": [
[1],
[2,"z"]],
 "q": 1,
 "q": 2
}"""


@pytest.mark.parametrize(
    ("pointer", "line"),
    [
        ("/a", 2),
        ("/a/b", 3),
        ("/a/b/1", 4),
        ("/a/b/2/c", 4),
        ("/a/d~1e", 6),
        ("/a2", 7),
        ("/a2/1", 9),
        ("/a2/1/1", 9),
        ("/q", 11),
        ("/none", 1),
        ("/a/none/0", 2),
        ("/a/b/2/none", 4),
        ("/a2/9", 7),
    ],
)
def test_the_line_of_a_pointer(pointer: str, line: int) -> None:
    assert json_text.line_of(LINES, pointer) == line


def test_a_key_given_twice_is_refused_in_bodies_too() -> None:
    with pytest.raises(json_text.BodyError) as caught:
        json_text.parse('{"a": [{"b": 1, "b": 1}]}')
    assert (caught.value.pointer, str(caught.value)) == ("/a/0/b", "b is given twice; remove one")
