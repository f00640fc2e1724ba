"""The utility of a world: a companion server, and what its operator does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import trio

from dersim.fences import Fences
from dersim.http11 import Request
from dersim.logbuffer import Log
from dersim.testing.network import MemoryNetwork, Network
from dersim.testing.plan import WorldPlan
from dersim.testing.running import Running
from dersim.utility import certificates
from dersim.utility.config import PollRates, UtilityConfig
from dersim.utility.faults.plans import fault_from
from dersim.utility.faults.planted import PlantedFault
from dersim.utility.head_end import HeadEnd
from dersim.utility.request_log import REQUESTS_KEPT, LoggedRequest
from dersim.utility.server import UtilityServer

__tracebackhide__ = True  # pytest shows the line of the test, not ours


#: The two programs that the server begins with: the system's, and the operator's above it.
SYSTEM, OPERATOR = 1, 2


class Utility:
    """A companion server in a world.

    ahead_s: by how much its clock is ahead of the world's. server: the present one, another after a restart
    that has lost its state.
    """

    def __init__(
        self, nursery: trio.Nursery, plan: WorldPlan, network: Network, now_s: Callable[[], float], log: Log
    ) -> None:
        self.ahead_s = 0.0
        self._plan, self._network, self._now_s, self._log = plan, network, now_s, log
        self._running = Running(nursery)
        self._earlier: list[LoggedRequest] = []
        self._earlier_count = 0
        self.fences = Fences(log, fail_fast=plan.fail_fast)
        self.server = self._make()

    def _make(self) -> UtilityServer:
        plan = self._plan
        in_memory = isinstance(self._network, MemoryNetwork)
        settings = {"notify_hosts": "anywhere"} if in_memory else {}  # memory streams come from no address
        config = UtilityConfig(encrypted=plan.encrypted, **{**settings, **plan.utility})
        if plan.poll_s is not None:
            config.poll_rates = PollRates(**dict.fromkeys(PollRates().as_dict(), plan.poll_s))
        if plan.encrypted:
            config.certificate, config.key, config.root = certificates.of_folder(plan.pki)
        server = UtilityServer(config, self.now_s, self._log, self.fences)
        if isinstance(self._network, MemoryNetwork):
            server.sender.open_tcp = self._network.open_notify
        server.advance_s = max(server.advance_s, plan.tick_s / plan.rate)
        return server

    def now_s(self) -> float:
        """Its time, UTC seconds."""
        return self._now_s() + self.ahead_s

    @property
    def head_end(self) -> HeadEnd:
        """EndDevices, programs, faults, Responses, mirrors: what the server answers from."""
        return self.server.head_end

    # ---- start and stop

    @property
    def is_up(self) -> bool:
        """Whether it serves."""
        return self._running.is_up

    async def start(self) -> None:
        """Serve; without effect where it does."""
        if self.is_up:
            return
        listeners = await self._network.listen()
        server = self.server
        server.begin()
        self._running.start(lambda: server.serve(listeners))

    async def stop(self) -> None:
        """Close all connections, and refuse others."""
        await self._network.close()
        await self._running.stop()

    async def restart(self, *, keep_state: bool = True) -> None:
        """Stop and start again. keep_state: it knows all that it knew, of its state file where it has one."""
        await self.stop()
        state = self.server.config.state
        if not keep_state and state is not None:
            await trio.Path(state).unlink(missing_ok=True)
        if not keep_state or state is not None:
            self._earlier = self.requests()
            self._earlier_count += self.head_end.request_log.count
            self.server = self._make()
        await self.start()

    # ---- what clients have sent

    def requests(self) -> list[LoggedRequest]:
        """The newest requests with their answers, oldest first; those before a restart are among them."""
        before = self._earlier_count
        present = self.head_end.request_log.newest(REQUESTS_KEPT)
        if before:
            present = [each._replace(number=each.number + before) for each in present]
        return (self._earlier + present)[-REQUESTS_KEPT:]

    def responses(self, mrid: str) -> list[int]:
        """The statuses of the Responses to a control, oldest first."""
        mine = [each for each in self.operate("GET", "responses") if each["subject"] == mrid]
        return [each["status"] for each in sorted(mine, key=lambda each: str(each["time"]))]

    # ---- the operator

    def operate(self, method: str, path: str, data: Any = None) -> Any:
        """A request to `/api/utility/{path}` and its answer; AssertionError with the reason if refused."""
        headers = (("host", "127.0.0.1:8444"), ("content-type", "application/json"))
        body = b"" if data is None else json.dumps(data).encode()
        request = Request(method, f"/api/utility/{path}", headers, body, None, "127.0.0.1:50000")
        answer = self.server.answer_admin(request)
        if answer.status >= 300:
            problem = json.loads(answer.body)
            hint = f"; {problem['hint']}" if "hint" in problem else ""
            raise AssertionError(f"{method} {path}: {answer.status}: {problem.get('detail', '')}{hint}")
        return json.loads(answer.body) if answer.body else None

    def set_default(self, modes: Mapping[str, Any], program: int = SYSTEM) -> None:
        """Replace the DefaultDERControl of a program: `{"opModMaxLimW": 60}`."""
        self.operate("PUT", f"programs/{program}/default-control", {"modes": modes})

    def publish(
        self,
        modes: Mapping[str, Any],
        *,
        start_in_s: float = 0,
        duration_s: float = 600,
        program: int = OPERATOR,
        **more: Any,
    ) -> str:
        """Publish a DERControl; its mRID. more: other members of the REST body."""
        order = {"modes": modes, "start_in_s": start_in_s, "duration_s": duration_s, **more}
        return str(self.operate("POST", f"programs/{program}/controls", order)["mRID"])

    def cancel(self, mrid: str) -> None:
        """Cancel a control."""
        control = self.head_end.programs.find_control(mrid)
        if control is None:
            raise AssertionError(f"no control has the mRID {mrid}")
        self.head_end.cancel(control)

    def plant(self, kind: str, **data: Any) -> PlantedFault:
        """Plant a fault of docs/faults.md: `plant("status", status=503, path="/dcap", count=2)`."""
        return self.head_end.faults.plant(fault_from({"kind": kind, **data}))

    def clear_faults(self) -> None:
        """Remove all faults."""
        for each in list(self.head_end.faults):
            self.head_end.faults.remove(each)
