"""What is kept of a run: rows, curtailed energy, begins and ends of DERControls; as documents and tables."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from dersim_feeder import series, tables
from dersim_feeder.documents import Telling

from dersim.plugin import ConfigError, SetpointChange, SetpointSource


@pytest.fixture
def make(loop: Any) -> Any:
    """Makes the fleet and feeder of a test."""
    return loop


def limit(loop: Any, percent: float | None, *numbers: int, mrid: str = "A1") -> None:
    for number in numbers:
        loop.fleet.devices[number - 1].setpoints.submit(
            SetpointChange(SetpointSource.CSIP, "opModMaxLimW", percent, mrid)
        )


async def test_a_control_is_marked_once_for_all_its_ders_with_the_voltages_before(make: Any) -> None:
    loop = make("bundled-30", ["PV-3Phase"] * 3)
    await loop.run(30)
    limit(loop, 20.0, 1)
    await loop.run(2)
    limit(loop, 20.0, 2)
    await loop.run(60)
    limit(loop, None, 1)
    await loop.run(2)
    limit(loop, None, 2)
    await loop.run(10)
    begun, ended = loop.grid.series.markers
    assert (begun.began, begun.control, begun.acting.modes) == (True, "A1", ("opModMaxLimW",))
    assert (ended.began, ended.control, ended.acting.most) == (False, "A1", 2)
    assert ended.time_s - begun.time_s == pytest.approx(64, abs=2)
    assert begun.before.time_s < begun.time_s
    assert begun.before.voltage_pu.max() > ended.before.voltage_pu.max()


async def test_what_a_limit_keeps_back_is_curtailed_energy(make: Any) -> None:
    loop = make("bundled-30", ["PV-3Phase", "PV-3Phase", "Batt-3Phase"])
    await loop.run(600)
    assert loop.grid.series.curtailed_kwh.tolist() == pytest.approx([0, 0, 0], abs=0.01)
    first = loop.fleet.devices[0]
    limit(loop, 10.0, 1, 3)
    await loop.run(60)
    kept_kw = (first.seen.available_w - first.seen.p_w) / 1000
    before = loop.grid.series.curtailed_kwh.copy()
    await loop.run(1800)
    gained = loop.grid.series.curtailed_kwh - before
    assert kept_kw > 3
    assert gained.tolist() == pytest.approx([kept_kw / 2, 0, 0], rel=0.02, abs=0.01)


async def test_rows_come_at_equal_intervals_and_stay_bounded(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "MOST_ROWS", 8)
    loop = make("bundled-30", ["PV-3Phase"], tick_s=10.0)
    await loop.run(200)
    kept = loop.grid.series
    assert len(kept.rows) < 8
    assert kept.every_s == 40
    times = [each.time_s for each in kept.rows]
    assert times == sorted(times)
    assert times[-1] - times[0] > 100


async def test_documents_tell_what_the_solution_says(make: Any) -> None:
    loop = make("bundled-30", ["PV-3Phase"] * 4)
    await loop.run(60)
    last, telling = loop.feeder.last, Telling(loop.feeder, loop.grid.series, loop.fleet)
    assert last is not None
    overview = telling.overview(last, 1.0, 1.0)
    assert overview["head_kw"] == pytest.approx(last.head_w / 1000, abs=1e-3)
    assert overview["ders_kw"] == pytest.approx(
        sum(each.seen.p_w for each in loop.fleet.devices) / 1000, abs=1e-3
    )
    buses = {each["bus"]: each for each in telling.buses(last)}
    assert overview["highest"]["pu"] == pytest.approx(float(last.voltage_pu.max()), abs=1e-5)
    assert overview["highest"]["pu"] == max(node["pu"] for node in buses[overview["highest"]["bus"]]["nodes"])
    ders = telling.ders()
    assert [each["device"] for each in ders] == [1, 2, 3, 4]
    assert all(each["device"] in buses[each["bus"]]["ders"] for each in ders)
    assert len(telling.transformers(last)) == 3
    points = telling.profile(last)["points"]
    assert len(points) == len(loop.feeder.node_names)
    assert next(each for each in points if each["bus"] == "head")["km"] == 0


async def test_tables_have_a_row_for_each_node(make: Any) -> None:
    loop = make("bundled-30", ["PV-3Phase"] * 2)
    await loop.run(5)
    telling = Telling(loop.feeder, loop.grid.series, loop.fleet)
    assert loop.feeder.last is not None
    columns = tables.flat(telling.buses(loop.feeder.last))
    text = tables.written("csv", columns).decode()
    rows: list[dict[str, Any]] = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(loop.feeder.node_names)
    assert {"bus", "km", "node", "pu", "ders"} <= rows[0].keys()
    ders = tables.flat(telling.ders())
    assert list(ders["device"]) == [1, 2]


def test_a_parquet_file_has_the_same_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {"device": [1, 2], "bus": ["a", "b"], "v_pu": [1.0, 1.01]}
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed: dersim[parquet]")
    table = parquet.read_table(io.BytesIO(tables.written("parquet", columns)))
    assert table.to_pydict() == columns
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(ConfigError, match=r"dersim\[parquet\]"):
        tables.written("parquet", columns)
