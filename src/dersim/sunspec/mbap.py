"""Modbus/TCP framing, without any I/O: bytes of a stream in, bytes of the answers out.

Each message has a header (Modbus Messaging on TCP/IP 1.0b, 3.1): transaction id, protocol id 0, the length of
what follows, unit id. Messages may arrive in pieces or several at once; all are answered, in order. After an
invalid header the next message cannot be found, so the connection is closed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from dersim.errors import RemoteProtocolError
from dersim.sunspec.exceptions import TARGET_FAILED
from dersim.sunspec.pdu import Service
from dersim.sunspec.rights import EVERYTHING, Rights

_HEADER = struct.Struct(">HHHB")
_HEADER_SIZE = 7
#: Unit id and a PDU of 1 to 253 bytes.
_SHORTEST, _LONGEST = 2, 254


class Stream:
    """One connection's bytes.

    answers_to: whether a unit id is ours.
    """

    def __init__(
        self, service: Service, answers_to: Callable[[int], bool], rights: Rights = EVERYTHING
    ) -> None:
        self._service = service
        self._answers_to = answers_to
        self._rights = rights
        self._buffer = b""

    @property
    def pending(self) -> bool:
        """Whether part of a message has arrived."""
        return bool(self._buffer)

    def receive(self, data: bytes) -> bytes:
        """The answers to all complete messages; RemoteProtocolError for an invalid header."""
        if self._buffer:
            data = self._buffer + data
        size, at = len(data), 0
        answers = b""
        answer_to, rights = self._service.answer, self._rights
        while size - at >= _HEADER_SIZE:
            transaction, protocol, length, unit = _HEADER.unpack_from(data, at)
            if protocol:
                raise RemoteProtocolError(f"protocol id {protocol} is not Modbus (0)")
            if not _SHORTEST <= length <= _LONGEST:
                raise RemoteProtocolError(f"a length of {length} is outside {_SHORTEST} to {_LONGEST}")
            end = at + 6 + length
            if end > size:
                break
            pdu = data[at + _HEADER_SIZE : end]
            if self._answers_to(unit):
                answer = answer_to(pdu, rights)
            else:
                answer = bytes((pdu[0] | 0x80, TARGET_FAILED))
            answers += _HEADER.pack(transaction, 0, len(answer) + 1, unit) + answer
            at = end
        self._buffer = data[at:]
        return answers
