"""The results of a feeder as CSV or Parquet: flat tables out of the documents."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from dersim.plugin import parquet_modules

CONTENT_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
#: Columns by name, all of one length.
Columns = Mapping[str, Sequence[Any]]


def flat(rows: Sequence[Mapping[str, Any]]) -> Columns:
    """Columns out of rows. A list of values becomes a text, a list of documents a row for each."""
    spread = [each for row in rows for each in _spread(row)]
    return {name: [row[name] for row in spread] for name in (spread[0] if spread else ())}


def _spread(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    inner = next((key for key, value in row.items() if _documents(value)), None)
    own = {key: _plain(value) for key, value in row.items() if key != inner}
    return [own] if inner is None else [own | each for each in row[inner]]


def _documents(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _plain(value: object) -> object:
    return " ".join(map(str, value)) if isinstance(value, list | dict) else value


def written(form: str, columns: Columns) -> bytes:
    """The table as a file. ConfigError where Parquet is asked for and pyarrow is not installed."""
    return _csv(columns) if form == "csv" else _parquet(columns)


def _csv(columns: Columns) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def _parquet(columns: Columns) -> bytes:
    arrow, parquet = parquet_modules()
    sink = io.BytesIO()
    parquet.write_table(arrow.table({name: list(values) for name, values in columns.items()}), sink)
    return sink.getvalue()
