"""A DER with its clock and what stands for its CSIP client, for the tests of the invariants."""

from __future__ import annotations

import io
from types import SimpleNamespace

from tests.invariants import published

from dersim.exchanges.conversation import Conversation
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.ieee2030_5.event_types import EventView, Phase
from dersim.invariants import Watcher
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.plugin.services import ConversationService, CsipService, Services

START_S = 1_700_000_000.0


__all__ = ["START_S", "Rig", "published", "view"]


class TickClock:
    """A clock that the rig moves."""

    def __init__(self, tick_s=1.0):
        self.time_s = START_S
        self.tick_s = tick_s

    def now_s(self):
        return self.time_s


class Client:
    """What the invariants ask of a CSIP client."""

    def __init__(self, clock):
        self.state = "connected"
        self.views = []
        self.edition = SimpleNamespace(value="2018")
        self.troubles = []
        self.last_error = None
        self.unreadable = {}
        self._clock = clock

    def body(self, name):
        return None

    def explain(self):
        return self.views

    def found(self):
        return SimpleNamespace(unreadable=self.unreadable)

    def server_now_s(self):
        return self._clock.now_s()

    def snapshot(self):
        return {"state": self.state, "troubles": self.troubles, "last_error": self.last_error}


class Rig:
    """DERs that are stepped, and a watcher of these invariants."""

    def __init__(self, *invariants, count=1, types=("PV-3Phase",), load_w=None, **options):
        self.clock = TickClock()
        self.devices = [
            make_device(
                number, device_type=types[number % len(types)], clock=self.clock, inputs=_inputs(load_w)
            )
            for number in range(1, count + 1)
        ]
        self.device = self.devices[0]
        self.log = LogBuffer(stream=io.StringIO())
        self.services = Services()
        self.clients = {}
        for device in self.devices:
            self.clients[device.number] = client = Client(self.clock)
            self.services.offer(CsipService, client, device.number)
        self.client = self.clients[1]
        self.conversation = Conversation()
        self.services.offer(ConversationService, self.conversation)
        self.real_s = 0.0
        self.watcher = Watcher(
            Fleet(self.devices),
            self.services,
            self.clock,
            self.log,
            invariants=invariants,
            real_s=lambda: self.real_s,
            **options,
        )
        self.watcher.listen()
        for device in self.devices:
            device.step(self.clock.now_s())

    def tick(self, count=1):
        """So many ticks; what the watcher found."""
        found = []
        for _ in range(count):
            self.clock.time_s += self.clock.tick_s
            self.real_s += self.clock.tick_s
            for device in self.devices:
                device.step(self.clock.now_s())
            found += self.watcher.step()
        return found

    def exchange(
        self,
        method="GET",
        url="/dcap",
        *,
        sent=b"",
        status=200,
        got=b"",
        device=1,
        outcome="ok",
        cause="poll",
        headers=(),
    ):
        """An exchange of a client that has just ended. headers: of the answer."""
        now_s, answer = self.clock.now_s(), (status, headers, got)
        self.conversation.add(now_s, device, method, url, ((), sent), answer, outcome, 0.01, cause=cause)

    def respond(self, status, mrid="AA", *, answer=201, device=1, headers=()):
        """A Response on the wire."""
        body = (
            '<DERControlResponse xmlns="urn:ieee:std:2030.5:ns">'
            f"<createdDateTime>{int(START_S)}</createdDateTime>"
            f"<endDeviceLFDI>{'0' * 40}</endDeviceLFDI><status>{status}</status><subject>{mrid}</subject>"
            "</DERControlResponse>"
        )
        sent = body.encode()
        self.exchange("POST", "/rsps/1/rsp", sent=sent, status=answer, device=device, headers=headers)


def _inputs(load_w):
    """Those of a DER with such a load behind its meter, None: without one."""
    if load_w is None:
        return None
    site = SiteLoad(3, 0.8)
    return Inputs(Conditions()._replace(**site.completed({"load_w": load_w})), site=site, start_s=START_S)


def view(mrid, modes, *, phase=Phase.ACTIVE, primacy=1, created=0.0, start=START_S - 100, end=START_S + 1000):
    """An event as the client explains it."""
    times = start, end - start, start, end
    return EventView(mrid, f"/derc/{mrid}", "/derp/1", primacy, phase, 1, "", *times, modes, "", "P", created)
