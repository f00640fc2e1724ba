"""Where the DERs are connected: by a map file, or spread over the feeder by their ratings.

Automatic placing is the same in every run: the DERs in the order of their ratings, the largest first, each to
the transformer with a free place that carries least of its kVA, the larger one where several are equal; among
those the one that is farthest from its predecessors in the file. Where no place is free, all take one more.
"""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dersim.plugin import ConfigError, csv_cell, hint, open_csv
from dersim_feeder.engine import Bus, Connection
from dersim_feeder.layout import shorter
from dersim_feeder.topology import Topology

_LETTERS = {"a": 1, "b": 2, "c": 3}
#: Of a transformer whose kVA is not known, as at a bus that the head feeds directly.
_SOME_KVA = 1_000.0
_MOST_DERS = 1_000_000
_Rank = tuple[int, float, float, float]


class Der(NamedTuple):
    """What is placed: its number, its phases (1, 2: split phase, 3) and its rating, W."""

    number: int
    phases: int
    rating_w: float


def fits(der: Der, bus: Bus) -> bool:
    """Whether a bus has the phases of a DER. One of a single phase fits anywhere."""
    if der.phases == 3:
        return len(bus.nodes) == 3
    return der.phases == 1 or bus.split


class _Transformer:
    """The places behind one transformer, and what was placed there."""

    def __init__(self, kva: float, order: float) -> None:
        self.kva = kva
        self.order = order
        self.placed_w = 0.0
        self.buses: list[tuple[Bus, list[int]]] = []

    def rank(self, der: Der) -> _Rank:
        """The lowest takes the next DER: free places first, then what carries least of its kVA."""
        fewest = min(len(there) for bus, there in self.buses if fits(der, bus))
        return fewest, round(self.placed_w / self.kva, 6), -self.kva, self.order


def place(
    ders: Iterable[Der], places: Sequence[str], buses: Mapping[str, Bus], topology: Topology, what: str
) -> dict[int, Connection]:
    """A connection for each DER, by number. ConfigError where one fits nowhere. what: the feeder's name."""
    transformers = _transformers(places, buses, topology)
    heaps: dict[int, list[tuple[_Rank, int]]] = {}
    found = {}
    for der in sorted(ders, key=lambda der: (-der.rating_w, der.number)):
        if der.phases not in heaps:
            heaps[der.phases] = [
                (each.rank(der), index)
                for index, each in enumerate(transformers)
                if any(fits(der, bus) for bus, _ in each.buses)
            ]
            heapq.heapify(heaps[der.phases])
        heap = heaps[der.phases]
        if not heap:
            raise ConfigError(_nowhere(der, what))
        while heap[0][0] != (rank := transformers[heap[0][1]].rank(der)):
            heapq.heapreplace(heap, (rank, heap[0][1]))  # a DER with other phases was placed there
        index = heap[0][1]
        chosen = transformers[index]
        bus, there = min(
            ((bus, there) for bus, there in chosen.buses if fits(der, bus)), key=lambda pair: len(pair[1])
        )
        nodes = _nodes_of(der, bus, len(there))
        there.append(der.number)
        chosen.placed_w += max(der.rating_w, 1.0)
        heapq.heapreplace(heap, (chosen.rank(der), index))
        found[der.number] = Connection(bus.name, nodes, der.phases)
    return found


def _nowhere(der: Der, what: str) -> str:
    words = {2: "split phase (two legs, 180 degrees)", 3: "three phases"}
    return (
        f"{what}: DER {der.number} has {words.get(der.phases, 'one phase')}, and no place of this feeder "
        "does; choose another --device_type or feeder, or give a --feeder_map"
    )


def _transformers(places: Sequence[str], buses: Mapping[str, Bus], topology: Topology) -> list[_Transformer]:
    kva = {each.name: each.kva for each in topology.transformers}
    found: dict[str, _Transformer] = {}
    for name in places:
        feeding = topology.feeding.get(name, "")
        if feeding not in found:
            found[feeding] = _Transformer(kva.get(feeding, _SOME_KVA), _spread(len(found)))
        found[feeding].buses.append((buses[name], []))
    for each in found.values():
        order = sorted(range(len(each.buses)), key=_spread)
        each.buses = [each.buses[index] for index in order]
    return list(found.values())


def _spread(index: int) -> float:
    """The van der Corput sequence: 0, 1/2, 1/4, 3/4, ...; its first values are spread over all of them."""
    value, part = 0.0, 0.5
    while index:
        value += part * (index & 1)
        index >>= 1
        part /= 2
    return value


def _nodes_of(der: Der, bus: Bus, before: int) -> tuple[int, ...]:
    """All nodes of a bus, or one of them in turn; a single-phase DER is between the legs of a split phase."""
    if der.phases == 1 and not bus.split:
        return (bus.nodes[before % len(bus.nodes)],)
    return bus.nodes


def read_map(
    path: Path, ders: Sequence[Der], bus_of: Callable[[str], Bus | None], known: Iterable[str]
) -> dict[int, Connection]:
    """The connections in a CSV file with der, bus and perhaps phases (A, AB, ABC or 1, 1.2, 1.2.3).

    Every DER of the run needs a row; rows of others are left out. ConfigError names the line.
    """
    by_number = {der.number: der for der in ders}
    found: dict[int, Connection] = {}
    with open_csv(path, ("der", "bus", "phases")) as table:
        for name in ("der", "bus"):
            if name not in table.header:
                raise ConfigError(f"{path} line 1: column {name} is missing; name der and bus")
        for where, row in table.rows:
            cells = dict(zip(table.header, row, strict=True))
            number = _number(where, cells["der"])
            if number in found:
                raise ConfigError(f"{where}: DER {number} is placed twice; remove one of the lines")
            if (der := by_number.get(number)) is not None:
                bus = _bus(where, cells["bus"], bus_of, known)
                nodes = _phases(where, der, bus, cells.get("phases", ""))
                found[number] = Connection(bus.name, nodes, der.phases)
    if missing := [der.number for der in ders if der.number not in found]:
        raise ConfigError(f"{path}: DER {missing[0]} has no line; give each of the {len(by_number)} DERs one")
    return found


def _number(where: str, text: str) -> int:
    number = csv_cell(where, "der", text.strip(), 1, _MOST_DERS)
    if number != int(number):
        raise ConfigError(f"{where}: der {text} is not a whole number")
    return int(number)


def _bus(where: str, text: str, bus_of: Callable[[str], Bus | None], known: Iterable[str]) -> Bus:
    name = text.strip().lower()
    bus = bus_of(name)
    if bus is None:
        near = hint(name, known)
        raise ConfigError(f"{where}: bus {text.strip()!r} is not in the feeder; {shorter(near)}")
    return bus


def _phases(where: str, der: Der, bus: Bus, text: str) -> tuple[int, ...]:
    """The nodes that a line names, or those that the DER fits."""
    there = ".".join(map(str, bus.nodes))
    given = text.strip().lower()
    if not given:
        if not fits(der, bus):
            raise ConfigError(
                f"{where}: DER {der.number} has {_word(der)}, bus {bus.name} has nodes {there}{_split(bus)}"
            )
        return _nodes_of(der, bus, 0)
    if not re.fullmatch(r"[abc]{1,3}|[123](\.[123]){0,2}", given):
        raise ConfigError(f"{where}: phases {text.strip()!r} are none; write A, ABC, 1.2 or the like")
    nodes = tuple(_LETTERS.get(each) or int(each) for each in given if each != ".")
    if len(set(nodes)) < len(nodes) or not set(nodes) <= set(bus.nodes):
        raise ConfigError(f"{where}: phases {text.strip()}: bus {bus.name} has nodes {there}{_split(bus)}")
    between_legs = der.phases == 1 and bus.split and len(nodes) == 2
    if (len(nodes) != der.phases and not between_legs) or (der.phases == 2 and not bus.split):
        raise ConfigError(
            f"{where}: phases {text.strip()}: DER {der.number} has {_word(der)}, "
            f"bus {bus.name} has nodes {there}{_split(bus)}"
        )
    return nodes


def _word(der: Der) -> str:
    return {1: "one phase", 2: "split phase"}.get(der.phases, "three phases")


def _split(bus: Bus) -> str:
    return ", a split phase" if bus.split else ""
