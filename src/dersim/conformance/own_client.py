"""Our own simulator as the device under test: a PV inverter with its CSIP client, in one process.

In virtual time over memory streams, or in real time over sockets. Only its bytes and its terminals are seen.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import replace

import trio

from dersim.clock import SimClock
from dersim.conformance.evidence import Sample
from dersim.conformance.kit import Kit
from dersim.csip import plugin as csip
from dersim.csip.client import CsipClient
from dersim.csip.subscriptions.listener import NotifyListener
from dersim.engine.simulator import derived_rng
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services

#: Beyond what any nameplate needs for its rated power.
FULL_SUN_W_M2 = 1800.0
#: The flags of a client that subscribes.
SUBSCRIBES = ("--csip_subscriptions", "yes")
#: What the server is told where Notifications come over memory streams.
NOTIFY_URL = "https://127.0.0.1:9443"

Opener = Callable[[str, int], Awaitable[trio.abc.Stream]]


class OwnClient:
    """A DER and its client. `samples` grows with each tick.

    open_tcp: opens the stream to the server; None: a socket. flags: of `dersim sim`, for the client.
    notify_net: where it listens for Notifications, if it subscribes; None: on a socket.
    """

    def __init__(
        self,
        clock: SimClock,
        log: LogBuffer,
        kit: Kit,
        flags: tuple[str, ...] = (),
        open_tcp: Opener | None = None,
        device_type: str = "PV",
        notify_net: MemoryNet | None = None,
    ) -> None:
        self.clock = clock
        self.samples: list[Sample] = []
        self.device = make_device(1, device_type=device_type, clock=clock)
        # Full sun: a limit must be what binds.
        self.device.inputs.set(irradiance_w_m2=FULL_SUN_W_M2)
        self._fleet = Fleet([self.device])
        parser = OptionParser()
        csip.add_options(parser)
        options = parser.parse_args([*kit.client_flags, *flags], Namespace(demo=False))
        context = FrontendContext(
            options=options,
            fleet=self._fleet,
            clock=clock,
            log=log,
            services=Services(),
            stop=lambda: None,
            device=self.device,
            rng=derived_rng(1, "conformance", 1),
            fences=Fences(log),
        )
        self._notify_net = notify_net
        # First: the client asks for the listener when it is made. It is one of the fleet.
        of_fleet = replace(context, device=None)
        self._listener = NotifyListener(of_fleet) if options.csip_subscriptions else None
        self.client = CsipClient(context) if open_tcp is None else CsipClient(context, open_tcp=open_tcp)

    def set_inputs(self, **values: float) -> bool:
        """Change grid and weather."""
        self.device.inputs.set(**values)
        return True

    def raise_alarm(self, number: int) -> bool:
        """Raise or clear an alarm of the device, which its client logs as a LogEvent."""
        self.device.inputs.set(emergency_local=number % 2 == 1)
        return True

    async def run(self) -> None:
        """Run the device and its client, until cancelled."""
        await self._fleet.step(self.clock.now_s())
        await self.client.bind()
        async with trio.open_nursery() as nursery:
            if self._listener is not None:
                await self._listen(self._listener, nursery)
            nursery.start_soon(self._tick)
            nursery.start_soon(self.client.run)

    async def _listen(self, listener: NotifyListener, nursery: trio.Nursery) -> None:
        if self._notify_net is None:
            await listener.bind()
            nursery.start_soon(listener.run)
        else:
            listener.hub.base_url = NOTIFY_URL
            nursery.start_soon(listener.serve, [self._notify_net])

    async def _tick(self) -> None:
        while True:
            self.clock.tick_done()
            await trio.sleep(self.clock.tick_s / self.clock.rate)
            await self._fleet.step(self.clock.now_s())
            state = self.device.state
            self.samples.append(Sample(state.time_s, state.p_w, state.q_var))
