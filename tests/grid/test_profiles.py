"""CSV profiles: what they mean over time, and the line that names what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from dersim import grid
from dersim.errors import ConfigError
from dersim.grid.profiles import read_profile


def write(folder: Path, text: str) -> Path:
    path = folder / "p.csv"
    path.write_text(text)
    return path


def test_weather_goes_in_straight_lines_and_repeats(tmp_path: Path) -> None:
    profile = read_profile(write(tmp_path, "t_s,irradiance_w_m2\n0,0\n100,1000\n200,500\n"), "weather")
    profile.begin(5000.0)
    values = [profile.at("irradiance_w_m2", 5000.0 + t) for t in (0, 50, 100, 150, 200, 250, 300, 350)]
    assert values == pytest.approx([0, 500, 1000, 750, 500, 250, 0, 500])


def test_grid_rows_hold_and_their_instants_are_known(tmp_path: Path) -> None:
    profile = read_profile(
        write(tmp_path, "t_s,voltage_pu,frequency_hz\n0,1,60\n10,0.5,60\n10.16,1,59.9\n"), "grid"
    )
    assert profile.at("voltage_pu", 9.999) == (1, 1, 1)
    assert profile.at("voltage_pu", 10.0) == (0.5, 0.5, 0.5)
    assert profile.at("frequency_hz", 10.2) == 59.9
    assert profile.next_step_s(3.0) == 10.0
    assert profile.next_step_s(10.0) == pytest.approx(10.16)


def test_three_phases(tmp_path: Path) -> None:
    text = "t_s,voltage_a_pu,voltage_b_pu,voltage_c_pu\n0,1,0.9,1.1\n"
    assert read_profile(write(tmp_path, text), "grid").at("voltage_pu", 55) == (1, 0.9, 1.1)


def test_utc_profiles_play_by_the_time_of_day(tmp_path: Path) -> None:
    rows = ["TimeUTC,irradiance_w_m2"] + [f"2024-06-01 {h:02d}:00:00,{h}" for h in range(24)]
    profile = read_profile(write(tmp_path, "\n".join(rows)), "weather")
    noon_utc = 1_750_075_200.0  # 2025-06-16 12:00 UTC
    profile.begin(noon_utc)
    assert profile.at("irradiance_w_m2", noon_utc) == 12
    profile.begin(noon_utc, -7 * 3600.0)  # 05:00 in Phoenix
    assert profile.at("irradiance_w_m2", noon_utc) == 5


BUNDLED = sorted((Path(grid.__file__).parent / "data").glob("*.csv"))


@pytest.mark.parametrize("path", BUNDLED, ids=[path.stem for path in BUNDLED])
def test_the_bundled_profiles_are_good(path: Path) -> None:
    kind = next((each for each in ("grid", "load") if each in path.stem), "weather")
    profile = read_profile(path, kind)
    assert profile.columns


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        ("weather", "", "line 1: the header is missing; name the columns: t_s, TimeUTC, irr"),
        (
            "weather",
            "irradiance_w_m2,t_s\n",
            "line 1: the first column, and no other, must be t_s or TimeUTC",
        ),
        ("weather", "t_s;irradiance_w_m2\n", "line 1: columns are separated by semicolons; use commas"),
        ("weather", "time,irradiance_w_m2\n", "line 1: column 'time' is not known; did you mean TimeUTC?"),
        ("weather", "t_s\n0\n", "line 1: a column is missing"),
        (
            "weather",
            "t_s,irradiance\n0,1\n",
            "line 1: column 'irradiance' is not known; did you mean irradiance_w_m2?",
        ),
        ("weather", "t_s,frequency_hz\n0,1\n", "line 1: column 'frequency_hz' is not known"),
        ("grid", "t_s,voltage_a_pu\n0,1\n", "line 1: give voltage_pu, or all of"),
        ("grid", "t_s,angle_b_deg\n0,1\n", "line 1: give angle_deg, or all of angle_a_deg"),
        ("grid", "t_s,rocof_hz_s\n0,1\n", "line 1: rocof_hz_s needs frequency_hz"),
        ("grid", "t_s,voltage_pu,voltage_pu\n0,1,1\n", "line 1: a column is named twice"),
        ("weather", "t_s,irradiance_w_m2\n", "no rows under the header"),
        ("weather", "t_s,irradiance_w_m2\n0,1\n1\n", "line 3: 1 values under 2 columns"),
        (
            "weather",
            "t_s,irradiance_w_m2\n0,1\n1,nan\n",
            "line 3: irradiance_w_m2 'nan' is not a finite number",
        ),
        ("weather", "t_s,irradiance_w_m2\n0,1\n1,x\n", "line 3: irradiance_w_m2 'x' is not a number"),
        ("weather", "t_s,irradiance_w_m2\n0,1\n0,2\n", "line 3: the time does not rise"),
        ("weather", "t_s,irradiance_w_m2\ninf,1\n", "line 2: t_s 'inf' is not a time"),
        ("weather", "TimeUTC,irradiance_w_m2\nnoon,1\n", "line 2: TimeUTC 'noon' is not a time"),
        ("grid", "t_s,voltage_pu\n0,3\n", "line 2: voltage_pu 3 is outside 0 to 2"),
    ],
)
def test_one_line_names_file_and_line(tmp_path: Path, kind: str, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_profile(write(tmp_path, text), kind)
    assert said in str(caught.value)
    assert "p.csv" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("-1e308,1\n1e308,1\n", "line 2: t_s '-1e308' is not a time"),
        ("0,1\n5e-324,1\n", "line 3: the time rises by less than 0.0001 s; leave this row out"),
    ],
)
def test_times_that_no_clock_can_step_through_are_refused(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_profile(write(tmp_path, f"t_s,voltage_pu\n{rows}"), "grid")


def test_a_missing_or_binary_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_profile(tmp_path / "none.csv", "grid")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not a CSV file"):
        read_profile(tmp_path / "b.csv", "grid")


def test_a_frequency_moves_from_its_row_and_stays_in_range(tmp_path: Path) -> None:
    text = "t_s,frequency_hz,rocof_hz_s,angle_deg\n0,60,0,0\n10,60,-0.5,20\n12,30.5,-1,0\n14,60,0,0\n"
    profile = read_profile(write(tmp_path, text), "grid")
    assert [profile.at("frequency_hz", t) for t in (5.0, 10.0, 11.0, 12.0, 13.5)] == [60, 60, 59.5, 30.5, 30]
    assert profile.during("frequency_hz", 10.0, 12.0) == 59.0
    assert profile.at("angle_deg", 11.0) == (20.0, 20.0, 20.0)
    assert profile.next_step_s(5.0) == 10.0
    assert profile.next_step_s(10.0) == pytest.approx(10.02)


def test_each_phase_has_an_angle(tmp_path: Path) -> None:
    text = "t_s,angle_a_deg,angle_b_deg,angle_c_deg\n0,0,0,0\n1,0,-20,5\n"
    assert read_profile(write(tmp_path, text), "grid").at("angle_deg", 1.5) == (0.0, -20.0, 5.0)
