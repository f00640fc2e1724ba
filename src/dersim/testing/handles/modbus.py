"""The fixture `modbus`: the SunSpec registers of a DER, over memory without a port."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from dersim.plugin.services import SunspecService
from dersim.testing.live import LiveWorld

__tracebackhide__ = True  # pytest shows the line of the test, not ours


T = TypeVar("T")

_READ, _WRITE = 3, 16
_ERROR_BIT = 0x80


class ModbusRefused(AssertionError):  # noqa: N818 - an answer of the device, named as one
    """The device has answered with an exception. code: of Modbus, 2 for an address that is not there."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(f"{what}: Modbus exception {code}")
        self.code = code


class Modbus:
    """Reads and writes registers as a Modbus client with all rights does."""

    def __init__(self, live: LiveWorld, number: int) -> None:
        self._live, self._number = live, number

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1; AssertionError over memory, where it does not."""
        number = self._number
        shown = self._live.portal.call(lambda: self._live.world.simulator_of(number).simulator.addresses)
        where = shown.get(f"modbus_{number}") or shown.get("modbus")
        if where is None:
            raise AssertionError(f'Modbus of DER {number} has no port; @pytest.mark.dersim(over="loopback")')
        return int(where.rpartition(":")[2])

    def read(self, address: int, count: int = 1) -> list[int]:
        """Holding registers from an address on (40000 is the marker SunS); ModbusRefused."""
        answer = self._ask(f"read of {count} at {address}", struct.pack(">BHH", _READ, address, count))
        return list(struct.unpack(f">{count}H", answer[2:]))

    def write(self, address: int, values: Sequence[int]) -> None:
        """Write registers from an address on; ModbusRefused."""
        head = struct.pack(">BHHB", _WRITE, address, len(values), 2 * len(values))
        self._ask(f"write of {list(values)} at {address}", head + struct.pack(f">{len(values)}H", *values))

    def points(self, model: int) -> dict[str, Any]:
        """The points of a SunSpec model by name, in plain units."""
        return dict(self._with(lambda service: service.shown_points(model)["points"]))

    def set(self, model: int, points: Mapping[str, Any]) -> dict[str, Any]:
        """Write points by name, in plain units; what the registers show then. ConfigError says why not."""
        return dict(self._with(lambda service: service.apply_points(model, points)["points"]))

    def _ask(self, what: str, pdu: bytes) -> bytes:
        answer = self._with(lambda service: service.answer(pdu))
        if answer[0] & _ERROR_BIT:
            raise ModbusRefused(what, answer[1])
        return answer

    def _with(self, work: Callable[[SunspecService], T]) -> T:
        number = self._number
        return self._live.portal.call(
            lambda: work(self._live.world.simulator_of(number).service(SunspecService, number))
        )
