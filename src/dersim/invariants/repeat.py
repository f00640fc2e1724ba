"""I15: two runs with one seed send the same bytes. `same` compares two of them; a harness makes the runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dersim.plugin.services import HttpExchange

_SHOWN = 60


def same(run_a: Iterable[HttpExchange], run_b: Iterable[HttpExchange]) -> str:
    """The first difference between what the DERs of two runs sent, in words; "" where there is none.

    Each DER is compared on its own: the order between DERs is not fixed. Simulated times count to a
    millisecond.
    """
    streams_a, streams_b = _by_device(run_a), _by_device(run_b)
    for device in sorted(streams_a.keys() | streams_b.keys()):
        difference = _first(streams_a.get(device, []), streams_b.get(device, []))
        if difference:
            return f"DER {device}: {difference}"
    return ""


def _by_device(run: Iterable[HttpExchange]) -> dict[int, list[HttpExchange]]:
    found: dict[int, list[HttpExchange]] = {}
    for exchange in run:
        found.setdefault(exchange.device, []).append(exchange)
    return found


def _first(stream_a: Sequence[HttpExchange], stream_b: Sequence[HttpExchange]) -> str:
    for index, (a, b) in enumerate(zip_longest(stream_a, stream_b)):
        if a is None or b is None:
            longer = a or b
            return f"request {index + 1}, {longer.method} {longer.url}, is in one run only"
        for what, one, other in (
            ("time", round(a.time_s, 3), round(b.time_s, 3)),
            ("request", f"{a.method} {a.url}", f"{b.method} {b.url}"),
            ("body", a.request_body, b.request_body),
            ("status", a.status, b.status),
        ):
            if one != other:
                return f"request {index + 1}, {a.method} {a.url}: {what} {_near(one, other)}"
    return ""


def _near(one: object, other: object) -> str:
    """Both values, from a little before where they begin to differ."""
    if not (isinstance(one, bytes) and isinstance(other, bytes)):
        return f"{one} and {other}"
    pairs = enumerate(zip(one, other, strict=False))
    at = next((i for i, (x, y) in pairs if x != y), min(len(one), len(other)))
    begin = max(at - 20, 0)
    return f"{one[begin : begin + _SHOWN]!r} and {other[begin : begin + _SHOWN]!r}, at byte {at}"
