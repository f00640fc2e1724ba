"""OpenDSS in a context of its own: a circuit, the generators of the DERs, one solution after another.

Called from the main thread or from that of `opendss.py`, never from both at once. What the engine says of a
file becomes a ConfigError of one line.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import ConfigError
from dersim_feeder.layout import WIDE
from dersim_feeder.open_ends import OpenEnds
from dersim_feeder.opendss import DSS, DSSException

Array = NDArray[np.float64]
#: A solution with a voltage outside is none: a collapsed feeder says "Converged" at 0.34 pu.
PLAUSIBLE_PU = (0.5, 1.5)
#: Of the engine's own time steps in which delayed controls act, s; and how many there are in one of ours.
_CONTROL_STEP_S, _MOST_CONTROL_STEPS = 5.0, 60
_CONTROLS_OFF = -1
_OUR_MODE = "set mode=time number=1 stepsize=0s"
_SQRT_3 = math.sqrt(3)
_HOUR_S = 3600


class Bus(NamedTuple):
    """A bus. nodes: of 1, 2, 3; rows: of these nodes in the arrays; split: two legs of 180 degrees."""

    name: str
    nodes: tuple[int, ...]
    rows: tuple[int, ...]
    kv_ln: float
    split: bool


class Connection(NamedTuple):
    """Where a DER is connected: nodes of a bus, in the order of its own phases.

    phases: its own, 1, 2 (split phase) or 3; one of a single phase with two nodes is between two legs.
    """

    bus: str
    nodes: tuple[int, ...]
    phases: int


class Totals(NamedTuple):
    """Of a solution, W and var: into the feeder at its head, and lost in it; loading_pct by transformer."""

    head_w: float
    head_var: float
    losses_w: float
    losses_var: float
    loading_pct: Array


class NotConverged(Exception):  # noqa: N818 - a state of the feeder, named as one
    """No solution, or none that can be real; the message says why."""


class Engine:
    """A circuit. what: the file's name, for messages. node_names: "bus.node", in the order of `voltages`."""

    def __init__(self, what: str) -> None:
        self.what = what
        with _kept_folder():  # a new context goes to the folder in which the process began
            self._dss = DSS.NewContext()
        self._dss.AllowForms = self._dss.AllowEditor = self._dss.AllowChangeDir = False
        self._circuit = self._dss.ActiveCircuit
        self._generators: list[int] = []
        self._own_loads: list[str] = []
        self._powers: tuple[Sequence[float], Sequence[float]] = (), ()
        self._open_ends = OpenEnds(self._without_ders)
        self._first_h = 0

    @classmethod
    def of_file(cls, path: Path) -> Engine:
        """The circuit of a user's own master file, which is a script."""
        if not path.is_file():
            raise ConfigError(f"{path}: no such file, or a folder; give a master file of OpenDSS")
        engine = cls(str(path))
        with engine._told(), _kept_folder():
            engine._command(f'compile "{path.resolve()}"')
        engine._begin()
        return engine

    @classmethod
    def of_commands(cls, commands: Sequence[str], what: str) -> Engine:
        """The circuit of commands of our own."""
        engine = cls(what)
        with engine._told():
            for command in commands:
                engine._command(command)
        engine._begin()
        return engine

    def _command(self, text: str) -> None:
        self._dss.Text.Command = text

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DSSException as error:
            text = " ".join(str(error.args[-1]).split())
            raise ConfigError(f"{self.what}: OpenDSS: {text[:400]}") from None

    def _begin(self) -> None:
        """A first solution without DERs, then the engine's time follows ours."""
        with self._told():
            if not self._dss.NumCircuits:
                raise ConfigError(f"{self.what}: no circuit in it; give the master file")
            self._command("set mode=snap controlmode=static maxcontroliter=100 maxiterations=100")
            self._circuit.Solution.Solve()
            self.node_names: list[str] = list(self._circuit.AllNodeNames)
            if not self.node_names:
                raise ConfigError(f"{self.what}: a circuit without buses; give the master file")
            self._see_bases()
            self._check()
            for command in ("set loadshapeclass=daily", _OUR_MODE, "set controlmode=time"):
                self._command(command)

    def _see_bases(self) -> None:
        """Where the file sets no voltage bases, those of its source and its transformers."""
        if all(self._base_kv(bus) for bus in self._circuit.AllBusNames):
            return
        found = {float(self._circuit.Vsources.BasekV)} if self._circuit.Vsources.First else set()
        transformers = self._circuit.Transformers
        left = transformers.First
        while left:
            several = self._circuit.ActiveCktElement.NumPhases > 1
            for winding in range(1, transformers.NumWindings + 1):
                transformers.Wdg = winding
                found.add(round(transformers.kV * (1.0 if several else _SQRT_3), 4))
            left = transformers.Next
        self._command(f"set voltagebases=[{' '.join(map(str, sorted(found)))}]")
        self._command("calcvoltagebases")
        self._circuit.Solution.Solve()

    def _base_kv(self, bus: str) -> float:
        self._circuit.SetActiveBus(bus)
        return float(self._circuit.ActiveBus.kVBase)

    def start_at(self, local_s: float) -> None:
        """The engine's hours count from the midnight before this local time."""
        self._first_h = 24 * int(local_s // (24 * _HOUR_S))
        self._set_time(local_s)
        self._now_s = local_s

    def _set_time(self, local_s: float) -> None:
        hour = int(local_s // _HOUR_S)
        self._circuit.Solution.Hour = hour - self._first_h
        self._circuit.Solution.Seconds = local_s - hour * _HOUR_S

    def buses(self) -> dict[str, Bus]:
        """All buses by name, in the order of the nodes."""
        rows: dict[str, list[tuple[int, int]]] = {}
        for row, name in enumerate(self.node_names):
            bus, _, node = name.rpartition(".")
            rows.setdefault(bus, []).append((int(node), row))
        volts = self._volts()
        base = self._bases_kv()
        found = {}
        for bus, pairs in rows.items():
            phases = sorted(pair for pair in pairs if pair[0] <= 3)
            nodes, places = tuple(node for node, _ in phases), tuple(row for _, row in phases)
            split = len(phases) == 2 and _are_opposite(volts[places[0]], volts[places[1]])
            found[bus] = Bus(bus, nodes, places, float(base[pairs[0][1]]), split)
        return found

    def _volts(self) -> NDArray[np.complex128]:
        """Complex voltages of the nodes, V, in the order of node_names."""
        flat = np.asarray(self._circuit.AllBusVolts, dtype=np.float64)
        return flat[::2] + 1j * flat[1::2]

    def _bases_kv(self) -> Array:
        """kV to neutral of each node."""
        bases = {bus: self._base_kv(bus) for bus in self._circuit.AllBusNames}
        return np.array([bases[name.rpartition(".")[0]] for name in self.node_names])

    def connect(self, connections: Sequence[Connection], buses: dict[str, Bus]) -> None:
        """Add a generator for each DER, at P = Q = 0."""
        with self._told():
            for number, (bus, nodes, _) in enumerate(connections, 1):
                phases = len(nodes)
                kv = buses[bus].kv_ln * (1 if phases == 1 else _SQRT_3)
                at = "".join(f".{node}" for node in nodes)
                self._command(
                    f"new generator.dersim_{number} bus1={bus}{at} phases={phases} kv={kv:.9g} "
                    f"kw=0 kvar=0 {WIDE} status=fixed"
                )
            names = {name.lower(): i for i, name in enumerate(self._circuit.Generators.AllNames, 1)}
            self._generators = [names[f"dersim_{number}"] for number in range(1, len(connections) + 1)]
            self._circuit.Solution.Solve()

    def set_loads(self, names: Sequence[str], kw: Array, kvar: Array) -> None:
        """P and Q of loads, kW and kvar."""
        loads = self._circuit.Loads
        for name, p, q in zip(names, kw.tolist(), kvar.tolist(), strict=True):
            loads.Name = name
            loads.kW = p
            loads.kvar = q

    def set_powers(self, kw: Sequence[float], kvar: Sequence[float]) -> None:
        """P and Q of each DER, kW and kvar, > 0 into the feeder."""
        self._powers = kw, kvar
        self._write(kw, kvar)

    def _write(self, kw: Sequence[float], kvar: Sequence[float]) -> None:
        """Both: writing kW alone rescales kvar."""
        generators = self._circuit.Generators
        for index, p, q in zip(self._generators, kw, kvar, strict=True):
            generators.idx = index
            generators.kW = p
            generators.kvar = q

    def solve(self, local_s: float) -> None:
        """Solve at this local time. NotConverged if there is no solution.

        Where controls wait for their delay, time passes in pieces, so that they act when they are due.
        """
        pieces = 0
        while (
            self._now_s + _CONTROL_STEP_S < local_s
            and pieces < _MOST_CONTROL_STEPS
            and self._circuit.CtrlQueue.QueueSize
        ):
            self._solve_at(self._now_s + _CONTROL_STEP_S)
            pieces += 1
        self._solve_at(local_s)

    def _solve_at(self, local_s: float) -> None:
        self._now_s = local_s
        self._set_time(local_s)
        try:
            self._circuit.Solution.Solve()
        except DSSException as error:
            raise NotConverged(" ".join(str(error.args[-1]).split())[:200]) from None
        if not self._circuit.Solution.Converged:
            raise NotConverged(f"no solution within {self._circuit.Solution.MaxIterations} iterations")

    @contextmanager
    def tried(self) -> Iterator[None]:
        """Inside, `solve_again` solves for other powers at the same instant, and no control acts."""
        solution = self._circuit.Solution
        before, solution.ControlMode = solution.ControlMode, _CONTROLS_OFF
        try:
            yield
        finally:
            solution.ControlMode = before

    def solve_again(self) -> None:
        """See `tried`."""
        self._solve_at(self._now_s)

    def forget(self) -> None:
        """Begin the next solution anew and not from the last voltages, which may be those of a collapse."""
        self._command(_OUR_MODE)
        self._command("set controlmode=time")

    def voltages(self) -> Array:
        """Per-unit voltages of all nodes, in the order of node_names; NotConverged if they cannot be real."""
        pu = self._pu()
        return plausible(pu, self.node_names, self._open_ends.among(pu))

    def _pu(self) -> Array:
        return np.array(self._circuit.AllBusVmagPu, dtype=np.float64)

    def _without_ders(self) -> Array:
        """Per-unit voltages at the same instant with all DERs at 0; the solution is as before afterwards."""
        if not self._generators:
            return self._pu()
        zeros = [0.0] * len(self._generators)
        with self.tried():
            self._write(zeros, zeros)
            self.solve_again()
            found = self._pu()
            self._write(*self._powers)
            self.solve_again()
        return found

    def totals(self, transformers: NDArray[np.intp]) -> Totals:
        """Powers of the last solution. transformers: their rows among the branches."""
        power, losses = self._circuit.TotalPower, self._circuit.Losses
        loading = np.asarray(self._circuit.PDElements.AllPctNorm(AllNodes=False))[transformers]
        return Totals(
            -1000 * float(power[0]), -1000 * float(power[1]), float(losses[0]), float(losses[1]), loading
        )

    @property
    def circuit(self) -> Any:
        """OpenDSS's own circuit, for reading what is in it."""
        return self._circuit

    def _check(self) -> None:
        if not self._circuit.Solution.Converged:
            raise ConfigError(f"{self.what}: OpenDSS finds no solution without DERs; check the feeder")
        try:
            self.voltages()
        except NotConverged as error:
            raise ConfigError(f"{self.what}: without DERs {error}; check the feeder") from None


def plausible(pu: Array, names: Sequence[str], open_ends: NDArray[np.bool_]) -> Array:
    """These voltages; NotConverged, with the worst node, if one of them cannot be real. See `OpenEnds`."""
    low, high = PLAUSIBLE_PU
    wrong = ~(open_ends | ((pu >= low) & (pu <= high)))
    if wrong.any():
        worst = int(np.argmax(wrong * np.abs(np.nan_to_num(pu, nan=9.0) - 1)))
        raise NotConverged(f"node {names[worst]} would have {pu[worst]:.3g} pu")
    return pu


def _are_opposite(one: complex, other: complex) -> bool:
    return abs(one) > 0 and abs(other) > 0 and (one * other.conjugate()).real < -0.9 * abs(one) * abs(other)


@contextmanager
def _kept_folder() -> Iterator[None]:
    """The working directory stays, whatever a script does to it."""
    before = Path.cwd()
    try:
        yield
    finally:
        os.chdir(before)
