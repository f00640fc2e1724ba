"""Modbus RTU framing, without any I/O: unit id, PDU, CRC, and silence between messages.

Modbus over Serial Line 1.02, 2.5.1. A message ends with a silence of 3.5 characters, which a computer cannot
measure exactly. So a message also ends as soon as it has the length that its function implies and a valid
CRC. Bytes that form no message are dropped at the next silence.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

#: A PDU of 253 bytes, unit id and CRC.
MAX_MESSAGE = 256
_SHORTEST = 4
BROADCAST = 0

#: Answers a PDU for a unit id; None where the unit is not ours.
Answer = Callable[[int, bytes], bytes | None]


def crc(data: bytes) -> bytes:
    """CRC-16 with polynomial 0xA001, low byte first."""
    value = 0xFFFF
    for byte in data:
        value = (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]
    return struct.pack("<H", value)


def _entry(index: int) -> int:
    for _ in range(8):
        index = index >> 1 ^ (0xA001 if index & 1 else 0)
    return index


_TABLE = [_entry(index) for index in range(256)]


def expected_length(data: bytes) -> int:
    """The length of the message that begins here, 0 if it is not known (yet)."""
    if len(data) < 2:
        return 0
    function = data[1]
    if function in (3, 4, 6):
        return 8
    if function == 43:
        return 7
    at = {16: 6, 23: 10}.get(function)
    if at is None or len(data) <= at:
        return 0
    return at + 1 + data[at] + 2


class Line:
    """The messages on one serial line."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._buffer = b""

    @property
    def pending(self) -> bool:
        """Whether part of a message has arrived."""
        return bool(self._buffer)

    def receive(self, data: bytes) -> bytes:
        """The answers to all complete messages."""
        self._buffer += data
        out = b""
        while (length := expected_length(self._buffer)) and len(self._buffer) >= length:
            if length > MAX_MESSAGE or crc(self._buffer[: length - 2]) != self._buffer[length - 2 : length]:
                break  # not that function after all: wait for the silence
            out += self._take(length)
        if len(self._buffer) > 2 * MAX_MESSAGE:
            self._buffer = b""
        return out

    def silence(self) -> bytes:
        """The line was silent: answer what has arrived if it is a message, else drop it."""
        size = len(self._buffer)
        whole = _SHORTEST <= size <= MAX_MESSAGE and crc(self._buffer[:-2]) == self._buffer[-2:]
        if whole:
            return self._take(size)
        self._buffer = b""
        return b""

    def _take(self, length: int) -> bytes:
        message, self._buffer = self._buffer[:length], self._buffer[length:]
        unit = message[0]
        answer = self._answer(unit, message[1:-2])
        if answer is None or unit == BROADCAST:
            return b""
        head = bytes((unit,)) + answer
        return head + crc(head)
