"""The checkpoint of a run: by DER, its physics and its front-ends.

::

    {"7": {"device": {...}, "frontends": {"csip": {...}}}}

The first DER's has the states of the grids, too: "grids": {"feeder": {...}}. A front-end or a grid takes part
with the methods `checkpoint` and `restore`, or with `KEPT` (`dersim.kept`); a front-end with the methods. It
is restored when it is made, before it is bound.
"""

from __future__ import annotations

import contextlib
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import trio

from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.kept import give, is_kept, taken
from dersim.logbuffer import LogBuffer
from dersim.saved_states import SavedStates
from dersim.setpoints import LeftOut

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.engine.supervision import Supervised
    from dersim.fleet import Fleet
    from dersim.grid.contract import Grid

_SOURCE_IS_GONE = (
    "restored; setpoints by {0} are left out: no plug-in of this run has that source; "
    "to keep them, start again from the same state with the plug-in that had it"
)


class Checkpoints:
    """Takes and gives the states of a run. frontends: by number of the DER, those that are made."""

    def __init__(
        self, fleet: Fleet, frontends: Mapping[int, list[Supervised]], log: LogBuffer, fences: Fences
    ) -> None:
        self.states = SavedStates()
        self._fleet = fleet
        self._frontends = frontends
        self._log = log
        self._fences = fences
        self._waiting: dict[int, Mapping[str, Any]] = {}
        #: By name, once they are made.
        self.grids: dict[str, Grid] = {}
        self._waiting_grids: Mapping[str, Any] = {}

    def take(self, numbers: Iterable[int] | None = None) -> dict[str, Any]:
        """The states of these DERs, or of all; one whose plug-in fails at it is left out, and logged."""
        if numbers is None:
            self.states.taken()
            devices = self._fleet.devices
        else:
            devices = [device for n in numbers if (device := self._fleet.find(n)) is not None]
            self.states.taken(device.number for device in devices)
        found: dict[str, Any] = {}
        for device in devices:
            with self._fences.around("checkpoint", "Engine", "its checkpoint failed", device.number):
                found[str(device.number)] = self._one(device)
        return found

    async def take_in_slices(self) -> dict[str, Any]:
        """The states of all DERs, each whole by itself; other tasks run in between.

        Who waits for a saved state waits for one that begins later than its wait.
        """
        self.states.taken()
        found: dict[str, Any] = {}
        begun = time.perf_counter()
        for device in self._fleet.devices:
            found |= self.take([device.number])
            if time.perf_counter() - begun > self._fleet.slice_s:
                await trio.lowlevel.checkpoint()
                begun = time.perf_counter()
        return found

    def mark(self, device: Device) -> Any:
        """Equal marks: of its checkpoint no more than `Device.counted` has changed. None: nobody knows.

        A front-end says so with the method `checkpoint_mark`; without it its whole document is compared.
        """
        marks = [device.rest]
        for each in self._frontends.get(device.number, ()):
            if hasattr(each.frontend, "checkpoint_mark"):
                marks.append(each.frontend.checkpoint_mark())
            elif hasattr(each.frontend, "checkpoint"):
                marks.append(each.frontend.checkpoint())
        return None if None in marks else tuple(marks)

    def _one(self, device: Device) -> dict[str, Any]:
        made = [(each.name, each.frontend) for each in self._frontends.get(device.number, ())]
        kept = {name: each.checkpoint() for name, each in made if hasattr(each, "checkpoint")}
        document = {"device": device.checkpoint(), "frontends": kept}
        if self.grids and device is self._fleet.devices[0]:
            document["grids"] = {name: taken(grid) for name, grid in self.grids.items() if is_kept(grid)}
        return document

    def give(self, documents: Mapping[str, Any]) -> None:
        """Restore DERs at once, and their front-ends when they are made; call it before the run.

        ConfigError for a checkpoint of another format or nameplate, or of a DER that this run does not have.
        """
        sources: set[str] = set()
        for text, document in documents.items():
            device = self._fleet.find(int(text)) if text.isdecimal() else None
            if device is None:
                first, last = self._fleet.devices[0].number, self._fleet.devices[-1].number
                raise ConfigError(
                    f"checkpoint of DER {text}: this run has the DERs {first} to {last}; "
                    f"choose --first and -N so that it is among them, or leave it out"
                )
            with _usable(f"checkpoint of DER {text}"):
                lines = device.restore(document["device"])
                self._waiting[device.number] = document["frontends"]
                self._waiting_grids = document.get("grids", self._waiting_grids)
            for line in lines:
                self._log.log("Debug", "Engine", f"restored; {line}", device.number)
            sources |= {line.source for line in lines if isinstance(line, LeftOut) and line.source}
        for label in sorted(sources):
            self._log.log("Warning", "Engine", _SOURCE_IS_GONE.format(label))

    def give_frontends(self) -> None:
        """Restore the grids and the front-ends, which are made now."""
        for name, kept in self._waiting_grids.items():
            if is_kept(grid := self.grids.get(name)):
                with _usable(f"checkpoint of grid {name}"):
                    give(grid, kept)
        for number, kept in self._waiting.items():
            for each in self._frontends.get(number, ()):
                restore = getattr(each.frontend, "restore", None)
                if restore is not None and each.name in kept:
                    with _usable(f"checkpoint of front-end {each.name} of DER {number}"):
                        restore(kept[each.name])
        self._waiting.clear()


@contextlib.contextmanager
def _usable(what: str) -> Iterator[None]:
    """ConfigError for a document with content that cannot be read within the block."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise ConfigError(f"{what}: its content cannot be used: {error!r}; start without it") from error
