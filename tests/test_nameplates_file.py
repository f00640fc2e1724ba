"""`--nameplates FILE.csv`: DERs that differ, row by row, with and without -N."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from dersim.cli.sim import configure
from dersim.clock import SimClock
from dersim.engine.assembly import build_fleet
from dersim.errors import ConfigError
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer

MIX = "name,device_type,rated_w,rated_va,count\nroof,PV-1Phase,5000,5500,2\n,PV-3Phase,30000,,\n,,,,1\n"


def fleet_of(path: Path, text: str, *flags: str) -> Fleet:
    path.write_text(text)
    options, registry = configure(["--nameplates", str(path), "--seed", "7", *flags])
    log = LogBuffer(stream=io.StringIO())
    return build_fleet(options, registry, SimClock(start_s=1_750_000_000.0), log)


def test_each_row_is_a_der_or_as_many_as_it_counts(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path / "mix.csv", MIX, "-d", "Batt-3Phase")
    assert [(d.number, d.name, d.nameplate.rtgMaxW, d.nameplate.rtgMaxVA) for d in fleet.devices] == [
        (1, "roof 1", 5000, 5500),
        (2, "roof 2", 5000, 5500),
        (3, "PV-3Phase 3", 30000, 30000),
        (4, "Batt-3Phase 4", 10000, 10000),
    ]
    assert fleet.numbered


def test_with_a_number_the_rows_begin_again(tmp_path: Path) -> None:
    fleet = fleet_of(tmp_path / "mix.csv", MIX, "-N", "6", "--first", "11")
    assert [(d.number, d.nameplate.rtgMaxW) for d in fleet.devices] == [
        (11, 5000), (12, 5000), (13, 30000), (14, 10000), (15, 5000), (16, 5000)
    ]  # fmt: skip
    serials = {device.nameplate.serial_number for device in fleet.devices}
    assert len(serials) == 6


def test_a_number_below_the_rows_cuts_them(tmp_path: Path) -> None:
    assert len(fleet_of(tmp_path / "mix.csv", MIX, "-N", "1").devices) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rated_w\n", "no row; give a row for each DER"),
        ("rated_w\n0\n", "line 2: rated_w 0 is outside 0.001 to 1e\\+09"),
        ("rated_w,count\n5000,1.5\n", "line 2: count 1.5 is not a whole number"),
        ("rated_kw\n5\n", "line 1: column 'rated_kw' is not known"),
        ("device_type\nPV\nwind\n", "line 3: .*wind"),
        ("nameplate\nnone.json\n", "line 2: nameplate .*none.json is no file"),
        ("rated_w,rated_va\n5000,4000\n", "line 2: rated_w 5000, rated_va 4000: nameplate"),
    ],
)
def test_a_bad_row_is_refused_with_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigError, match=f"mix.csv.*{told}"):
        fleet_of(tmp_path / "mix.csv", text)


def test_a_fleet_file_beside_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "fleet.yaml").write_text("groups:\n  - {count: 1}\n")
    with pytest.raises(ConfigError, match="--nameplates and --fleet: both say which DERs there are"):
        fleet_of(tmp_path / "mix.csv", MIX, "--fleet", str(tmp_path / "fleet.yaml"))
