"""The check after every step of a fleet costs next to nothing while nothing happens."""

from __future__ import annotations

import trio

from dersim.hardware.report import Report


async def test_a_still_der_is_not_looked_at(autojump_clock, world, monkeypatch):
    await world.start(for_s=30)
    looked = []
    signs = Report.signs
    monkeypatch.setattr(Report, "signs", lambda *args: looked.append(args[1]) or signs(*args))
    await trio.sleep(60)
    assert len(looked) <= 6  # by PUTs and readings, not in each of 60 steps
