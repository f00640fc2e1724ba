"""The fleet of a command line: a line of the log says how a profile is played."""

from __future__ import annotations

import io
from pathlib import Path

from dersim.cli.sim import configure
from dersim.clock import SimClock
from dersim.engine.assembly import build_fleet
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer


def lines(path: Path, text: str) -> list[tuple[str, str]]:
    path.write_text(text)
    options, registry = configure(["--dc_profile", str(path)])
    log = LogBuffer(stream=io.StringIO())
    build_fleet(options, registry, SimClock(start_s=1_750_000_000.0), log)
    return [(entry.level, entry.message) for entry in log.entries()]


def test_the_log_says_what_is_played_where_rows_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "sun.csv"
    rows = [f"2024-06-01 {hour:02d}:00:00,500" for hour in range(8, 17)]
    said = "is played by the time of day and repeats every day; no rows from 16:00 to 08:00: irradiance is 0"
    text = "\n".join(["TimeUTC,irradiance_w_m2", *rows])
    assert lines(path, text) == [("Warning", f"{path} {said}")]


def fleet_of(*flags: str) -> Fleet:
    options, registry = configure([*flags, "--seed", "7"])
    log = LogBuffer(stream=io.StringIO())
    return build_fleet(options, registry, SimClock(start_s=1_750_000_000.0), log)


def test_a_der_is_the_same_in_whichever_process_its_number_is() -> None:
    whole, rest = fleet_of("-N", "6"), fleet_of("--first", "4", "-N", "3")
    assert [device.number for device in rest.devices] == [4, 5, 6]
    for mine, other in zip(rest.devices, whole.devices[3:], strict=True):
        assert mine.name == other.name
        assert mine.nameplate.serial_number == other.nameplate.serial_number
        assert mine.rng.random() == other.rng.random()
    assert rest.find(4) is rest.devices[0]
    assert (rest.find(3), rest.find(7)) == (None, None)


def test_with_first_a_der_alone_has_the_certificate_of_its_number() -> None:
    alone = (fleet_of(), fleet_of("--first", "1"), fleet_of("--first", "9"))
    assert [fleet.numbered for fleet in alone] == [False, True, True]


def test_a_profile_of_seconds_has_no_line(tmp_path: Path) -> None:
    assert lines(tmp_path / "sun.csv", "t_s,irradiance_w_m2\n0,500\n") == []


def test_each_group_has_its_type_its_inputs_and_its_own_place_in_the_profile(tmp_path: Path) -> None:
    (tmp_path / "sun.csv").write_text("t_s,irradiance_w_m2\n0,100\n60,200\n120,300\n")
    (tmp_path / "fleet.yaml").write_text(
        "groups:\n"
        "- {count: 3, device_type: PV-1Phase, inputs: {dc_profile: sun.csv, shift_s: -60}}\n"
        "- {count: 1, device_type: Batt-3Phase, inputs: {voltage_pu: 1.02, frequency_hz: 60.1}}\n"
    )
    fleet = fleet_of("--fleet", str(tmp_path / "fleet.yaml"), "--first", "7")
    assert [(device.number, device.device_type.name) for device in fleet.devices] == [
        (7, "PV-1Phase"), (8, "PV-1Phase"), (9, "PV-1Phase"), (10, "Batt-3Phase")
    ]  # fmt: skip
    seen = [device.inputs.at(1_750_000_000.0) for device in fleet.devices]
    assert [each.irradiance_w_m2 for each in seen[:3]] == [100, 200, 300]
    assert (seen[3].voltage_pu, seen[3].frequency_hz) == ((1.02, 1.02, 1.02), 60.1)
    assert fleet.numbered
    alone = fleet_of("--first", "8", "-d", "PV-1Phase")
    assert fleet.devices[1].rng.random() == alone.devices[0].rng.random()


def test_a_load_of_the_flags_and_one_of_each_group(tmp_path: Path) -> None:
    alone = fleet_of("--site_load", "-1200", "--site_load_pf", "-0.8").devices[0]
    assert alone.inputs.as_json(0)["load_w"] == -1200
    assert round(alone.inputs.as_json(0)["load_var"]) == 900
    assert fleet_of().devices[0].inputs.site is None
    (tmp_path / "load.csv").write_text("t_s,load_w\n0,1000\n60,2000\n")
    (tmp_path / "fleet.yaml").write_text(
        "groups:\n"
        "- {count: 1, inputs: {site_load: 500, site_load_pf: 0.8}}\n"
        "- {count: 2, inputs: {site_load: load.csv, shift_s: 60}}\n"
        "- {count: 1}\n"
    )
    fleet = fleet_of("--fleet", str(tmp_path / "fleet.yaml"))
    loads = [each.inputs.as_json(1_750_000_000.0 + 65)["load_w"] for each in fleet.devices]
    assert loads == [500, 2000, 1000, None]


def test_a_profile_of_a_load_by_the_time_of_day_is_told(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text("TimeUTC,load_w\n2024-06-01 00:00:00,500\n2024-06-01 12:00:00,900\n")
    options, registry = configure(["--site_load", str(path)])
    log = LogBuffer(stream=io.StringIO())
    build_fleet(options, registry, SimClock(start_s=1_750_000_000.0), log)
    assert [(each.module, each.message) for each in log.entries()] == [
        ("Site", f"{path} is played by the time of day and repeats every day")
    ]


def test_a_profile_whose_frequency_a_grid_gives_is_told(tmp_path: Path) -> None:
    path = tmp_path / "grid.csv"
    path.write_text("t_s,frequency_hz,voltage_pu\n0,59.9,0.97\n")
    options, registry = configure(["--grid_profile", str(path), "--island_mva", "1"])
    log = LogBuffer(stream=io.StringIO())
    fleet = build_fleet(options, registry, SimClock(start_s=1_750_000_000.0), log)
    assert [entry.message for entry in log.entries()] == [
        f"{path}: its frequency_hz is not used, grid island gives it until grid_source of /api/dersim/inputs "
        f"is set to csv"
    ]
    inputs = fleet.devices[0].inputs
    assert (inputs.source("frequency_hz"), inputs.source("voltage_pu")) == ("grid", "csv")
