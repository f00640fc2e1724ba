"""The report of a run under load: one HTML file that needs nothing else, for a screen or for paper."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from importlib.resources import files
from string import Template
from typing import Any

from dersim.load import report_tables as tables
from dersim.load.files import result
from dersim.load.head import RunHead
from dersim.load.series import STATES
from dersim.load.summary import saturation
from dersim.load.svg import Plot, Trace, drawn, since_start
from dersim.load.thresholds import Verdict, time_in_words

_STATE_COLOURS = {"connected": "--good", "discovering": "--c-q", "retrying": "--c-i", "failed": "--bad"}
_RESULTS = {
    "passed": ("good", "passed"),
    "failed": ("bad", "failed"),
    "no thresholds": ("muted", "no thresholds"),
}


def html(head: RunHead, snapshot: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """The whole document. Every text from outside is escaped."""
    series = snapshot["series"]
    plots = plots_of(series)
    figures = "".join(_figure(each, series) for each in plots)
    body = [
        _header(head, snapshot, verdicts),
        *_trouble(snapshot),
        _tiles(head, snapshot),
        f'<div class="grid">{tables.thresholds(verdicts)}{tables.run(head, snapshot)}</div>',
        tables.latencies(snapshot),
        _card("Over time", f'<div class="grid">{figures}</div>'),
        tables.controls(snapshot),
        tables.errors(snapshot),
    ]
    return Template(_template("report.html")).substitute(
        title=escape(f"Load report: {head.devices} DERs, {head.target}"),
        style=_template("report.css"),
        script=_template("report.js"),
        body="\n".join(body),
        series=_embedded(plots, series),
    )


def _template(name: str) -> str:
    return files("dersim.load").joinpath("template", name).read_text(encoding="utf-8")


def _card(title: str, inner: str) -> str:
    return f'<section class="card"><h2>{escape(title)}</h2>{inner}</section>'


def _header(head: RunHead, snapshot: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    style, word = _RESULTS[result(verdicts)]
    began = (snapshot["began"] or "")[:19].replace("T", " ")
    pills = [f'<span class="pill {style}">{word}</span>']
    if snapshot["saturated"]:
        pills.append('<span class="pill warn">client saturated</span>')
    return (
        f"<header><h1>Load report</h1>{''.join(pills)}<button id='theme' type='button'>Light / dark</button>"
        f"<p>{head.devices} DERs of dersim on {escape(head.target)}, {escape(began)} UTC, "
        f"{escape(time_in_words(snapshot['seconds']))}</p></header>"
    )


def _trouble(snapshot: Mapping[str, Any]) -> Iterator[str]:
    if snapshot["saturated"]:
        words = saturation(snapshot)
        yield f'<p class="trouble">{escape(words[:1].upper() + words[1:])}.</p>'
    if not snapshot["requests"]:
        yield '<p class="trouble">Nothing was measured: no request was sent.</p>'


def _tiles(head: RunHead, snapshot: Mapping[str, Any]) -> str:
    latency, lag = snapshot["latency_ms"] or {}, snapshot["lag_ms"] or {}
    handshakes = snapshot["handshakes"]
    connected = max(snapshot["series"]["states"]["connected"], default=0)
    spread = f"p50 {_ms(latency.get('p50'))}, max {_ms(latency.get('max'))}"
    made = sum(each["count"] for each in handshakes.values())
    resumed = handshakes.get("resumed", {}).get("count", 0)
    found = [
        ("requests", str(snapshot["requests"]), f"{snapshot['rate_per_s']:.1f} a second"),
        ("errors", str(snapshot["errors"]), f"{snapshot['error_rate'] * 100:.2g} % of all"),
        ("latency p95", _ms(latency.get("p95")), spread),
        ("DERs connected", str(connected), f"at most, of {head.devices}"),
        ("handshakes", str(made), f"{resumed} resumed"),
        ("controls", str(len(snapshot["controls"])), f"{snapshot['never_seen']} times never seen"),
        ("own loop lag p99", _ms(lag.get("p99")), f"max {_ms(lag.get('max'))}"),
    ]
    return '<div class="tiles">' + "".join(_tile(*each) for each in found) + "</div>"


def _tile(name: str, value: str, unit: str) -> str:
    return (
        f'<div class="tile"><div class="name">{escape(name)}</div><div class="value">{escape(value)}</div>'
        f'<div class="unit">{escape(unit)}</div></div>'
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else time_in_words(value / 1e3)


def plots_of(series: Mapping[str, Any]) -> list[Plot]:
    """The plots over time."""
    states = [Trace(name, _STATE_COLOURS.get(name, "--muted"), series["states"][name]) for name in STATES]
    return [
        Plot("states", "DERs by state", "DERs", states, stacked=True),
        Plot("requests", "Requests", "1/s", [Trace("requests", "--c-q", series["requests_per_s"])]),
        Plot("latency", "Latency, p95 of 10 s", "ms", [Trace("p95", "--accent", series["p95_ms"])]),
        Plot("errors", "Errors", "1/s", [Trace("errors", "--c-p", series["errors_per_s"])]),
        Plot(
            "handshakes",
            "Handshakes",
            "1/s",
            [
                Trace("full", "--c-vll", series["handshakes_full_per_s"]),
                Trace("resumed", "--c-vln", series["handshakes_resumed_per_s"]),
            ],
        ),
        Plot(
            "lag",
            "Greatest loop lag, and delay of a poll",
            "ms",
            [Trace("poll late by", "--c-i", series["late_ms"]), Trace("loop lag", "--c-s", series["lag_ms"])],
        ),
    ]


def _figure(plot: Plot, series: Mapping[str, Any]) -> str:
    keys = "".join(
        f'<span class="key"><i style="background:var({trace.colour})"></i>{escape(trace.name)} <b></b></span>'
        for trace in plot.traces
    )
    return (
        f"<figure><h3>{escape(plot.title)}, {escape(plot.unit)}</h3>{drawn(plot, series['width_s'])}"
        f'<figcaption>{keys}<span class="when muted"></span></figcaption></figure>'
    )


def _embedded(plots: Iterable[Plot], series: Mapping[str, Any]) -> str:
    """The values for the script, so that no markup can be in it."""
    count = len(series["requests_per_s"])
    shape = {
        "count": count,
        "times": [since_start(place * series["width_s"]) for place in range(count)],
        "plots": {plot.key: [_short(trace.values) for trace in plot.traces] for plot in plots},
    }
    return json.dumps(shape, separators=(",", ":")).replace("<", "\\u003c")


def _short(values: Iterable[float | None]) -> list[float | None]:
    return [None if value is None else float(f"{value:.4g}") for value in values]
