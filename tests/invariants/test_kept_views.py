"""Views of events are kept within bounds, for as long as they are the client's."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from dersim.invariants import kept_views
from dersim.invariants.kept_views import VIEW_BYTES, KeptViews


class Views(list[str]):
    """Some views."""


def client(*events: str) -> SimpleNamespace:
    """A client with these events."""
    it = SimpleNamespace(events=Views(events))
    it.explain = lambda: it.events
    return it


def test_the_last_views_are_kept_alive_and_counted():
    kept, one = KeptViews(), client("a", "b")
    assert kept.of(1, one) is one.events
    assert kept.held_bytes() == 2 * VIEW_BYTES
    one.events = Views(["a"])
    assert kept.of(1, one) == ["a"]
    assert kept.held_bytes() == VIEW_BYTES
    assert kept.of(1, None) == ()
    assert kept.held_bytes() == 0


def test_too_many_are_not_kept(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_views, "MOST_KEPT", 3)
    kept, first, second = KeptViews(), client("a", "b"), client("c", "d")
    for _ in range(2):
        assert kept.of(1, first) == ["a", "b"]
        assert kept.of(2, second) == ["c", "d"]
        assert kept.held_bytes() == 2 * VIEW_BYTES
    first.events = Views()
    assert kept.of(1, first) == []
    kept.of(2, second)
    assert list(kept._kept) == [2]
