"""The table that a run under load ends with, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dersim.load.reactions import STEPS
from dersim.load.thresholds import Verdict, ms_in_words, time_in_words

_HEAD = ("request", "count", "1/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "errors")
#: Errors of one kind that are named in the table.
_NAMED_ERRORS = 3

Line = tuple[str, str]


def lines(
    snapshot: Mapping[str, Any], verdicts: Sequence[Verdict], *, ascii_only: bool = False
) -> list[Line]:
    """Text and style ("", "bold", "green", "bold red", "yellow") of each line."""
    share = snapshot["error_rate"] * 100
    began = (
        f"load: {snapshot['requests']} requests in {snapshot['seconds']:.0f} s "
        f"({snapshot['rate_per_s']:.1f}/s), "
        f"{snapshot['errors']} errors ({share:.2g} %)"
    )
    found: list[Line] = [(began, "bold")]
    found += [(f"  {text}", "" if place else "dim") for place, text in enumerate(_table(snapshot))]
    found += [(f"  {text}", "") for text in _beside(snapshot)]
    if snapshot["saturated"]:
        found.append((f"  {saturation(snapshot)}", "yellow"))
    good, bad = ("ok", "FAILED") if ascii_only else ("\u2713", "\u2717")
    width = max((len(each.text) for each in verdicts), default=0)
    for each in verdicts:
        mark, style = (good, "green") if each.passed else (bad, "bold red")
        found.append((f"  {mark} {each.text:{width}}  {each.found}", style))
    return found


def saturation(snapshot: Mapping[str, Any]) -> str:
    """What a saturated client means, in a sentence."""
    lag_ms = snapshot["lag_ms"]["p99"]
    where = f" ({snapshot['busiest']})" if snapshot["busiest"] else ""
    return (
        f"client saturated{where}: the p99 of its own loop lag is {lag_ms:.0f} ms (above 50 ms), "
        f"so the latencies are partly its own; use fewer DERs in a process"
    )


def _table(snapshot: Mapping[str, Any]) -> Iterator[str]:
    rows = [_HEAD, *(_row(each) for each in snapshot["kinds"])]
    for name, each in snapshot["handshakes"].items():
        rate = each["count"] / max(snapshot["seconds"], 1)
        rows.append(_row({"kind": f"handshake, {name}", "errors": (), "rate_per_s": rate, **each}))
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    for row in rows:
        first, *rest, last = (
            f"{cell:{width}}" if column in (0, len(_HEAD) - 1) else f"{cell:>{width}}"
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join((first, *rest, last)).rstrip()


def _row(kind: Mapping[str, Any]) -> tuple[str, ...]:
    times = kind["latency_ms"] or {}
    shown = [ms_in_words(times[name]) if times else "-" for name in ("p50", "p95", "p99", "max")]
    errors = [f"{each['count']} {each['error']}" for each in kind["errors"]]
    more = [f"{len(errors) - _NAMED_ERRORS} more"] if len(errors) > _NAMED_ERRORS else []
    named = ", ".join((*errors[:_NAMED_ERRORS], *more)) or "-"
    return kind["kind"], str(kind["count"]), f"{kind['rate_per_s']:.2f}", *shown, named


def _beside(snapshot: Mapping[str, Any]) -> Iterator[str]:
    for name, words in (("lag_ms", "own loop lag"), ("late_ms", "polls started late by")):
        if times := snapshot[name]:
            told = (f"{key} {time_in_words(times[key] / 1e3)}" for key in ("p50", "p99", "max"))
            yield f"{words}: {', '.join(told)}"
    controls = snapshot["controls"]
    if not controls:
        return
    yield f"controls: {len(controls)}, never seen by {snapshot['never_seen']} DERs"
    for step in STEPS:
        shown = [each["steps"][step] for each in controls if each["steps"][step]]
        if shown:
            count, worst = sum(each["count"] for each in shown), max(each["p95"] for each in shown)
            yield f"  {step}: {count} times, p95 of the slowest {time_in_words(worst)}"
