"""The power of the device under test by SunSpec over Modbus: a meter at its terminals that is not its word.

Model 701 has W, Var, LLV or LNV and Hz; without it one of the inverter models 101 to 113 does, with W, VAr,
PhVphA and Hz. Both count what the device delivers as positive. pymodbus reads in a thread.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import trio

from dersim.conformance.evidence import Sample
from dersim.conformance.stage import Stage
from dersim.errors import ConfigError
from dersim.sunspec.points import Value
from dersim.twin.link import DeviceUnreachable, Link, ReadRefused
from dersim.twin.sunspec_map import model_places, read_model

#: Between two readings, real seconds; a shortened run is read faster, down to this.
EVERY_S, LEAST_EVERY_S = 1.0, 0.25
#: Before the next attempt after the device was lost, s.
RETRY_S = 5.0
TIMEOUT_S = 2.0
#: Names of W, var, volts and Hz.
_MODERN = ("W", "Var", ("LLV", "LNV"), "Hz")
_INVERTER = ("W", "VAr", ("PhVphA",), "Hz")
MODELS = {701: _MODERN, **dict.fromkeys((103, 102, 101, 113, 112, 111), _INVERTER)}
_LOST = (DeviceUnreachable, ReadRefused, ConfigError)


class Address(NamedTuple):
    """Where the device's SunSpec map is."""

    host: str
    port: int = 502
    unit: int = 1

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port} unit {self.unit}"


def address(text: str) -> Address:
    """HOST:PORT or HOST:PORT:UNIT, an IPv6 address in brackets; ConfigError for anything else."""
    host, _, rest = text.rpartition("]") if text.startswith("[") else ("", "", text)
    name, *numbers = rest.split(":")
    host = host[1:] or name
    known = all(each.isdecimal() and len(each) <= 5 for each in numbers)
    if not host or len(numbers) not in (1, 2) or not known or (host != name and name):
        raise ConfigError(f"--modbus {text[:80]}: HOST:PORT or HOST:PORT:UNIT is needed")
    port, unit = int(numbers[0]), int(numbers[1]) if len(numbers) > 1 else 1
    if not 1 <= port <= 65535 or not 0 <= unit <= 255:
        raise ConfigError(f"--modbus {text[:80]}: a port of 1 to 65535 and a unit of 0 to 255 are needed")
    return Address(host, port, unit)


class Meter:
    """Reads one model of a device again and again. said: told of a loss and of a return."""

    def __init__(self, where: Address, said: Callable[[str], None], timeout_s: float = TIMEOUT_S) -> None:
        self.where, self._said, self._timeout_s = where, said, timeout_s
        self._link: Link | None = None
        self._place = (0, 0)
        self.model = 0

    async def open(self) -> None:
        """Connect and find the model; ConfigError in one line where there is none."""
        try:
            await trio.to_thread.run_sync(self._open)
        except (DeviceUnreachable, ReadRefused) as error:
            raise ConfigError(f"--modbus {self.where}: {error}") from error

    def _open(self) -> None:
        self.close()
        link = Link(self.where.host, self.where.port, self.where.unit, self._timeout_s)
        link.__enter__()
        self._link = link
        places = model_places(link)
        self.model = next((each for each in MODELS if each in places), 0)
        if not self.model:
            raise ReadRefused("its SunSpec map has none of the models 701, 101 to 103 and 111 to 113")
        self._place = places[self.model]

    def close(self) -> None:
        """Close the connection."""
        link, self._link = self._link, None
        if link is not None:
            link.__exit__(None, None, None)

    async def observe(self, stage: Stage) -> None:
        """Append samples to the evidence of a run, until cancelled; a loss of the device is a fact of it."""
        every_s = min(EVERY_S, max(LEAST_EVERY_S, 2 * stage.scale))
        while True:
            try:
                values = await trio.to_thread.run_sync(self._read)
            except _LOST as error:
                await self._lost(stage, error)
                continue
            stage.evidence.samples.append(self._sample(stage.clock.now_s(), values))
            await trio.sleep(every_s)

    def _read(self) -> dict[str, Value]:
        if self._link is None:
            self._open()
        assert self._link is not None  # noqa: S101 - `_open` has set it
        return read_model(self._link, self.model, self._place)

    async def _lost(self, stage: Stage, error: Exception) -> None:
        """Tell it once a run, and wait before the next attempt."""
        if not stage.evidence.facts.get("meter_lost"):
            stage.evidence.facts["meter_lost"] = f"{error}"
            self._said(f"modbus {self.where} is lost: {error}; the device's own readings count meanwhile")
        await trio.to_thread.run_sync(self.close)
        await trio.sleep(RETRY_S)

    def _sample(self, now_s: float, values: dict[str, Value]) -> Sample:
        p_w, q_var, volts, hertz = MODELS[self.model]
        number = partial(_number, values)
        voltage = next((found for name in volts if (found := number(name)) is not None), None)
        return Sample(now_s, number(p_w), number(q_var), voltage, number(hertz))


def _number(values: dict[str, Value], name: str) -> float | None:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else None
