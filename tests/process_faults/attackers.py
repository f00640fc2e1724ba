"""Hostile clients, as a program: `python -m tests.process_faults.attackers PORT FOLDER OTHER_PKI`."""

from __future__ import annotations

import contextlib
import itertools
import sys
from pathlib import Path

import trio
from tests.process_faults.running import room_for_sockets

from dersim import tls
from dersim.errors import UtilityUnreachable
from dersim.http11 import Endpoint

HOST = "127.0.0.1"
IDLE, SLOW, DEAF = 2_000, 50, 10
HANDSHAKES_PER_S = 50
POST = b"POST /edev HTTP/1.1\r\nHost: h\r\nContent-Type: application/sep+xml\r\nContent-Length: 1000\r\n\r\n"
GET = b"GET /dcap HTTP/1.1\r\nHost: h\r\n\r\n"


def context(folder: Path, number: int) -> tls.ClientContext:
    names = (f"cert_{number}.pem", f"key_{number}.pem", "cert_root.pem")
    return tls.client_context(*(folder / name for name in names), check_hostname=False)


class Attack:
    """On one server. folder: certificates that it takes. other: those that it does not take."""

    def __init__(self, port: int, folder: Path, other: Path) -> None:
        self.port = port
        self.folder = folder
        self.other = other

    async def run(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.hold_idle, room_for_sockets(IDLE + 500) - 500)
            for _ in range(SLOW):
                nursery.start_soon(self.again, self.send_slowly)
            for _ in range(DEAF):
                nursery.start_soon(self.again, self.read_nothing)
            nursery.start_soon(self.show_bad_certificates, nursery)
            await trio.sleep(1)
            print("attacking", flush=True)

    async def hold_idle(self, count: int) -> None:
        """TCP connections without a byte; those that the server closes are made anew."""
        async with trio.open_nursery() as nursery:
            for number in range(count):
                nursery.start_soon(self.again, self.say_nothing)
                if number % 50 == 0:
                    await trio.sleep(0.02)

    async def again(self, act: object) -> None:
        while True:
            with contextlib.suppress(OSError, trio.BrokenResourceError, UtilityUnreachable):
                await act()
            await trio.sleep(1)

    async def say_nothing(self) -> None:
        async with await trio.open_tcp_stream(HOST, self.port) as stream:
            await stream.receive_some(1)

    async def opened(self) -> trio.abc.Stream:
        return await Endpoint(HOST, self.port, context(self.folder, 2)).open()

    async def send_slowly(self) -> None:
        stream = await self.opened()
        await stream.send_all(POST)
        for _ in itertools.count():
            await stream.send_all(b"<")
            await trio.sleep(0.5)

    async def read_nothing(self) -> None:
        stream = await self.opened()
        for _ in itertools.count():
            await stream.send_all(GET * 20)
            await trio.sleep(0.05)

    async def show_bad_certificates(self, nursery: trio.Nursery) -> None:
        bad = context(self.other, 1)
        while True:
            nursery.start_soon(self.shake_hands, bad)
            await trio.sleep(1 / HANDSHAKES_PER_S)

    async def shake_hands(self, bad: tls.ClientContext) -> None:
        with contextlib.suppress(OSError, trio.BrokenResourceError, UtilityUnreachable, trio.TooSlowError):
            stream = await Endpoint(HOST, self.port, bad).open()
            await stream.receive_some(1)
            await trio.aclose_forcefully(stream)


if __name__ == "__main__":
    trio.run(Attack(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])).run)
