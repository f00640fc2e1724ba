"""Requests per CPU second of the client: GET a list, PUT a status, over and over, on keep-alive mutual TLS.

Ours is the CSIP client's own session, with what it does for every exchange: the schema check, the record of
the conversation, the log line. Its memory of unchanged bodies is switched off here, so that every list is
parsed, as py20305 does.
"""

from __future__ import annotations

import asyncio
import logging
import statistics
import time
from collections.abc import Iterator

import trio
from tests.bench.measure import Result
from tests.interop.processes import CERTS, program

from dersim import tls
from dersim.clock import SimClock
from dersim.csip.links import Origin
from dersim.csip.session import CodecSettings, Counters, Session
from dersim.engine.collector import tune_collector
from dersim.exchanges.conversation import Conversation
from dersim.http11 import Connection, Endpoint
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

ROUNDS, PAIRS = 9, 300


def status() -> r.DERStatus:
    """A DERStatus as an inverter PUTs it."""
    now = int(time.time())
    return r.DERStatus(
        alarmStatus=0,
        connectStatus=r.ConnectStatusType2(dateTime=now, value=3),
        inverterStatus=r.InverterStatusType(dateTime=now, value=4),
        operationalModeStatus=r.OperationalModeStatusType(dateTime=now, value=2),
        readingTime=now,
    )


async def ours_us(port: int) -> float:
    """CPU microseconds of one request of our session."""
    context = tls.client_context(CERTS / "cert_2.pem", CERTS / "key_2.pem", CERTS / "cert_root.pem")
    clock = SimClock()
    clock.start()

    def connect(origin: Origin) -> Connection:
        return Endpoint(origin.host, origin.port, context).connection()

    session = Session(
        Origin(True, "127.0.0.1", port),
        connect,
        clock,
        codec=CodecSettings(Edition.E2023),
        counters=Counters(),
        conversation=Conversation(),
        say=lambda level, message: None,
        device=1,
    )
    document = status()
    program_list = (await session.fetch("/derp?s=0&l=255", r.DERProgramList, "poll")).resource
    controls = next(p.DERControlListLink.href for p in program_list.DERProgram if p.primacy > 10)
    ders = (await session.fetch("/edev?s=0&l=255", r.EndDeviceList, "poll")).resource
    der = (
        await session.fetch(f"{ders.EndDevice[0].DERListLink.href}?s=0&l=255", r.DERList, "poll")
    ).resource.DER[0]
    start = time.process_time()
    for _ in range(PAIRS):
        session.forget()
        await session.fetch(f"{controls}?s=0&l=255", r.DERControlList, "poll")
        await session.send("PUT", der.DERStatusLink.href, session.encode(document), "DERStatus", "poll")
    spent = time.process_time() - start
    await session.aclose()
    return spent / PAIRS / 2 * 1e6


async def peer_us(url: str) -> float:
    """CPU microseconds of one request of py20305's client."""
    from py20305.client import Sep2Client, TlsConfig
    from py20305.models import sep
    from py20305.xml.serialization import from_xml

    config = TlsConfig(
        client_cert=str(CERTS / "cert_3.pem"),
        client_key=str(CERTS / "key_3.pem"),
        ca_cert=str(CERTS / "cert_root.pem"),
        check_hostname=False,
    )
    client = Sep2Client(url, config)
    document = from_xml(encode(status(), Edition.E2023), sep.Derstatus)
    programs = await client.get("/derp?s=0&l=255", sep.DerprogramList)
    controls = next(p.dercontrol_list_link.href for p in programs.derprogram if p.primacy.value > 10)
    devices = await client.get("/edev?s=0&l=255", sep.EndDeviceList)
    ders = await client.get(f"{devices.end_device[0].derlist_link.href}?s=0&l=255", sep.Derlist)
    put_to = ders.der[0].derstatus_link.href
    start = time.process_time()
    for _ in range(PAIRS):
        await client.get(f"{controls}?s=0&l=255", sep.DercontrolList)
        await client.put(put_to, document)
    spent = time.process_time() - start
    await client.close()
    return spent / PAIRS / 2 * 1e6


def run() -> Iterator[Result]:
    """Both clients in turn against one server in a process of its own."""
    logging.disable(logging.CRITICAL)
    tune_collector()  # as in `dersim sim`; for both
    with program("dersim", "server", "--port", "0", "--admin_port", "0", "--cycle", "yes") as server:
        url = server.ready()["utility"]
        port = int(url.rsplit(":", 1)[1])
        pairs = [(trio.run(ours_us, port), asyncio.run(peer_us(url))) for _ in range(ROUNDS)]
    ours = statistics.median(p[0] for p in pairs)
    peer = statistics.median(p[1] for p in pairs)
    name = "CPU of a request (GET list, PUT status), keep-alive mTLS"
    yield Result(name, ours, peer, "us", ">= 3 x", peer >= 3 * ours)
