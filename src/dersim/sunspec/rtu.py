"""SunSpec Modbus RTU: one serial line with all DERs on it, each under its own unit id.

The port is opened with pyserial, a dependency of pysunspec2, and read with trio. A serial line has no TLS and
no roles: everything is allowed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import trio

from dersim.errors import ConfigError
from dersim.plugin.extension import FrontendStatus
from dersim.plugin.services import SunspecService
from dersim.sunspec.exceptions import DEVICE_FAILURE
from dersim.sunspec.pdu import WRITES
from dersim.sunspec.rtu_framing import BROADCAST, Line

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendContext

_CHUNK = 512
#: A silence of 3.5 characters of 11 bits, but never shorter than a scheduler can resolve.
_CHARACTERS, _BITS, _SHORTEST_SILENCE_S = 3.5, 11, 0.02


class RtuServer:
    """A front-end of scope "fleet"."""

    def __init__(self, context: FrontendContext) -> None:
        self._context = context
        self._options = context.options
        self._line = Line(self._answer)
        self._port: Any = None
        self._path = ""
        self._written: set[int] = set()
        self._silence_s = max(_SHORTEST_SILENCE_S, _CHARACTERS * _BITS / self._options.rtu_baud)

    async def bind(self) -> Mapping[str, str]:
        """Open the serial port; ConfigError if it is missing or not permitted."""
        import serial  # type: ignore[import-untyped]  # noqa: PLC0415 - only with --rtu_enable yes

        o = self._options
        await trio.lowlevel.checkpoint()
        if sys.platform == "win32":
            raise ConfigError("--rtu_enable: serial lines are served on Linux and macOS only")
        try:
            self._port = serial.Serial(
                o.rtu_port, o.rtu_baud, parity=o.rtu_parity, stopbits=o.rtu_stopbits, timeout=0
            )
        except (serial.SerialException, OSError) as error:
            why = os.strerror(error.errno) if error.errno else str(error)
            raise ConfigError(f"--rtu_port {o.rtu_port}: {why}; give a serial port that is free") from None
        self._path = o.rtu_port
        return {"rtu": o.rtu_port}

    async def run(self) -> None:
        """Serve until cancelled; raises if the cable is pulled, and is then restarted."""
        port, self._port = self._port, None
        descriptor: int = port.fileno()
        os.set_blocking(descriptor, False)
        try:
            while True:
                answers = await self._read(descriptor)
                while self._written:
                    await self._context.saved_states.barrier(self._written.pop())
                await self._write(descriptor, answers)
        finally:
            port.close()

    async def _read(self, descriptor: int) -> bytes:
        """The answers to the next bytes received, possibly none."""
        timeout_s = self._silence_s if self._line.pending else float("inf")
        with trio.move_on_after(timeout_s) as waiting:
            await trio.lowlevel.wait_readable(descriptor)
        if waiting.cancelled_caught:
            return self._line.silence()
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            raise OSError(f"{self._path}: the serial line is gone")
        return self._line.receive(data)

    async def _write(self, descriptor: int, data: bytes) -> None:
        while data:
            try:
                data = data[os.write(descriptor, data) :]
            except BlockingIOError:
                await trio.lowlevel.wait_writable(descriptor)

    def _answer(self, unit_id: int, pdu: bytes) -> bytes | None:
        for device in self._context.fleet.devices:
            number, unit = device.number, self._unit(device.number)
            if unit_id == BROADCAST:
                self._answer_of(unit, number, pdu)
            elif unit.unit_id == unit_id:
                return self._answer_of(unit, number, pdu)
        return None  # a broadcast, or another unit on the line

    def _answer_of(self, unit: SunspecService, number: int, pdu: bytes) -> bytes:
        answers = [bytes((pdu[0] | 0x80, DEVICE_FAILURE))]
        what = f"Modbus request with function {pdu[0]} on {self._path}"
        with self._context.fences.around("modbus_request", "Modbus", what, number):
            answers.append(unit.answer(pdu))
            if pdu[0] in WRITES:
                self._written.add(number)
        return answers[-1]

    def _unit(self, number: int) -> SunspecService:
        found = self._context.service(SunspecService, number)
        assert found is not None  # noqa: S101 - the plug-in that makes this line makes a unit for every DER
        return found

    def status(self) -> FrontendStatus:
        """The port and its settings."""
        return FrontendStatus("serving" if self._path else "starting", self._path)
