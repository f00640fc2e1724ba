"""A recording as a pcapng file, with the TLS secrets in it, so that Wireshark shows the documents.

Format: draft-ietf-opsawg-pcapng. One section with one interface, one block of secrets, and the packets.
"""

from __future__ import annotations

import heapq
import platform
import struct
from collections.abc import Sequence

from dersim.http11.recorder import Recording
from dersim.http11.tcp_packets import Packet, packets

_SECTION, _INTERFACE, _PACKET, _SECRETS = 0x0A0D0D0A, 1, 6, 10
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1
_TLS_KEY_LOG = 0x544C534B
_COMMENT, _OS, _APPLICATION = 1, 3, 4
_IF_NAME, _IF_DESCRIPTION, _IF_RESOLUTION = 2, 3, 9
_NANOSECONDS = 9

_READABLE = "All that these connections carried, PINs included, is readable in this file."
_SECRETS_HELD = "It holds the secrets of their TLS sessions."
_MADE_UP = (
    "Payloads, times, addresses and ports are recorded; Ethernet, IP and TCP headers are made from them."
)

_Option = tuple[int, bytes]


def pcapng(recording: Recording, application: str) -> bytes:
    """The whole file; application: what wrote it. Takes about a second for 64 MiB: run it in a thread."""
    secrets = b"".join(flow.secret for flow in recording.flows)
    blocks = [_section(recording, application), _interface()]
    if secrets:
        head = struct.pack("<II", _TLS_KEY_LOG, len(secrets))
        blocks.append(_block(_SECRETS, head + _padded(secrets)))
    merged = heapq.merge(*map(packets, recording.flows), key=lambda packet: packet.time_ns)
    blocks += map(_packet, merged)
    return b"".join(blocks)


def comment_of(recording: Recording) -> str:
    """What the file says of itself: that it is readable, what is made up, and what is missing."""
    lines = [_READABLE]
    if any(flow.secret for flow in recording.flows):
        lines.append(_SECRETS_HELD)
    lines.append(_MADE_UP)
    exchanges = sum(flow.lost.exchanges for flow in recording.flows)
    if recording.lost_flows or exchanges:
        lines.append(
            f"The buffer of {recording.limit_bytes // 1024**2} MiB was full; the oldest were dropped: "
            f"{recording.lost_flows} connections and {exchanges} exchanges of others."
        )
    if exchanges:
        lines.append(
            "To decrypt what follows a gap, set Preferences > Protocols > TLS > Message Authentication Code"
            ' (MAC), ignore "mac failed".'
        )
    return "\n".join(lines)


def _section(recording: Recording, application: str) -> bytes:
    head = struct.pack("<IHHq", _BYTE_ORDER, 1, 0, -1)
    options = [
        (_COMMENT, comment_of(recording).encode()),
        (_OS, platform.platform().encode()),
        (_APPLICATION, application.encode()),
    ]
    return _block(_SECTION, head + _options(options))


def _interface() -> bytes:
    options = [
        (_IF_NAME, b"dersim-csip"),
        (_IF_DESCRIPTION, b"IEEE 2030.5 clients of dersim"),
        (_IF_RESOLUTION, bytes([_NANOSECONDS])),
    ]
    return _block(_INTERFACE, struct.pack("<HHI", _ETHERNET, 0, 0) + _options(options))


def _packet(packet: Packet) -> bytes:
    size = len(packet.frame)
    high, low = packet.time_ns >> 32, packet.time_ns & 0xFFFFFFFF
    options = [(_COMMENT, packet.comment.encode())] if packet.comment else []
    head = struct.pack("<IIIII", 0, high, low, size, size)
    return _block(_PACKET, head + _padded(packet.frame) + _options(options))


def _block(kind: int, body: bytes) -> bytes:
    length = struct.pack("<I", 12 + len(body))
    return struct.pack("<I", kind) + length + body + length


def _options(options: Sequence[_Option]) -> bytes:
    if not options:
        return b""
    written = [struct.pack("<HH", code, len(value)) + _padded(value) for code, value in options]
    return b"".join(written) + struct.pack("<HH", 0, 0)


def _padded(data: bytes) -> bytes:
    return data + b"\x00" * (-len(data) % 4)
