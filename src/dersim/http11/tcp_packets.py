"""Ethernet, IP and TCP around recorded payloads, as they may have gone over the wire.

Payloads, times and addresses are recorded; the rest is made up: MAC addresses, the three-way handshake, FIN
and RST, acknowledgements with every packet, initial sequence numbers of 0.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from typing import NamedTuple

from dersim.http11.recorder import FlowView, Lost, Segment

#: The most payload in one packet, bytes; as on a loopback interface.
_MOST_PAYLOAD = 32_000
_FIN, _SYN, _RST, _PSH, _ACK = 1, 2, 4, 8, 16
_TCP, _TTL, _WINDOW = 6, 64, 65_535
_MAC = (b"\x02\x00\x00\x00\x00\x01", b"\x02\x00\x00\x00\x00\x02")  # locally administered: client, server
_DO_NOT_FRAGMENT = 0x4000


class Packet(NamedTuple):
    """A frame of Ethernet, with a comment for the reader where there is something to say."""

    time_ns: int
    frame: bytes
    comment: str = ""


def packets(flow: FlowView) -> Iterator[Packet]:
    """The packets of one connection; their times never fall."""
    return _Flow(flow).packets()


class _Flow:
    """Writes one connection. What is a pair is of the client and of the server."""

    def __init__(self, flow: FlowView) -> None:
        self._flow = flow
        self._sequence = [0, 0]
        self._identification = [0, 0]
        self._time_ns = 0
        ends = [ipaddress.ip_address(host) for host, _ in (flow.client, flow.server)]
        self._is_v4 = all(end.version == 4 for end in ends)
        self._hosts = [end.packed for end in ends]
        self._ports = [flow.client[1], flow.server[1]]

    def packets(self) -> Iterator[Packet]:
        flow = self._flow
        host, port = flow.server
        yield self._packet(flow.opened_ns, 0, _SYN, comment=f"DER {flow.device}, connection to {host}:{port}")
        yield self._packet(flow.opened_ns, 1, _SYN | _ACK)
        yield self._packet(flow.opened_ns, 0, _ACK)
        for segment in flow.opening:
            yield from self._data(segment)
        comment = _gap(flow.lost) if flow.lost.exchanges else ""
        self._sequence[0] += flow.lost.sent_bytes
        self._sequence[1] += flow.lost.received_bytes
        for segment in flow.segments:
            yield from self._data(segment, comment)
            comment = ""
        yield from self._end()

    def _data(self, segment: Segment, comment: str = "") -> Iterator[Packet]:
        data = segment.data
        for start in range(0, len(data), _MOST_PAYLOAD):
            part = data[start : start + _MOST_PAYLOAD]
            push = _PSH if start + _MOST_PAYLOAD >= len(data) else 0
            yield self._packet(segment.time_ns, 0 if segment.sent else 1, _ACK | push, part, comment)
            comment = ""

    def _end(self) -> Iterator[Packet]:
        flow = self._flow
        if flow.ending == "open":
            return
        if flow.ending == "reset":
            yield self._packet(flow.ended_ns, 1, _RST | _ACK)
            return
        first = 0 if flow.ending == "ours" else 1
        yield self._packet(flow.ended_ns, first, _FIN | _ACK)
        yield self._packet(flow.ended_ns, 1 - first, _FIN | _ACK)
        yield self._packet(flow.ended_ns, first, _ACK)

    def _packet(self, time_ns: int, side: int, flags: int, data: bytes = b"", comment: str = "") -> Packet:
        """One packet from `side` (0 client, 1 server)."""
        self._time_ns = max(self._time_ns, time_ns)  # the machine's clock may have been set back
        frame = self._ethernet(side, self._tcp(side, flags, data))
        self._sequence[side] += len(data) + bool(flags & (_SYN | _FIN))
        return Packet(self._time_ns, frame, comment)

    def _tcp(self, side: int, flags: int, data: bytes) -> bytes:
        acknowledged = self._sequence[1 - side] & 0xFFFFFFFF if flags & _ACK else 0
        header = struct.pack(
            ">HHIIBBHHH",
            self._ports[side],
            self._ports[1 - side],
            self._sequence[side] & 0xFFFFFFFF,
            acknowledged,
            5 << 4,
            flags,
            _WINDOW,
            0,
            0,
        )
        length = len(header) + len(data)
        pseudo = self._hosts[side] + self._hosts[1 - side]
        pseudo += struct.pack(
            ">BBH" if self._is_v4 else ">IBxxB", *((0, _TCP, length) if self._is_v4 else (length, 0, _TCP))
        )
        checksum = checksum_of(pseudo + header + data)
        return header[:16] + struct.pack(">H", checksum) + header[18:] + data

    def _ethernet(self, side: int, tcp: bytes) -> bytes:
        source, target = self._hosts[side], self._hosts[1 - side]
        macs = _MAC[1 - side] + _MAC[side]
        if not self._is_v4:
            ip = struct.pack(">IHBB", 6 << 28, len(tcp), _TCP, _TTL) + source + target
            return macs + b"\x86\xdd" + ip + tcp
        number = self._identification[side] = (self._identification[side] + 1) & 0xFFFF
        head = struct.pack(">BBHHHBB", 0x45, 0, 20 + len(tcp), number, _DO_NOT_FRAGMENT, _TTL, _TCP)
        checksum = checksum_of(head + b"\x00\x00" + source + target)
        return macs + b"\x08\x00" + head + struct.pack(">H", checksum) + source + target + tcp


def checksum_of(data: bytes) -> int:
    """The Internet checksum (RFC 1071): the sum of 16-bit words modulo 65,535 is that of the whole number."""
    return 0xFFFF - int.from_bytes(data + b"\x00" * (len(data) % 2), "big") % 0xFFFF


def _gap(lost: Lost) -> str:
    size = lost.sent_bytes + lost.received_bytes
    return f"the buffer was full: {lost.exchanges} exchanges ({size} bytes) before this packet were dropped"
