"""The register map of one device: marker, models, end mark, from register 40000 on.

    40000  "SunS"
    40002  model 1, then the others in rising order, without a gap
    ...    FFFF 0000

Reads may begin and end anywhere and cross models. A write stays inside one model, since ID and L between two
models are read-only. Nothing here awaits, so that a request is answered from one state of the device.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

from dersim.setpoint_sources import SetpointSource
from dersim.sunspec.block import Block, Model
from dersim.sunspec.exceptions import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, ILLEGAL_VALUE, ModbusRefusal
from dersim.sunspec.rights import EVERYTHING, Rights

BASE = 40000
MARKER = b"SunS"
END = b"\xff\xff\x00\x00"
_MARKER_LENGTH = 2


def _nothing() -> None:
    return None


class Unit:
    """All models of one device. before: called before every access, to fire expired timers."""

    def __init__(self, models: Sequence[Model], before: Callable[[], object] = _nothing) -> None:
        self._before = before
        self.blocks: list[Block] = []
        address = BASE + _MARKER_LENGTH
        for model in models:
            block = Block(model, address)
            self.blocks.append(block)
            address += block.length
        self._end = address  # of the end mark's first register
        self._starts = [block.address for block in self.blocks]

    def refresh(self) -> None:
        """Fire expired timers."""
        self._before()

    def block(self, model_id: int) -> Block:
        """The block of a model; ModbusRefusal if the device has none."""
        for block in self.blocks:
            if block.model_id == model_id:
                return block
        raise ModbusRefusal(ILLEGAL_ADDRESS, f"this device has no model {model_id}")

    def read(self, address: int, count: int, rights: Rights = EVERYTHING) -> bytes:
        """`count` registers from `address` on; ModbusRefusal outside the map or without the right to read."""
        last = address + count
        if address < BASE or last > self._end + 2:
            raise ModbusRefusal(ILLEGAL_ADDRESS, f"registers {address} to {last - 1} are outside the map")
        self._before()
        body = BASE + _MARKER_LENGTH
        if body <= address and last <= self._end:
            block = self.blocks[bisect_right(self._starts, address) - 1]
            if last <= block.address + block.length:
                self._check_read(block, rights, address, last)
                start = (address - block.address) * 2
                return block.data()[start : start + count * 2]
        return self._across(address, last, rights)

    def _across(self, address: int, last: int, rights: Rights) -> bytes:
        """Registers of several models: their bytes joined, then a slice."""
        body, end = BASE + _MARKER_LENGTH, self._end
        start, pieces = address, []
        if address < body:
            start = BASE
            pieces.append(MARKER)
        if address < end and last > body:
            first = bisect_right(self._starts, max(address, body)) - 1
            for block in self.blocks[first : bisect_right(self._starts, last - 1)]:
                self._check_read(block, rights, address, last)
                pieces.append(block.data())
            if address >= body:
                start = self.blocks[first].address
        elif address >= end:
            start = end
        if last > end:
            pieces.append(END)
        return b"".join(pieces)[(address - start) * 2 : (last - start) * 2]

    def _check_read(self, block: Block, rights: Rights, address: int, last: int) -> None:
        # ID and L are readable for everyone: without them no client can find the models.
        header_only = address >= block.address and last <= block.address + 2
        if not rights.may_read(block.model_id) and not header_only:
            raise ModbusRefusal(ILLEGAL_FUNCTION, f"role {rights.role} may not read model {block.model_id}")

    def write(
        self,
        address: int,
        data: bytes,
        rights: Rights = EVERYTHING,
        source: SetpointSource = SetpointSource.MODBUS,
    ) -> str:
        """Write registers, all or none; returns what was written, for the log. May raise ModbusRefusal."""
        last = address + len(data) // 2
        body = BASE + _MARKER_LENGTH
        if address < body or last > self._end:
            raise ModbusRefusal(ILLEGAL_ADDRESS, f"registers {address} to {last - 1} cannot be written")
        self._before()
        block = self.blocks[bisect_right(self._starts, address) - 1]
        if last > block.address + block.length:
            raise ModbusRefusal(
                ILLEGAL_ADDRESS, f"registers {address} to {last - 1} cross the end of a model"
            )
        if not rights.may_write(block.model_id):
            raise ModbusRefusal(ILLEGAL_FUNCTION, f"role {rights.role} may not write model {block.model_id}")
        if len(data) % 2 or not data:
            raise ModbusRefusal(ILLEGAL_VALUE, "whole registers are needed")
        return block.write(address - block.address, data, source)
