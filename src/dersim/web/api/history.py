"""`GET /api/dersim/history`: the past of one DER, columns side by side."""

from __future__ import annotations

from typing import Annotated, TypedDict

import trio

from dersim.json_schema import described
from dersim.pages.routes import Query, Reply, Route
from dersim.web.context import Call, WebContext

#: Up to this many samples are written faster than a thread starts.
SHORT = 600

Column = list[float | None]


class HistoryDocument(TypedDict):
    """Columns of equal length; names and units as in the overview's metrics."""

    time: Annotated[list[str], described("simulated time, rising; a row of nulls: the process was stopped")]
    power_kw: Column
    reactive_power_kvar: Column
    apparent_power_kva: Column
    voltage_ll_v: Column
    voltage_ln_v: Column
    current_a: Column
    frequency_hz: Column
    irradiance_w_m2: Column
    available_power_kw: Column
    soc_pct: Column
    site_power_kw: Annotated[Column, described("> 0 exports; nulls without a load behind the meter")]


async def _get(context: WebContext, call: Call) -> Reply:
    seconds = call.query["seconds"]
    if call.query["of"] == "fleet":
        past = context.history.fleet_past(seconds)
    else:
        past = context.history.past(call.device, seconds)
    if len(past.times) < SHORT:
        return Reply(200, past.to_json())
    return Reply(200, await trio.to_thread.run_sync(past.to_json))


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/history",
        handler=_get,
        summary="The past of one DER, of the last so many simulated seconds.",
        response=HistoryDocument,
        query=(
            Query("seconds", float, 7200.0, "How far back; four hours and more are kept.", 0, 10_000_000),
            Query(
                "of",
                str,
                "device",
                "fleet: the sum, kept with more than 50 DERs.",
                choices=("device", "fleet"),
            ),
        ),
        etag=True,
        packed=True,
    )
]
