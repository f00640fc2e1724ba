"""What a plug-in hands over: plain objects, made once at start-up.

A plug-in's hooks (see `hookspecs.py`) return these. Nothing here runs on the tick except
`ControlFunction.step`.
"""

from __future__ import annotations

import random
from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from dersim.modes import ModeSpec

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.fleet import Device, Fleet
    from dersim.logbuffer import LogBuffer


class FrontendStatus(NamedTuple):
    """What `overview.comm` shows of a front-end: state is one word, detail a line for people."""

    state: str
    detail: str = ""


class Frontend(Protocol):
    """A running protocol front-end: of one DER, or of the fleet.

    The engine calls `bind` of every front-end before it runs any; then `run` in a task of its own, which is
    cancelled to stop, and restarted with back-off when it raises. After a restart `bind` is called again.
    """

    async def bind(self) -> Mapping[str, str]:
        """Open what listens; return what the ready line shows, e.g. {"dashboard": "http://127.0.0.1:8111"}.

        Raises ConfigError where a port is busy or a file is bad: the program then ends with exit code 2.
        """
        ...

    async def run(self) -> None:
        """Serve until cancelled."""
        ...

    def status(self) -> FrontendStatus:
        """Where it stands, for the overview."""
        ...


@dataclass(slots=True)
class FrontendContext:
    """All that a front-end is given. `device` is None for a front-end of the fleet.

    `services` holds every front-end that was made, by (name, device number or 0): how the web reaches the
    CSIP client of DER 2 is `services["csip", 2]`. `stop` ends the program cleanly.
    """

    options: Namespace
    fleet: Fleet
    clock: SimClock
    log: LogBuffer
    services: dict[tuple[str, int], Any]
    stop: Callable[[], None]
    device: Device | None = None
    rng: random.Random = field(default_factory=random.Random)


@dataclass(frozen=True, slots=True)
class FrontendType:
    """A kind of front-end. `make` is called once per DER or once per fleet, by `scope`.

    peer_follows_simulated_time: whether the other side is in this process and reads the simulated clock; a
    `--rate` other than 1 is refused for the front-ends that say False, unless overridden.
    order: front-ends are made, bound and started in rising order.
    """

    name: str
    scope: Literal["device", "fleet"]
    make: Callable[[FrontendContext], Frontend]
    peer_follows_simulated_time: bool = True
    order: int = 100
    doc: str = ""


@dataclass(frozen=True, slots=True)
class SchemaExtension:
    """A foreign element of 2030.5 documents: a namespace, the element, where it may stand, and its mode.

    See docs/plugins.md. `parents` are names of 2030.5 types, e.g. "DERControlBase".
    """

    namespace: str
    element: str
    parents: tuple[str, ...]
    mode: ModeSpec
    wire_type: str


@dataclass(frozen=True, slots=True)
class Panel:
    """A page of the dashboard: a title and the path of a static ES module."""

    name: str
    title: str
    module_path: str
    doc: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
