"""What a shard tells of itself once a second: sums over its DERs."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import trio

from dersim.engine.simulator import Simulator
from dersim.fleet_run.plan import Shard
from dersim.load.head import peak_mib
from dersim.plugin.services import CsipService
from dersim.setpoint_sources import SetpointSource

#: Power and energy are summed this often, s: they need the whole state of every DER.
POWER_S = 5.0


@dataclass
class ShardView:
    """Reads the numbers of a running shard."""

    shard: Shard
    simulator: Simulator
    lag_s: float = 0.0
    _power: dict[str, float] | None = None
    _power_due_s: float = 0.0
    _shown: list[str] = field(default_factory=list)

    def clients(self) -> list[CsipService]:
        """The CSIP clients; none with --csip_client_enable no."""
        devices, services = self.simulator.fleet.devices, self.simulator.services
        found = (services.find(CsipService, device.number) for device in devices)
        return [client for client in found if client is not None]

    def numbers(self) -> dict[str, Any]:
        """All of it. counters: as in `csip-client`; unexpected errors are among the errors."""
        clients = self.clients()
        counters: Counter[str] = Counter()
        for client in clients:
            counters.update(client.counts())
        counters["errors"] += sum(self.simulator.fences.counts.values())
        return {
            "ders": self.shard.count,
            "states": dict(Counter(client.state for client in clients)),
            "counters": dict(counters),
            "controls": self._controls(),
            "target": self._target(),
            "lag_s": self.lag_s,
            "cpu_s": time.process_time(),
            "peak_mib": peak_mib() or 0.0,
            **self._power_now(),
        }

    def _target(self) -> list[str]:
        """The server's DeviceCapability and the edition, of the first DER; empty without CSIP."""
        if not self._shown:
            client = self.simulator.services.find(CsipService, self.simulator.fleet.devices[0].number)
            shown = client.snapshot() if client is not None else {}
            self._shown = [f"{shown['server']}{shown['dcap']}", shown["edition"]] if shown else []
        return self._shown

    def _controls(self) -> int:
        """How many different DERControls are in force."""
        return len(
            {
                each.detail
                for device in self.simulator.fleet.devices
                for each in device.setpoints.in_force()
                if each.source is SetpointSource.CSIP
            }
        )

    def _power_now(self) -> dict[str, float]:
        if self._power is None or trio.current_time() >= self._power_due_s:
            states = [device.state for device in self.simulator.fleet.devices]
            self._power = {
                "power_w": sum(state.p_w for state in states),
                "reactive_var": sum(state.q_var for state in states),
                "exported_wh": sum(sum(state.exported_wh) for state in states),
                "imported_wh": sum(sum(state.imported_wh) for state in states),
            }
            self._power_due_s = trio.current_time() + POWER_S
        return self._power
