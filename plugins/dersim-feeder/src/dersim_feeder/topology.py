"""The tree of a feeder as the engine has it: branches, distances from the head, feeding transformers."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from dersim.plugin import ConfigError

#: km in one unit of a line's length, by OpenDSS's number of the unit; without a unit it is taken as km.
_KM = {0: 1.0, 1: 1.609344, 2: 0.3048, 3: 1.0, 4: 0.001, 5: 0.0003048, 6: 2.54e-5, 7: 1e-5, 8: 1e-6}


class Branch(NamedTuple):
    """A line, a transformer or another series element. row: its place among OpenDSS's PD elements."""

    kind: str
    name: str
    from_bus: str
    to_bus: str
    km: float
    row: int


class Transformer(NamedTuple):
    """A transformer and what it may carry. row: as of its branch."""

    name: str
    bus: str
    kva: float
    row: int


@dataclass(frozen=True, slots=True)
class Topology:
    """What feeds what.

    branches: by the way from the head, nearest first, without those that close a ring. km: of each bus from
    the head; a bus that nothing feeds is missing. feeding: the transformer nearest to a bus on the way to the
    head, "" where there is none. rated: normal current over rated current of each transformer. coordinates:
    x and y of buses, where the file has them.
    """

    head: str
    branches: tuple[Branch, ...]
    km: dict[str, float]
    feeding: dict[str, str]
    transformers: tuple[Transformer, ...]
    rated: NDArray[np.float64]
    coordinates: dict[str, tuple[float, float]]


def read_topology(circuit: Any) -> Topology:
    """The topology of OpenDSS's active circuit."""
    if not circuit.Vsources.First:
        raise ConfigError("a feeder without a source; give the master file of a circuit")
    head = _bus_of(circuit.ActiveCktElement.BusNames[0])
    edges = _edges(circuit)
    kva, rated = _ratings(circuit)
    km, branches, feeding = {head: 0.0}, [], {head: ""}
    waiting: list[tuple[float, int, str, Branch]] = []
    met: set[str] = set()

    def look_on(bus: str) -> None:
        for branch in edges.get(bus, ()):
            to = branch.to_bus if branch.from_bus == bus else branch.from_bus
            if to not in met:
                heapq.heappush(waiting, (km[bus] + branch.km, branch.row, to, branch))

    met.add(head)
    look_on(head)
    while waiting:
        far, _, bus, branch = heapq.heappop(waiting)
        if bus in met:
            continue
        met.add(bus)
        before = branch.from_bus if branch.to_bus == bus else branch.to_bus
        km[bus] = far
        branches.append(branch._replace(from_bus=before, to_bus=bus))
        feeding[bus] = branch.name if branch.kind == "transformer" else feeding[before]
        look_on(bus)
    return Topology(
        head,
        tuple(branches),
        km,
        feeding,
        tuple(
            Transformer(branch.name, branch.to_bus, kva[branch.name], branch.row)
            for branch in branches
            if branch.kind == "transformer"
        ),
        np.array([rated[branch.name] for branch in branches if branch.kind == "transformer"]),
        _coordinates(circuit),
    )


def _coordinates(circuit: Any) -> dict[str, tuple[float, float]]:
    found = {}
    for bus in circuit.AllBusNames:
        circuit.SetActiveBus(bus)
        if circuit.ActiveBus.Coorddefined:
            found[bus] = float(circuit.ActiveBus.x), float(circuit.ActiveBus.y)
    return found


def _bus_of(text: str) -> str:
    return text.partition(".")[0].lower()


def _edges(circuit: Any) -> dict[str, list[Branch]]:
    """All series elements by each of their buses."""
    lengths = _lengths_km(circuit)
    edges: dict[str, list[Branch]] = {}
    elements = circuit.PDElements
    # `First` and `Next` leave out what is switched off; arrays of all elements do not.
    rows = {name.lower(): row for row, name in enumerate(elements.AllNames)}
    left = elements.First
    while left:
        kind, _, name = elements.Name.lower().partition(".")
        if not elements.IsShunt:
            first, *others = dict.fromkeys(_bus_of(bus) for bus in circuit.ActiveCktElement.BusNames)
            for other in others:
                km = lengths.get(name, 0.0) if kind == "line" else 0.0
                branch = Branch(kind, name, first, other, km, rows[f"{kind}.{name}"])
                edges.setdefault(first, []).append(branch)
                edges.setdefault(other, []).append(branch)
        left = elements.Next
    return edges


def _lengths_km(circuit: Any) -> dict[str, float]:
    lines, lengths = circuit.Lines, {}
    left = lines.First
    while left:
        lengths[lines.Name.lower()] = lines.Length * _KM.get(int(lines.Units), 1.0)
        left = lines.Next
    return lengths


def _ratings(circuit: Any) -> tuple[dict[str, float], dict[str, float]]:
    """kVA of each transformer, and its normal rating in parts of that."""
    kva, rated = {}, {}
    transformers = circuit.Transformers
    left = transformers.First
    while left:
        name = transformers.Name.lower()
        transformers.Wdg = 1
        kva[name] = float(transformers.kVA)
        phases, kv = circuit.ActiveCktElement.NumPhases, float(transformers.kV)
        amps = kva[name] / (kv * (3**0.5 if phases == 3 else 1.0))
        rated[name] = float(circuit.ActiveCktElement.NormalAmps) / amps if amps else 1.0
        left = transformers.Next
    return kva, rated
