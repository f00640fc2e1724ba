"""The feeder as dersim's grid: after each step of the fleet it is solved, and every DER gets its voltages."""

from __future__ import annotations

import math
from array import array
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import FrontendContext, GridNotSolved, Outputs, Settled
from dersim_feeder.api import Api
from dersim_feeder.engine import NotConverged
from dersim_feeder.feeder import Feeder
from dersim_feeder.opendss import in_thread
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der
from dersim_feeder.results import Snapshot
from dersim_feeder.series import Series
from dersim_feeder.slopes import Answering, Slopes

#: A solution that takes longer than this is made in a thread, s; handing it over costs 0.1 ms.
_IN_THREAD_S = 0.002
#: The loop gain is measured again so often, for the load and the sun have changed, simulated s.
_MEASURE_EVERY_S = 1800.0
#: And no sooner: a curve reaches the DERs of a fleet one after another.
_MEASURE_SOONEST_S = 5.0


class FeederGrid:
    """The grid of a run; `feeder` is what it shows."""

    def __init__(self, context: FrontendContext) -> None:
        self._context = context
        options, fleet = context.options, context.fleet
        start = datetime.fromtimestamp(context.clock.now_s(), options.wall_clock_timezone)
        self.feeder: Feeder = open_feeder(
            options.feeder,
            [
                Der(each.number, each.nameplate.phases, float(each.nameplate.rtgMaxW))
                for each in fleet.devices
            ],
            map_path=None if options.feeder_map is None else Path(options.feeder_map),
            seed=options.seed,
            offset_s=(start.utcoffset() or timedelta()).total_seconds(),
        )
        self._answering = Answering(fleet.devices)
        self._measured_s = -math.inf
        self._told = False
        feeder = self.feeder
        self.series = Series(fleet.devices)
        feeder.observers.append(self.series.see)
        context.offer(Feeder, feeder)
        context.offer(Series, self.series)
        Api(context, feeder, self.series)
        self._log(
            "Info",
            f"feeder {feeder.name}: {len(feeder.buses)} buses, "
            f"{len(feeder.topology.transformers)} transformers, {len(feeder.connections)} DER(s)",
        )

    def _log(self, level: Literal["Info", "Warning"], text: str) -> None:
        self._context.log.log(level, "AC", text)

    @property
    def longest_step_s(self) -> float:
        """While voltages move, short enough for the loop to be stable; then longer."""
        return self.feeder.longest_step_s(self._context.fleet.response_s())

    async def settle(self, outputs: Outputs) -> Settled:
        """Solve for these powers. GridNotSolved where there is no solution."""
        feeder, time_s = self.feeder, outputs.time_s
        kw, kvar = (_of_ders(values) for values in (outputs.p_w, outputs.q_var))
        open_loop_s = self._context.fleet.response_s()
        slopes = self._slopes_to_measure(time_s, open_loop_s)
        last_s = feeder.last.solve_s if feeder.last else 0.0
        solve = partial(feeder.solve, time_s, kw, kvar, open_loop_s, slopes)
        try:
            slow = last_s > _IN_THREAD_S or slopes is not None
            voltage = await in_thread(solve) if slow else solve()
        except NotConverged as error:
            raise GridNotSolved(f"feeder {feeder.name}: {error}") from None
        if (last := feeder.last) is not None:
            self._tell(last)
            for observer in feeder.observers:
                observer(last)
        return Settled(voltage_pu=array("d", voltage.tobytes()))

    def _slopes_to_measure(self, time_s: float, open_loop_s: float) -> Slopes | None:
        """The slopes, if it is time to measure the loop gain: a curve has begun, or changed, or long ago."""
        if math.isinf(open_loop_s):
            self._measured_s = -math.inf
            return None
        since_s = time_s - self._measured_s
        if since_s < _MEASURE_SOONEST_S or not (since_s >= _MEASURE_EVERY_S or self._answering.changed()):
            return None
        self._measured_s = time_s
        self._answering.look()
        return self._answering.slopes

    def checkpoint(self) -> Mapping[str, Any]:
        """The state of the feeder."""
        return self.feeder.checkpoint()

    def restore(self, document: Mapping[str, Any]) -> None:
        """Take over what `checkpoint` gave."""
        self.feeder.restore(document)

    def _tell(self, last: Snapshot) -> None:
        """Say in the log when the loop begins or ends to be damped."""
        feeder, damped = self.feeder, self.feeder.damped < 1
        if (swing := feeder.oscillation) is not None:
            feeder.oscillation = None
            der = list(feeder.connections)[swing.position]
            bus = feeder.connections[der].bus
            self._log(
                "Warning",
                f"feeder {feeder.name}: the voltage of DER {der} at bus {bus} swings by "
                f"{swing.swing_pu:.3f} pu from step to step; changes of voltage "
                f"are damped more, by {feeder.damped:g}",
            )
        elif damped and not self._told:
            self._log(
                "Warning",
                f"feeder {feeder.name}: loop gain {last.gain:.2f} at an open-loop time of "
                f"{last.open_loop_s:g} s is not safely stable; changes of voltage "
                f"are damped by {feeder.damped:g}",
            )
        elif not damped and self._told:
            self._log("Info", f"feeder {feeder.name}: changes of voltage are no longer damped")
        self._told = damped

    def status(self) -> tuple[str, str]:
        """For the overview."""
        last = self.feeder.last
        if last is None:
            return "starting", self.feeder.name
        gain = "" if math.isnan(last.gain) else f", loop gain {last.gain:.2f}"
        damped = "" if last.damping >= 1 else f", damped by {last.damping:g}"
        v = last.voltage_pu
        return (
            "solving",
            f"{self.feeder.name}, {v[v > 0.01].min():.3f} to {v.max():.3f} pu{gain}{damped}",
        )


def _of_ders(values: array[float]) -> NDArray[np.float64]:
    """kW or kvar of each DER, from W or var of each of its phases."""
    phases: NDArray[np.float64] = np.frombuffer(values, dtype=np.float64).reshape(-1, 3)
    powers: NDArray[np.float64] = phases.sum(axis=1) / 1000
    return powers
