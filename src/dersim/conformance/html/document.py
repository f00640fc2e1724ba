"""The whole report."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from importlib.resources import files
from string import Template

from dersim.conformance.head import DeviceUnderTest, RunHead, device_under_test
from dersim.conformance.html import detail
from dersim.conformance.html.exchanges import Bodies
from dersim.conformance.html.markup import pairs, pill, text
from dersim.conformance.procedure import Outcome, Verdict
from dersim.timestamps import rfc3339

KINDS = ("conformance", "compatibility")


def html(outcomes: Sequence[Outcome], head: RunHead) -> str:
    """The document. head: how the campaign was run."""
    device = device_under_test(each.evidence for each in outcomes)
    body = [
        _header(outcomes, head, device),
        f'<div class="grid">{_device(device, head)}{_run(head)}</div>',
        _table(outcomes),
    ]
    script = _template("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return Template(_template("report.html")).substitute(
        title=text(f"CSIP conformance of {_server(head.server) or device.lfdi or 'a device'}"),
        digest=digest,
        style=_colours() + _template("report.css"),
        script=script,
        body="\n".join(body),
    )


def _template(name: str) -> str:
    return files("dersim.conformance.html").joinpath("template", name).read_text(encoding="utf-8")


def _colours() -> str:
    """The colours of the dashboard: light ones, dark ones where the system is dark, light ones on paper."""
    shared = files("dersim.pages").joinpath("static/css/style.css").read_text(encoding="utf-8")
    light, dark = (
        found[1] if (found := re.search(rf"{re.escape(which)} \{{(.*?)\}}", shared, re.DOTALL)) else ""
        for which in (":root", ':root[data-theme="dark"]')
    )
    return f":root {{{light}}}\n@media screen and (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n"


def worst(outcomes: Sequence[Outcome], kind: str) -> Verdict:
    """The verdict on all of them."""
    return max((getattr(each, kind) for each in outcomes), key=list(Verdict).index, default=Verdict.PASS)


def _header(outcomes: Sequence[Outcome], head: RunHead, device: DeviceUnderTest) -> str:
    pills = "".join(pill(worst(outcomes, kind), f"{kind}:") for kind in KINDS)
    day = rfc3339(head.began_s)[:16].replace("T", " ")
    who = _server(head.server) or (f"LFDI {device.lfdi}" if device.lfdi else "no device was seen")
    return (
        f"<header><h1>CSIP conformance report</h1>{pills}"
        f"<p>{text(who)}, {text(day)} UTC, {len(outcomes)} procedures</p></header>{_tiles(outcomes)}"
    )


def _tiles(outcomes: Sequence[Outcome]) -> str:
    parts = []
    for kind in KINDS:
        counts = {verdict: sum(getattr(each, kind) is verdict for each in outcomes) for verdict in Verdict}
        inner = "".join(
            f"<span class='count {style}'><b>{counts[verdict]}</b> {verdict.value}</span>"
            for verdict, style in zip(Verdict, ("good", "warn", "muted", "bad"), strict=True)
            if counts[verdict] or verdict in (Verdict.PASS, Verdict.FAIL)
        )
        explained = "the record as printed" if kind == "conformance" else "what clients in the field need"
        name = f"<div class='name'>{kind}: {explained}</div>"
        parts.append(f"<div class='tile'>{name}<div class='value'>{inner}</div></div>")
    return f'<div class="tiles">{"".join(parts)}</div>'


def _card(title: str, inner: str) -> str:
    return f'<section class="card"><h2>{title}</h2>{inner}</section>'


def _device(device: DeviceUnderTest, head: RunHead) -> str:
    if head.server is not None:
        return _card(
            "Server under test",
            pairs(
                [("address", text(_server(head.server))), ("LFDI of the DER that plays", text(device.lfdi))]
            ),
        )
    chain = "".join(f"<li class='mono'>{text(line)}</li>" for line in device.chain)
    rows = [
        ("LFDI", f"<span class='mono'>{text(device.lfdi)}</span>"),
        ("SFDI", f"<span class='mono'>{text(device.sfdi)}</span>"),
        ("edition", text(device.edition)),
        ("software", text(device.software or "not told")),
        ("certificate chain", f"<ol>{chain}</ol>" if chain else "none was verified"),
    ]
    return _card("Device under test", pairs(rows))


def _server(address: str | None) -> str:
    return "the companion server of dersim" if address == "self" else address or ""


def _run(head: RunHead) -> str:
    took_s = max(0.0, head.ended_s - head.began_s)
    minutes, seconds = divmod(round(took_s), 60)
    rows = [
        ("date", f"{text(rfc3339(head.began_s)[:19].replace('T', ' '))} UTC, took {minutes} min {seconds} s"),
        ("client", text(head.client)),
        ("time", text(head.time if head.scale == 1 else f"{head.time}, {head.scale:g} s a printed second")),
        ("power", "" if head.server else text(head.power)),
        ("versions", text(head.versions)),
        ("command", f"<span class='mono'>{text(head.command)}</span>"),
    ]
    return _card("Run", pairs(rows))


def _table(outcomes: Sequence[Outcome]) -> str:
    bodies = Bodies()
    heads = "".join(
        f"<span class='{kind}'>{word}</span>"
        for kind, word in (
            ("id", "id"),
            ("title", "procedure"),
            ("for", "required for"),
            ("v", "conformance"),
            ("v", "compatibility"),
        )
    )
    rows = "".join(detail.row(each, bodies) for each in outcomes)
    buttons = (
        "<span class='buttons' hidden><button type='button' id='all'>Open all</button>"
        "<button type='button' id='none'>Close all</button></span>"
    )
    note = "<p class='note'>Each line opens. Printing prints what is open.</p>"
    return (
        f"<section class='card ids'><h2>Procedures {buttons}</h2>{note}"
        f"<div class='heads' aria-hidden='true'>{heads}</div>{rows}</section>"
    )
