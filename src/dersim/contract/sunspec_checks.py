"""SunSpec models: encoded, decoded by pysunspec2, and every RW point written."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

from dersim.contract.subject import Bench, Check, Subject, of_types
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.local_control.reversion import Timers
from dersim.local_control.view import View
from dersim.logbuffer import LogBuffer
from dersim.outcomes import Failed, Skipped
from dersim.plugin.sunspec_model import OwnedModel, SunspecModel
from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Block
from dersim.sunspec.catalog import models_of
from dersim.sunspec.points import TYPES, Point
from dersim.sunspec.points_by_name import apply_points
from dersim.sunspec.unit import Unit


def checks(subject: Subject) -> Iterator[Check]:
    """Three checks of each model."""
    for kind in subject.own(subject.registry.sunspec_models):
        one = _Model(subject, kind)
        for name, act in (
            ("registers", one.registers),
            ("pysunspec2", one.pysunspec2),
            ("writes", one.writes),
        ):
            yield Check(f"SunSpec model {kind.definition['id']}: {name}", act)


class _Model:
    def __init__(self, subject: Subject, kind: SunspecModel) -> None:
        self._subject = subject
        self._kind = kind
        self._number = int(kind.definition["id"])

    def _units(self) -> Iterator[tuple[Bench, Unit, Fences]]:
        """The registers of a DER of each type that has the model."""
        some = False
        for bench in self._subject.benches():
            if not self._kind.suits(bench.device.nameplate):
                continue
            some = True
            fences = Fences(LogBuffer(stream=io.StringIO()))
            view, timers = View(bench.device, bench.clock.now_s), Timers(bench.clock.now_s)
            more = [OwnedModel(self._subject.name, self._kind)]
            models = models_of(view, timers, 1, csip=lambda: None, more=more, fences=fences)
            yield bench, Unit(models), fences
        if not some:
            raise Skipped("it suits no device type that is installed")

    def registers(self) -> str:
        """Encoded, within the types, and again after a minute."""
        names = []
        for bench, unit, _ in self._units():
            block = unit.block(self._number)
            block.try_out()
            bench.to(60.0)
            block.try_out()
            if len(block.data()) != 2 * block.length:
                raise Failed(f"{len(block.data())} bytes for {block.length} registers")
            names.append(bench.name)
        return f"{block.length} registers on {of_types(names)}"

    def pysunspec2(self) -> str:
        """Its client reads the definition and finds the same values."""
        try:
            from sunspec2 import device, mdef  # type: ignore[import-untyped]  # noqa: PLC0415 - it has none; slow
        except ImportError:
            raise Skipped("pysunspec2 is not installed") from None
        for bench, unit, _ in self._units():
            block = unit.block(self._number)
            model = mdef.from_json_str(json.dumps(self._kind.definition))
            mdef.to_json_str(model)
            data, length = block.data(), block.length - 2
            read = device.Model(model_id=self._number, model_def=model, data=data, model_len=length)
            if read.error_info:
                raise Failed(f"{bench.name}: {read.error_info}")
            self._compare(bench, block, read.get_dict(computed=True))
        return "reads the same values"

    def _compare(self, bench: Bench, block: Block, values: dict[str, Any]) -> None:
        for path, ours in block.shown().items():
            theirs = values.get(path)
            if "[" in path or "." in path or path.endswith("_SF") or ours is None:
                continue
            same = theirs == ours if isinstance(ours, str) else abs((theirs or 0) - ours) <= 1e-6 * abs(ours)
            if not same:
                raise Failed(f"{bench.name}: {path} is {ours!r}, and pysunspec2 reads {theirs!r}")

    def writes(self) -> str:
        """What is written to an RW point acts, or is refused in words; nothing fails."""
        acted, refused = 0, []
        for bench, unit, fences in self._units():
            block = unit.block(self._number)
            for point in block.layout.points:
                if not (point.writable and block.model.writable(point.path)):
                    continue
                for value in _trials(point, block.shown()[point.path]):
                    if why := self._write(bench, unit, fences, point, value):
                        refused.append(why)
                    else:
                        acted += 1
        if not acted and not refused:
            return "no point is RW"
        if not acted:
            raise Failed(f"every write is refused, such as: {refused[0]}")
        return f"{acted} acted, {len(refused)} refused in words"

    def _write(self, bench: Bench, unit: Unit, fences: Fences, point: Point, value: Any) -> str:
        """Write one point; the reason of a refusal, "" where it acted."""
        device = bench.device
        before = (device.setpoints.changes, device.settings.changes)
        block = unit.block(self._number)
        shown = block.shown()
        where = f"{bench.name}: {point.path} = {value!r}"
        try:
            after = apply_points(unit, self._number, {point.path: value}, SetpointSource.MODBUS)["points"]
        except ConfigError as why:
            if fences.counts:
                raise Failed(f"{where}: {why}") from None
            if (device.setpoints.changes, device.settings.changes) != before:
                raise Failed(f"{where} is refused, and has changed setpoints or settings: {why}") from None
            return str(why)
        bench.to(bench.clock.time_s + 1.0)
        kept = after.get(point.path) == value
        if not kept and (device.setpoints.changes, device.settings.changes) == before and after == shown:
            raise Failed(f"{where} is accepted and changes nothing; submit it, or raise ConfigError")
        return ""


def _trials(point: Point, shown: Any) -> list[Any]:
    """What to write to a point: each symbol, or what it shows, a little more, and the ends of its type."""
    if point.is_text:
        return ["dersim"[: point.size * 2]]
    if point.symbols is not None:
        return sorted(point.symbols)
    kind, unit = TYPES[point.kind], 10.0**point.exponent
    if point.is_float:
        return [1.0, -1.0, 1e6]
    now = shown if isinstance(shown, int | float) else 0
    ends = (kind.low * unit, kind.high * unit)
    return [value for value in dict.fromkeys((now, now + unit, unit, *ends)) if ends[0] <= value <= ends[1]]
