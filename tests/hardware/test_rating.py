"""A nameplate at another rating: all sizes in proportion, nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dersim.errors import ConfigError
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.rating import Rating, rated_nameplate


def test_all_sizes_follow_the_watts() -> None:
    path = bundled("15kVA-Hybrid")
    plate, twice = read_nameplate(path), rated_nameplate(path, Rating(2 * read_nameplate(path).rtgMaxW))
    for name in ("rtgMaxW", "rtgMaxVA", "rtgMaxVar", "rtgMaxVarNeg", "rtgMaxA", "pv_w", "rtgMaxWh"):
        assert getattr(twice, name) == pytest.approx(2 * getattr(plate, name)), name
    for name in ("rtgVNom", "frequency_hz", "phases", "pv_v", "soc_pct", "rtgMinPFOverExcited"):
        assert getattr(twice, name) == getattr(plate, name), name


def test_settings_of_the_file_follow_too_and_counters_do_not(tmp_path: Path) -> None:
    document = json.loads(bundled("10kW-3Phase").read_text())
    document["dersim"] = {"settings": {"setMaxW": 8000, "setESDelay": 60}, "StartUpW": 30}
    document["701"]["TotWhInjL1"] = 500
    path = tmp_path / "plate.json"
    path.write_text(json.dumps(document))
    half = rated_nameplate(path, Rating(5000.0))
    assert half.settings == {"setMaxW": 4000, "setESDelay": 60}
    assert (half.start_up_w, half.initial_exported_wh[0]) == (15, 500)


def test_va_and_var_of_their_own() -> None:
    plate = rated_nameplate(bundled("10kW-3Phase"), Rating(5000.0, 5500.0, 2400.0))
    assert (plate.rtgMaxW, plate.rtgMaxVA, plate.rtgMaxVar, plate.rtgMaxVarNeg) == (5000, 5500, 2400, -2400)
    alone = rated_nameplate(bundled("10kW-3Phase"), Rating(rated_va=11000.0))
    assert (alone.rtgMaxW, alone.rtgMaxVA, alone.pv_w) == (10000, 11000, 10000)


def test_ratings_that_clash_are_told_in_one_line() -> None:
    with pytest.raises(ConfigError, match=r"^rated_w 5000, rated_va 4000: nameplate .* 5000 W is more"):
        rated_nameplate(bundled("10kW-3Phase"), Rating(5000.0, 4000.0))
