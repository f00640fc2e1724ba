"""I7: tasks and file descriptors are back at their level while nothing is wrong.

A level is the least number in a minute without trouble: what comes and goes is not in it, a leak is. The
first level is the measure of all later ones.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator

import trio

from dersim.invariants.base import FleetLook, Invariant, Violation
from dersim.invariants.descriptors import descriptors

#: Between two looks and of a level, real seconds; how long nothing must have been wrong.
LOOK_S, LEVEL_S, CALM_S = 10.0, 60.0, 30.0
_LOOKS = round(LEVEL_S / LOOK_S)
#: Tasks that a DER has while there is something to do, at most so many kinds of work.
_ON_DEMAND, _KINDS = "OnDemand", 8
#: The tasks that serve one connection each: of the pages, of a 2030.5 server, of Modbus.
_CONNECTIONS = ("Server._connection", "Connections._serve")
#: Tasks that one connection has at most; there are as many connections as there are peers.
TASKS_EACH = 12
BEYOND, FILES = f"tasks beyond {TASKS_EACH} a connection", "file descriptors"
#: Descriptors that libraries open late: a database, a time zone, a resolver.
FD_SLACK = 4


class Leaks(Invariant):
    """Tasks and descriptors at their level."""

    id = "I7"
    statement = "Tasks and file descriptors return to their level after a fault."

    def __init__(self) -> None:
        self._next_s = 0.0
        self._troubled_s: float | None = None
        self._looks: deque[Counter[str]] = deque(maxlen=_LOOKS)
        self._level: Counter[str] | None = None

    def check_fleet(self, look: FleetLook) -> Iterator[Violation]:
        """Count, while all clients are connected."""
        if look.real_s < self._next_s:
            return
        self._next_s = look.real_s + LOOK_S
        if self._troubled_s is None or not is_calm(look):
            self._troubled_s = look.real_s
        if look.real_s - self._troubled_s < CALM_S:
            self._looks.clear()
            return
        self._looks.append(counted())
        if len(self._looks) == _LOOKS:
            yield from self._compare(look)

    def _compare(self, look: FleetLook) -> Iterator[Violation]:
        names = set().union(*self._looks)
        level = Counter({name: min(each[name] for each in self._looks) for name in names})
        if self._level is None:
            self._level = level
            return
        for name, count in level.items():
            most = max(self._level[name], _allowed(name, len(look.fleet.devices), self._level))
            if count > most:
                self._level[name] = count
                yield look.violation(Leaks, f"at most {most} of {name} while nothing is wrong", str(count))


def _allowed(name: str, devices: int, level: Counter[str]) -> int:
    if _ON_DEMAND in name:
        return _KINDS * devices
    return level[name] + FD_SLACK if name == FILES else level[name]


def is_calm(look: FleetLook) -> bool:
    """Whether every client is connected, or away as planned, and no DER has failed."""
    if any(device.failed for device in look.fleet.devices):
        return False
    return all(client.state in ("connected", "away") for _, client in look.clients())


def counted() -> Counter[str]:
    """Trio's tasks by name, and the file descriptors where they can be counted, without those of connections.

    Connections, and what belongs to them, come and go with the peers. What they have beyond that is counted.
    """
    found: Counter[str] = Counter()
    root = trio.lowlevel.current_root_task()
    waiting = [] if root is None else [root]
    connections: list[trio.lowlevel.Task] = []
    while waiting:
        task = waiting.pop()
        if task.name.endswith(_CONNECTIONS):
            connections.append(task)
            continue
        found[task.name] += 1
        waiting.extend(_children(task))
    found[BEYOND] = max(sum(map(_size, connections)) - TASKS_EACH * len(connections), 0)
    held = descriptors()
    if held is not None:
        found[FILES] = held.all - min(held.accepted, len(connections))
    return found


def _children(task: trio.lowlevel.Task) -> list[trio.lowlevel.Task]:
    return [child for nursery in task.child_nurseries for child in nursery.child_tasks]


def _size(task: trio.lowlevel.Task) -> int:
    """How many tasks it is with all below it."""
    count, waiting = 0, [task]
    while waiting:
        count += 1
        waiting.extend(_children(waiting.pop()))
    return count
