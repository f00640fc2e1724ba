"""What went over the wire, for an export as pcapng (`--pcap`): TCP payloads, times, addresses, secrets.

The buffer is bounded for the whole fleet, and the oldest exchange goes first. The TLS handshake of a
connection, without which nothing of it can be decrypted, goes last, and not while the connection is open.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Literal, NamedTuple

import trio

from dersim.buffers import BufferSize
from dersim.http11.sockets import ClientSocket
from dersim.tls import ClientContext
from dersim.tls.secrets import KeyLog

LIMIT_BYTES = 64 * 1024 * 1024
#: What a segment and a connection take beside their bytes (sys.getsizeof).
_SEGMENT_BYTES = 180
_FLOW_BYTES = 1_000
#: Types of TLS records, and where the client random is in a ClientHello.
_HANDSHAKE, _APPLICATION_DATA = 22, 23
_CLIENT_RANDOM = slice(11, 43)

Ending = Literal["open", "ours", "theirs", "reset"]


class Segment(NamedTuple):
    """Bytes that went one way. time_ns: the machine's clock; sent: by us."""

    time_ns: int
    sent: bool
    data: bytes


class Lost(NamedTuple):
    """What is no longer held of an open connection."""

    exchanges: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    until_ns: int = 0


class FlowView(NamedTuple):
    """One TCP connection, as it was when asked for. Addresses are (IP, port).

    opening: the TLS handshake; between it and `segments` is what was `lost`. ending: who closed first.
    """

    device: int
    client: tuple[str, int]
    server: tuple[str, int]
    opened_ns: int
    opening: tuple[Segment, ...]
    segments: tuple[Segment, ...]
    lost: Lost
    ending: Ending
    ended_ns: int
    secret: bytes


class Recording(NamedTuple):
    """All that is held: the connections by the time of their opening; how many whole ones are gone."""

    flows: tuple[FlowView, ...]
    lost_flows: int
    limit_bytes: int


class Flow:
    """One TCP connection while it is recorded. An exchange is a request with all that follows it."""

    def __init__(
        self, recorder: Recorder, device: int, client: tuple[str, int], server: tuple[str, int]
    ) -> None:
        self.device, self.client, self.server = device, client, server
        self.opened_ns = recorder.now_ns()
        self.opening: list[Segment] = []
        self.exchanges: deque[list[Segment]] = deque()
        self.lost = Lost()
        self.ending: Ending = "open"
        self.ended_ns = 0
        self.secret = b""
        self._recorder = recorder

    @property
    def client_random(self) -> bytes:
        """Of its ClientHello; empty on plain HTTP."""
        return self.opening[0].data[_CLIENT_RANDOM] if self.opening else b""

    def add(self, time_ns: int, sent: bool, data: bytes) -> None:
        """Keep one segment."""
        segment = Segment(time_ns, sent, data)
        if self._is_opening(segment):
            self.opening.append(segment)
            self._recorder.opening(self, segment)
        elif sent or not self.exchanges:
            self.exchanges.append([segment])
            self._recorder.keep(self, _size(segment), begins=True)
        else:
            self.exchanges[-1].append(segment)
            self._recorder.keep(self, _size(segment), begins=False)

    def _is_opening(self, segment: Segment) -> bool:
        if self.exchanges or self.lost.exchanges:
            return False
        kind = segment.data[0]
        if not self.opening:
            return segment.sent and kind == _HANDSHAKE
        return not (segment.sent and kind == _APPLICATION_DATA)

    def end(self, ending: Ending) -> None:
        """The connection is over; the first report counts."""
        if self.ending == "open":
            self.ending, self.ended_ns = ending, self._recorder.now_ns()

    def lose_oldest(self) -> int:
        """Drop the oldest exchange; its size, bytes."""
        gone = self.exchanges.popleft()
        sent = sum(len(segment.data) for segment in gone if segment.sent)
        received = sum(len(segment.data) for segment in gone if not segment.sent)
        lost = self.lost
        self.lost = Lost(
            lost.exchanges + 1, lost.sent_bytes + sent, lost.received_bytes + received, gone[-1].time_ns
        )
        return sum(map(_size, gone))

    def view(self) -> FlowView:
        """A copy that does not change any more."""
        segments = tuple(segment for exchange in self.exchanges for segment in exchange)
        return FlowView(
            self.device,
            self.client,
            self.server,
            self.opened_ns,
            tuple(self.opening),
            segments,
            self.lost,
            self.ending,
            self.ended_ns,
            self.secret,
        )


class Recorder:
    """Records connections, `limit_bytes` at most. now_ns: the machine's clock, ns since 1970."""

    def __init__(self, limit_bytes: int = LIMIT_BYTES, now_ns: Callable[[], int] = time.time_ns) -> None:
        self.limit_bytes = limit_bytes
        self.now_ns = now_ns
        self.key_log = KeyLog()
        self._flows: dict[Flow, None] = {}
        self._without_secret: dict[bytes, Flow] = {}
        # Who loses something, oldest first: one entry for each exchange, and one for the rest of a connection
        # when it is closed.
        self._queue: deque[Flow] = deque()
        self._lost_flows = 0
        self._held_bytes = 0

    def record(
        self, stream: trio.abc.Stream, device: int, context: ClientContext | None = None
    ) -> trio.abc.Stream:
        """`stream`, recorded from now on, if it is a socket. context: of the TLS that comes on it.

        OSError where the peer is gone already, or no more files may be open.
        """
        if not isinstance(stream, ClientSocket):
            return stream
        if context is not None:
            self.key_log.watch(context.shared)
        socket = stream.stream.socket
        flow = Flow(self, device, _address(socket.getsockname()), _address(socket.getpeername()))
        self._flows[flow] = None
        self._held_bytes += _FLOW_BYTES
        return _RecordedSocket(stream, flow, self)

    def size(self) -> BufferSize:
        """What is held."""
        return BufferSize(self._held_bytes, self.limit_bytes)

    def recording(self, device: int | None = None) -> Recording:
        """What is held now, of one DER or of all."""
        self.collect_secrets()
        flows = tuple(flow.view() for flow in self._flows if device in (None, flow.device))
        return Recording(flows, self._lost_flows, self.limit_bytes)

    def collect_secrets(self) -> None:
        """Give each connection the secret of its TLS session, where it has been logged."""
        for client_random, secret in self.key_log.read().items():
            if flow := self._without_secret.pop(client_random, None):
                flow.secret = secret

    def opening(self, flow: Flow, segment: Segment) -> None:
        """Count a part of a TLS handshake."""
        if len(flow.opening) == 1:
            self._without_secret[flow.client_random] = flow
        self._make_room(_size(segment))

    def keep(self, flow: Flow, size: int, *, begins: bool) -> None:
        """Count a part of an exchange; begins: its first."""
        if begins:
            self._queue.append(flow)
        self._make_room(size)

    def closed(self, flow: Flow) -> None:
        """The socket is closed: after its exchanges the flow itself may go."""
        flow.end("ours")
        self._without_secret.pop(flow.client_random, None)
        self._queue.append(flow)

    def _make_room(self, size: int) -> None:
        self._held_bytes += size
        while self._held_bytes > self.limit_bytes and self._queue:
            flow = self._queue.popleft()
            if flow.exchanges:
                self._held_bytes -= flow.lose_oldest()
            else:
                self._held_bytes -= _FLOW_BYTES + sum(map(_size, flow.opening))
                self._lost_flows += 1
                del self._flows[flow]


class _RecordedSocket(ClientSocket):
    """A client's socket that records."""

    def __init__(self, inner: ClientSocket, flow: Flow, recorder: Recorder) -> None:
        super().__init__(inner.stream)
        self._flow = flow
        self._recorder = recorder

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """As in ClientSocket."""
        time_ns = self._recorder.now_ns()
        try:
            await super().send_all(data)
        except trio.BrokenResourceError:
            self._flow.end("reset")
            raise
        if self._flow.opening and not self._flow.secret:  # our second message: it has just been logged
            self._recorder.collect_secrets()
        self._flow.add(time_ns, True, bytes(data))

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """As in ClientSocket."""
        try:
            data = await super().receive_some(max_bytes)
        except trio.BrokenResourceError:
            self._flow.end("reset")
            raise
        if data:
            self._flow.add(self._recorder.now_ns(), False, bytes(data))
        else:
            self._flow.end("theirs")
        return data

    async def aclose(self) -> None:
        """As in ClientSocket."""
        if self.stream.socket.fileno() >= 0:
            self._recorder.closed(self._flow)
        await super().aclose()


def _address(name: tuple[str, int]) -> tuple[str, int]:
    host, port = name[:2]
    return host.partition("%")[0], port


def _size(segment: Segment) -> int:
    return _SEGMENT_BYTES + len(segment.data)
