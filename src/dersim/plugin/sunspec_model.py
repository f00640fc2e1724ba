"""A SunSpec model of a plug-in: its definition, and the object behind its registers.

Without `make` the registers keep what is written to them. With it they show what the object's `read` returns,
and a write is passed to its `write`, as with the models that come with dersim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.hardware.nameplate import Nameplate
    from dersim.modes import ModeValue
    from dersim.setpoint_sources import SetpointSource
    from dersim.setpoints import SetpointChange


class SunspecPoints(Protocol):
    """The registers of one model of one DER.

    Points by their paths (``W``, ``Crv[0].Pt[1].V``), in plain units: scale factors are applied outside.
    Optional: `stamp()`, a value that differs whenever `read` may return something else, by default the state
    of the DER, its setpoints and its settings; `writable(path)`, False for a point that the definition marks
    RW and this DER does not; `counts` and `scales`, mappings that win over the definition's values.
    """

    def read(self) -> Mapping[str, float | int | str | None]:
        """The points that this DER has; all others show "not implemented"."""
        ...

    def write(
        self, points: Mapping[str, Any], source: SetpointSource
    ) -> Mapping[str, ModeValue | None] | Iterable[SetpointChange] | None:
        """Carry out a write of several points, all or none; ConfigError says in words why not (exception 3).

        What it returns is submitted to the DER, all or none, and may be refused there: values of modes, None
        to withdraw one, or changes in full. The values written are within their type and enumeration.
        source: who writes, Modbus or REST.
        """
        ...


def _always(_nameplate: Nameplate) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class SunspecModel:
    """A SunSpec model. definition: in the SunSpec Alliance's JSON form; points begin with its ``value``.

    make: called once per DER with the device and a function that tells the simulated time (UTC, s).
    suits: whether a DER with this nameplate has the model.
    """

    definition: Mapping[str, Any]
    make: Callable[[Device, Callable[[], float]], SunspecPoints] | None = None
    suits: Callable[[Nameplate], bool] = _always


class OwnedModel(NamedTuple):
    """A registered model and the plug-in that registered it."""

    plugin: str
    model: SunspecModel
