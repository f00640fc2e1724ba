"""The readings of a state file as CSV and Parquet."""

import csv
import importlib
import io

import pytest
from tests.utility.conftest import T
from tests.utility.state.test_state import T_INT, mirror_of, reading

from dersim.http11 import Request
from dersim.ieee2030_5 import resources as r
from dersim.timestamps import rfc3339
from dersim.utility.state import export


def ask(lab, query="", method="GET"):
    headers = (("host", "127.0.0.1:8444"),)
    return lab.server.answer_admin(
        Request(method, f"/api/utility/readings{query}", headers, b"", None, "127.0.0.1:50000")
    )


async def filled(lab):
    """Two devices with a reading a minute over an hour; one is in hundreds of W."""
    for name, exponent in ((b"first", 0), (b"second", 2)):
        client = lab.client(name)
        client.get("/dcap")
        kind = r.ReadingType(commodity=1, powerOfTenMultiplier=exponent, uom=38, phase=128)
        first = r.MirrorMeterReading(mRID=f"{1:032X}", description="W A", ReadingType=kind)
        number = len(lab.head_end.end_devices)
        assert client.post("/mup", mirror_of(client, first)).status == 201
        for minute in range(60):
            lab.now = T + 60 * minute
            assert client.post(f"/mup/{number}", reading(1, 10 * minute)).status == 204
    assert await lab.server.state.saved(writing=True)


def rows(answer):
    assert answer.status == 200, answer.body
    return list(csv.DictReader(io.StringIO(answer.body.decode())))


async def test_readings_are_a_csv_file_in_plain_units_and_the_order_of_their_arrival(runs):
    async with runs.run() as lab:
        await filled(lab)
        answer = ask(lab)
        assert answer.header("content-type") == "text/csv; charset=utf-8"
        assert answer.header("content-disposition") == 'attachment; filename="readings.csv"'
        found = rows(answer)
        assert len(found) == 120
        assert found[61] == {
            "received": rfc3339(T + 60),
            "lfdi": lab.client(b"second").lfdi,
            "mirror": "2",
            "meter": "1",
            "mrid": f"{1:032X}",
            "description": "W A",
            "uom": "38",
            "phase": "128",
            "start_s": str(T_INT),
            "duration_s": "0",
            "value": "1000.0",
            "quality": "1",
        }


async def test_readings_are_chosen_by_span_and_device_and_survive_a_restart(runs):
    async with runs.run() as lab:
        await filled(lab)
        first = lab.client(b"first").lfdi
    async with runs.run() as lab:
        chosen = rows(ask(lab, f"?since={rfc3339(T + 600)}&until={rfc3339(T + 1200)}&lfdi={first.lower()}"))
        assert [row["value"] for row in chosen] == [str(10.0 * minute) for minute in range(10, 20)]
        assert rows(ask(lab, f"?since={rfc3339(T - 50)}&until={rfc3339(T - 5)}")) == []


async def test_the_parquet_file_has_the_same_rows_with_types(runs):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is an extra")
    async with runs.run() as lab:
        await filled(lab)
        table = parquet.read_table(io.BytesIO(ask(lab, "?format=parquet").body))
        assert table.column_names == list(export.COLUMNS)
        shown = rows(ask(lab))
        assert table.column("value").to_pylist() == [float(row["value"]) for row in shown]
        assert table.column("received")[61].as_py().timestamp() == T + 60
        empty = ask(lab, f"?format=parquet&until={rfc3339(T - 5)}")
        assert parquet.read_table(io.BytesIO(empty.body)).num_rows == 0


async def test_without_pyarrow_parquet_is_refused_with_what_to_install(runs, monkeypatch):
    def missing(name):
        raise ImportError(name)

    async with runs.run() as lab:
        monkeypatch.setattr(importlib, "import_module", missing)
        answer = ask(lab, "?format=parquet")
        assert answer.status == 400
        assert b"-m pip install 'dersim[parquet]'; or take csv" in answer.body


async def test_what_cannot_be_exported_is_said(runs, lab, monkeypatch):
    without = ask(lab)
    assert without.status == 409
    assert b"start it with --state FILE" in without.body
    async with runs.run() as other:
        await filled(other)
        assert ask(other, f"?since={rfc3339(T)}&until={rfc3339(T - 1)}").status == 400
        assert b"since: a time with its zone" in ask(other, "?since=yesterday").body
        monkeypatch.setattr(export, "MOST_ROWS", 100)
        refused = ask(other)
        assert refused.status == 400
        assert b"more than 100 readings" in refused.body


async def test_old_readings_are_forgotten(runs):
    async with runs.run() as lab:
        await filled(lab)
        store = lab.server.state._store
        assert store.forget(T + 1800) == 30  # up to the first that is younger
        assert len(rows(ask(lab))) == 90
        assert store.forget(T + 86_400) == 90
        assert store.forget(T + 86_400) == 0
