"""A small fleet of stand-ins, shaped as docs/design.md says, and web sites over it."""

import io
import random
from argparse import Namespace
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace

import h11
import pytest
import trio

from dersim.clock import SimClock
from dersim.device import Device
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.hardware.state import Alarm, Connection, DcSide, DeviceState, InverterStatus, OperationalMode
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import DEVICE_TYPES, FUNCTION_TYPES
from dersim.plugin.extension import FrontendStatus, PluginInfo
from dersim.plugin.routes import PluginRoutes
from dersim.plugin.services import CertificateFiles, CsipService, Services
from dersim.saved_states import SavedStates
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import InForce, JournalEntry, Outcome, Verdict
from dersim.web.api.csip import COUNTERS
from dersim.web.frontend import WebFrontend

START_S = 1_780_000_000.0


def make_state(time_s=START_S, p_w=8000.0, **changes):
    state = DeviceState(
        time_s=time_s,
        p_w=p_w,
        q_var=-600.0,
        s_va=(p_w**2 + 600**2) ** 0.5,
        frequency_hz=60.0,
        voltage_ln_v=(277.0, 277.2, 277.4),
        voltage_ll_v=(480.0, 480.2, 480.4),
        current_a=(9.6, 9.7, 9.8),
        phase_p_w=(p_w / 3,) * 3,
        phase_q_var=(-200.0,) * 3,
        exported_wh=(1000.0, 1000.0, 1000.0),
        imported_wh=(0.0,) * 3,
        injected_varh=(0.0,) * 3,
        absorbed_varh=(10.0,) * 3,
        available_w=8100.0,
        var_inject_available=4400.0,
        var_absorb_available=4400.0,
        charge_available_w=0.0,
        dc_sides=(DcSide("pv", 8220.0, 600.0, 13.7, 8000.0, 3100.0, 0.0, 8100.0),),
        irradiance_w_m2=800.0,
        temperature_c=25.0,
        cell_temperature_c=50.0,
        soc_pct=None,
        connection=Connection(True, True, True, False, False, True),
        inverter_status=InverterStatus.RUNNING,
        operational_mode=OperationalMode.OPERATIONAL,
        storage_mode=None,
        alarms=Alarm.OVER_VOLTAGE | Alarm.LOW_POWER_INPUT,
        tripped=False,
    )
    return state._replace(**changes)


class StandInSetpoints:
    changes = 0

    def in_force(self):
        return [InForce("opModMaxLimW", 40.0, SetpointSource.CSIP, "C513", START_S, START_S + 20)]

    def overridden(self):
        return [InForce("opModMaxLimW", 50.0, SetpointSource.CSIP_DEFAULT, "D1", START_S, None, "csip C513")]

    @property
    def journal(self):
        refused = Outcome(Verdict.OUT_OF_RANGE, "110 is above 100 %")
        return [
            JournalEntry(
                START_S, SetpointSource.CSIP, "opModMaxLimW", 40.0, "C513", None, Outcome(Verdict.ACCEPTED)
            ),
            JournalEntry(START_S + 1, SetpointSource.MODBUS, "opModMaxLimW", 110.0, "704", None, refused),
        ]


class StandInDevice(Device):
    """A real device whose state, setpoints and commands are told by hand."""

    def __init__(self, number):
        super().__init__(number, device_type=DEVICE_TYPES[0], functions=FUNCTION_TYPES)
        self.real_setpoints = real = self.setpoints
        self.setpoints = StandInSetpoints()
        self.setpoints.supported_modes = real.supported_modes
        self.told = make_state(p_w=8000.0 + number)
        self.commands = []

    @property
    def state(self):
        return self.told

    def command(self, command):
        self.commands.append(command)

    def begin(self):
        """Step from now on, with its own setpoints; the state is still told by hand."""
        self.setpoints = self.real_setpoints
        self.step(0.0)
        return self


class StandInFleet:
    def __init__(self, count, first=1):
        self.devices = [StandInDevice(k) for k in range(first, first + count)]
        self._stepped = trio.Event()

    async def wait_step(self):
        await self._stepped.wait()

    find = Fleet.find

    def step(self, seconds=1.0, **changes):
        for device in self.devices:
            device.told = device.told._replace(time_s=device.told.time_s + seconds, **changes)
        self._stepped.set()
        self._stepped = trio.Event()


class StandInClient:
    """A CSIP client that remembers what was asked of it."""

    def __init__(self):
        self.asked = []
        self.state = "connected"
        self.bursting = False
        self.refuse = ""
        self.refusal = ConfigError

    def snapshot(self):
        control = {
            "mRID": "C513", "href": "/derp/1/derc/1", "program": "/derp/1", "primacy": 1, "status": 1,
            "status_text": "active", "start": "2026-01-01T00:00:00.000Z", "duration_s": 20,
            "effective_start": "2026-01-01T00:00:00.000Z", "effective_end": "2026-01-01T00:00:20.000Z",
            "modes": {"opModMaxLimW": 40.0}, "why": "in force",
        }  # fmt: skip
        return {
            "state": "connected", "server": "https://127.0.0.1:8443", "dcap": "/dcap", "lfdi": "AB" * 20,
            "sfdi": "123456789012", "edition": "2023", "end_device": "/edev/1",
            "registration": {"present": True, "verified": True},
            "clock": {"offset_s": 0.02, "bound_s": 0.1, "samples": 5}, "clocks": [], "programs": [],
            "active_controls": [control], "scheduled_controls": [], "default_control": None,
            "subscriptions": [],
            "last_contact": "2026-01-01T00:00:00.000Z", "last_error": None, "retry_in_s": None,
            "troubles": [{"what": "meter readings", "since": "2026-01-01T00:00:00.000Z", "error": "413"}],
            "counters": dict.fromkeys(COUNTERS, 0),
        }  # fmt: skip

    last_reaction_s = 0.25

    def counts(self):
        return dict.fromkeys(COUNTERS, 3)

    def found(self):
        return None

    def explain(self):
        return []

    def server_now_s(self):
        return START_S

    def sent(self, name):
        return None

    def body(self, name):
        return None

    def certificate_files(self):
        return CertificateFiles(*(Path(f"/etc/der's own/{name}.pem") for name in ("cert", "key", "root")))

    def _ask(self, *what):
        if self.refuse:
            raise self.refusal(self.refuse)
        self.asked.append(what)

    def rediscover(self):
        self._ask("rediscover")

    def opt_out(self, mrid):
        self._ask("opt_out", mrid)

    def opt_in(self, mrid):
        self._ask("opt_in", mrid)

    def log_event_burst(self, alarm_status, interval_s, count):
        self._ask("burst", alarm_status, interval_s, count)

    def stop_log_event_burst(self):
        self._ask("no burst")


class Site:
    """A web site that runs, and a plain HTTP client for it."""

    def __init__(self, frontend, context, facts):
        self.frontend, self.context, self.facts = frontend, context, facts
        self.url = facts.get("dashboard") or facts["csip_ui"]
        self.port = int(self.url.rpartition(":")[2])
        self.client = context.service(CsipService, 1)

    async def __call__(self, method, target, *, body=b"", headers=(), host=None):
        stream = await trio.open_tcp_stream("127.0.0.1", self.port)
        async with stream:
            return await exchange(stream, method, target, body, headers, host or f"127.0.0.1:{self.port}")


async def exchange(stream, method, target, body, headers, host):
    connection = h11.Connection(h11.CLIENT)
    given = [("Host", host), *headers]
    if body:
        if not any(name.lower() == "content-type" for name, _ in given):
            given.append(("Content-Type", "application/json"))
        given.append(("Content-Length", str(len(body))))
    await stream.send_all(connection.send(h11.Request(method=method, target=target, headers=given)))
    if body:
        await stream.send_all(connection.send(h11.Data(data=body)))
    await stream.send_all(connection.send(h11.EndOfMessage()) or b"")
    response, data = None, b""
    with trio.fail_after(10):
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await stream.receive_some(65536))
            elif isinstance(event, h11.Response):
                response = event
            elif isinstance(event, h11.Data):
                data += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                headers = {name.decode(): value.decode() for name, value in response.headers}
                return SimpleNamespace(status=response.status_code, headers=headers, body=data)


@pytest.fixture
def make_context():
    """A FrontendContext of stand-ins: count DERs, CSIP clients unless csip=False, flags."""

    def make(count=1, *, first=1, csip=True, panels=(), fail_fast=False, **flags):
        options = Namespace(**{"token": None, "allow_host": (), "cors_origin": (), **flags})
        fleet = StandInFleet(count, first)
        clock = SimClock(start_s=START_S)
        clock.start()
        services = Services()
        for number in range(first, first + count) if csip else ():
            services.offer(CsipService, StandInClient(), number)
        log = LogBuffer(stream=io.StringIO())
        return SimpleNamespace(
            options=options,
            fleet=fleet,
            clock=clock,
            log=log,
            fences=Fences(log, fail_fast=fail_fast),
            addresses={},
            buffers={},
            metrics={},
            routes=PluginRoutes(),
            saved_states=SavedStates(),
            services=services,
            service=services.find,
            stop=trio.Event(),
            device=None,
            rng=random.Random(1),
            statuses=lambda number=0: {"csip": FrontendStatus("connected", "fine")} if number else {},
            panels=panels,
            plugins=(PluginInfo("csip", "0.1.0", "dersim.csip.plugin", loaded=True),),
            sunspec_models=(),
        )

    return make


@pytest.fixture
def open_site(make_context):
    """`async with open_site(...) as site`: a web site of stand-ins on a free port."""

    @asynccontextmanager
    async def open_it(site="dashboard", count=1, host="127.0.0.1", before=None, **flags):
        context = make_context(count, **flags)
        if before is not None:
            before(context)
        stopped, context.stop = context.stop, context.stop.set
        frontend = WebFrontend(site, context, "--website", host, 0)
        facts = await frontend.bind()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(frontend.run)
            running = Site(frontend, context, facts)
            running.stopped = stopped
            running.nursery = nursery
            yield running
            nursery.cancel_scope.cancel()

    return open_it
