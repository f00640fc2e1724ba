"""A scripted 2030.5 server and one DER with its client, in one process, over memory streams, in virtual time.

The server is a table: path -> what a GET answers (a resource, raw bytes, a Response, or a function of the
request). PUT and POST are taken and kept. Anything else is put into `answers` by (method, path).
"""

from __future__ import annotations

import inspect
import io
import random
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest
import trio
import trio.testing
from tests.csip.control_bench import START as BENCH_START_S
from tests.csip.control_bench import Bench

from dersim import pki, tls
from dersim.clock import SimClock
from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.http11 import Request, Response, serve
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import LogBuffer
from dersim.options import OptionParser
from dersim.plugin.builtin import make_device
from dersim.plugin.csip_profile import PLAIN
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services

START_S = 1_800_000_000.0
SERVER_OFFSET_S = 7.3
PIN = 111115
XML = (("content-type", "application/sep+xml"),)
MRID = "0123456789ABCDEF0123456700009F1C"


class Seen(NamedTuple):
    """A request as the server saw it."""

    at_s: float
    method: str
    path: str
    query: str
    body: bytes


def mrid(number: int) -> str:
    return f"{number:032X}"


def link(href: str) -> r.Link:
    return r.Link(href=href)


def links(href: str, count: int = 1) -> r.ListLink:
    return r.ListLink(href=href, all=count)


class ScriptedServer:
    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.offset_s = SERVER_OFFSET_S
        self.edition = Edition.E2023
        self.tree: dict[str, Any] = {}
        self.answers: dict[tuple[str, str], Any] = {}
        self.seen: list[Seen] = []
        self.away = False
        self.failing: int | None = None  # the status of every answer while set
        self.tls: tls.ServerContext | None = None
        self.post_rate: int | None = None
        self.connections = 0
        self._send, self._receive = trio.open_memory_channel[trio.abc.Stream](100)
        self._scope: trio.CancelScope | None = None

    # ---- the network

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        if self.away:
            raise OSError(111, "Connection refused")
        self.connections += 1
        ours, theirs = trio.testing.memory_stream_pair()
        await self._send.send(theirs)
        return ours

    async def accept(self) -> trio.abc.Stream:
        return await self._receive.receive()

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()

    async def __aenter__(self) -> ScriptedServer:
        return self

    async def __aexit__(self, *args: object) -> None:
        await self.aclose()

    async def run(self) -> None:
        while True:
            with trio.CancelScope() as self._scope:
                await serve(self.handle, [self], tls=self.tls)

    def use_tls(self, folder: Path) -> None:
        self.tls = tls.server_context(
            folder / "cert_server.pem", folder / "key_server.pem", folder / "cert_root.pem"
        )

    def hang_up(self) -> None:
        """Close every connection."""
        assert self._scope is not None
        self._scope.cancel()

    # ---- what it says

    def now(self) -> int:
        return int(self.clock.now_s() + self.offset_s)

    async def handle(self, request: Request) -> Response:
        parts = urlsplit(request.target)
        self.seen.append(Seen(self.clock.now_s(), request.method, parts.path, parts.query, request.body))
        if self.failing is not None:
            return Response(self.failing)
        script = self.answers.get((request.method, parts.path))
        if script is None:
            script = self._usual(request.method, parts.path, request.body)
        elif isinstance(script, list):
            script = script.pop(0) if script else self._usual(request.method, parts.path, request.body)
        if callable(script) and not hasattr(script, "href"):
            script = script(request)
            if inspect.isawaitable(script):
                script = await script
        return self._response(script, parse_qs(parts.query))

    def _usual(self, method: str, path: str, body: bytes) -> Any:
        if method == "GET":
            taken = self.bodies(path, "PUT")
            return self.tree.get(path, taken[-1] if taken else Response(404))
        if method == "PUT":
            return Response(204)
        if path == "/mup":
            return self._mirror(decode(body, r.MirrorUsagePoint).resource)
        if path in self.tree or path.startswith(("/mup", "/rsp", "/edev")):
            return Response(201, (("location", f"{path}/{len(self.seen)}"),))
        return Response(404)

    def _mirror(self, point: r.MirrorUsagePoint) -> Response:
        href = f"/mup/{point.mRID[:4]}"
        known = href in self.tree
        self.tree[href] = r.MirrorUsagePoint(
            href=href,
            mRID=point.mRID,
            roleFlags=point.roleFlags,
            serviceCategoryKind=0,
            status=1,
            deviceLFDI=point.deviceLFDI,
            postRate=self.post_rate,
        )
        return Response(204 if known else 201, (("location", href),))

    def _response(self, script: Any, query: dict[str, list[str]]) -> Response:
        if isinstance(script, Response):
            return script
        if isinstance(script, bytes):
            return Response(200, XML, script)
        if isinstance(script, r.List | r.SubscribableList):
            script = paged(script, int(query.get("s", ["0"])[0]), int(query.get("l", ["1"])[0]))
        return Response(200, XML, encode(script, self.edition))

    # ---- what it was asked

    def paths(self, method: str = "GET") -> list[str]:
        return [each.path for each in self.seen if each.method == method]

    def times(self, path: str, method: str = "GET") -> list[float]:
        return [each.at_s for each in self.seen if each.method == method and each.path == path]

    def bodies(self, path: str, method: str = "POST") -> list[bytes]:
        return [each.body for each in self.seen if each.method == method and each.path == path]


def paged(listing: Any, start: int, limit: int) -> Any:
    name = type(listing).__name__.removesuffix("List")
    items = getattr(listing, name)
    page = items[start : start + limit]
    fields = {name: page, "all": len(items), "results": len(page), "href": listing.href}
    if getattr(listing, "pollRate", None) is not None:
        fields["pollRate"] = listing.pollRate
    if getattr(listing, "subscribable", None) is not None:
        fields["subscribable"] = listing.subscribable
    return type(listing)(**fields)


def listing(kind: type[Any], href: str, *items: Any, pollRate: int | None = None) -> Any:
    name = kind.__name__.removesuffix("List")
    fields: dict[str, Any] = {name: items, "all": len(items), "results": len(items), "href": href}
    if pollRate is not None:
        fields["pollRate"] = pollRate
    return kind(**fields)


def time_of(server: ScriptedServer, quality: int = 7) -> Callable[[Request], r.Time]:
    def answer(request: Request) -> r.Time:
        return r.Time(
            href="/tm",
            currentTime=server.now(),
            dstEndTime=0,
            dstOffset=0,
            dstStartTime=0,
            quality=quality,
            tzOffset=0,
        )

    return answer


def control(
    number: int, start: int, duration: int = 60, limit: int = 4000, *, href: str | None = None, **fields: Any
) -> r.DERControl:
    settings: dict[str, Any] = {"replyTo": "/rsp", "responseRequired": 7}
    settings.update(fields)
    return r.DERControl(
        href=href or f"/derp/1/derc/{number}",
        mRID=mrid(number),
        creationTime=start - 100,
        EventStatus=r.EventStatus(currentStatus=0, dateTime=start - 100, potentiallySuperseded=False),
        interval=r.DateTimeInterval(duration=duration, start=start),
        DERControlBase=r.DERControlBase(opModMaxLimW=limit),
        **settings,
    )


def plant(server: ScriptedServer, lfdi: str, sfdi: int, *, poll: int = 10) -> dict[str, Any]:
    """A well-formed server with one DER, one FSA, one program."""
    tree = server.tree
    tree["/dcap"] = r.DeviceCapability(
        href="/dcap",
        pollRate=30,
        TimeLink=link("/tm"),
        EndDeviceListLink=links("/edev"),
        MirrorUsagePointListLink=links("/mup", 0),
        DERProgramListLink=links("/derp"),
    )
    tree["/tm"] = time_of(server)
    tree["/edev/1"] = r.EndDevice(
        href="/edev/1",
        lFDI=lfdi,
        sFDI=sfdi,
        changedTime=server.now(),
        DERListLink=links("/edev/1/der"),
        FunctionSetAssignmentsListLink=links("/edev/1/fsa"),
        LogEventListLink=links("/edev/1/lel", 0),
        RegistrationLink=link("/edev/1/rg"),
    )
    tree["/edev"] = listing(r.EndDeviceList, "/edev", tree["/edev/1"], pollRate=poll)
    tree["/edev/1/rg"] = r.Registration(href="/edev/1/rg", dateTimeRegistered=0, pIN=PIN)
    der = r.DER(
        href="/edev/1/der/1",
        DERAvailabilityLink=link("/edev/1/der/1/dera"),
        DERCapabilityLink=link("/edev/1/der/1/dercap"),
        DERSettingsLink=link("/edev/1/der/1/derg"),
        DERStatusLink=link("/edev/1/der/1/ders"),
    )
    tree["/edev/1/der"] = listing(r.DERList, "/edev/1/der", der, pollRate=poll)
    tree["/edev/1/lel"] = listing(r.LogEventList, "/edev/1/lel")
    fsa = r.FunctionSetAssignments(
        href="/edev/1/fsa/1",
        mRID=mrid(0xA1),
        DERProgramListLink=links("/edev/1/fsa/1/derp"),
        TimeLink=link("/tm"),
    )
    tree["/edev/1/fsa/1"] = fsa
    tree["/edev/1/fsa"] = listing(r.FunctionSetAssignmentsList, "/edev/1/fsa", fsa, pollRate=poll)
    program = r.DERProgram(
        href="/derp/1",
        mRID=mrid(0xB1),
        description="one",
        primacy=5,
        DefaultDERControlLink=link("/derp/1/dderc"),
        DERControlListLink=links("/derp/1/derc", 0),
        DERCurveListLink=links("/derp/1/dc", 0),
    )
    tree["/derp/1"] = program
    tree["/edev/1/fsa/1/derp"] = listing(r.DERProgramList, "/edev/1/fsa/1/derp", program, pollRate=poll)
    tree["/derp/1/dderc"] = r.DefaultDERControl(
        href="/derp/1/dderc", mRID=mrid(0xD1), DERControlBase=r.DERControlBase(opModMaxLimW=9000)
    )
    tree["/derp/1/derc"] = listing(r.DERControlList, "/derp/1/derc")
    tree["/derp/1/dc"] = listing(r.DERCurveList, "/derp/1/dc")
    tree["/mup"] = listing(r.MirrorUsagePointList, "/mup", pollRate=60)
    return tree


class World:
    """One server, one DER, one client."""

    def __init__(self, nursery: trio.Nursery, tick_s: float = 1.0) -> None:
        self.nursery = nursery
        self.clock = SimClock(start_s=START_S, tick_s=tick_s)
        self.clock.start()
        self.server = ScriptedServer(self.clock)
        self.stream = io.StringIO()
        self.log = LogBuffer(stream=self.stream)
        self.fences = Fences(self.log)
        self.device = make_device(1, clock=self.clock)
        self.fleet = Fleet([self.device])
        self.services = Services()
        self.client: CsipClient
        self.profile = PLAIN
        self.device.step(START_S)

    def make(self, *flags: str, **more: Any) -> CsipClient:
        parser = OptionParser()
        plugin.add_options(parser)
        options = parser.parse_args(["--csip_enc", "no", *flags], Namespace(demo=False, **more))
        context = FrontendContext(
            options=options,
            fleet=self.fleet,
            clock=self.clock,
            log=self.log,
            services=self.services,
            stop=lambda: None,
            device=self.device,
            rng=random.Random(1),
            fences=self.fences,
            csip_profile=self.profile,
        )
        self.client = CsipClient(context, open_tcp=self.server.open_tcp)
        return self.client

    async def ready(self, *flags: str, poll: int = 10) -> CsipClient:
        """Everything set up and the server planted; only `begin` is left."""
        client = self.make(*flags)
        await client.bind()
        who = client.identity()
        assert who is not None
        plant(self.server, who.lfdi, who.sfdi, poll=poll)
        return client

    def begin(self) -> None:
        self.nursery.start_soon(self._tick)
        self.nursery.start_soon(self.server.run)
        self.nursery.start_soon(self.client.run)

    async def _tick(self) -> None:
        while True:
            self.clock.tick_done()
            await trio.sleep(self.clock.tick_s)
            await self.fleet.step(self.clock.now_s())

    async def start(self, *flags: str, poll: int = 10, for_s: float = 1.0) -> CsipClient:
        """A planted server, a running client, and `for_s` of virtual time."""
        client = await self.ready(*flags, poll=poll)
        self.begin()
        await trio.sleep(for_s)
        return client

    @property
    def tree(self) -> dict[str, Any]:
        return self.server.tree

    def logged(self, *words: str) -> list[str]:
        return [e.message for e in self.log.entries() if all(word in e.message for word in words)]

    def add_control(self, item: r.DERControl) -> None:
        old = self.tree["/derp/1/derc"]
        self.tree["/derp/1/derc"] = new = listing(r.DERControlList, "/derp/1/derc", *old.DERControl, item)
        new.subscribable = old.subscribable
        self.tree[item.href] = item


@pytest.fixture
def world(nursery: trio.Nursery, tmp_path, monkeypatch) -> World:
    monkeypatch.chdir(tmp_path)  # the seed's default files are looked for here
    return World(nursery)


@pytest.fixture
def listing_of() -> Callable[..., Any]:
    return listing


@pytest.fixture
def make_control() -> Callable[..., r.DERControl]:
    return control


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A test PKI with three devices."""
    return pki.create(tmp_path_factory.mktemp("pki") / "certs", 3)


class TlsWorld:
    """The world with mutual TLS and certificate files of its own."""

    def __init__(self, world: World, certificates: Path, folder: Path) -> None:
        self.world = world
        self.certificates = certificates
        self.folder = folder
        for name in ("cert.pem", "key.pem", "cert_root.pem"):
            (folder / name).write_bytes((certificates / name).read_bytes())

    async def start(self, *flags: str, for_s: float = 1.0) -> CsipClient:
        world = self.world
        world.server.use_tls(self.certificates)
        client = await world.ready("--csip_enc", "yes", "--use_test_pki_certs", str(self.folder), *flags)
        world.begin()
        await trio.sleep(for_s)
        return client


@pytest.fixture
def tls_world(world: World, certificates: Path, tmp_path: Path) -> TlsWorld:
    folder = tmp_path / "mine"
    folder.mkdir()
    return TlsWorld(world, certificates, folder)


@pytest.fixture
async def bench(autojump_clock: trio.testing.MockClock) -> AsyncIterator[Bench]:
    """Tests name autojump_clock too: pytest-trio looks only at the arguments of the test itself."""
    clock = SimClock(start_s=BENCH_START_S)
    clock.start()

    async def tick() -> None:
        while True:
            await trio.sleep(1.0)
            clock.tick_done()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tick)
        bench = Bench(clock)
        bench.controls.timing.run_in(nursery)
        bench.controls.set_clock_offset(0.5)
        yield bench
        nursery.cancel_scope.cancel()
