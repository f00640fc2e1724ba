"""How clients connect: few of a process at once, and spread over some seconds after a loss of the server."""

from __future__ import annotations

import random
from collections.abc import Callable

import trio

from dersim.csip.presence import CutOff
from dersim.descriptors import Refusals
from dersim.errors import DersimError, UtilityUnreachable
from dersim.logbuffer import Level, LogBuffer

#: Connections that are made at the same time: 300 TLS handshakes at once delay everything else.
MOST_AT_ONCE = 30
#: The pause before the next walk, s, and its random spread over a fleet, +-s.
RETRY_S = 10.0
RETRY_SPREAD_S = 1.0
#: After the loss of a server, the first walk of each DER comes up to so many seconds later.
RETRY_PHASE_S = 5.0


class Joining:
    """What all CSIP clients of a process share. connecting: held from the connect to the first answer.

    turn: held by the DER that carries out what is due of its controls.
    """

    def __init__(self, log: LogBuffer) -> None:
        self.connecting = trio.CapacityLimiter(MOST_AT_ONCE)
        self.turn = trio.Lock()
        self._no_descriptors = Refusals(
            lambda line: log.log("Warning", "CSIP", line), "connections to the 2030.5 server not made"
        )

    def tell(self, say: Callable[[Level, str], None], error: DersimError, message: str) -> None:
        """Log a failure to connect: a line for each DER, or one a minute for all without descriptors."""
        if isinstance(error, UtilityUnreachable) and error.no_descriptors:
            self._no_descriptors.note(f"{error}; see `ulimit -n`")
            say("Debug", message)
        elif isinstance(error, CutOff):
            say("Debug", message)
        else:
            say("Warning", message)


class Retries:
    """The pauses of one client, s. The first one after a loss varies more: all DERs lose a server at once."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._is_connected = False

    def connected(self) -> None:
        """The next failure is a loss."""
        self._is_connected = True

    def next_s(self) -> float:
        """The pause after a failure."""
        least, most = (0.0, RETRY_PHASE_S) if self._is_connected else (-RETRY_SPREAD_S, RETRY_SPREAD_S)
        self._is_connected = False
        return RETRY_S + self._rng.uniform(least, most)
