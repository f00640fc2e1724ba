"""Plots over time for the report, as SVG that needs no script; colours are variables of its style sheet."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

Values = Sequence[float | None]

_WIDTH, _HEIGHT = 560, 190
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 8, 22
_PLOT_W, _PLOT_H = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
#: More values than this are drawn as the greatest of each group.
_MOST_POINTS = 600
#: Steps of a time axis, s.
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
_MOST_TIME_TICKS = 7
_MOST_TICKS = 4


class Trace(NamedTuple):
    """One line. colour: the name of a variable of the style sheet."""

    name: str
    colour: str
    values: Values


class Plot(NamedTuple):
    """Traces over the same time. width_s: of one value. stacked: areas on top of each other."""

    key: str
    title: str
    unit: str
    traces: Sequence[Trace]
    stacked: bool = False


def drawn(plot: Plot, width_s: int) -> str:
    """The plot as an SVG element."""
    count = max((len(trace.values) for trace in plot.traces), default=0)
    group = max(math.ceil(count / _MOST_POINTS), 1)
    lines = [_grouped(trace.values, group) for trace in plot.traces]
    if plot.stacked:
        lines = _stacked(lines)
    top = nice_top(max((value for line in lines for value in line if value is not None), default=0.0))
    total_s = max(count * width_s, 1)

    def x(place: int) -> float:
        return _LEFT + _PLOT_W * ((place + 0.5) * group * width_s) / total_s

    def y(value: float) -> float:
        return _TOP + _PLOT_H * (1 - value / top)

    layers = list(zip(plot.traces, lines, strict=True))
    if plot.stacked:
        shapes = [_area(trace, line, x, y) for trace, line in reversed(layers)]
    else:
        shapes = [_line(trace, line, x, y) for trace, line in layers]
    label = escape(f"{plot.title}, {plot.unit}, over {total_s} s; at most {top:g}", quote=True)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}" data-plot="{plot.key}" '
        f'data-left="{_LEFT}" data-wide="{_PLOT_W}" data-top="{_TOP}" data-high="{_PLOT_H}">'
        f"{''.join(_levels(top, y))}{''.join(_times(total_s))}{''.join(shapes)}</svg>"
    )


def _grouped(values: Values, group: int) -> list[float | None]:
    if group == 1:
        return list(values)
    parts = (values[begin : begin + group] for begin in range(0, len(values), group))
    return [max((each for each in part if each is not None), default=None) for part in parts]


def _stacked(lines: Iterable[Sequence[float | None]]) -> list[list[float | None]]:
    sums: list[float] = []
    found: list[list[float | None]] = []
    for line in lines:
        sums = [below + (value or 0.0) for below, value in zip(sums or [0.0] * len(line), line, strict=True)]
        found.append(list(sums))
    return found


def nice_top(most: float) -> float:
    """The upper end of an axis that shows `most`: steps of 1, 2, 2.5 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    step = _nice_step(most)
    return math.ceil(most / step - 1e-9) * step


def _nice_step(most: float) -> float:
    power = 10.0 ** math.floor(math.log10(most / _MOST_TICKS))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if most / (factor * power) <= _MOST_TICKS)


def _levels(top: float, y: Callable[[float], float]) -> Iterable[str]:
    step = _nice_step(top)
    for place in range(round(top / step) + 1):
        level = y(place * step)
        yield f'<path class="axis" d="M{_LEFT} {level:.1f}H{_LEFT + _PLOT_W}"/>'
        where = f'x="{_LEFT - 6}" y="{level + 4:.1f}" text-anchor="end"'
        yield f'<text class="soft" {where}>{place * step:g}</text>'


def _times(total_s: int) -> Iterable[str]:
    step = next((each for each in _TIME_STEPS_S if total_s / each <= _MOST_TIME_TICKS), _TIME_STEPS_S[-1])
    for at_s in range(0, total_s + 1, step):
        place = _LEFT + _PLOT_W * at_s / total_s
        anchor = "end" if place > _WIDTH - 24 else "middle"
        yield f'<path class="axis" d="M{place:.1f} {_TOP + _PLOT_H}v4"/>'
        yield (
            f'<text class="soft" x="{place:.1f}" y="{_HEIGHT - 5}" text-anchor="{anchor}">'
            f"{since_start(at_s)}</text>"
        )


def since_start(seconds: int) -> str:
    """``m:ss`` or ``h:mm:ss`` since the start."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _line(
    trace: Trace, line: Sequence[float | None], x: Callable[[int], float], y: Callable[[float], float]
) -> str:
    parts, pen = [], "M"
    for place, value in enumerate(line):
        if value is None:
            pen = "M"
            continue
        parts.append(f"{pen}{x(place):.1f} {y(value):.1f}")
        if pen == "M":
            parts.append("h.1")  # a value alone between two gaps is a dot
        pen = "L"
    return f'<path class="trace" style="stroke:var({trace.colour})" d="{"".join(parts)}"/>'


def _area(
    trace: Trace, line: Sequence[float | None], x: Callable[[int], float], y: Callable[[float], float]
) -> str:
    points = "".join(f"L{x(place):.1f} {y(value or 0.0):.1f}" for place, value in enumerate(line))
    base, last = y(0.0), x(len(line) - 1)
    begin = f"M{x(0):.1f} {base:.1f}"
    return f'<path class="area" style="fill:var({trace.colour})" d="{begin}{points}L{last:.1f} {base:.1f}Z"/>'


def spread(times: dict[str, float], least: float, most: float) -> str:
    """Percentiles on a logarithmic axis: a bar from p50 to p95, a line to p99, a dot for the maximum."""
    wide, high = 120, 14
    span = math.log10(most / least) or 1.0

    def x(value: float) -> float:
        return 4 + (wide - 8) * min(max(math.log10(max(value, least) / least) / span, 0.0), 1.0)

    p50, p95, p99, top = (x(times[name]) for name in ("p50", "p95", "p99", "max"))
    return (
        f'<svg class="spread" viewBox="0 0 {wide} {high}" aria-hidden="true">'
        f'<path class="axis" d="M4 7H{wide - 4}"/>'
        f'<path class="p99" d="M{p50:.1f} 7H{p99:.1f}"/>'
        f'<path class="p95" d="M{p50:.1f} 7H{max(p95, p50 + 1):.1f}"/>'
        f'<circle class="most" cx="{top:.1f}" cy="7" r="2.2"/></svg>'
    )
