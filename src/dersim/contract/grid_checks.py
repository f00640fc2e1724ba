"""Grids: made, settled with random outputs of a small fleet, made and settled again, and cancelled."""

from __future__ import annotations

import contextlib
import io
from array import array
from collections.abc import Iterator, Sequence
from random import Random
from typing import TYPE_CHECKING, Any

import trio

from dersim.clock import SimClock
from dersim.contract.subject import Check, Subject
from dersim.errors import ConfigError, GridNotSolved, bare_errors
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.grid.contract import Grid, Outputs, Settled, bounds_fault
from dersim.logbuffer import LogBuffer
from dersim.outcomes import Failed, Skipped
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext, FrontendStatus, GridType
from dersim.plugin.services import Services

if TYPE_CHECKING:
    from dersim.hardware.device_type import DeviceType

_HOOK = "register_grids"
_STEPS, _SETTLE_S, _CANCEL_S = 20, 10.0, 2.0
_START_S = 1_800_000_000.0


def checks(subject: Subject) -> Iterator[Check]:
    """Three checks of each grid; one that is skipped where the flags ask for none."""
    kinds = subject.own(subject.registry.grids)
    for kind in kinds:
        one = _Grid(subject, kind)
        for name, act in (("settle", one.settles), ("repeats", one.repeats), ("cancelled", one.cancelled)):
            yield Check(f"grid {kind.name}: {name}", act)
    if not kinds and _HOOK in subject.hooks:
        yield Check("grids", _none)


def _none() -> str:
    raise Skipped(
        "its flags ask for none here; give them after --, as in: dersim plugins check NAME -- --flag x"
    )


class _Grid:
    """A small fleet behind one grid."""

    def __init__(self, subject: Subject, kind: GridType) -> None:
        self._subject = subject
        self._kind = kind
        self._kinds: list[DeviceType] = []

    def settles(self) -> str:
        """Answers within bounds; what it tells besides."""
        answers, grid, count = self._run()
        solved = [each for each in answers if each is not None]
        if not solved:
            raise Failed(f"settle raised GridNotSolved for each of {_STEPS} outputs within the ratings")
        seconds: Any = grid.longest_step_s
        if not isinstance(seconds, int | float) or not seconds > 0:
            raise Failed(f"longest_step_s is {seconds!r}; give seconds above 0, math.inf for any")
        status = FrontendStatus(*grid.status())
        return f"{len(solved)} of {_STEPS} outputs of {count} DERs solved; {status.state}: {status.detail}"

    def repeats(self) -> str:
        """The same answers to the same outputs, by another grid of the same kind."""
        first, second = self._run()[0], self._run()[0]
        for step, (one, other) in enumerate(zip(first, second, strict=True)):
            if _plain(one) != _plain(other):
                raise Failed(
                    f"step {step} has another answer when the run is repeated; "
                    f"draw from context.rng, and read no clock but outputs.time_s"
                )
        return f"{len(first)} answers the same"

    def cancelled(self) -> str:
        """A settle that is cancelled ends."""
        return trio.run(self._cancel)

    def _run(self) -> tuple[list[Settled | None], Grid, int]:
        with bare_errors():
            return trio.run(self._settle)

    async def _settle(self) -> tuple[list[Settled | None], Grid, int]:
        fleet, grid = self._made()
        rng, answers = Random(self._subject.seed), []  # noqa: S311 - inputs of a test
        for step in range(_STEPS):
            outputs = _drawn(fleet, rng, _START_S + step)
            with trio.move_on_after(_SETTLE_S) as scope:
                answers.append(await _answer(grid, outputs, len(fleet.devices)))
            if scope.cancelled_caught:
                raise Failed(f"settle took more than {_SETTLE_S:g} s")
        return answers, grid, len(fleet.devices)

    async def _cancel(self) -> str:
        fleet, grid = self._made()
        outputs = _drawn(fleet, Random(self._subject.seed), _START_S)  # noqa: S311 - inputs of a test
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_answer, grid, outputs, len(fleet.devices))
            nursery.cancel_scope.cancel()
        if (took_s := trio.current_time() - began) > _CANCEL_S:
            raise Failed(f"settle ended {took_s:.1f} s after its cancellation; let trio.Cancelled pass")
        return "ended in time"

    def _made(self) -> tuple[Fleet, Grid]:
        """A DER of single, split and three phases, as far as the grid has a place for them, and the grid."""
        if not self._kinds:
            registry = self._subject.registry
            kinds = {registry.nameplate_of(kind).phases: kind for kind in registry.device_types.values()}
            self._kinds = list(kinds.values())
            try:
                return self._make(self._kinds)
            except ConfigError as error:
                self._kinds = [kind for kind in self._kinds if self._fits(kind)]
                if not self._kinds:
                    raise Failed(f"make takes a fleet of none of the device types: {error}") from None
        return self._make(self._kinds)

    def _fits(self, kind: DeviceType) -> bool:
        with contextlib.suppress(ConfigError):
            self._make([kind])
            return True
        return False

    def _make(self, kinds: Sequence[DeviceType]) -> tuple[Fleet, Grid]:
        clock = SimClock(start_s=_START_S)
        clock.start()
        functions = tuple(self._subject.registry.functions.values())
        devices = [
            make_device(number, device_type=kind, functions=functions, clock=clock)
            for number, kind in enumerate(kinds, 1)
        ]
        log = LogBuffer(stream=io.StringIO())
        context = FrontendContext(
            options=self._subject.options,
            fleet=Fleet(devices),
            clock=clock,
            log=log,
            services=Services(),
            stop=lambda: None,
            rng=Random(self._subject.seed),  # noqa: S311 - inputs of a test
            fences=Fences(log),
        )
        context.add_routes = context.routes.of(self._subject.name, self._kind.name)
        return context.fleet, self._kind.make(context)


async def _answer(grid: Grid, outputs: Outputs, count: int) -> Settled | None:
    try:
        settled: Any = await grid.settle(outputs)
    except GridNotSolved:
        return None
    if not isinstance(settled, Settled):
        raise Failed(f"settle returned {settled!r}; return a Settled")
    if fault := bounds_fault(settled, count):
        raise Failed(f"settle returned what cannot be used: {fault}")
    return settled


def _drawn(fleet: Fleet, rng: Random, time_s: float) -> Outputs:
    """Powers within the ratings, those of a DER the same on all its phases."""
    p_w, q_var = array("d"), array("d")
    for device in fleet.devices:
        plate = device.nameplate
        for values, most in ((p_w, plate.rtgMaxW), (q_var, plate.rtgMaxVar)):
            of_phase = rng.uniform(-1, 1) * most / plate.phases
            values.extend(of_phase if phase < plate.phases else 0.0 for phase in range(3))
    return Outputs(time_s, p_w, q_var, fleet.devices[0].number)


def _plain(settled: Settled | None) -> object:
    if settled is None or settled.voltage_pu is None:
        return settled
    return settled._replace(voltage_pu=tuple(map(float, settled.voltage_pu)))
