"""The checkpoint of a DER: its whole state as JSON, and back.

The format has a number. A document of another format, or of a DER with another nameplate or type, is refused.
What follows from nameplate, settings and setpoints in force is worked out anew; the inner state of every part
is then put over it (`kept.py`).

A DER that is restored later than its checkpoint makes up for the time in between in its first step, if that
is at most `CATCH_UP_S`; after a longer time, or a clock that was set back, it goes on from the present. A DER
that had failed is restored out of service: a new run is a new try.
"""

from __future__ import annotations

import base64
import math
import random
import struct
from collections.abc import Callable, Mapping
from typing import Any

from dersim.cuts import Cuts
from dersim.errors import ConfigError
from dersim.functions import kept_chain
from dersim.functions.chain import Chain
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.hardware.device_type import DeviceType
from dersim.hardware.measured import Measured
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.settings import Settings
from dersim.hardware.source import Source
from dersim.kept import attributes, give, is_kept, plain, set_attributes, taken, value
from dersim.modes import ModeValue
from dersim.setpoints import LeftOut, Setpoints

#: The number of the format; it rises with every change that an older dersim could not read right.
VERSION = 1
#: The longest time between checkpoint and restore that the first step makes up for, s.
CATCH_UP_S = 3600.0
_PARTS = ("seen", "_registers", "_report", "_cuts")
#: What goes on while a DER is at rest.
_COUNTED = ("_registers",)
#: Of a generator from which nothing was drawn since it was seeded.
_UNDRAWN = 624


class Checkpointed:
    """The part of `Device` that gives and takes its state.

    on_change: called when settings, setpoints, inputs or a command have changed it, from within the change.
    """

    on_change: Callable[[], None] = staticmethod(lambda: None)
    number: int
    failed: str
    nameplate: Nameplate
    device_type: DeviceType
    rng: random.Random
    settings: Settings
    setpoints: Setpoints
    inputs: Inputs
    source: Source
    chain: Chain
    seen: Measured
    moved_s: float
    _cuts: Cuts
    _last_s: float
    _conditions: Conditions | None
    shares: tuple[float, float, float]
    _state: Any

    def _configure(self, values: Mapping[str, ModeValue]) -> None:
        raise NotImplementedError

    def checkpoint(self) -> dict[str, Any]:
        """The whole state as JSON, as of the last step. PluginError for a plug-in that fails at it."""
        chain = kept_chain.checkpoint(self.chain)
        if self.failed:
            chain["service"] |= {"in_service": False, "turning": False}
        return {
            "version": VERSION,
            "number": self.number,
            "type": self.device_type.name,
            "nameplate": self.nameplate.digest,
            "time_s": plain(self._last_s),
            "moved_s": plain(self.moved_s),
            "conditions": plain(self._conditions),
            "shares": plain(self.shares),
            "random": _drawn(self.rng),
            "settings": self.settings.checkpoint(),
            "setpoints": self.setpoints.checkpoint(),
            "inputs": self.inputs.checkpoint(),
            "source": taken(self.source),
            "chain": chain,
            **attributes(self, _PARTS),
        }

    @property
    def rest(self) -> tuple[float, ...] | None:
        """Equal as long as nothing but time and registers moves; None while something does."""
        if self.failed or not (self.chain.settled and self.source.settled and self.moved_s < self._last_s):
            return None
        return self.moved_s, self.settings.changes, self.setpoints.changes

    def counted(self) -> dict[str, Any]:
        """What of the checkpoint changes while the DER is at rest, to be put over it."""
        return {"time_s": plain(self._last_s), **attributes(self, _COUNTED)}

    def restore(self, document: Mapping[str, Any]) -> list[LeftOut | str]:
        """Take over a checkpoint of this DER, made by this run or another.

        Returns what is left out or begins anew; each is a sentence as a text.

        ConfigError, and nothing is changed, for one of another format, type or nameplate.
        """
        check(document, self.device_type.name, self.nameplate.digest)
        self.settings.restore(document["settings"])
        left_out = self.setpoints.restore(document["setpoints"])
        self.inputs.restore(document["inputs"])
        self._configure(self.setpoints.values())
        give(self.source, document["source"])
        kept_chain.restore(self.chain, document["chain"])
        set_attributes(self, _PARTS, document)
        _draw_on(self.rng, document["random"])
        self._conditions = self._seen_last(document["conditions"])
        self.shares = value(document["shares"])
        self._state = None
        self._go_on_from(value(document["time_s"]), value(document["moved_s"]))
        return [*left_out, *(f"{what} keeps no state and begins anew" for what in self._anew())]

    def _seen_last(self, kept: Any) -> Conditions | None:
        if kept is None:
            return None
        conditions, now = Conditions(*value(kept)), self.inputs.constants
        return now if self.inputs.constant and now == conditions else conditions

    def _go_on_from(self, last_s: float, moved_s: float) -> None:
        now_s = self.inputs.now_s()
        if not math.isnan(last_s) and not 0 <= now_s - last_s <= CATCH_UP_S:
            last_s = moved_s = now_s
            self._cuts.jump_s = now_s
        self._last_s, self.moved_s = last_s, moved_s

    def _anew(self) -> list[str]:
        source = [] if is_kept(self.source) else [f"DC side of {self.device_type.name}"]
        return source + [f"control function {name}" for name in kept_chain.not_kept(self.chain)]


def check(document: Mapping[str, Any], type_name: str, digest: str) -> None:
    """ConfigError for a checkpoint that this DER cannot take over, with what to do."""
    version = document.get("version")
    if version != VERSION:
        raise ConfigError(
            f"checkpoint: format {version!r}, and this dersim reads format {VERSION}; "
            f"restore it with the dersim that made it, or start without it"
        )
    if (document["type"], document["nameplate"]) != (type_name, digest):
        raise ConfigError(
            f"checkpoint of DER {document['number']}: it is of a {document['type']} with nameplate "
            f"{document['nameplate']}, this DER is a {type_name} with {digest}; "
            f"start with the nameplate of the checkpoint, or without the checkpoint"
        )


def _drawn(rng: random.Random) -> str | None:
    """The state of a generator; None where nothing was drawn since it was seeded."""
    if not getattr(rng, "drawn", True):
        return None
    _, state, _ = rng.getstate()
    return None if state[-1] == _UNDRAWN else base64.b64encode(struct.pack("<625I", *state)).decode()


def _draw_on(rng: random.Random, kept: str | None) -> None:
    if kept is not None:
        version, _, gauss = rng.getstate()
        rng.setstate((version, struct.unpack("<625I", base64.b64decode(kept)), gauss))
