"""What users do to a CSIP client, told to who records the run."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Concatenate, ParamSpec, Protocol, TypeVar

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.plugin.services import PeersService


class _Client(Protocol):
    """What is needed of a CSIP client."""

    device: Device

    def peers(self) -> PeersService | None:
        """Who records the run."""
        ...


P = ParamSpec("P")
C = TypeVar("C", bound=_Client)

#: The methods of `CsipService` that change what a client sends.
ACTIONS = frozenset({"log_event_burst", "opt_in", "opt_out", "rediscover", "stop_log_event_burst"})


def told(method: Callable[Concatenate[C, P], None]) -> Callable[Concatenate[C, P], None]:
    """An action that a recorder is told of, once it is carried out."""
    assert method.__name__ in ACTIONS  # noqa: S101 - a replay knows these alone

    @functools.wraps(method)
    def act(client: C, /, *args: P.args, **named: P.kwargs) -> None:
        method(client, *args, **named)
        if (peers := client.peers()) is not None:
            peers.acted(client.device.number, method.__name__, args, named)

    return act
