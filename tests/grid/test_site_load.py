"""The load behind a DER's meter: over the phases, its reactive power, its profile."""

from __future__ import annotations

from pathlib import Path

import pytest

import dersim.grid
from dersim.errors import ConfigError
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile, read_profile
from dersim.grid.site_load import SiteLoad

THREE = SiteLoad(3)
DATA = Path(dersim.grid.__file__).parent / "data"


def test_one_number_is_the_total_of_all_phases() -> None:
    assert THREE.completed({"load_w": 3000.0})["load_w"] == (1000.0, 1000.0, 1000.0)
    assert SiteLoad(2).completed({"load_w": 3000.0})["load_w"] == (1500.0, 1500.0, 0.0)
    assert SiteLoad(1).completed({"load_w": 3000.0})["load_w"] == (3000.0, 0.0, 0.0)


def test_what_is_read_can_be_set_again() -> None:
    inputs = Inputs(Conditions(), site=SiteLoad(2, 0.9))
    inputs.set(load_w=[1000, 200, 0])
    now = inputs.at(0)
    assert inputs.as_json(0)["load_w"] == [1000, 200, 0]
    inputs.set(load_w=inputs.as_json(0)["load_w"], load_var=inputs.as_json(0)["load_var"])
    assert inputs.at(0) == now


def test_reactive_power_follows_from_the_power_factor() -> None:
    assert SiteLoad(1, 0.8).completed({"load_w": 4000.0})["load_var"] == pytest.approx((3000.0, 0, 0))
    assert SiteLoad(1, -0.8).completed({"load_w": 4000.0})["load_var"] == pytest.approx((-3000.0, 0, 0))
    assert SiteLoad(1, 0.8).completed({"load_w": 4000.0, "load_var": 7.0})["load_var"] == (7.0, 0.0, 0.0)
    assert SiteLoad(1, 0.8).completed({"load_var": 7.0}) == {"load_var": (7.0, 0.0, 0.0)}


def test_power_in_a_phase_that_is_not_there_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"load_w: the DER has no phase C; give 0 there"):
        SiteLoad(2).completed({"load_w": (1.0, 2.0, 3.0)})
    assert SiteLoad(2).completed({"load_w": (1.0, 2.0, 0.0)})["load_w"] == (1.0, 2.0, 0.0)


def test_a_live_value_makes_the_load_const_and_csv_returns_it_to_its_profile() -> None:
    profile = SiteLoad(3, 0.8).of_profile(Profile([0.0, 60.0], {"load_w": [400.0, 4000.0]}, stepwise=True))
    inputs = Inputs(Conditions(), load=profile, site=SiteLoad(3, 0.8))
    assert inputs.as_json(30.0) | {"load_w": 400.0, "load_var": pytest.approx(300.0)} == inputs.as_json(30.0)
    assert inputs.next_change_s(30.0) == 60.0
    assert inputs.at(60.0).load_w == pytest.approx((4000 / 3,) * 3)
    inputs.set(load_w=[1, 2, 3])
    assert inputs.constant
    assert inputs.as_json(60.0)["load_w"] == [1.0, 2.0, 3.0]
    assert inputs.as_json(60.0)["load_source"] == "const"
    inputs.set(load_source="csv")
    assert inputs.as_json(60.0)["load_w"] == pytest.approx(4000.0)
    assert inputs.as_json(60.0)["load_source"] == "csv"


def test_a_der_without_a_load_has_no_inputs_of_one() -> None:
    inputs = Inputs(Conditions())
    assert (inputs.as_json(0)["load_w"], inputs.as_json(0)["load_var"]) == (None, None)
    with pytest.raises(ConfigError, match=r"^load_w: the DER has no load behind its meter; start with"):
        inputs.set(load_w=5)
    with pytest.raises(ConfigError, match="load_source: csv needs a profile"):
        inputs.set(load_source="csv")


def test_a_file_gives_the_total_or_each_phase(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("t_s,load_a_w,load_b_w,load_c_w,load_var\n0,1,2,3,30\n60,4,5,6,60\n")
    profile = THREE.of_profile(read_profile(path, "load"))
    assert profile.at("load_w", 59.0) == (1.0, 2.0, 3.0)
    assert profile.at("load_var", 60.0) == (20.0, 20.0, 20.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("t_s,load_var\n0,1\n", "line 1: load_w is missing"),
        ("t_s,load_a_w\n0,1\n", "line 1: give load_w, or all of load_a_w, load_b_w, load_c_w"),
        ("t_s,load_w\n0,many\n", "line 2: load_w 'many' is not a number"),
        ("t_s,voltage_pu\n0,1\n", "line 1: column 'voltage_pu' is not known"),
    ],
)
def test_a_bad_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "load.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_profile(path, "load")


def test_the_bundled_house_is_played_every_day() -> None:
    house = SiteLoad(1).of_profile(read_profile(DATA / "house-load.csv", "load"))
    watts = [load[0] for load in house.columns["load_w"]]
    assert len(watts) == 96
    assert 15_000 < sum(watts) / 4 < 20_000
    assert max(watts) < 6000
    assert not house.filled
