"""Inputs: const or csv, changed at run time, refused when impossible."""

from __future__ import annotations

import math
from typing import Any

import pytest

from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import ALARMS, Inputs
from dersim.grid.profiles import Profile

SUN = Profile([0.0, 60.0], {"irradiance_w_m2": [100.0, 200.0]}, stepwise=False)
GRID = Profile([0.0, 10.0], {"voltage_pu": [(1.0, 1.0, 1.0), (0.9, 0.9, 0.9)]}, stepwise=True)


def test_a_number_is_all_three_phases() -> None:
    inputs = Inputs(Conditions())
    inputs.set(voltage_pu=1.02, irradiance_w_m2=500)
    assert inputs.at(0) == Conditions((1.02, 1.02, 1.02), irradiance_w_m2=500.0)
    inputs.set(voltage_pu=[0.9, 1, 1.1])
    assert inputs.at(0).voltage_pu == (0.9, 1.0, 1.1)
    assert inputs.as_json(0)["voltage_pu"] == [0.9, 1.0, 1.1]


def test_profiles_of_grid_and_sun_stand_side_by_side() -> None:
    inputs = Inputs(Conditions(), grid=GRID, weather=SUN)
    now = inputs.at(30.0)
    assert (now.irradiance_w_m2, now.voltage_pu, now.temperature_c) == (150.0, (0.9, 0.9, 0.9), 25.0)
    assert inputs.source("irradiance_w_m2") == "csv"
    assert inputs.source("temperature_c") == "const"
    assert inputs.as_json(30.0)["source"] == "csv"
    assert inputs.next_change_s(3.0) == 10.0


def test_an_interval_has_the_grid_of_its_start_and_the_sun_of_its_end() -> None:
    inputs = Inputs(Conditions(), grid=GRID, weather=SUN)
    during = inputs.during(5.0, 10.0)
    assert during.voltage_pu == (1.0, 1.0, 1.0)
    assert during.irradiance_w_m2 == pytest.approx(100 + 100 * 10 / 60)


def test_posting_a_value_makes_that_input_const() -> None:
    inputs = Inputs(Conditions(), grid=GRID, weather=SUN)
    inputs.set(irradiance_w_m2=800)
    assert inputs.at(30.0).irradiance_w_m2 == 800.0
    assert inputs.at(30.0).voltage_pu[0] == 0.9
    inputs.set(voltage_pu=1.0)
    assert inputs.constant


@pytest.mark.parametrize("name", ALARMS)
def test_an_alarm_is_true_or_false(name: str) -> None:
    inputs = Inputs(Conditions(), grid=GRID)
    inputs.set(**{name: True})
    assert getattr(inputs.at(30.0), name) is True
    assert inputs.as_json(0)[name] is True
    for wrong in (1, "true", None):
        with pytest.raises(ConfigError, match=name):
            inputs.set(**{name: wrong})


def test_back_to_csv_and_to_const() -> None:
    inputs = Inputs(Conditions(), weather=SUN)
    inputs.set(irradiance_w_m2=800)
    inputs.set(source="csv")
    assert inputs.at(30.0).irradiance_w_m2 == 150.0
    inputs.now_s = lambda: 30.0
    inputs.set(source="const")
    assert inputs.constant
    assert inputs.at(99.0).irradiance_w_m2 == 150.0
    with pytest.raises(ConfigError, match="csv needs a profile"):
        Inputs(Conditions()).set(source="csv")


def test_grid_and_weather_switch_apart() -> None:
    inputs = Inputs(Conditions(), grid=GRID, weather=SUN)
    inputs.set(grid_source="const")
    shown = inputs.as_json(30.0)
    assert (shown["grid_source"], shown["weather_source"], shown["source"]) == ("const", "csv", "csv")
    with pytest.raises(ConfigError, match="weather_source: csv needs a profile"):
        Inputs(Conditions(), grid=GRID).set(weather_source="csv")


def test_neighbours_hear_before_and_after() -> None:
    inputs = Inputs(Conditions())
    heard: list[Any] = []
    inputs.before_change = lambda: heard.append(inputs.at(0).frequency_hz)
    inputs.after_change = lambda: heard.append(inputs.at(0).frequency_hz)
    inputs.set(frequency_hz=59.5)
    assert heard == [60.0, 59.5]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"voltage_pu": 2.1}, "voltage_pu: 2.1 is outside 0 to 2"),
        ({"voltage_pu": [1, 1]}, "a number or three of them"),
        ({"voltage_pu": [1, 1, "x"]}, "a number is needed, not 'x'"),
        ({"frequency_hz": math.nan}, "frequency_hz: a number is needed"),
        ({"frequency_hz": True}, "frequency_hz: a number is needed"),
        ({"sunshine": 1}, "sunshine is not an input; known are voltage_pu"),
        ({"source": "file"}, "'file' is not one of const, csv"),
    ],
)
def test_what_is_refused_changes_nothing(values: dict[str, Any], said: str) -> None:
    inputs = Inputs(Conditions())
    with pytest.raises(ConfigError, match=said.replace("[", r"\[")):
        inputs.set(irradiance_w_m2=1.0, **values)
    assert inputs.at(0) == Conditions()


def test_a_frequency_moves_to_its_target_and_is_const_then() -> None:
    inputs = Inputs(Conditions(), start_s=100.0)
    inputs.set(frequency_hz=59.0, rocof_hz_s=0.5)
    assert not inputs.constant
    assert [inputs.at(t).frequency_hz for t in (100.0, 101.0, 102.0, 103.0)] == [60.0, 59.5, 59.0, 59.0]
    assert inputs.during(100.0, 101.0)[1] == 59.5
    assert [inputs.during(t, 103.0).rocof_hz_s for t in (101.9, 102.0)] == [-0.5, 0.0]
    shown = inputs.as_json(101.0)
    assert (shown["frequency_hz"], shown["rocof_hz_s"], shown["grid_source"]) == (59.5, -0.5, "const")
    assert inputs.next_change_s(101.0) == pytest.approx(101.02)
    assert inputs.next_change_s(102.0) == math.inf
    assert inputs.constant
    assert inputs.as_json(103.0)["rocof_hz_s"] == 0.0


def test_a_frequency_that_moves_starts_from_a_profile_and_stops_where_it_is_told() -> None:
    rows = {"frequency_hz": [59.0, 61.0], "rocof_hz_s": [0.0, 0.0]}
    inputs = Inputs(Conditions(), grid=Profile([0.0, 10.0], rows, stepwise=True))
    inputs.set(frequency_hz=60.0, rocof_hz_s=0.1)
    inputs.now_s = lambda: 5.0
    assert inputs.at(5.0).frequency_hz == 59.5
    inputs.set(grid_source="const")
    assert (inputs.at(9.0).frequency_hz, inputs.constant) == (59.5, True)
    inputs.set(frequency_hz=60.0, rocof_hz_s=0.1)
    inputs.set(grid_source="csv")
    assert inputs.at(12.0).frequency_hz == 61.0
    inputs.set(frequency_hz=60.0)
    assert (inputs.at(12.0).frequency_hz, inputs.constant) == (60.0, True)


def test_a_rate_without_a_frequency_is_refused() -> None:
    inputs = Inputs(Conditions())
    with pytest.raises(ConfigError, match="rocof_hz_s: the frequency_hz to which it moves is missing"):
        inputs.set(rocof_hz_s=1.0)
    assert inputs.constant


def test_angles_are_a_number_or_three() -> None:
    inputs = Inputs(Conditions())
    inputs.set(angle_deg=20)
    assert (inputs.at(0).angle_deg, inputs.as_json(0)["angle_deg"]) == ((20.0, 20.0, 20.0), 20.0)
    inputs.set(angle_deg=[0, -30, 0])
    assert inputs.as_json(0)["angle_deg"] == [0.0, -30.0, 0.0]
    with pytest.raises(ConfigError, match="angle_deg: a number or three of them"):
        inputs.set(angle_deg=[0, 1])


def behind_grid(*names: str) -> Inputs:
    inputs = Inputs(Conditions(), grid=GRID, weather=SUN)
    inputs.offer_grid(names)
    return inputs


def test_what_a_grid_gives_wins_over_the_profile_and_nothing_else_moves() -> None:
    inputs = behind_grid("voltage_pu")
    inputs.meet((1.04, 1.05, 1.06), None, 0.0)
    assert inputs.at(30.0) == Conditions((1.04, 1.05, 1.06), irradiance_w_m2=150.0)
    shown = inputs.as_json(30.0)
    assert (shown["grid_source"], shown["weather_source"], shown["held_by_grid"]) == (
        "grid",
        "csv",
        ["voltage_pu"],
    )
    assert inputs.source("voltage_pu") == "grid"


def test_a_value_that_a_user_sets_wins_over_the_grid_until_it_is_given_back() -> None:
    inputs = behind_grid("voltage_pu")
    inputs.meet((1.04, 1.04, 1.04), None, 0.0)
    inputs.set(voltage_pu=0.97)
    assert inputs.meet((1.05, 1.05, 1.05), None, 0.0) == {}
    assert (inputs.at(0).voltage_pu[0], inputs.as_json(0)["grid_source"]) == (0.97, "const")
    inputs.set(grid_source="grid")
    inputs.meet((1.05, 1.05, 1.05), None, 0.0)
    assert (inputs.at(0).voltage_pu[0], inputs.as_json(0)["grid_source"]) == (1.05, "grid")


def test_from_a_grid_to_its_profile_and_to_const() -> None:
    inputs = behind_grid("voltage_pu")
    inputs.meet((1.04, 1.04, 1.04), None, 0.0)
    inputs.set(grid_source="csv")
    assert (inputs.at(30.0).voltage_pu[0], inputs.held) == (0.9, frozenset())
    inputs.set(grid_source="grid")
    inputs.set(grid_source="const")
    assert (inputs.at(30.0).voltage_pu[0], inputs.source("voltage_pu")) == (1.04, "const")


def test_a_grid_that_gives_the_frequency_alone_leaves_the_voltage_to_its_profile() -> None:
    inputs = behind_grid("frequency_hz")
    inputs.meet((1.1, 1.1, 1.1), 59.9, -0.2)
    now = inputs.at(30.0)
    assert (now.voltage_pu[0], now.frequency_hz, now.rocof_hz_s) == (0.9, 59.9, -0.2)
    assert inputs.as_json(30.0)["grid_source"] == "csv"
    inputs.set(frequency_hz=60.0)
    assert (inputs.at(30.0).rocof_hz_s, inputs.held) == (0.0, frozenset())


def test_a_frequency_that_moves_by_a_command_is_taken_from_the_grid() -> None:
    inputs = behind_grid("frequency_hz")
    inputs.meet(None, 59.9, -0.2)
    inputs.set(frequency_hz=59.0, rocof_hz_s=1.0)
    assert inputs.meet(None, 60.0, 0.0) == {}
    inputs.set(grid_source="grid")
    inputs.meet(None, 60.0, 0.0)
    assert (inputs.at(0.5).frequency_hz, inputs.constant) == (60.0, False)  # the sun's profile goes on


def test_without_a_grid_there_is_none_to_return_to() -> None:
    with pytest.raises(ConfigError, match="grid_source: no grid of this run gives it"):
        Inputs(Conditions()).set(grid_source="grid")
    with pytest.raises(ConfigError, match="weather_source: no grid of this run gives it"):
        behind_grid("voltage_pu").set(weather_source="grid")


def test_a_checkpoint_keeps_the_source() -> None:
    inputs = behind_grid("voltage_pu", "frequency_hz")
    inputs.meet((1.04, 1.04, 1.04), 59.9, 0.0)
    inputs.set(voltage_pu=0.97)
    restored = behind_grid("voltage_pu", "frequency_hz")
    restored.restore(inputs.checkpoint())
    assert restored.held == {"frequency_hz"}
    assert restored.at(30.0) == inputs.at(30.0)
    alone = Inputs(Conditions(), grid=GRID)
    alone.restore(inputs.checkpoint())
    assert (alone.held, alone.at(0).frequency_hz) == (frozenset(), 59.9)


def test_a_checkpoint_of_a_run_without_a_grid_is_taken_over_behind_one() -> None:
    document = Inputs(Conditions()).checkpoint()
    del document["not_grid"]
    inputs = behind_grid("voltage_pu")
    inputs.restore(document)
    assert inputs.held == {"voltage_pu"}


def test_what_a_fleet_file_says_is_not_the_grids() -> None:
    inputs = Inputs(Conditions((1.02, 1.02, 1.02)))
    inputs.offer_grid(["voltage_pu"], ["voltage_pu"])
    assert inputs.meet((1.05, 1.05, 1.05), None, 0.0) == {}
    inputs.set(grid_source="grid")
    assert inputs.meet((1.05, 1.05, 1.05), None, 0.0)
