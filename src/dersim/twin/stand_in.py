"""A simulated DER without a network, made from a nameplate: what its registers show, and mean."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

from dersim.device import ManualClock
from dersim.hardware.nameplate import Nameplate
from dersim.local_control.reversion import Timers
from dersim.local_control.view import View
from dersim.plugin.builtin import make_device
from dersim.setpoints import Verdict
from dersim.sunspec.block import Block
from dersim.sunspec.catalog import models_of
from dersim.sunspec.points import Value
from dersim.sunspec.points_by_name import restore
from dersim.sunspec.unit import Unit

_START_S = 1_700_000_000.0


class StandIn:
    """The twin before it is started: its device, and its registers by model."""

    def __init__(self, plate: Nameplate, device_type: str) -> None:
        clock = ManualClock(_START_S)
        self.device = make_device(device_type=device_type, nameplate=plate, clock=clock)
        self.device.step(_START_S)
        view, timers = View(self.device, clock.now_s), Timers(clock.now_s)
        unit = Unit(models_of(view, timers, int(plate.points["1.DA"]), csip=lambda: None))
        restore(unit, plate)
        self.blocks: Mapping[int, Block] = {block.model_id: block for block in unit.blocks}

    def shown(self, model: int) -> dict[str, Value]:
        """The values of a model, in plain units."""
        return self.blocks[model].shown()

    def rounded(self, model: int, values: Mapping[str, Value]) -> dict[str, Value]:
        """The values that this twin's registers can hold, rounded to them; others are left out."""
        block = self.blocks[model]
        out: dict[str, Value] = {}
        for path, value in values.items():
            if value is None or path not in block.layout.index:
                continue
            point = block.point(path)
            raw = struct.unpack(f">{point.code}", struct.pack(f">{point.code}", point.raw(value)))[0]
            out[path] = point.shown(raw)
        return out

    def objection(self, mode: str, value: Any) -> str:
        """Why the twin cannot have this mode, "" if it can."""
        outcome = self.device.setpoints.check(mode, value)
        return "" if outcome.verdict is Verdict.ACCEPTED else outcome.reason
