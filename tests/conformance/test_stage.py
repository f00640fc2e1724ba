"""Times of controls in shortened procedures."""

from __future__ import annotations

import io
import itertools

import pytest
from trio.testing import MockClock

from dersim.clock import SimClock
from dersim.conformance.real import Away
from dersim.conformance.stage import ShiftedClock, Stage
from dersim.logbuffer import LogBuffer


@pytest.mark.parametrize("scale", [0.1, 0.25, 0.35, 1.0])
async def test_controls_that_meet_meet_at_every_scale(scale: float, autojump_clock: MockClock) -> None:
    clock = SimClock(tick_s=1.0)
    clock.start()
    stage = Stage(ShiftedClock(clock, 0), LogBuffer(stream=io.StringIO()), "AB" * 20, Away(), scale=scale)
    stage.register()
    stage.program("SY", 10)
    controls = [
        stage.control(str(number), "SY", 180 + 15 * number, 15, {"opModMaxLimW": 50}) for number in range(24)
    ]
    for one, other in itertools.pairwise(controls):
        assert one.start_s + one.duration_s == other.start_s
    stage.close()
