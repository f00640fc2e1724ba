"""Modbus clients that steer by 123 and 124, written from the documents of evcc and Home Assistant.

evcc: the templates sunspec-inverter-curtailable and sunspec-inverter-control (docs.evcc.io: "SunSpec Battery
(Model 124)"). It walks the chain of models with reads of two registers, reads a model as a whole, and writes
one register at a time with function 16. Home Assistant: the custom integration fronius_modbus, which reads
124 in one go and takes the scale factors of a Fronius inverter (-2 for percents, 0 for watts) for granted.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from typing import Any

#: Registers from the ID of the model.
WMAX_LIM_PCT, WMAX_LIM_ENA, WMAX_LIM_SF = 5, 9, 23
OUT_PF_SET, OUT_PF_ENA, OUT_PF_SF = 10, 14, 24
STOR_CTL_MOD, MIN_RSV, CHA_STATE, CHA_STATE_SF = 5, 7, 8, 22
OUT_W, IN_W, RATE_SF, RVRT_TMS, CHA_GRI_SET = 12, 13, 25, 15, 17


class Modbus:
    """One TCP connection to unit 1."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=5)
        self._number = 0

    def close(self) -> None:
        self._socket.close()

    def _receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            more = self._socket.recv(count - len(data))
            assert more, "the server closed the connection"
            data += more
        return data

    def ask(self, pdu: bytes) -> bytes:
        """The answer to a request; an exception of the server fails the test."""
        self._number += 1
        self._socket.sendall(struct.pack(">HHHB", self._number, 0, len(pdu) + 1, 1) + pdu)
        number, protocol, length, unit = struct.unpack(">HHHB", self._receive(7))
        answer = self._receive(length - 1)
        assert (number, protocol, unit) == (self._number, 0, 1)
        assert answer[0] == pdu[0], f"exception {answer[1]} to {pdu.hex()}"
        return answer

    def read(self, address: int, count: int) -> tuple[int, ...]:
        answer = self.ask(struct.pack(">BHH", 3, address, count))
        return struct.unpack(f">{count}H", answer[2:])

    def write(self, address: int, value: int) -> None:
        """One register with function 16."""
        self.ask(struct.pack(">BHHBH", 16, address, 1, 2, value & 0xFFFF))


def signed(register: int) -> int:
    return register - 0x10000 if register & 0x8000 else register


class Steering:
    """What both have in common: the chain of models, and points by model and register."""

    def __init__(self, port: int) -> None:
        self.modbus = Modbus(port)
        self.models: dict[int, tuple[int, int]] = {}
        assert self.modbus.read(40000, 2) == (0x5375, 0x6E53)
        address = 40002
        while True:
            model, length = self.modbus.read(address, 2)
            if model == 0xFFFF:
                break
            self.models[model] = (address, length)
            address += 2 + length

    def close(self) -> None:
        self.modbus.close()

    def block(self, model: int) -> tuple[int, ...]:
        address, length = self.models[model]
        words: tuple[int, ...] = ()
        for start in range(0, length + 2, 125):
            words += self.modbus.read(address + start, min(125, length + 2 - start))
        return words

    def point(self, model: int, register: int, scale: int | None = None) -> float:
        """A signed point; scale: the register of its scale factor."""
        block = self.block(model)
        return signed(block[register]) * 10.0 ** (signed(block[scale]) if scale is not None else 0)

    def put(self, model: int, register: int, value: float, scale: int | None = None) -> None:
        """Write one point in plain units."""
        exponent = signed(self.block(model)[scale]) if scale is not None else 0
        self.modbus.write(self.models[model][0] + register, round(value / 10.0**exponent))

    def ac_w(self) -> float:
        """W of 101 to 103."""
        model = next(each for each in (103, 102, 101) if each in self.models)
        return self.point(model, 14, 15)


class Evcc(Steering):
    """evcc's templates; mode names are those of its battery modes."""

    def curtail(self, percent: float) -> None:
        self.put(123, WMAX_LIM_PCT, percent, WMAX_LIM_SF)
        self.put(123, WMAX_LIM_ENA, int(percent < 100))

    def module(self, number: int, register: int) -> float:
        """A point of a module of 160, counted from 1; DCW is 11."""
        block = self.block(160)
        return block[10 + 20 * (number - 1) + register] * 10.0 ** signed(block[4])

    def battery_w(self) -> float:
        """160:4:DCW - 160:3:DCW: discharging positive."""
        return self.module(4, 11) - self.module(3, 11)

    def soc(self) -> float:
        return self.point(124, CHA_STATE, CHA_STATE_SF)

    def normal(self) -> None:
        self.put(124, STOR_CTL_MOD, 0)
        self.put(124, OUT_W, 100, RATE_SF)

    def _timed(self, bits: int, register: int, percent: float, watchdog_s: int) -> None:
        self.put(124, RVRT_TMS, watchdog_s)
        self.put(124, STOR_CTL_MOD, bits)
        self.put(124, register, percent, RATE_SF)

    def hold(self, watchdog_s: int = 60) -> None:
        self._timed(2, OUT_W, 0, watchdog_s)

    def charge(self, percent: float = 100, watchdog_s: int = 60) -> None:
        self.put(124, CHA_GRI_SET, 1)
        self._timed(2, OUT_W, -percent, watchdog_s)

    def hold_charge(self, watchdog_s: int = 60) -> None:
        self._timed(1, IN_W, 0, watchdog_s)


class FroniusModbus(Steering):
    """Home Assistant's fronius_modbus: one read of 24 registers, percents in hundredths."""

    def storage(self) -> dict[str, Any]:
        words = self.modbus.read(self.models[124][0] + 2, 24)
        return {
            "max_charge": words[0],
            "control_mode": words[3],
            "minimum_reserve": words[5] / 100,
            "soc": words[6] / 100,
            "charge_status": words[9],
            "discharging_power": signed(words[10]) / 100,
            "charging_power": signed(words[11]) / 100,
            "grid_charging": words[15],
        }

    def change(self, mode: int, charge: float, discharge: float) -> None:
        """As the integration does: the mode, the charge rate, the discharge rate."""
        address = self.models[124][0]
        self.modbus.write(address + STOR_CTL_MOD, mode)
        self.modbus.write(address + IN_W, round(charge * 100))
        self.modbus.write(address + OUT_W, round(discharge * 100))

    def minimum_reserve(self, percent: float) -> None:
        self.modbus.write(self.models[124][0] + MIN_RSV, round(percent * 100))


def until(what: str, look: Callable[[], Any], timeout_s: float = 10) -> Any:
    """Ask until `look()` is truthy; the device runs on meanwhile, so there is no event to wait for."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}: not within {timeout_s} s")


def reaches(what: str, look: Callable[[], float], value: float, within: float = 15) -> None:
    """Wait until a value is reached."""
    seen: list[float] = []

    def near() -> bool:
        seen.append(look())
        return abs(seen[-1] - value) <= within

    try:
        until(what, near)
    except AssertionError:
        raise AssertionError(f"{what}: {seen[-1]} and not {value}") from None
