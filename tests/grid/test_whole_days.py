"""Profiles with TimeUTC: played by the time of day, whatever the rows span."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.grid.profiles import Profile, read_profile

DAY_S = 86400
HOUR_S = 3600
MIDNIGHT_S = 1_750_032_000  # 2025-06-16 00:00 UTC


def sun(hour: float) -> float:
    return max(0.0, 1000 * math.sin(math.pi * (hour % 24 - 6) / 12))


def weather(folder: Path, hours: list[float]) -> Profile:
    """Rows at these hours since a midnight, with the sun of that time of day."""
    rows = ["TimeUTC,irradiance_w_m2,temperature_c"]
    for hour in hours:
        day, second = divmod(round(hour * HOUR_S), DAY_S)
        clock = f"{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}"
        rows.append(f"2024-06-{day + 1:02d} {clock},{sun(hour):.3f},{10 + hour % 24:g}")
    path = folder / "p.csv"
    path.write_text("\n".join(rows))
    profile = read_profile(path, "weather")
    profile.begin(MIDNIGHT_S + 12 * HOUR_S)
    return profile


@pytest.mark.parametrize("rows", [24, 25])
def test_noon_is_noon_a_year_later(tmp_path: Path, rows: int) -> None:
    profile = weather(tmp_path, list(range(rows)))
    for day in range(366):
        noon_s = MIDNIGHT_S + (day + 0.5) * DAY_S
        assert profile.at("irradiance_w_m2", noon_s) == pytest.approx(1000)
        assert profile.at("irradiance_w_m2", noon_s + 12 * HOUR_S) == 0
    assert not profile.filled
    assert profile.said() == "is played by the time of day and repeats every day"


def test_daylight_rows_alone_have_a_dark_night(tmp_path: Path) -> None:
    profile = weather(tmp_path, [hour / 2 for hour in range(13, 36)])  # 06:30 to 17:30
    for day in range(20):
        values = [profile.at("irradiance_w_m2", MIDNIGHT_S + day * DAY_S + h * HOUR_S) for h in range(24)]
        assert values[:7] == [0] * 7
        assert values[12] == pytest.approx(1000)
        assert values[18:] == [0] * 6
        assert profile.at("temperature_c", MIDNIGHT_S + day * DAY_S) == 27.5  # that of 17:30 holds
    assert profile.filled
    assert profile.said() == (
        "is played by the time of day and repeats every day; no rows from 17:30 to 06:30: "
        "irradiance is 0, all else holds"
    )


def test_a_single_missing_row_is_a_straight_line_and_two_are_dark(tmp_path: Path) -> None:
    profile = weather(tmp_path, [h for h in range(24) if h not in (10, 13, 14)])
    assert profile.at("irradiance_w_m2", MIDNIGHT_S + 10 * HOUR_S) == pytest.approx((sun(9) + sun(11)) / 2)
    assert profile.at("irradiance_w_m2", MIDNIGHT_S + 12 * HOUR_S) == pytest.approx(1000)
    assert profile.at("irradiance_w_m2", MIDNIGHT_S + 12 * HOUR_S + 1) == 0
    assert profile.at("irradiance_w_m2", MIDNIGHT_S + 15 * HOUR_S) == pytest.approx(sun(15), abs=1e-3)
    assert "no rows from 12:00 to 15:00:" in profile.said()


def test_rows_that_end_early_are_filled_until_midnight(tmp_path: Path) -> None:
    profile = weather(tmp_path, list(range(16)))
    at_16 = MIDNIGHT_S + 3 * DAY_S + 16 * HOUR_S
    assert profile.at("irradiance_w_m2", at_16) == 0
    assert profile.at("temperature_c", at_16) == 25
    assert "no rows from 15:00 to 00:00:" in profile.said()


def test_several_days_play_one_after_another_and_repeat(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    rows = [f"2024-06-0{day} {hour:02d}:00:00,{100 * day + hour}" for day in (1, 2, 3) for hour in range(24)]
    path.write_text("\n".join(["TimeUTC,irradiance_w_m2", *rows]))
    profile = read_profile(path, "weather")
    profile.begin(MIDNIGHT_S)
    noons = [profile.at("irradiance_w_m2", MIDNIGHT_S + (day + 0.5) * DAY_S) for day in range(7)]
    assert noons == [112, 212, 312, 112, 212, 312, 112]
    assert profile.said() == "is played by the time of day and repeats every 3 days"


def test_a_gap_of_several_days_has_its_day(tmp_path: Path) -> None:
    profile = weather(tmp_path, [*range(30), *range(40, 48)])
    assert "no rows from 05:00 of day 2 to 16:00 of day 2: irradiance is 0" in profile.said()


def test_grid_rows_hold_until_the_next_and_play_by_the_time_of_day(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("TimeUTC,voltage_pu\n2024-06-01 08:00:00,0.9\n2024-06-01 08:00:01,1.0\n")
    profile = read_profile(path, "grid")
    profile.begin(MIDNIGHT_S)
    for day in range(3):
        eight_s = MIDNIGHT_S + day * DAY_S + 8 * HOUR_S
        found = [profile.at("voltage_pu", eight_s + t)[0] for t in (-HOUR_S, -0.5, 0, 0.5, 1, HOUR_S)]
        assert found == [1.0, 1.0, 0.9, 0.9, 1.0, 1.0]
        assert profile.next_step_s(eight_s + 1) == eight_s + DAY_S


def test_grid_rows_at_irregular_instants_are_events_and_have_no_gaps(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    rows = ("06:00:00,1", "08:00:00,0.9", "08:00:10,0.5", "08:00:10.2,1", "20:00:00,1.02")
    path.write_text("\n".join(["TimeUTC,voltage_pu", *(f"2024-06-01 {row}" for row in rows)]))
    profile = read_profile(path, "grid")
    assert profile.said() == "is played by the time of day and repeats every day"


def test_a_grid_profile_whose_last_rows_are_missing_says_so(tmp_path: Path) -> None:
    path = tmp_path / "g.csv"
    path.write_text("\n".join(["TimeUTC,voltage_pu", *(f"2024-06-01 {h:02d}:00:00,1" for h in range(20))]))
    said = read_profile(path, "grid").said()
    assert said.endswith("no rows from 19:00 to 00:00: the last row before holds")


@st.composite
def one_day(draw: st.DrawFn) -> tuple[list[float], list[float]]:
    """Rows of at most a day, with increasing times (s of the day) and values."""
    times = draw(st.lists(st.integers(0, DAY_S), min_size=1, max_size=30, unique=True).map(sorted))
    values = draw(st.lists(st.floats(0, 1200), min_size=len(times), max_size=len(times)))
    return [float(t) for t in times], values


@given(
    rows=one_day(),
    stepwise=st.booleans(),
    start_s=st.integers(0, 3 * DAY_S),
    second=st.integers(0, DAY_S - 1),
    day=st.integers(1, 4000),
)
def test_every_day_is_like_the_first(
    rows: tuple[list[float], list[float]], stepwise: bool, start_s: int, second: int, day: int
) -> None:
    times, values = rows
    columns = {"irradiance_w_m2": values}
    profile = Profile(times, columns, stepwise=stepwise, time_of_day_s=times[0] % DAY_S)
    profile.begin(MIDNIGHT_S + start_s)
    now_s = MIDNIGHT_S + second
    assert profile.at("irradiance_w_m2", now_s + day * DAY_S) == profile.at("irradiance_w_m2", now_s)
    if second in times:
        assert profile.at("irradiance_w_m2", now_s) == values[times.index(second)]


def _energy(profile: Profile, start_s: float) -> float:
    """The integral over a day: at each row the value may jump, in between it is a straight line."""
    now_s, end_s, total = start_s, start_s + DAY_S, 0.0
    while now_s < end_s:
        next_s = min(end_s, profile.next_step_s(now_s))
        middle = (now_s + next_s) / 2
        total += profile.at("irradiance_w_m2", middle) * (next_s - now_s)
        now_s = next_s
    return total


@given(rows=one_day(), day=st.integers(1, 400), offset_s=st.integers(0, DAY_S))
def test_the_energy_of_24_hours_is_constant(
    rows: tuple[list[float], list[float]], day: int, offset_s: int
) -> None:
    times, values = rows
    profile = Profile(times, {"irradiance_w_m2": values}, stepwise=False, time_of_day_s=times[0] % DAY_S)
    profile.begin(MIDNIGHT_S)
    first = _energy(profile, MIDNIGHT_S)
    assert _energy(profile, MIDNIGHT_S + day * DAY_S + offset_s) == pytest.approx(first, rel=1e-9, abs=1e-3)
