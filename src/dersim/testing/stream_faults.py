"""Faults of the network between a client and its server, below TLS and HTTP, on any stream.

::

    faults = StreamFaults(seed=7)
    client = CsipClient(context, open_tcp=faults.opener(1, net.open_tcp))
    faults.plant(StreamFault("reset", at="headers", duration_s=60))

Times are trio's, so that they pass in virtual time too. Draws depend on seed, client and the number of the
request alone: what one client meets is the same whatever others do.
"""

from __future__ import annotations

import errno
import math
import random
import socket
from collections.abc import Awaitable, Callable, Iterator
from typing import Literal, NamedTuple

import trio

from dersim.errors import ConfigError
from dersim.http11.sockets import ClientSocket

StreamFaultKind = Literal[
    "unknown_name", "slow_name", "refused", "no_connection",
    "silence", "reset", "close", "slow", "split", "latency", "loss", "bandwidth",
]  # fmt: skip
#: The part of an answer in which it acts; "after": when the answer is complete, on a connection that is kept.
Place = Literal["status", "headers", "body", "after"]
PLACES: tuple[Place, ...] = ("status", "headers", "body", "after")
OpenTcp = Callable[[str, int], Awaitable[trio.abc.Stream]]

#: Of a connection attempt; the others act on the bytes.
OPENING = frozenset({"unknown_name", "slow_name", "refused", "no_connection"})
#: They end the answer, or leave it unfinished, at a place.
CUTS = frozenset({"silence", "reset", "close"})
#: A lost segment is sent again after this time, then after twice as long (RFC 6298).
_FIRST_RTO_S, _MOST_LOSSES = 0.2, 8
_LARGEST = {"loss": 0.9}


class StreamFault(NamedTuple):
    """One fault of the network.

    at: of a cut (silence, reset, close). amount: bytes/s of `slow` (1) and `bandwidth` (1,250), bytes of
    `split` (1), seconds of `latency` (2) and `slow_name` (20), the share of `loss` (0.1). start_in_s,
    duration_s: from when it is planted; inf: until it is removed. probability: that it acts on a request.
    client: its number; None: all.
    """

    kind: StreamFaultKind
    at: Place = "body"
    amount: float | None = None
    start_in_s: float = 0.0
    duration_s: float = math.inf
    probability: float = 1.0
    client: int | None = None

    @property
    def words(self) -> str:
        """In one line: `reset in headers, probability 0.5`."""
        said = f" in {self.at}" if self.kind in CUTS else ""
        said += f" {self.size:g}" if self.kind in _AMOUNTS else ""
        return self.kind + said + (f", probability {self.probability:g}" if self.probability < 1 else "")

    @property
    def size(self) -> float:
        """The amount, or what is usual."""
        return _AMOUNTS.get(self.kind, 0.0) if self.amount is None else self.amount


_AMOUNTS = {"slow": 1.0, "split": 1.0, "latency": 2.0, "slow_name": 20.0, "loss": 0.1, "bandwidth": 1250.0}


class PlantedStreamFault:
    """A fault that was planted. acted: how often it has."""

    def __init__(self, fault: StreamFault, now_s: float) -> None:
        self.fault = fault
        self.starts_s = now_s + fault.start_in_s
        self.ends_s = self.starts_s + fault.duration_s
        self.acted = 0

    def meets(self, client: int, now_s: float) -> bool:
        """Whether it may act on that client now."""
        return self.starts_s <= now_s < self.ends_s and self.fault.client in (None, client)

    def remove(self) -> None:
        """End it now."""
        self.ends_s = -math.inf


class StreamFaults:
    """The faults of one network. open: connections that are not closed yet by the client."""

    def __init__(self, seed: int = 0) -> None:
        self.open = 0
        self.planted: list[PlantedStreamFault] = []
        self._seed = seed
        self._draws: dict[int, random.Random] = {}
        self._streams: set[FaultyStream] = set()

    def plant(self, fault: StreamFault) -> PlantedStreamFault:
        """Plant a fault; call it in trio. ConfigError for an amount that cannot be."""
        if fault.kind in _AMOUNTS and not 0 < fault.size <= _LARGEST.get(fault.kind, 1e9):
            raise ConfigError(f"{fault.kind}: an amount above 0, at most {_LARGEST.get(fault.kind, 1e9):g}")
        now_s = trio.current_time()
        self.planted = [each for each in self.planted if each.ends_s > now_s]
        planted = PlantedStreamFault(fault, now_s)
        self.planted.append(planted)
        return planted

    def break_all(self) -> None:
        """Break every connection, as a server that dies does."""
        for stream in list(self._streams):
            stream.shut()

    def opener(self, client: int, open_tcp: OpenTcp) -> OpenTcp:
        """`open_tcp` for one client, with the faults."""

        async def opened(host: str, port: int) -> trio.abc.Stream:
            await self._open(client, host)
            stream = FaultyStream(await open_tcp(host, port), self, client)
            self.open += 1
            self._streams.add(stream)
            return stream

        return opened

    async def _open(self, client: int, host: str) -> None:
        for planted in list(self.acting(client, OPENING)):
            match planted.fault.kind:
                case "unknown_name":
                    raise socket.gaierror(socket.EAI_NONAME, f"the name {host} is not known")
                case "refused":
                    raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
                case "no_connection":
                    await trio.sleep_forever()
                case "slow_name":
                    await trio.sleep(planted.fault.size)

    def acting(self, client: int, kinds: frozenset[str] | None = None) -> Iterator[PlantedStreamFault]:
        """Those that act on a request of that client now: each is drawn, and counted."""
        if not self.planted:
            return
        now_s = trio.current_time()
        for planted in self.planted:
            is_opening = planted.fault.kind in OPENING
            if planted.meets(client, now_s) and is_opening == (kinds is OPENING):
                if planted.fault.probability < 1 and self.rng(client).random() >= planted.fault.probability:
                    continue
                planted.acted += 1
                yield planted

    def rng(self, client: int) -> random.Random:
        """The draws of one client."""
        if client not in self._draws:
            self._draws[client] = random.Random(f"{self._seed} {client}")  # noqa: S311 - draws that can be repeated
        return self._draws[client]

    def closed(self, stream: FaultyStream) -> None:
        """The client has closed a connection."""
        if stream in self._streams:
            self._streams.discard(stream)
            self.open -= 1


class FaultyStream(trio.abc.Stream):
    """The client's end of a connection. What is sent begins a request, what comes then is its answer."""

    def __init__(self, stream: trio.abc.Stream, faults: StreamFaults, client: int) -> None:
        self._stream = stream
        self._faults = faults
        self._client = client
        self._acting: list[StreamFault] = []
        self._answer: Answer | None = None
        self._waiting = bytearray()
        self._ended: Literal["", "silence", "reset", "close"] = ""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send; a new request begins. On a connection that has ended it is lost."""
        if self._ended:
            await trio.lowlevel.checkpoint()
            if self._ended == "reset":
                raise trio.BrokenResourceError("connection reset by peer")
            return
        self._acting = [each.fault for each in self._faults.acting(self._client)]
        cut = next((each for each in self._acting if each.kind in CUTS), None)
        self._answer = None if cut is None else Answer(cut.at)
        await self._delay(len(data))
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        """As in trio.abc.SendStream."""
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """What comes, as the faults let it."""
        if not self._waiting:
            await self._fill(max_bytes)
            await self._delay(len(self._waiting))
        size = min([len(self._waiting), max_bytes or len(self._waiting), *map(_piece, self._acting)])
        piece = bytes(self._waiting[:size])
        del self._waiting[:size]
        for fault in self._acting:
            if fault.kind == "slow":
                await trio.sleep(len(piece) / fault.size)
        return piece

    async def _fill(self, max_bytes: int | None) -> None:
        """Wait for data and take as much of it as comes before the cut; nothing: the end."""
        if self._ended:
            await self._end()
            return
        data = await self._stream.receive_some(max_bytes)
        if self._answer is None:
            self._waiting += data
            return
        let = self._answer.let(bytes(data))
        self._waiting += data[:let]
        if let < len(data) or self._answer.is_cut:
            cut = next(each for each in self._acting if each.kind in CUTS)
            self._ended = cut.kind  # type: ignore[assignment]  # CUTS holds these three
            if self._ended != "silence":
                await trio.aclose_forcefully(self._stream)
            if not self._waiting:
                await self._end()

    async def _end(self) -> None:
        if self._ended == "silence":
            await trio.sleep_forever()
        if self._ended == "reset":
            raise trio.BrokenResourceError("connection reset by peer")

    async def _delay(self, size: int) -> None:
        """What latency, bandwidth and lost segments cost a piece of this size."""
        delay_s = 0.0
        for fault in self._acting:
            match fault.kind:
                case "latency":
                    delay_s += fault.size / 2
                case "bandwidth":
                    delay_s += size / fault.size
                case "loss":
                    delay_s += self._lost_s(fault.size)
        if delay_s:
            await trio.sleep(delay_s)

    def _lost_s(self, share: float) -> float:
        """How much later a segment comes that is lost with this share, again and again."""
        rng, delay_s, rto_s = self._faults.rng(self._client), 0.0, _FIRST_RTO_S
        for _ in range(_MOST_LOSSES):
            if rng.random() >= share:
                break
            delay_s, rto_s = delay_s + rto_s, rto_s * 2
        return delay_s

    def shut(self) -> None:
        """Break the connection, from any task; who waits for data reads the end of the stream."""
        self._ended = self._ended or "close"
        if isinstance(self._stream, trio.StapledStream):  # in memory
            self._stream.receive_stream.put_eof()
        elif isinstance(self._stream, ClientSocket):
            self._stream.shut()

    def is_readable(self) -> bool:
        """Whether the end of the stream has come, seen without waiting."""
        return self._ended in ("reset", "close")

    async def aclose(self) -> None:
        """Close it."""
        self._faults.closed(self)
        await self._stream.aclose()


class Answer:
    """How much of an answer comes before it is cut. With TLS the places are guessed by the byte count."""

    def __init__(self, at: Place) -> None:
        self._at = at
        self._seen = bytearray()
        self.is_cut = False

    def let(self, data: bytes) -> int:
        """How many of these bytes still come."""
        before = len(self._seen)
        self._seen += data
        end = self._end()
        if end is None:
            return len(data)
        self.is_cut = True
        return min(len(data), max(0, end - before))

    def _end(self) -> int | None:
        """Where the cut is, once that is known."""
        seen = bytes(self._seen)
        if self._at == "status":
            return 5
        if self._at == "headers":
            line = seen.find(b"\r\n")
            return None if line < 0 and seen[:5] == b"HTTP/" else line + 12
        if seen[:5] != b"HTTP/":
            return max(1, len(seen) // 2) if self._at == "body" else len(seen)
        head = seen.find(b"\r\n\r\n")
        if head < 0:
            return None
        size = _length(seen[:head])
        whole = head + 4 + size
        if self._at == "after":
            return whole if len(seen) >= whole else None
        return head + 4 + size // 2


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return 0


def _piece(fault: StreamFault) -> int:
    """How much of what has come is given at once."""
    return {"slow": 1, "split": max(1, int(fault.size))}.get(fault.kind, 1 << 30)
