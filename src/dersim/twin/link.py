"""Reads holding registers of a device with pymodbus; it has no way to write.

Devices differ in how many registers they answer at once, and some close the connection after each answer.
"""

from __future__ import annotations

import logging
import socket
from types import TracebackType

from pymodbus.client import ModbusTcpClient
from pymodbus.exceptions import ModbusException

from dersim.errors import DersimError

#: Registers asked for at once: the standard's limit first, less after a refusal.
SIZES = (125, 60, 30, 10)
_EXCEPTIONS = {
    1: "illegal function",
    2: "illegal address",
    3: "illegal value",
    4: "device failure",
    6: "busy",
    10: "the gateway has no path to such a unit",
    11: "no such unit answers",
}
_FROM_THE_GATEWAY = (10, 11)


class DeviceUnreachable(DersimError):  # noqa: N818 - a state of the world, named as one
    """No connection to the device, no answer from it, or no SunSpec map in it."""


class ReadRefused(DersimError):  # noqa: N818 - an answer, not a failure of ours
    """Registers that could not be read.

    silent: nothing came back. no_unit: a gateway does not find the unit.
    """

    def __init__(self, reason: str, *, silent: bool = False, no_unit: bool = False) -> None:
        super().__init__(reason)
        self.silent = silent
        self.no_unit = no_unit


class Link:
    """One device at a time: `host`:`port`, `unit`. timeout_s: for the connection and for each answer."""

    def __init__(self, host: str, port: int, unit: int, timeout_s: float) -> None:
        logging.getLogger("pymodbus").addHandler(logging.NullHandler())  # what it says is in our own errors
        self.where = f"{f'[{host}]' if ':' in host else host}:{port}"
        self.unit = unit
        self._target, self._timeout_s = (host, port), timeout_s
        self._client = ModbusTcpClient(host, port=port, timeout=timeout_s, retries=0)
        self._size = 0

    def __enter__(self) -> Link:
        if not self._client.connect():  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped
            raise DeviceUnreachable(f"{self.where}: {self._why_not()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def _close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]  # pymodbus leaves it untyped

    def _why_not(self) -> str:
        """The reason that pymodbus keeps to itself, and what to do."""
        try:
            socket.create_connection(self._target, self._timeout_s).close()
        except socket.gaierror as error:
            return f"no such host ({error.strerror}); check the name"
        except ConnectionRefusedError:
            return "connection refused; check the port, and that Modbus TCP is switched on in the device"
        except TimeoutError:
            return (
                f"no connection within {self._timeout_s:g} s; check address and network, or raise --timeout"
            )
        except OSError as error:
            return f"no connection: {error.strerror or error}; check address and network"
        return "the connection was closed at once; is another Modbus client connected?"

    def read(self, address: int, count: int) -> list[int]:
        """The registers, in as many requests as the device needs; ReadRefused tells why not."""
        words: list[int] = []
        while len(words) < count:
            words += self._some(address + len(words), count - len(words))
        return words

    def requests(self, count: int) -> int:
        """The number of requests that so many registers take."""
        return -(-count // SIZES[self._size])

    def _some(self, address: int, count: int) -> list[int]:
        """As many of these registers as come in one answer."""
        while True:
            wanted = min(count, SIZES[self._size])
            try:
                return self._once(address, wanted)
            except ReadRefused as why:
                if wanted <= SIZES[-1] or why.no_unit:
                    raise
                self._retry_smaller(wanted)

    def _retry_smaller(self, refused: int) -> None:
        self._size = next(index for index, size in enumerate(SIZES) if size < refused)

    def _once(self, address: int, count: int, *, again: bool = True) -> list[int]:
        try:
            answer = self._client.read_holding_registers(address, count=count, device_id=self.unit)
        except (ModbusException, OSError) as error:
            self._close()  # a late answer must not meet the next request
            silent = "No response" in str(error)
            if again and not silent:  # it may close the connection after each answer
                return self._once(address, count, again=False)
            reason = f"no answer within {self._timeout_s:g} s" if silent else "the connection was closed"
            raise ReadRefused(reason, silent=silent) from error
        if answer.isError():
            code = answer.exception_code
            reason = f"exception {code}, {_EXCEPTIONS.get(code, 'not a standard one')}"
            raise ReadRefused(reason, no_unit=code in _FROM_THE_GATEWAY)
        if len(answer.registers) != count:
            raise ReadRefused(f"{len(answer.registers)} registers instead of {count}")
        return list(answer.registers)
