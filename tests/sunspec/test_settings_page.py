"""docs/settings.md names each point that reads and writes a setting."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.sunspec.conftest import Bench

from dersim.sunspec.ratings import SettingsModel

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def test_the_page_names_the_points_of_each_setting() -> None:
    rows = [line.split("|") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| `set" in line]
    said = {cells[1].strip(" `"): cells[2] for cells in rows}
    models = [block.model for block in Bench(device_type="Batt").unit.blocks]
    points = {
        (setting, f"{model.model_id}.{point}")
        for model in models
        if isinstance(model, SettingsModel)
        for point, (setting, _) in model.settings_of.items()
    }
    assert len(points) > 20
    for setting, point in points:
        assert point in said[setting].replace(",", "").split(), f"{setting}: {point}"


def test_the_energy_of_a_battery_is_of_its_setting() -> None:
    bench = Bench(device_type="Batt")
    bench.device.settings.update({"setMaxWh": 10_000.0})
    assert (bench.read(713, "WHRtg"), bench.read(713, "SoC")) == (15_000, pytest.approx(75, abs=0.01))
    assert bench.read(713, "WHAvail") == pytest.approx(7500, abs=1)
    # 7.5 kWh less the reserve of 5 % of 10 kWh, at 400 V.
    assert bench.read(124, "StorAval") == pytest.approx(7000 / 400, abs=0.02)
