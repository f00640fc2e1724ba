"""What the server had in a run: its programs, defaults and controls, and when each control was due."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from dersim.conformance.evidence import Evidence
from dersim.conformance.html.markup import table, text
from dersim.modes import ModeValue, modes_to_json
from dersim.utility.program import STATUS_TEXT, Control

_MOST_CONTROLS = 40
_MOST_MODES_CHARS = 600


def set_up(evidence: Evidence) -> str:
    """The programs in order of primacy, and their controls."""
    if not evidence.programs:
        return "<p>One registered EndDevice, no DERProgram.</p>"
    programs = sorted(evidence.programs.items(), key=lambda item: item[1].primacy)
    rows = (
        f"<tr><th scope='row'>{text(name)}</th><td class='n'>{program.primacy}</td>"
        f"<td class='mono'>{text(program.href)}</td>"
        f"<td>{_modes(program.default.modes) if program.default else 'none'}</td></tr>"
        for name, program in programs
    )
    return table(("program", "#primacy", "href", "DefaultDERControl"), rows, "tight") + _controls(evidence)


def _controls(evidence: Evidence) -> str:
    found = list(evidence.controls.items())
    if not found:
        return ""
    rows = (_control(evidence, name, control) for name, control in found[:_MOST_CONTROLS])
    return table(("control", "program", "#start", "#end", "DERControlBase", "at the end"), rows, "tight")


def _control(evidence: Evidence, name: str, control: Control) -> str:
    start, end = (f"{evidence.since_start(each):g} s" for each in (control.start_s, control.end_s))
    random = "".join(
        f", {word} {value / evidence.scale:+g} s"
        for word, value in (
            ("randomizeStart", control.randomize_start_s),
            ("randomizeDuration", control.randomize_duration_s),
        )
        if value
    )
    return (
        f"<tr><th scope='row'>{text(name)}</th>"
        f"<td>{text(control.program.description or control.program.href)}</td>"
        f"<td class='n'>{start}</td><td class='n'>{end}</td><td>{_modes(control.modes)}{random}</td>"
        f"<td>{text(STATUS_TEXT.get(control.status, control.status))}</td></tr>"
    )


def _modes(modes: Mapping[str, ModeValue]) -> str:
    return "; ".join(
        f"<code>{text(name)}</code> {text(_value(value), _MOST_MODES_CHARS)}"
        for name, value in modes_to_json(modes).items()
    )


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(_member(name, each) for name, each in value.items() if each is not None)
    return json.dumps(value)


def _member(name: str, value: object) -> str:
    if name == "curve" and isinstance(value, list):
        return " ".join(
            f"({', '.join(f'{x:g}' if isinstance(x, float) else str(x) for x in point)})" for point in value
        )
    return f"{name} {value if isinstance(value, str) else json.dumps(value)}"


def times(evidence: Evidence) -> str:
    """When each Response was due, when it came, and how late."""
    rows = [row for name, control in evidence.controls.items() for row in _responses(evidence, name, control)]
    if not rows:
        return ""
    return table(("control", "Response", "#due", "#arrived", "#late by", "#answer"), rows, "tight")


def _responses(evidence: Evidence, name: str, control: Control) -> Iterator[str]:
    due_s = {2: _starts(control), 3: _ends(control)}
    for each in evidence.responses(name):
        at_s = each.exchange.time_s
        when = late = "-"
        if each.status in due_s:
            first, last = due_s[each.status]
            when = f"{evidence.since_start(first):.1f}" + (
                f" to {evidence.since_start(last):.1f} s" if last > first else " s"
            )
            late = f"{at_s - min(max(at_s, first), last):+.1f} s"
        yield (
            f"<tr><th scope='row'>{text(name)}</th>"
            f"<td>{each.status} {text(_RESPONSES.get(each.status, ''))}</td>"
            f"<td class='n'>{when}</td><td class='n'>{evidence.since_start(at_s):.1f} s</td>"
            f"<td class='n'>{late}</td><td class='n'>{each.exchange.status}</td></tr>"
        )


def _starts(control: Control) -> tuple[float, float]:
    """The first and the last moment of its start."""
    return control.earliest_start_s, control.latest_start_s


def _ends(control: Control) -> tuple[float, float]:
    """The same of its end."""
    first = control.earliest_start_s + control.duration_s + min(0, control.randomize_duration_s)
    return first, control.latest_end_s


_RESPONSES = {
    1: "received",
    2: "started",
    3: "completed",
    4: "opted out",
    5: "opted in",
    6: "cancelled",
    7: "superseded",
    8: "partly completed, opted out",
    9: "partly completed, opted in",
    10: "completed without participation",
    13: "rejected",
    14: "aborted by another program",
    252: "invalid",
    253: "invalid",
    254: "expired",
}
