"""Does what was drawn, and remembers of which controls a client may not know the truth any more.

A server that lies, that forgets or whose clock jumps may make a client end a control or refuse it, rightly.
Such controls are `doubtful`: what becomes of them is not compared with the server.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from dersim.errors import ConfigError
from dersim.testing.stream_faults import StreamFault
from dersim.utility.faults.plans import fault_from

if TYPE_CHECKING:
    from tests.chaos.drawing import Act
    from tests.chaos.machine import Machine

#: They change what a client is told, or refuse its Responses for good.
LIES = frozenset({"list", "xml", "time", "mrid", "gone", "moved", "content_length", "redirect"})


class Acts:
    """The acts by their kinds. doubtful: mRIDs; reordered: those of controls listed when a primacy
    changed; away: parts that are down on purpose.
    """

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.doubtful: set[str] = set()
        self.reordered: set[str] = set()
        self.away: set[str] = set()
        self.mrids: dict[int, str] = {}
        self.lying = False

    def do(self, act: Act) -> None:
        """Do it; what takes time runs in a task of its own."""
        doing = getattr(self, f"do_{act.kind}")(**act.data)
        if doing is not None:
            self._machine.nursery.start_soon(doing)

    # ---- the utility

    def do_default(self, program: int, modes: dict[str, Any]) -> None:
        """Replace or remove a default control."""
        method, data = ("PUT", {"modes": modes}) if modes else ("DELETE", None)
        self._operate(method, f"programs/{program}/default-control", data)

    def do_publish(self, number: int, program: int, **order: Any) -> None:
        """Publish a control."""
        if (made := self._operate("POST", f"programs/{program}/controls", order)) is not None:
            self.mrids[number] = made["mRID"]
            if self.lying:
                self.doubtful.add(made["mRID"])

    def do_cancel(self, number: int, status: int) -> None:
        """Cancel a control, if it is not over."""
        if (mrid := self.mrids.get(number)) is not None:
            self._operate("DELETE", f"controls/{mrid}?status={status}")

    def do_primacy(self, program: int, to: int) -> None:
        """Give a program another primacy."""
        found = self._machine.world.utility.head_end.programs.get(program)
        if found is not None:
            head_end = self._machine.world.utility.head_end
            self.reordered |= {c.mrid for each in head_end.programs for c in each.controls.values()}
            head_end.update_program(found, found.description, to, found.order)
            self._machine.changed()

    def do_grid(self, **values: float) -> None:
        """Move sun and grid at all DERs."""
        for each in self._machine.world.simulators:
            if each.is_up:
                each.device().inputs.set(**values)
        self._machine.inputs |= values

    def do_remove(self, der: int) -> None:
        """Remove an EndDevice; the client has to register again."""
        head_end = self._machine.world.utility.head_end
        lfdi = self._machine.lfdi(der)
        found = None if lfdi is None else head_end.end_devices.find(lfdi)
        if found is not None:
            self.doubt()
            head_end.remove_device(found)

    # ---- faults

    def do_plant(self, **fault: Any) -> None:
        """Plant a fault of the head-end."""
        kind = fault["kind"]
        if kind in ("tls_alert", "certificate") and not self._machine.drawn.encrypted:
            return
        if kind in LIES or fault.get("status") in (400, 403):
            self.doubt()
            self.lying = True
        self._machine.world.utility.head_end.faults.plant(fault_from(fault))

    def do_network(self, **fault: Any) -> None:
        """Plant a fault of the network."""
        self._machine.streams.plant(StreamFault(**fault))

    def do_clear(self) -> None:
        """The storm is over."""
        self._machine.world.utility.clear_faults()
        for planted in self._machine.streams.planted:
            planted.remove()
        self.lying = False

    def do_clock(self, ahead_s: float) -> None:
        """The server's clock jumps."""
        self.doubt()
        self._machine.world.utility.ahead_s = ahead_s
        self._machine.jumped()

    def doubt(self) -> None:
        """Clients may judge all present controls otherwise than the server."""
        for program in self._machine.world.utility.head_end.programs:
            self.doubtful |= {control.mrid for control in program.controls.values()}
        self._machine.changed()

    # ---- restarts

    def do_server(self, away_s: float, *, keeps_state: bool) -> Any:
        """Stop the server, and start it after a while."""

        async def restart() -> None:
            utility = self._machine.world.utility
            if "server" in self.away:
                return
            self.away.add("server")
            self._machine.server_down()
            self._machine.streams.break_all()
            await utility.stop()
            await self._machine.world.sleep(away_s)
            if keeps_state:
                await utility.start()
            else:
                self.doubt()
                await utility.restart(keep_state=False)
                self._machine.server_is_new()
            self.away.discard("server")

        return restart

    def do_restart(self, der: int, how: str, away_s: float) -> Any:
        """Stop a simulator, or let it crash, and start it with its state."""

        async def restart() -> None:
            machine, name = self._machine, f"DER {der}"
            if name in self.away:
                return
            self.away.add(name)
            await machine.restart(der, crash=how == "crash", away_s=away_s)
            self.away.discard(name)

        return restart

    # ----

    def _operate(self, method: str, path: str, data: Any = None) -> Any:
        """A request of the operator; one that comes too late is no fault of anybody."""
        self._machine.changed()
        try:
            return self._machine.world.utility.operate(method, path, data)
        except (AssertionError, ConfigError) as refused:
            if data is not None:
                raise AssertionError(f"{method} {path} {json.dumps(data)}: {refused}") from None
            return None
