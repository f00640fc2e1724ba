"""Ordered against seen power over a run, as SVG that needs no script."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dersim.conformance.evidence import Evidence, Sample
from dersim.conformance.html.markup import text
from dersim.conformance.procedure import Judged, Verdict
from dersim.conformance.window import Window

_WIDTH, _HEIGHT = 900, 250
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 10, 22, 26
_PLOT_W, _PLOT_H = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_MOST_POINTS = 400
_MOST_BANDS = 30
_TIME_STEPS_S = (5, 10, 15, 30, 60, 120, 300)
_MOST_TIMES = 12
_MOST_LEVELS = 6
#: A band narrower than this has no name in it; one sign of a name takes so many units of the drawing.
_LEAST_NAMED, _SIGN = 26, 6.2


class Axes(NamedTuple):
    """The scales of one drawing. low, high, and the step of its levels: W and var."""

    lasts_s: float
    low: float
    high: float
    step: int

    def x(self, seconds: float) -> float:
        """The place of a moment, printed seconds after t0."""
        return _LEFT + _PLOT_W * min(max(seconds / self.lasts_s, 0.0), 1.0)

    def y(self, value: float) -> float:
        """The height of a power."""
        return _TOP + _PLOT_H * (1 - (value - self.low) / (self.high - self.low))


def power(judged: Iterable[Judged], evidence: Evidence, lasts_s: float) -> str:
    """The figure with its key; nothing where no power was seen or none is expected."""
    windows = [(each.criterion.window, each.finding.verdict) for each in judged if each.criterion.window]
    samples = [each for each in evidence.power() if 0 <= evidence.since_start(each.time_s) <= lasts_s]
    rating_w = evidence.rating_w
    if not windows or not samples or rating_w is None:
        return ""
    rating_var = evidence.rating_var or rating_w
    orders = [_ordered(window, evidence, samples, rating_w, rating_var) for window, _ in windows]
    samples = _fewer(samples)
    with_q = any(order[1] for order in orders)
    values = [rating_w, 0.0]
    values += [each.p_w for each in samples if each.p_w is not None]
    values += [each.q_var for each in samples if with_q and each.q_var is not None]
    axes = _axes(lasts_s, 0.0 if min(values) > -0.02 * rating_w else min(values), max(values))
    drawn = [*_bands(evidence, axes), *_levels(axes), *_wrong(windows, axes), *_moments(axes)]
    drawn += _traces(samples, evidence, axes, with_q=with_q)
    for p_line, q_line in orders:
        drawn += [_path(p_line, axes, "ordered p"), _path(q_line, axes, "ordered q")]
    drawn += _answers(evidence, axes)
    size = f"viewBox='0 0 {_WIDTH} {_HEIGHT}' role='img' aria-label='{_label(windows)}'"
    return f"<figure><svg {size}>{''.join(drawn)}</svg>{_key(with_q=with_q)}</figure>"


def _axes(lasts_s: float, low: float, high: float) -> Axes:
    """Axes whose ends are multiples of a round step."""
    least = max((high - low) / _MOST_LEVELS, 1.0)
    power = 10 ** math.floor(math.log10(least))
    step = next(int(factor * power) for factor in (1, 2, 5, 10) if factor * power >= least)
    return Axes(lasts_s, math.floor(low / step) * step, math.ceil(high / step) * step, step)


def grid(evidence: Evidence) -> str:
    """Voltage and frequency of the run in a line, where they were seen, and whether the meter was lost."""
    said = [
        f"{name} {min(seen):.{digits}f} to {max(seen):.{digits}f} {unit}"
        for name, unit, digits, seen in (
            ("voltage", "V", 1, [each.voltage_v for each in evidence.samples if each.voltage_v is not None]),
            (
                "frequency",
                "Hz",
                2,
                [each.frequency_hz for each in evidence.samples if each.frequency_hz is not None],
            ),
        )
        if seen
    ]
    if lost := evidence.facts.get("meter_lost"):
        said.append(f"the meter was lost ({lost}), the device's own readings count meanwhile")
    return f"<p class='note'>{text('; '.join(said))}</p>" if said else ""


def _label(windows: Sequence[tuple[Window, Verdict]]) -> str:
    said = "; ".join(
        f"{window.expected.name} from {window.since:g} to {window.until:g} s: {verdict.value}"
        for window, verdict in windows
    )
    return text(f"Power over time. {said}", 700)


def _key(*, with_q: bool) -> str:
    names = [("p", "P seen, W"), ("ordered p", "P ordered")]
    if with_q:
        names += [("q", "Q seen, var"), ("ordered q", "Q ordered")]
    items = "".join(
        "<span class='key'><svg viewBox='0 0 22 8' aria-hidden='true'>"
        f"<path class='{kind}' d='M1 4H21'/></svg>{name}</span>"
        for kind, name in names
    )
    return (
        f"<figcaption>{items}<span class='key'><i class='band'></i>control</span>"
        "<span class='key'><i class='wrong'></i>not as ordered</span>"
        "<span class='key'>1, 2, 3: Responses</span><span class='muted'>seconds since t0</span></figcaption>"
    )


def _fewer(samples: list[Sample]) -> list[Sample]:
    step = -(-len(samples) // _MOST_POINTS)
    return samples[::step]


Line = list[tuple[float, float]]


def _ordered(
    window: Window, evidence: Evidence, samples: Iterable[Sample], rating_w: float, rating_var: float
) -> tuple[Line, Line]:
    """P and Q that the window asks for, each a line over its time."""
    begin, p_line, q_line = window.since + window.settling_s, [], []
    for each in samples:
        at = evidence.since_start(each.time_s)
        if begin <= at <= window.until:
            wanted = window.expected.ordered(each, rating_w, rating_var)
            if wanted.p_w is not None:
                p_line.append((at, wanted.p_w))
            if wanted.q_var is not None:
                q_line.append((at, wanted.q_var))
    return _straight(p_line), _straight(q_line)


def _straight(line: Line) -> Line:
    """A level line by its ends, any other by some of its points."""
    if len({value for _, value in line}) <= 1:
        return [line[0], line[-1]] if line else []
    return line[:: max(1, len(line) // 50)] + line[-1:]


def _traces(samples: Sequence[Sample], evidence: Evidence, axes: Axes, *, with_q: bool) -> list[str]:
    p_line = [(evidence.since_start(each.time_s), each.p_w) for each in samples if each.p_w is not None]
    q_line = [(evidence.since_start(each.time_s), each.q_var) for each in samples if each.q_var is not None]
    return [_path(q_line, axes, "q") if with_q else "", _path(p_line, axes, "p")]


def _path(line: Line, axes: Axes, kind: str) -> str:
    if not line:
        return ""
    points = "L".join(f"{axes.x(at):.1f} {axes.y(value):.1f}" for at, value in line)
    return f"<path class='{kind}' d='M{points}h.1'/>"


def _bands(evidence: Evidence, axes: Axes) -> Iterator[str]:
    """A shade for each control, with its name above."""
    for name, control in list(evidence.controls.items())[:_MOST_BANDS]:
        begin, end = (evidence.since_start(each) for each in (control.start_s, control.end_s))
        if begin >= axes.lasts_s or end <= 0:
            continue
        left, right = axes.x(begin), axes.x(end)
        yield _shade("band", left, right)
        if right - left >= _LEAST_NAMED:
            most = max(int((right - left) / _SIGN), 3)
            said = name if len(name) <= most else f"{name[: most - 1]}\u2026"
            yield f"<text x='{left + 3:.1f}' y='{_TOP - 7}'>{text(said)}</text>"


def _wrong(windows: Iterable[tuple[Window, Verdict]], axes: Axes) -> Iterator[str]:
    for window, verdict in windows:
        if verdict is Verdict.FAIL:
            yield _shade("wrong", axes.x(window.since), axes.x(window.until))


def _shade(kind: str, left: float, right: float) -> str:
    return f"<rect class='{kind}' x='{left:.1f}' y='{_TOP}' width='{right - left:.1f}' height='{_PLOT_H}'/>"


def _levels(axes: Axes) -> Iterator[str]:
    for value in range(round(axes.low), round(axes.high) + 1, axes.step):
        level = axes.y(value)
        yield f"<path class='axis' d='M{_LEFT} {level:.1f}H{_LEFT + _PLOT_W}'/>"
        yield f"<text class='soft' x='{_LEFT - 6}' y='{level + 4:.1f}' text-anchor='end'>{value:g}</text>"
    if axes.low < 0:
        yield f"<path class='zero' d='M{_LEFT} {axes.y(0.0):.1f}H{_LEFT + _PLOT_W}'/>"


def _moments(axes: Axes) -> Iterator[str]:
    step = next((each for each in _TIME_STEPS_S if axes.lasts_s / each <= _MOST_TIMES), _TIME_STEPS_S[-1])
    for at_s in range(0, int(axes.lasts_s) + 1, step):
        place = axes.x(at_s)
        anchor = "end" if place > _WIDTH - 24 else "middle"
        yield f"<path class='axis' d='M{place:.1f} {_TOP + _PLOT_H}v4'/>"
        yield f"<text class='soft' x='{place:.1f}' y='{_HEIGHT - 8}' text-anchor='{anchor}'>{at_s}</text>"


def _answers(evidence: Evidence, axes: Axes) -> Iterator[str]:
    """The Responses at the bottom, each at its time."""
    for each in evidence.responses()[:_MOST_BANDS]:
        at = evidence.since_start(each.exchange.time_s)
        if 0 <= at <= axes.lasts_s:
            place = axes.x(at)
            yield f"<path class='mark' d='M{place:.1f} {_TOP + _PLOT_H}v-9'/>"
            where = f"x='{place:.1f}' y='{_TOP + _PLOT_H - 11}' text-anchor='middle'"
            yield f"<text class='mark' {where}>{each.status}</text>"
