"""The meter readings of the state file as CSV or Parquet, made in a thread.

A value is in the unit of its ReadingType, its power of ten applied. A reading of a mirror that was removed
has the numbers of both and no more.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from dersim.errors import ConfigError
from dersim.parquet import parquet_modules
from dersim.timestamps import rfc3339_many
from dersim.utility.head_end import HeadEnd
from dersim.utility.state.store import Store

Form = Literal["csv", "parquet"]
CONTENT_TYPES: Mapping[Form, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
#: Readings in one file; a longer span takes several.
MOST_ROWS = 2_000_000
COLUMNS = (
    "received",
    "lfdi",
    "mirror",
    "meter",
    "mrid",
    "description",
    "uom",
    "phase",
    "start_s",
    "duration_s",
    "value",
    "quality",
)


class Meter(NamedTuple):
    """A meter reading of a mirror. uom, phase: UomType and PhaseCode of its ReadingType."""

    lfdi: str
    mrid: str
    description: str
    uom: int | None
    phase: int | None
    exponent: int


_UNKNOWN = Meter("", "", "", None, None, 0)
Meters = Mapping[tuple[int, int], Meter]
#: One row of the export, in the order of `COLUMNS`; received: UTC seconds since 1970.
Row = tuple[Any, ...]


def meters_of(head_end: HeadEnd, lfdi: str | None) -> dict[tuple[int, int], Meter]:
    """The meter readings that are known, by the numbers of mirror and reading; of one device or all."""
    return {
        (mirror.number, each.number): Meter(
            mirror.lfdi,
            each.mrid,
            each.description or "",
            each.reading_type.uom,
            each.reading_type.phase,
            each.reading_type.powerOfTenMultiplier or 0,
        )
        for mirror in head_end.mirrors
        if lfdi is None or mirror.lfdi == lfdi
        for each in mirror.readings.values()
    }


def export(
    store: Store, form: Form, since_s: float, until_s: float, meters: Meters, *, only: bool
) -> Callable[[], bytes]:
    """What makes the file; only: leave out what is not of these meters. ConfigError for too many readings."""
    write = _csv if form == "csv" else _parquet_writer()
    return lambda: write(_rows(store, since_s, until_s, meters, only=only))


def _rows(store: Store, since_s: float, until_s: float, meters: Meters, *, only: bool) -> Iterator[Row]:
    count = 0
    for page in store.readings(since_s, until_s):
        for received_s, mirror, meter, start_s, duration_s, value, quality in page:
            found = meters.get((int(mirror or 0), int(meter or 0)))
            if found is None and only:
                continue
            count += 1
            if count > MOST_ROWS:
                raise ConfigError(
                    f"since: there are more than {MOST_ROWS} readings from then on; give a shorter span"
                )
            lfdi, mrid, description, uom, phase, exponent = found or _UNKNOWN
            scaled = None if value is None else _scaled(value, exponent)
            own = (lfdi, mirror, meter, mrid, description, uom, phase)
            yield received_s, *own, start_s, duration_s, scaled, quality


def _scaled(value: float, exponent: int) -> float:
    return value * 10.0**exponent if exponent >= 0 else value / 10.0**-exponent


def _csv(rows: Iterator[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    found = list(rows)
    times = rfc3339_many(row[0] for row in found)
    writer.writerows((time, *row[1:]) for time, row in zip(times, found, strict=True))
    return text.getvalue().encode()


def _parquet_writer() -> Callable[[Iterator[Row]], bytes]:
    """ConfigError where pyarrow is not installed."""
    arrow, parquet = parquet_modules()
    kinds = [
        arrow.timestamp("ms", tz="UTC"),
        *(arrow.string(), arrow.int32(), arrow.int32(), arrow.string(), arrow.string()),
        *(arrow.int32(), arrow.int32(), arrow.int64(), arrow.int64(), arrow.float64(), arrow.int32()),
    ]
    schema = arrow.schema(list(zip(COLUMNS, kinds, strict=True)))

    def write(rows: Iterator[Row]) -> bytes:
        found = [(round(row[0] * 1000), *row[1:]) for row in rows]
        columns = zip(*found, strict=True) if found else ((),) * len(COLUMNS)
        arrays = [
            arrow.array(list(column), type=field.type) for column, field in zip(columns, schema, strict=True)
        ]
        sink = io.BytesIO()
        parquet.write_table(arrow.Table.from_arrays(arrays, schema=schema), sink)
        return sink.getvalue()

    return write
