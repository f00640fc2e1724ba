"""`/api/feeder/...` and the feeder's metrics: what the page reads, and results for other programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from dersim.plugin import Call, ConfigError, FrontendContext, MetricFamily, Query, Reply, Route
from dersim_feeder import documents as d
from dersim_feeder.feeder import Feeder
from dersim_feeder.results import DEAD_PU, Snapshot
from dersim_feeder.series import Series
from dersim_feeder.tables import CONTENT_TYPES, flat, written

T = TypeVar("T")
_TABLES = ("history", "buses", "ders", "transformers")
_MARKER = Query("marker", int, None, "The voltages before this marker; left out: now.", 1)


class Api:
    """The addresses of one run. A feeder that is not solved yet is a 400 that says so."""

    def __init__(self, context: FrontendContext, feeder: Feeder, series: Series) -> None:
        self._clock = context.clock
        self._feeder, self._series = feeder, series
        self._telling = d.Telling(feeder, series, context.fleet)
        context.add_routes(*self._routes())
        context.metrics["feeder"] = self._metrics

    def _routes(self) -> Iterable[Route]:
        telling = self._telling
        yield self._get("overview", d.Overview, "The feeder now, and today so far.", self._overview)
        yield self._get(
            "buses", list[d.BusDocument], "All buses with the voltages of their nodes.", telling.buses
        )
        yield self._get(
            "branches",
            list[d.BranchDocument],
            "Lines and transformers, from the head on.",
            lambda _last: telling.branches(),
        )
        yield self._get(
            "transformers",
            list[d.TransformerDocument],
            "All transformers and their loading.",
            telling.transformers,
        )
        yield self._get(
            "ders", list[d.DerDocument], "Where the DERs are, and what they do.", lambda _last: telling.ders()
        )
        yield self._get(
            "markers",
            list[d.MarkerDocument],
            "When DERControls began and ended, oldest first.",
            lambda _last: telling.markers(),
        )
        yield self._get(
            "history",
            d.HistoryDocument,
            "The past since the start; the interval doubles when it is full.",
            lambda _last: telling.history(),
        )
        yield self._route(
            "profile",
            d.ProfileDocument,
            "Voltage over distance, now or before a control began or ended.",
            lambda call: telling.profile(self._at(call.query["marker"])),
            _MARKER,
        )
        yield self._route(
            "table",
            str,
            "Results as a file; buses has a row for each node.",
            self._table,
            Query("of", str, "history", "Which table.", choices=_TABLES),
            Query("format", str, "csv", "parquet needs dersim[parquet].", choices=tuple(CONTENT_TYPES)),
            content_type=CONTENT_TYPES["csv"],
        )

    def _get(self, name: str, response: Any, summary: str, make: Callable[[Snapshot], T]) -> Route:
        return self._route(name, response, summary, lambda _call: make(self._last()))

    @staticmethod
    def _route(
        name: str,
        response: Any,
        summary: str,
        handler: Callable[[Call], Any],
        *query: Query,
        content_type: str = "application/json",
    ) -> Route:
        return Route(
            method="GET",
            path=f"/api/feeder/{name}",
            handler=handler,
            summary=summary,
            response=response,
            query=query,
            per_device=False,
            tag="Feeder",
            packed=True,
            content_type=content_type,
        )

    def _last(self) -> Snapshot:
        if self._feeder.last is None:
            raise ConfigError("the feeder is not solved yet; ask again after the first step")
        return self._feeder.last

    def _overview(self, last: Snapshot) -> d.Overview:
        return self._telling.overview(last, self._clock.rate, self._clock.effective_rate)

    def _at(self, marker: int | None) -> Snapshot:
        if marker is None:
            return self._last()
        found = next((each for each in self._series.markers if each.number == marker), None)
        if found is None:
            raise ConfigError(f"marker: there is no {marker}; /api/feeder/markers lists those that are kept")
        return found.before

    def _table(self, call: Call) -> Reply:
        what, form = call.query["of"], call.query["format"]
        last, telling = self._last(), self._telling
        if what == "history":
            history = telling.history()
            columns: Any = {key: value for key, value in history.items() if key != "every_s"}
        elif what == "buses":
            columns = flat(telling.buses(last))
        elif what == "ders":
            columns = flat(telling.ders())
        else:
            columns = flat(telling.transformers(last))
        return Reply(200, written(form, columns), CONTENT_TYPES[form])

    def _metrics(self) -> Iterable[MetricFamily]:
        last = self._feeder.last
        if last is None:
            return
        live = last.voltage_pu[last.voltage_pu > DEAD_PU]
        ends = [({"of": "lowest"}, float(live.min())), ({"of": "highest"}, float(live.max()))]
        yield MetricFamily("dersim_feeder_voltage_pu", "gauge", "Lowest and highest of all nodes.", ends)
        for name, help_text, value in (
            ("head_watts", "Into the feeder at its head; < 0 exports.", last.head_w),
            ("head_vars", "The same, reactive.", last.head_var),
            ("losses_watts", "Lost in lines and transformers.", last.losses_w),
            ("curtailed_watts", "Offered by the sun and not delivered.", self._series.curtailed_kw * 1000),
            ("transformer_loading_ratio", "The highest.", float(last.loading_pct.max(initial=0.0)) / 100),
            ("damping_ratio", "Part of a change of voltage that is handed over.", last.damping),
            ("solve_seconds", "Real time of the last power flow.", last.solve_s),
        ):
            yield MetricFamily(f"dersim_feeder_{name}", "gauge", help_text, [({}, value)])
        for name, help_text, value in (
            ("not_converged_total", "Power flows without a solution.", self._feeder.not_converged),
            ("curtailed_kwh_total", "Energy not delivered.", float(self._series.curtailed_kwh.sum())),
        ):
            yield MetricFamily(f"dersim_feeder_{name}", "counter", help_text, [({}, value)])
