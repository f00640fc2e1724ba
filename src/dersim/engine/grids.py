"""The grids behind the fleet: made from what plug-ins registered, and settled after every step.

A grid that fails, or that has no solution, costs nothing but its answer: the last voltages stay, one line
tells it, and one more when it works again. What is wrong at start-up ends the program.
"""

from __future__ import annotations

import contextlib
import inspect
import math
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

import trio

from dersim.engine.supervision import FrontendFailed
from dersim.errors import ConfigError, GridNotSolved, PluginError
from dersim.fences import Ended, Fences
from dersim.grid.contract import Grid, Outputs, Settled, bounds_fault, conflict
from dersim.logbuffer import LogBuffer
from dersim.metric_families import MetricFamily
from dersim.plugin.extension import FrontendContext, FrontendStatus, GridType
from dersim.plugin.registry import Registry

if TYPE_CHECKING:
    from dersim.fleet import Fleet

#: No step is shorter, s; against a grid that asks for next to nothing.
SHORTEST_STEP_S = 0.01


class RunningGrid:
    """One grid and how it gets on. steps: settled so far; unsolved: without a usable answer."""

    def __init__(self, kind: GridType, plugin: str, grid: Grid, log: LogBuffer, fences: Fences) -> None:
        self.name = kind.name
        self.grid = grid
        self.steps = self.unsolved = 0
        self.seconds = 0.0
        self._plugin = plugin
        self._log = log
        self._fences = fences
        self._trouble = ""
        self._missed = 0
        self._status_fails = False

    def __str__(self) -> str:
        return f"grid {self.name}"

    def longest_step_s(self) -> float:
        """The longest step that it allows; inf where it fails to say."""
        seconds = math.inf
        with self._fence("longest_step_s") as ended:
            seconds = self.grid.longest_step_s
            if not seconds > 0:
                raise PluginError(f"its longest_step_s is {seconds!r}; give seconds above 0")
        return math.inf if ended.error else max(seconds, SHORTEST_STEP_S)

    async def settle(self, outputs: Outputs) -> Settled | None:
        """Its answer; None where it has no usable one."""
        begun = trio.current_time()
        self.steps += 1
        settled: Settled | None = None
        with self._fence("settle") as ended:
            try:
                settled = await self.grid.settle(outputs)
                if not isinstance(settled, Settled):
                    raise PluginError(f"its settle returned {settled!r}; return a Settled")
                if fault := bounds_fault(settled, len(outputs.p_w) // 3):
                    raise PluginError(f"its settle returned what cannot be used: {fault}")
            except GridNotSolved as error:
                settled = None
                self._missing(str(error), told=True)
        self.seconds = trio.current_time() - begun
        if ended.error is not None:
            self._missing(str(ended), told=False)
            return None
        if settled is not None and self._missed:
            self._log.log("Info", "Grid", f"{self}: solved again, after {self._missed} step(s) without")
            self._trouble, self._missed = "", 0
        return settled

    def _missing(self, why: str, *, told: bool) -> None:
        self.unsolved += 1
        self._missed += 1
        if told and self._missed == 1:
            self._log.log("Warning", "Grid", f"{self}: {why}; the last values stay")
        self._trouble = why

    def _fence(self, what: str) -> contextlib.AbstractContextManager[Ended]:
        return self._fences.around(
            "grid",
            "Grid",
            f"{what} of {self}, plug-in {self._plugin}: the last values stay",
            quiet=self._missed > 0,
            raises=FrontendFailed,
        )

    def status(self) -> FrontendStatus:
        """Its row in the overview."""
        if self._trouble:
            return FrontendStatus("not solved", f"{self._trouble}; {self.unsolved} of {self.steps} steps")
        with self._fences.around(
            "grid_status", "Grid", f"status() of {self}, plug-in {self._plugin}", quiet=self._status_fails
        ) as ended:
            own = FrontendStatus(*map(str, self.grid.status()))
        self._status_fails = ended.error is not None
        return FrontendStatus("failed", f"its status() failed: {ended}") if self._status_fails else own


class Grids:
    """All grids of a run, in the order in which they are settled."""

    def __init__(self, fleet: Fleet, running: Sequence[RunningGrid]) -> None:
        self._fleet = fleet
        self.running = running

    def __bool__(self) -> bool:
        return bool(self.running)

    def steps_of(self, tick_s: float) -> int:
        """In how many equal steps a tick is cut."""
        longest_s = min(each.longest_step_s() for each in self.running)
        return max(1, math.ceil(tick_s / longest_s - 1e-9))

    async def settle(self, now_s: float, *, last_step: bool) -> None:
        """Ask each grid, and give the DERs what it answers."""
        outputs = self._fleet.outputs(now_s, last_step=last_step)
        for each in self.running:
            if (settled := await each.settle(outputs)) is not None:
                await self._fleet.meet(settled)

    def metrics(self) -> Iterator[MetricFamily]:
        """For /metrics."""
        of = [({"grid": each.name}, each) for each in self.running]
        doc = "Steps for which the grid was asked."
        yield MetricFamily("dersim_grid_steps_total", "counter", doc, [(n, g.steps) for n, g in of])
        doc = "Steps without a usable answer: the last voltages stayed."
        yield MetricFamily("dersim_grid_unsolved_total", "counter", doc, [(n, g.unsolved) for n, g in of])
        doc = "Real time of the last answer."
        yield MetricFamily("dersim_grid_settle_seconds", "gauge", doc, [(n, g.seconds) for n, g in of])

    def statuses(self) -> dict[str, FrontendStatus]:
        """The rows of the overview, by name."""
        return {str(each): each.status() for each in self.running}


Contexts = Callable[[str, str], FrontendContext]
Starts = Callable[[str, str], contextlib.AbstractContextManager[None]]


def make_grids(
    registry: Registry, fleet: Fleet, log: LogBuffer, fences: Fences, context: Contexts, at_start: Starts
) -> Grids:
    """Make what plug-ins registered.

    context: for a name and its plug-in; at_start: a fence for a plug-in and what is done.
    ConfigError: two grids hold the same, or one cannot be made; PluginError: a plug-in's mistake.
    """
    kinds = registry.ordered_grids()
    if what := conflict({kind.name: kind.holds for kind in kinds}):
        raise ConfigError(f"{what}; leave out the flags of one")
    running = []
    for kind in kinds:
        plugin = registry.grids.owners[kind.name]
        with at_start(plugin, f"make of grid {kind.name}"):
            grid = kind.make(context(kind.name, plugin))
        _check(plugin, kind, grid)
        running.append(RunningGrid(kind, plugin, grid, log, fences))
        log.log("Info", "Grid", f"grid {kind.name} gives {', '.join(kind.holds)} of all DERs")
    return Grids(fleet, running)


def _check(plugin: str, kind: GridType, grid: Grid) -> None:
    missing = [name for name in ("longest_step_s", "settle", "status") if not hasattr(grid, name)]
    if missing:
        raise PluginError(
            f"plug-in {plugin}: grid {kind.name}: its make returned {grid!r}, which has no "
            f"{', '.join(missing)}; dersim.plugin.Grid says what is needed"
        )
    if not inspect.iscoroutinefunction(grid.settle):
        raise PluginError(f"plug-in {plugin}: grid {kind.name}: its settle must be an async def")
