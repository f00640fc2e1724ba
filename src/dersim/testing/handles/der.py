"""The fixtures `der` and `fleet`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import trio

from dersim.errors import ConfigError
from dersim.hardware.state import DeviceState
from dersim.testing.handles.modbus import Modbus
from dersim.testing.live import LiveWorld
from dersim.testing.simulators import WorldSimulator
from dersim.testing.world import World

__tracebackhide__ = True  # pytest shows the line of the test, not ours


T = TypeVar("T")


class Der:
    """A DER with its CSIP client. number: from 1."""

    def __init__(self, live: LiveWorld, number: int) -> None:
        self._live = live
        self.number = number

    def __repr__(self) -> str:
        return f"<DER {self.number}>"

    # ---- what it is and does

    @property
    def state(self) -> str:
        """Of its client: discovering, connected, retrying, failed, away."""
        return self._ask(lambda world, n: world.client(n).state)

    @property
    def lfdi(self) -> str:
        """40 hexadecimal digits, upper case."""
        return str(self.status["lfdi"])

    @property
    def status(self) -> dict[str, Any]:
        """The REST document `csip-client`: why it is not connected, its programs and controls, counters."""
        return self._ask(lambda world, n: world.client(n).snapshot())

    @property
    def p_w(self) -> float:
        """Active power, W, exporting positive."""
        return self.values.p_w

    @property
    def q_var(self) -> float:
        """Reactive power, var."""
        return self.values.q_var

    @property
    def values(self) -> DeviceState:
        """All of its values at the last step."""
        return self._ask(lambda world, n: world.device(n).state)

    def setpoint(self, mode: str) -> Any:
        """The value of a mode in force, such as opModMaxLimW (percent); None where it is not."""
        return self._ask(lambda world, n: world.device(n).setpoints.value(mode))

    def source(self, mode: str) -> str | None:
        """Where that value comes from, such as csip or modbus; None where it is not in force."""
        held = self._ask(lambda world, n: world.device(n).setpoints.in_force())
        return next((each.source.label for each in held if each.mode == mode), None)

    @property
    def log(self) -> list[str]:
        """The lines of the log about it."""
        held = self._live.portal.call(self._live.world.log.entries)
        return [each.to_line() for each in held if each.device == self.number]

    @property
    def modbus(self) -> Modbus:
        """Its SunSpec registers."""
        return Modbus(self._live, self.number)

    # ---- what is done to it

    def set_inputs(self, **values: Any) -> None:
        """Change grid and sun: voltage_pu, frequency_hz, irradiance_w_m2 ...; ConfigError for a bad one."""
        self._ask(lambda world, n: world.device(n).inputs.set(**values))

    def command(self, command: Any) -> None:
        """stop, start or reset the DER itself; its client goes on."""
        self._ask(lambda world, n: world.device(n).command(command))

    def opt_out(self, mrid: str) -> None:
        """Opt out of a control; ConfigError for one that it does not hold."""
        self._ask(lambda world, n: world.client(n).opt_out(mrid))

    # ---- its program. All that follows is awaitable in an async test.

    def wait_connected(self, within_s: float = 120) -> Any:
        """Let time pass until its client is connected; AssertionError with the log where it is not."""
        return self.wait_for(lambda der: der.state == "connected", within_s, "connected")

    def wait_for(
        self, happened: Callable[[Der], object], within_s: float = 60, what: str = "as waited for"
    ) -> Any:
        """Let time pass until `happened(der)` is true: `der.wait_for(lambda der: der.p_w < 100)`."""
        live = self._live
        return live.portal.wait(
            live.world.until, lambda: happened(self), within_s, f"DER {self.number} {what}"
        )

    def stop(self) -> Any:
        """Stop its simulator, as at a signal."""
        return self._live.portal.wait(self._simulator().stop)

    def start(self) -> Any:
        """Start its simulator again, without a memory."""
        return self._live.portal.wait(self._simulator().start)

    def restart(self, *, keep_state: bool = True) -> Any:
        """Stop and start its simulator. keep_state: with all that it knew, else as new."""
        simulator = self._simulator()

        async def restart() -> None:
            file = simulator.state_file
            state = simulator.checkpoint() if keep_state and file is None else None
            await simulator.stop()
            if file is not None and not keep_state:
                await trio.Path(file).unlink(missing_ok=True)
            await simulator.start(state)

        return self._live.portal.wait(restart)

    def _simulator(self) -> WorldSimulator:
        simulator = self._live.world.simulator_of(self.number)
        if len(simulator.numbers) > 1:
            raise ConfigError(
                f"DER {self.number} shares its simulator with others; "
                "mark the test with @pytest.mark.dersim(separate=True)"
            )
        return simulator

    def _ask(self, work: Callable[[World, int], T]) -> T:
        return self._live.portal.call(lambda: work(self._live.world, self.number))


class DerFleet:
    """All DERs of a test: `fleet[0]` is DER 1."""

    def __init__(self, live: LiveWorld) -> None:
        self._live = live
        self._ders = [Der(live, number) for number in range(1, live.plan.ders + 1)]

    def __len__(self) -> int:
        return len(self._ders)

    def __iter__(self) -> Iterator[Der]:
        return iter(self._ders)

    def __getitem__(self, position: int) -> Der:
        return self._ders[position]

    @property
    def p_w(self) -> float:
        """The active power of all, W, exporting positive."""
        return sum(
            self._live.portal.call(lambda: [self._live.world.device(n.number).state.p_w for n in self])
        )

    def wait_connected(self, within_s: float = 120) -> Any:
        """Let time pass until all clients are connected. An awaitable in an async test."""
        return self._live.portal.wait(self._live.world.connected, within_s)
