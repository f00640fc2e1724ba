"""The plug-in `island`: a frequency that follows the balance of one machine, a load and the DERs."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.errors import ConfigError
from dersim.grid.contract import Outputs, Settled
from dersim.grid.machine import Machine, MachineData
from dersim.json_schema import unit
from dersim.options import number
from dersim.plugin.extension import FrontendContext, FrontendStatus, GridType
from dersim.plugin.hookspecs import hookimpl
from dersim.routes import Route

if TYPE_CHECKING:
    from dersim.options import OptionParser
    from dersim.plugin.routes import Call

order = 5
#: Of a step, s: a twentieth of a second lags by less than the fastest droop of 1547 (0.2 s) responds.
_STEP_S = 0.05
#: Of a longer time without a step, after a restart from a kept state, s: by then the machine is at rest.
_GAP_S = 60.0


class IslandState(TypedDict):
    """The machine and its load."""

    frequency_hz: Annotated[float, unit("Hz")]
    rocof_hz_s: Annotated[float, unit("Hz/s")]
    machine_w: Annotated[float, unit("W", "mechanical")]
    machine_rated_va: Annotated[float, unit("VA")]
    load_w: Annotated[float, unit("W", "at nominal frequency")]
    der_w: Annotated[float, unit("W", "of all DERs")]


class IslandChange(TypedDict):
    """The load from now on."""

    load_w: Annotated[float, unit("W", "at nominal frequency", minimum=0)]


class Island:
    """One machine and a load, which is at first as large as what the DERs and half the machine give."""

    KEPT = ("machine", "_load_w", "_der_w", "_last_s")
    longest_step_s = _STEP_S

    def __init__(self, context: FrontendContext) -> None:
        data = data_of(context.options, {device.nameplate.frequency_hz for device in context.fleet.devices})
        self.machine = Machine(data)
        self._log = context.log
        self._load_w = self._last_s = self._der_w = float("nan")
        context.add_routes(
            Route(
                method="GET",
                path="/api/island/state",
                handler=lambda _call: self.state(),
                summary="The machine of the island: frequency, power, load.",
                response=IslandState,
                per_device=False,
            ),
            Route(
                method="POST",
                path="/api/island/load",
                handler=self._change,
                summary="Change the load of the island; the frequency responds.",
                request=IslandChange,
                response=IslandState,
                per_device=False,
                example={"load_w": 750000},
            ),
        )

    async def settle(self, outputs: Outputs) -> Settled:
        """The frequency at this instant, after the power of the step that ends."""
        machine, rated_va = self.machine, self.machine.data.rating_va
        self._der_w = der_w = sum(outputs.p_w)
        if self._last_s != self._last_s:  # the first step
            self._load_w = 0.5 * rated_va + der_w
            self._last_s = outputs.time_s
        dt_s = min(outputs.time_s - self._last_s, _GAP_S)
        machine.run(dt_s, (self._load_w - der_w) / rated_va)
        self._last_s = outputs.time_s
        return Settled(None, machine.frequency_hz, 0.0 if machine.stalled else machine.rocof_hz_s)

    def state(self) -> dict[str, Any]:
        """For REST."""
        machine = self.machine
        return {
            "frequency_hz": machine.frequency_hz,
            "rocof_hz_s": machine.rocof_hz_s,
            "machine_w": machine.mechanical * machine.data.rating_va,
            "machine_rated_va": machine.data.rating_va,
            "load_w": self._load_w,
            "der_w": self._der_w,
        }

    def _change(self, call: Call) -> dict[str, Any]:
        self._load_w = float(call.body["load_w"])
        self._log.log("Info", "Grid", f"the load of the island is {self._load_w:g} W from now on")
        return self.state()

    def status(self) -> FrontendStatus:
        """Its row in the overview."""
        machine = self.machine
        told = f"{machine.frequency_hz:.3f} Hz, machine at {machine.mechanical:.0%}"
        return FrontendStatus("stalled" if machine.stalled else "running", told)


_FLAGS = {
    "island_h": "inertia_s",
    "island_droop": "droop",
    "island_damping": "damping",
    "island_governor": "governor_s",
}


def data_of(options: Namespace, nominal_hz: set[float]) -> MachineData:
    """The machine of these flags; ConfigError for a fleet of two nominal frequencies."""
    if len(nominal_hz) != 1:
        found = " and ".join(f"{hz:g}" for hz in sorted(nominal_hz))
        raise ConfigError(f"--island_mva: the DERs are for {found} Hz; an island has one frequency")
    given = {
        name: getattr(options, flag) for flag, name in _FLAGS.items() if getattr(options, flag) is not None
    }
    return MachineData(options.island_mva * 1e6, *nominal_hz)._replace(**given)


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The machine."""
    usual, group = MachineData(1.0), parser.add_argument_group("island")
    group.add_argument(
        "--island_mva",
        type=number(0, above=True),
        metavar="MVA",
        help="the frequency follows the balance of one machine of this rating, a load and the DERs",
    )
    for flag, metavar, convert, told in (
        ("--island_h", "S", number(0.1, 100), f"inertia constant H of the machine ({usual.inertia_s:g} s)"),
        ("--island_droop", "PU", number(0.001, 1), f"droop of its governor ({usual.droop:g})"),
        ("--island_damping", "PU", number(0, 100), f"damping of the load ({usual.damping:g})"),
        (
            "--island_governor",
            "S",
            number(0.05, 100),
            f"time constant of it ({usual.governor_s:g} s)",
        ),
    ):
        group.add_argument(flag, type=convert, metavar=metavar, help=told)


@hookimpl
def register_grids(options: Namespace) -> Iterable[GridType]:
    """The island, where --island_mva asks for one."""
    if options.island_mva is not None:
        return [GridType("island", Island, ("frequency_hz",), doc="one machine with inertia and droop")]
    if given := [flag for flag in _FLAGS if getattr(options, flag) is not None]:
        raise ConfigError(f"--{given[0]}: there is no island; add --island_mva")
    return []
