"""How clients connect: few of a process at once, and spread over some seconds after a loss of the server."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import trio

from dersim.csip.presence import CutOff
from dersim.descriptors import Refusals
from dersim.errors import DersimError, UtilityUnreachable
from dersim.logbuffer import Level, LogBuffer

#: Connections that are made at the same time: 300 TLS handshakes at once delay everything else.
MOST_AT_ONCE = 30
#: Connections that are begun in a second, unless --ramp asks for more: after a loss all DERs come at once.
MOST_PER_S = 100.0
#: How far a connection came that cost its server no handshake.
_NO_HANDSHAKE = ("resolve", "connect")
#: The pause before the next walk, s, and its random spread over a fleet, +-s.
RETRY_S = 10.0
RETRY_SPREAD_S = 1.0
#: After the loss of a server, the first walk of each DER comes up to so many seconds later.
RETRY_PHASE_S = 5.0


#: DERs that carry out what is due between two turns of the event loop, some 0.5 ms each. One at a time, the
#: last of a hundred would wait for a hundred turns, which take seconds where the processor is busy.
ACTING_AT_ONCE = 8


class Turns:
    """Who may connect now: so many at once, and so many a second. Held from the connect to the first answer.

    A connection that is refused before its handshake uses up no turn, so that nobody waits for others while
    the server is away.
    """

    def __init__(self, most_at_once: int = MOST_AT_ONCE, per_s: float = MOST_PER_S) -> None:
        self._places = trio.CapacityLimiter(most_at_once)
        self._spacing_s = 1 / per_s
        self._next_at = -math.inf

    async def __aenter__(self) -> None:
        await self._places.acquire()
        now = trio.current_time()
        turn = max(now, self._next_at)
        self._next_at = turn + self._spacing_s
        try:
            await trio.sleep_until(turn)
        except trio.Cancelled:
            self._places.release()
            raise

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._places.release()
        if isinstance(error, UtilityUnreachable) and error.phase in _NO_HANDSHAKE:
            self._next_at -= self._spacing_s


class Joining:
    """What all CSIP clients of a process share. ramp: how many DERs start in a second.

    turn: held by the DERs that carry out what is due of their controls.
    """

    def __init__(self, log: LogBuffer, ramp: float = 0.0) -> None:
        self.connecting = Turns(per_s=max(MOST_PER_S, ramp))
        self.turn = trio.Semaphore(ACTING_AT_ONCE)
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
