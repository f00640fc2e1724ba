"""Modbus requests and answers, without any I/O: bytes of a PDU in, bytes of its answer out.

Modbus Application Protocol 1.1b3. Why not pymodbus: it costs 100 us of CPU per request, answers FC 3
of 126 registers with exception 1 to function 0, and answers only the first of two requests in a segment. The
half-dozen functions that SunSpec needs are slices of a bytes object (figures: `tests/bench/bench_modbus.py`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Any

from dersim.local_control.refused import Refused
from dersim.sunspec.exceptions import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, ModbusRefusal, code_of
from dersim.sunspec.rights import EVERYTHING, Rights
from dersim.sunspec.unit import Unit

MAX_READ, MAX_WRITE, MAX_READ_WRITE = 125, 123, 121
#: The functions that write.
WRITES = frozenset({6, 16, 23})
_ADDRESS_COUNT = struct.Struct(">BHH")
_READ_WRITE = struct.Struct(">BHHHHB")
_MEI_DEVICE_ID = 14
#: Conformity of FC 43: the extended objects, as a stream and one by one.
_CONFORMITY = 0x83
#: The objects of one answer must fit a PDU.
_ROOM = 253 - 7


class Service:
    """Answers PDUs for one unit.

    identity: the objects of FC 43/14 by number. on_write, on_refused: called for the log with what was
    written, and with the function code and reason of a refusal.
    """

    def __init__(
        self,
        unit: Unit,
        identity: Mapping[int, str] | None = None,
        *,
        on_write: Callable[[str], Any] = lambda _what: None,
        on_refused: Callable[[int, Refused], Any] = lambda _function, _why: None,
    ) -> None:
        self.unit = unit
        self._identity = dict(identity or {})
        self._on_write = on_write
        self._on_refused = on_refused
        self._functions: dict[int, Callable[[bytes, Rights], bytes]] = {
            3: self._read,
            4: self._read,
            6: self._write_one,
            16: self._write_many,
            23: self._read_write,
            43: self._device_id,
        }

    def answer(self, pdu: bytes, rights: Rights = EVERYTHING) -> bytes:
        """The answer to one request of at least one byte; a refusal is answered with a Modbus exception."""
        function = pdu[0]
        try:
            return self._functions.get(function, _unknown)(pdu, rights)
        except Refused as why:
            self._on_refused(function, why)
            return bytes((function | 0x80, code_of(why)))

    def _read(self, pdu: bytes, rights: Rights) -> bytes:
        if len(pdu) != 5:
            raise ModbusRefusal(ILLEGAL_VALUE, f"a read request has 5 bytes, not {len(pdu)}")
        function, address, count = _ADDRESS_COUNT.unpack(pdu)
        if not 1 <= count <= MAX_READ:
            raise ModbusRefusal(ILLEGAL_VALUE, f"1 to {MAX_READ} registers can be read, not {count}")
        return bytes((function, count * 2)) + self.unit.read(address, count, rights)

    def _write_one(self, pdu: bytes, rights: Rights) -> bytes:
        if len(pdu) != 5:
            raise ModbusRefusal(ILLEGAL_VALUE, f"a write of one register has 5 bytes, not {len(pdu)}")
        self._on_write(self.unit.write(int.from_bytes(pdu[1:3], "big"), pdu[3:5], rights))
        return pdu

    def _write_many(self, pdu: bytes, rights: Rights) -> bytes:
        if len(pdu) < 6:
            raise ModbusRefusal(ILLEGAL_VALUE, f"a write of registers has 8 bytes or more, not {len(pdu)}")
        _, address, count = _ADDRESS_COUNT.unpack_from(pdu)
        if not 1 <= count <= MAX_WRITE or pdu[5] != count * 2 or len(pdu) != 6 + count * 2:
            raise ModbusRefusal(ILLEGAL_VALUE, f"{count} registers in {len(pdu) - 6} bytes that say {pdu[5]}")
        self._on_write(self.unit.write(address, pdu[6:], rights))
        return pdu[:5]

    def _read_write(self, pdu: bytes, rights: Rights) -> bytes:
        if len(pdu) < 10:
            raise ModbusRefusal(ILLEGAL_VALUE, f"a read and write has 12 bytes or more, not {len(pdu)}")
        _, address, count, to, many, size = _READ_WRITE.unpack_from(pdu)
        fits = 1 <= many <= MAX_READ_WRITE and size == many * 2 and len(pdu) == 10 + size
        if not fits or not 1 <= count <= MAX_READ:
            raise ModbusRefusal(
                ILLEGAL_VALUE, f"read {count}, write {many} registers: not possible in one request"
            )
        self.unit.read(address, count, rights)  # refused before anything is written
        self._on_write(self.unit.write(to, pdu[10:], rights))
        return bytes((23, count * 2)) + self.unit.read(address, count, rights)

    def _device_id(self, pdu: bytes, rights: Rights) -> bytes:  # noqa: ARG002 - for every role
        if len(pdu) != 4:
            raise ModbusRefusal(
                ILLEGAL_VALUE, f"a request for the identification has 4 bytes, not {len(pdu)}"
            )
        _, mei, code, wanted = pdu
        if mei != _MEI_DEVICE_ID:
            raise ModbusRefusal(ILLEGAL_FUNCTION, f"MEI type {mei} is not known")
        if code == 4:
            if wanted not in self._identity:
                raise ModbusRefusal(ILLEGAL_ADDRESS, f"there is no object {wanted}")
            numbers = [wanted]
        elif code in (1, 2, 3):
            last = {1: 2, 2: 0x7F, 3: 0xFF}[code]
            numbers = [number for number in sorted(self._identity) if number <= last]
            # An unknown object to start with means: from the beginning.
            numbers = [n for n in numbers if n >= wanted] if wanted in numbers else numbers
        else:
            raise ModbusRefusal(ILLEGAL_VALUE, f"read device id code {code} is not 1 to 4")
        return self._objects(code, numbers)

    def _objects(self, code: int, numbers: list[int]) -> bytes:
        objects, following, told = b"", 0, 0
        for number in numbers:
            text = self._identity[number].encode("utf-8")[:200]
            if len(objects) + len(text) + 2 > _ROOM:
                following = number
                break
            objects += bytes((number, len(text))) + text
            told += 1
        more = 0xFF if following else 0
        return bytes((43, _MEI_DEVICE_ID, code, _CONFORMITY, more, following, told)) + objects


def _unknown(pdu: bytes, rights: Rights) -> bytes:  # noqa: ARG001 - as the others
    raise ModbusRefusal(ILLEGAL_FUNCTION, f"function {pdu[0]} is not known")
