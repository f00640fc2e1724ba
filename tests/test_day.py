"""The client and the companion server in one process, over memory streams, in virtual time: hours and a day.

Nothing here is scripted: two implementations that share only the protocol core talk to each other.
"""

import io
import itertools
import random
from argparse import Namespace

import pytest
import trio
import trio.testing

from dersim import pki
from dersim.clock import SimClock
from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.ieee2030_5 import Edition
from dersim.logbuffer import LogBuffer
from dersim.memory_net import MemoryNet
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.utility.certificates import of_folder
from dersim.utility.config import UtilityConfig
from dersim.utility.programs import ControlOrder
from dersim.utility.server import UtilityServer

START_S = 1_800_000_000.0


class Lab:
    """A utility and `count` DERs."""

    def __init__(self, nursery, folder, *flags, tick_s=1.0, count=1, server_ahead_s=0.0, registration="open"):
        self.clock = SimClock(start_s=START_S, tick_s=tick_s)
        self.clock.start()
        self.log = LogBuffer(stream=io.StringIO(), stream_level="Warning")
        self.net = MemoryNet()
        config = UtilityConfig(encrypted=folder is not None, registration=registration)
        if folder is not None:
            config.certificate, config.key, config.root = of_folder(folder)
            flags = ("--use_test_pki_certs", str(folder), *flags)
        else:
            flags = ("--csip_enc", "no", *flags)
        fences = Fences(self.log, fail_fast=True)
        self.utility = UtilityServer(config, lambda: self.clock.now_s() + server_ahead_s, self.log, fences)
        self.fleet = Fleet([make_device(number, clock=self.clock) for number in range(1, count + 1)])
        parser = OptionParser()
        plugin.add_options(parser)
        options = parser.parse_args(flags, Namespace(demo=False))
        services = Services()
        self.clients = []
        for device in self.fleet.devices:
            context = FrontendContext(
                options=options,
                fleet=self.fleet,
                clock=self.clock,
                log=self.log,
                services=services,
                stop=lambda: None,
                device=device,
                rng=random.Random(device.number),
            )
            self.clients.append(CsipClient(context, open_tcp=self.net.open_tcp))
        self._nursery = nursery

    async def start(self, for_s):
        await self.fleet.step(START_S)
        for client in self.clients:
            await client.bind()
        self._nursery.start_soon(self.utility.serve, [self.net])
        self._nursery.start_soon(self._tick)
        for client in self.clients:
            self._nursery.start_soon(client.run)
        await trio.sleep(for_s)

    async def _tick(self):
        while True:
            self.clock.tick_done()
            await trio.sleep(self.clock.tick_s)
            await self.fleet.step(self.clock.now_s())

    @property
    def head_end(self):
        return self.utility.head_end

    @property
    def program(self):
        return next(iter(self.head_end.programs))

    def publish(self, in_s, duration_s, **modes):
        start_s = int(self.utility.head_end.now_s()) + in_s
        return self.head_end.publish(self.program, ControlOrder(modes, start_s, duration_s))

    def responses(self, mrid):
        return [e.response.status for e in self.head_end.responses.all if e.response.subject == mrid]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki") / "certs", 4)


@pytest.mark.parametrize("edition", list(Edition))
async def test_the_main_job_over_mutual_tls(autojump_clock, nursery, folder, edition):
    compat = ["--csip-2018-compat"] if edition is Edition.E2018 else []
    lab = Lab(nursery, folder, "--csip_pin", "111115", *compat, server_ahead_s=33.4)
    [client], [device] = lab.clients, lab.fleet.devices
    await lab.start(for_s=5)
    shown = client.snapshot()
    assert shown["state"] == "connected"
    assert shown["registration"] == {"present": True, "verified": True}
    assert shown["default_control"] is not None
    control = lab.publish(40, 30, opModMaxLimW=40.0)
    await trio.sleep(20)
    assert [each["mRID"] for each in client.snapshot()["scheduled_controls"]] == [control.mrid]
    await trio.sleep(25)
    assert device.state.p_w == pytest.approx(4000, rel=0.01)
    assert [each["mRID"] for each in client.snapshot()["active_controls"]] == [control.mrid]
    await trio.sleep(120)
    assert lab.responses(control.mrid) == [1, 2, 3]
    assert device.state.p_w > 6000
    # Nothing that we said broke a rule of the standard.
    assert not lab.head_end.violations
    [record] = lab.head_end.end_devices
    assert record.lfdi == shown["lfdi"]
    [mirror] = lab.head_end.mirrors
    newest = {each.description: each.newest().value for each in mirror.listed_readings()}
    assert newest["W"] == pytest.approx(device.state.p_w, rel=0.02)
    assert client.snapshot()["counters"]["errors"] == 0


async def test_a_cancelled_control_ends_and_is_answered_six(autojump_clock, nursery, folder):
    lab = Lab(nursery, folder)
    await lab.start(for_s=5)
    control = lab.publish(15, 600, opModMaxLimW=20.0)
    await trio.sleep(40)
    assert lab.fleet.devices[0].state.p_w == pytest.approx(2000, rel=0.01)
    lab.head_end.cancel(control)
    await trio.sleep(20)
    assert lab.responses(control.mrid) == [1, 2, 6]
    assert lab.fleet.devices[0].state.p_w > 6000


async def test_four_ders_have_four_identities_and_one_failing_touches_no_other(
    autojump_clock, nursery, folder
):
    lab = Lab(nursery, folder, count=4)
    await lab.start(for_s=5)
    lfdis = {client.snapshot()["lfdi"] for client in lab.clients}
    assert len(lfdis) == 4
    assert {record.lfdi for record in lab.head_end.end_devices} == lfdis
    control = lab.publish(20, 20, opModMaxLimW=30.0)
    lab.fleet.devices[0].command("stop")
    await trio.sleep(35)
    assert [device.state.p_w for device in lab.fleet.devices] == pytest.approx(
        [0, 3000, 3000, 3000], rel=0.01
    )
    await trio.sleep(30)
    assert sorted(lab.responses(control.mrid))[-4:] == [3] * 4


async def test_plain_http_registers_in_band(autojump_clock, nursery, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lab = Lab(nursery, None)
    await lab.start(for_s=5)
    assert lab.clients[0].snapshot()["state"] == "connected"
    assert len(lab.head_end.end_devices) == 1


@pytest.mark.parametrize(("mode", "state"), [("inband", "connected"), ("known", "retrying")])
async def test_the_other_ways_of_registration(autojump_clock, nursery, folder, mode, state):
    lab = Lab(nursery, folder, "--csip_pin", "111115", registration=mode)
    await lab.start(for_s=15)
    client = lab.clients[0]
    assert client.snapshot()["state"] == state
    if mode == "known":
        lab.head_end.provision(client.snapshot()["lfdi"], 111115)
        await trio.sleep(12)
        assert client.snapshot()["state"] == "connected"


async def test_a_wrong_pin_is_failed(autojump_clock, nursery, folder):
    lab = Lab(nursery, folder, "--csip_pin", "111106")
    await lab.start(for_s=15)
    assert lab.clients[0].snapshot()["state"] == "failed"
    assert lab.clients[0].snapshot()["programs"] == []


async def test_a_day(autojump_clock, nursery, folder):
    """Polls every five minutes, a control every hour, readings every minute; ticks of a minute."""
    lab = Lab(nursery, folder, "--csip_pin", "111115", tick_s=60.0)
    lab.head_end.rates.change(dict.fromkeys(("dcap", "edev", "fsa", "derp", "der"), 300))
    [client], [device] = lab.clients, lab.fleet.devices
    await lab.start(for_s=30)
    controls = []
    for hour in range(24):
        controls.append(lab.publish(900, 1200, opModMaxLimW=float(20 + hour)))
        await trio.sleep(1800)
        assert device.setpoints.value("opModMaxLimW") == 20 + hour
        await trio.sleep(1800)
    assert client.snapshot()["state"] == "connected"
    for control in controls:
        assert lab.responses(control.mrid) == [1, 2, 3]
    [mirror] = lab.head_end.mirrors
    readings = {each.description: each for each in mirror.listed_readings()}
    assert readings["Wh exported"].newest().value > 50_000
    counters = client.snapshot()["counters"]
    assert 1430 <= counters["meter_posts"] <= 1442
    assert counters["errors"] == 0
    assert not lab.head_end.violations
    posts = [e for e in lab.log.entries() if "MirrorMeterReadingList" in e.message]
    assert all(a.id < b.id for a, b in itertools.pairwise(posts))
    clock = client.snapshot()["clock"]
    assert abs(clock["offset_s"]) <= clock["bound_s"] + 0.05
