"""The meter readings of the state file, as CSV or Parquet."""

from __future__ import annotations

from dersim.errors import ConfigError
from dersim.pages.routes import Query
from dersim.utility.admin.context import AdminContext, AdminRoute, Call, Later
from dersim.utility.admin.orders import moment
from dersim.utility.admin.paging import wanted_lfdi
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.state.export import CONTENT_TYPES, Form

#: Without `since`, the readings of so many seconds.
DEFAULT_SPAN_S = 86_400.0


def _export(context: AdminContext, call: Call) -> Later:
    head_end, query = context.head_end, call.query
    if head_end.held is None:
        raise refusal(
            "conflict",
            "this server keeps its newest readings only",
            "start it with --state FILE; GET /api/utility/mirror-usage-points has the newest",
        )
    until, since, lfdi = query["until"], query["since"], wanted_lfdi(query)
    until_s = head_end.now_s() + 1 if until is None else moment("until", until)
    since_s = until_s - DEFAULT_SPAN_S if since is None else moment("since", since)
    if since_s >= until_s:
        raise ConfigError("since: it is not before until")
    form: Form = query["format"]
    make = head_end.held.export(form, since_s, until_s, lfdi)
    return Later(make, CONTENT_TYPES[form], f"readings.{form}")


ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/readings",
        handler=_export,
        summary="The meter readings of --state as a file, in the order of their arrival.",
        response=str,
        query=(
            Query("format", str, "csv", "csv, or parquet (needs pyarrow).", choices=("csv", "parquet")),
            Query("since", str, None, "Received from then on, RFC 3339; left out: a day before until."),
            Query("until", str, None, "Received before then, RFC 3339; left out: now."),
            Query("lfdi", str, None, "Only those of the device with this LFDI."),
        ),
        content_type="text/csv",
        tag="Reports",
        problems=("conflict",),
    ),
]
