"""The tables of the report."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from dersim.load.head import RunHead
from dersim.load.reactions import STEPS
from dersim.load.svg import spread
from dersim.load.thresholds import Verdict, ms_in_words, time_in_words

_DUE = ("p50", "p90", "p95", "p99", "p99.9", "max")
_SENT = ("p50", "p95", "p99")
_MOST_CONTROLS = 200
_MRID_CHARS = 8


def _card(title: str, inner: str, note: str = "") -> str:
    below = f'<p class="note">{escape(note)}</p>' if note else ""
    return f'<section class="card"><h2>{escape(title)}</h2>{inner}{below}</section>'


def _table(head: str, rows: Iterable[str], kind: str = "") -> str:
    parts = f"<thead>{head}</thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="scroll"><table class="{kind}">{parts}</table></div>'


def _n(text: str, more: str = "") -> str:
    return f'<td class="n {more}">{escape(text)}</td>'


def _ms(times: Mapping[str, float] | None, name: str) -> str:
    return ms_in_words(times[name]) if times else "-"


def thresholds(verdicts: Sequence[Verdict]) -> str:
    """A row for each threshold with a tick or a cross."""
    if not verdicts:
        return _card("Thresholds", "", "None were set: --fail 'p95(GET DERControlList) < 250ms' sets one.")
    rows = (
        f'<tr><td class="{"good" if each.passed else "bad"} strong">'
        f"{'&#10003; holds' if each.passed else '&#10007; failed'}</td>"
        f"<td><code>{escape(each.text)}</code></td>{_n(each.found, 'strong')}</tr>"
        for each in verdicts
    )
    return _card(
        "Thresholds", _table("<tr><th></th><th>threshold</th><th class='n'>measured</th></tr>", rows)
    )


def run(head: RunHead, snapshot: Mapping[str, Any]) -> str:
    """What ran, against what, on which machine."""
    seconds = max(snapshot["seconds"], 1)
    share = head.cpu_s / seconds * 100
    per_der = snapshot["requests"] / max(head.devices, 1) / seconds * 60
    wanted = "" if head.wanted_s is None else f" of {time_in_words(head.wanted_s)}"
    lasted = f"{time_in_words(seconds)}{wanted}"
    last = head.first + head.devices - 1
    rows = [
        ("server", f"{head.target}, IEEE 2030.5-{head.edition}"),
        (
            "DERs",
            f"{head.devices}, numbers {head.first} to {last}, at most {head.ramp_per_s:g} start each second",
        ),
        ("time", f"{_second(snapshot['began'])} to {_second(snapshot['ended'])} UTC, {lasted}"),
        ("requests", f"{per_der:.1f} per DER and minute"),
        ("poll rates", ", ".join(f"{name} {rate:g} s" for name, rate in snapshot["poll_rates_s"].items())),
        ("CPU", f"{head.cpu_s:.1f} s, {share:.0f} % of a core" + _with_server(head)),
        ("memory", "-" if head.peak_mib is None else f"{head.peak_mib:.0f} MiB at most" + _with_server(head)),
        ("workers", _workers(head)),
        ("seed", str(head.seed)),
        ("versions", head.versions),
        ("machine", head.machine),
    ]
    pairs = "".join(f"<dt>{name}</dt><dd>{escape(text)}</dd>" for name, text in rows if text)
    command = f'<dt>command</dt><dd class="mono">{escape(head.command)}</dd>'
    return _card("Run", f'<dl class="kv">{pairs}{command}</dl>')


def _second(moment: str | None) -> str:
    return (moment or "-")[:19].replace("T", " ")


def _with_server(head: RunHead) -> str:
    return ", the demo's server included" if head.with_server else ""


def _workers(head: RunHead) -> str:
    if head.workers_lost is None:
        return ""
    return f"{head.workers_lost} lost, {head.workers_restarted or 0} shards started again"


def latencies(snapshot: Mapping[str, Any]) -> str:
    """A row for each kind of request, and for handshakes."""
    kinds = list(snapshot["kinds"])
    if not kinds:
        return ""
    seconds = max(snapshot["seconds"], 1)
    for name, each in snapshot["handshakes"].items():
        handshake = {"kind": f"handshake, {name}", "rate_per_s": each["count"] / seconds, "service_ms": None}
        kinds.append({**handshake, **each, "sent_bytes": None, "received_bytes": None, "errors": ()})
    times = [each["latency_ms"] for each in kinds if each["latency_ms"]]
    least = max(min((each["p50"] for each in times), default=0.1), 1e-3)
    most = max([each["max"] for each in times] + [least * 10])
    head = (
        "<tr><th rowspan='2'>request</th><th class='n' rowspan='2'>count</th>"
        "<th class='n' rowspan='2'>1/s</th><th class='n' rowspan='2'>errors</th>"
        f"<th class='group left' colspan='{len(_DUE) + 1}'>latency from the due time, ms</th>"
        f"<th class='group left' colspan='{len(_SENT)}'>from sending, ms</th>"
        "<th class='group left' colspan='2'>kB</th></tr>"
        "<tr><th class='left'><span class='muted'>p50 p95 max</span></th>"
        f"{_columns(_DUE)}{_columns(_SENT, 'left')}{_columns(('sent', 'received'), 'left')}</tr>"
    )
    rows = (_latency_row(each, least, most) for each in kinds)
    return _card("Latency by request", _table(head, rows))


def _columns(names: Sequence[str], first: str = "") -> str:
    return "".join(f"<th class='n {'' if place else first}'>{name}</th>" for place, name in enumerate(names))


def _latency_row(kind: Mapping[str, Any], least: float, most: float) -> str:
    latency, service = kind["latency_ms"], kind["service_ms"]
    drawn = spread(latency, least, most) if latency else ""
    failed = sum(each["count"] for each in kind["errors"])
    cells = [_n(_ms(latency, name), "strong" if name == "p95" else "") for name in _DUE]
    cells += [_n(_ms(service, name), "" if place else "left") for place, name in enumerate(_SENT)]
    return (
        f"<tr><th scope='row'>{escape(kind['kind'])}</th>{_n(str(kind['count']))}"
        f"{_n(format(kind['rate_per_s'], '.2f'))}{_n(str(failed), 'bad strong' if failed else 'muted')}"
        f"<td class='left'>{drawn}</td>{''.join(cells)}"
        f"{_n(_kb(kind['sent_bytes']), 'left')}{_n(_kb(kind['received_bytes']))}</tr>"
    )


def _kb(count: int | None) -> str:
    return "-" if count is None else f"{count / 1000:.1f}"


def controls(snapshot: Mapping[str, Any]) -> str:
    """A row for each control: how many DERs took each step, and how fast."""
    found = snapshot["controls"][-_MOST_CONTROLS:]
    if not found:
        return _card("Reaction to controls", "", "No control was seen during this run.")
    groups = "".join(f"<th class='group left' colspan='2'>{escape(step)}</th>" for step in STEPS)
    pairs = "<th class='n left'>p50</th><th class='n'>p95</th>" * len(STEPS)
    head = (
        "<tr><th rowspan='2'>control</th><th rowspan='2'>published</th><th class='n' rowspan='2'>DERs</th>"
        "<th class='n' rowspan='2'>seen by</th><th class='n' rowspan='2'>never seen</th>"
        f"{groups}</tr><tr>{pairs}</tr>"
    )
    left_out = len(snapshot["controls"]) - len(found) + snapshot["controls_forgotten"]
    note = "Percentiles over the DERs that followed the control's program when it was published." + (
        f" {left_out} older controls are left out." if left_out else ""
    )
    return _card("Reaction to controls", _table(head, map(_control_row, found), "tight"), note)


def _control_row(control: Mapping[str, Any]) -> str:
    never = control["never_seen"]
    steps = "".join(_step(control["steps"][step]) for step in STEPS)
    mrid = control["mrid"]
    short = mrid if len(mrid) <= _MRID_CHARS + 1 else f"{mrid[:_MRID_CHARS]}\u2026"
    missed = _n("open" if never is None else str(never), "bad strong" if never else "muted")
    published = (control["published"] or "-")[11:19]
    return (
        f"<tr><td class='what'><code title='{escape(mrid, quote=True)}'>{escape(short)}</code> "
        f"{escape(control['modes'])}</td><td class='n'>{escape(published)}</td>"
        f"{_n(str(control['devices']))}{_n(str(control['seen_by']))}{missed}{steps}</tr>"
    )


def _step(step: Mapping[str, float] | None) -> str:
    if step is None:
        return _n("-", "left muted") + _n("-", "muted")
    return _n(time_in_words(step["p50"]), "left") + _n(time_in_words(step["p95"]))


def errors(snapshot: Mapping[str, Any]) -> str:
    """Errors by kind of request, each with examples."""
    rows = [_error_row(kind["kind"], each) for kind in snapshot["kinds"] for each in kind["errors"]]
    if not rows:
        return _card("Errors", "", "None.")
    head = "<tr><th>request</th><th>error</th><th class='n'>count</th><th>examples</th></tr>"
    return _card("Errors", _table(head, rows))


def _error_row(kind: str, error: Mapping[str, Any]) -> str:
    examples = "".join(
        f"<li><span class='muted'>{escape((each['time'] or '')[11:19])} DER {each['device']}</span> "
        f"<span class='mono'>{escape(each['text'])}</span></li>"
        for each in error["examples"]
    )
    return (
        f"<tr><th scope='row'>{escape(kind)}</th><td>{escape(error['error'])}</td>{_n(str(error['count']))}"
        f"<td class='examples'><ul>{examples}</ul></td></tr>"
    )
