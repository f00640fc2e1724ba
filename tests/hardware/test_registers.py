"""Energy registers: directions, phases, only upwards."""

from __future__ import annotations

import pytest

from dersim.hardware.registers import Registers


def test_directions_are_counted_apart() -> None:
    registers = Registers((1.0, 2.0, 3.0))
    registers.share((1 / 3, 1 / 3, 1 / 3))
    registers.count(3600.0, -360.0, 10.0)
    registers.count(-7200.0, 720.0, 10.0)
    exported, imported, injected, absorbed = registers.read()
    assert exported == pytest.approx((1 + 10 / 3, 2 + 10 / 3, 3 + 10 / 3))
    assert sum(imported) == pytest.approx(20)
    assert sum(injected) == pytest.approx(2)
    assert sum(absorbed) == pytest.approx(1)


def test_each_time_has_its_own_shares() -> None:
    registers = Registers()
    registers.share((1.0, 0.0, 0.0))
    registers.count(3600.0, 0.0, 1.0)
    registers.share((0.0, 0.5, 0.5))
    registers.count(3600.0, 0.0, 1.0)
    assert registers.read()[0] == pytest.approx((1.0, 0.5, 0.5))
