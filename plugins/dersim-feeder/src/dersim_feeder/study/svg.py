"""Line charts as SVG: a light background, axes with titles and units, a legend. Only what the study needs."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

Points = Sequence[tuple[float, float]]
_WIDTH, _HEIGHT = 760, 360
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 18, 58, 50
_TEXT, _SOFT, _GRID, _RULE = "#1a1f22", "#525d64", "#e1e5e3", "#b3261e"


class Axis(NamedTuple):
    """title: with its unit. ticks: values and their texts."""

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]


class Line(NamedTuple):
    """points: x and y. dots: a dot at each point instead of a line."""

    label: str
    color: str
    points: Points
    dots: bool = False
    dash: str = ""


def ticks(low: float, high: float, step: float, digits: int) -> list[tuple[float, str]]:
    """The multiples of `step` from low to high, with their texts."""
    first, last = round(low / step + 0.4999), int(high / step + 1e-9)
    return [(k * step, f"{k * step:.{digits}f}".replace("-", "\u2212")) for k in range(first, last + 1)]


def chart(
    title: str, x: Axis, y: Axis, lines: Sequence[Line], rules: Sequence[tuple[float, str]] = ()
) -> str:
    """The document. rules: values of y with a dashed line and a word, such as a limit."""
    frame = _Frame(x, y)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" font-family="system-ui, DejaVu Sans, sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 18, title, color=_TEXT, size=14),
        *frame.axes(),
        *(each for value, word in rules for each in frame.rule(value, word)),
        *(frame.line(each) for each in lines),
        *_legend(lines),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


class _Frame:
    """Where values stand."""

    def __init__(self, x: Axis, y: Axis) -> None:
        self._x, self._y = x, y

    def px(self, value: float) -> float:
        part = (value - self._x.low) / (self._x.high - self._x.low)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def py(self, value: float) -> float:
        part = (value - self._y.low) / (self._y.high - self._y.low)
        return _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)

    def axes(self) -> list[str]:
        foot, end, middle = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT, (_TOP + _HEIGHT - _BOTTOM) / 2
        parts = []
        for value, text in self._y.ticks:
            at = self.py(value)
            parts.append(_stroke(f"M{_LEFT},{at:.1f}H{end}", _GRID))
            parts.append(_text(_LEFT - 8, at + 4, text, anchor="end"))
        for value, text in self._x.ticks:
            at = self.px(value)
            parts.append(_stroke(f"M{at:.1f},{foot}v4", _SOFT))
            parts.append(_text(at, foot + 18, text, anchor="middle"))
        parts.append(_stroke(f"M{_LEFT},{foot}H{end}", _SOFT))
        parts.append(_text((_LEFT + end) / 2, _HEIGHT - 10, self._x.title, anchor="middle"))
        turned = f' transform="rotate(-90 16 {middle})"'
        parts.append(_text(16, middle, self._y.title, anchor="middle", more=turned))
        return parts

    def rule(self, value: float, word: str) -> list[str]:
        at = self.py(value)
        return [
            _stroke(f"M{_LEFT},{at:.1f}H{_WIDTH - _RIGHT}", _RULE, dash="6 4"),
            _text(_WIDTH - _RIGHT - 4, at - 5, word, color=_RULE, anchor="end"),
        ]

    def line(self, line: Line) -> str:
        places = [f"{self.px(x):.1f},{self.py(y):.1f}" for x, y in line.points]
        if line.dots:
            strokes = "".join(f"M{each}h0" for each in places)
            return _stroke(strokes, line.color, width=7, more=' stroke-linecap="round"')
        return _stroke("M" + "L".join(places), line.color, width=2, dash=line.dash)


def _legend(lines: Sequence[Line]) -> list[str]:
    parts, at = [], float(_LEFT)
    for line in lines:
        cap = ' stroke-linecap="round"' if line.dots else ""
        mark = f"M{at + 9:.0f},38h0" if line.dots else f"M{at:.0f},38h18"
        parts.append(_stroke(mark, line.color, width=7 if line.dots else 3, dash=line.dash, more=cap))
        parts.append(_text(at + 24, 42, line.label, color=_TEXT))
        at += 40 + 7 * len(line.label)
    return parts


def _stroke(path: str, color: str, *, width: float = 1, dash: str = "", more: str = "") -> str:
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{dashed}{more}/>'


def _text(
    x: float,
    y: float,
    text: str,
    *,
    color: str = _SOFT,
    anchor: str = "start",
    size: int = 12,
    more: str = "",
) -> str:
    look = f'fill="{color}" text-anchor="{anchor}" font-size="{size}"{more}'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'
