"""Requests per CPU second of the companion server, over kept mutual TLS, with many devices and controls.

Each connection is a device: it reads its DERProgramList, its list of 24 DERControls and its default, and PUTs
a status, over and over. The CPU is that of the server's process. Each device has a program of its own, so the
lists of 1,000 devices are 1,000 documents.
"""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.bench.bench_requests import status
from tests.bench.measure import Result, at_most

from dersim import pki
from dersim.ieee2030_5 import Edition, encode

CONNECTIONS, ROUNDS, POLLS = 50, 9, 5
_ALL = "?s=0&l=255"
_HREF = rb'<%b(?: [^>]*)? href="([^"]+)"'


#: A request of `Client.send`: method, target, body; and how many make a poll.
Request = tuple[str, str, bytes]
STEPS = 4


class Child:
    """The server's process."""

    def __init__(self, folder: Path, devices: int, state: str) -> None:
        argv = [sys.executable, "-m", "tests.bench.server_child", str(folder), str(devices), str(CONNECTIONS)]
        argv.append(state)
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._answer()["port"])

    def ask(self, command: str) -> Any:
        """The answer to a command."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        return self._answer()

    def stop(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


class Client:
    """One device's connection, blocking."""

    def __init__(self, folder: Path, number: int, port: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(folder / "cert_root.pem")
        context.set_ciphers("ECDHE-ECDSA-AES128-CCM8:@SECLEVEL=0")
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(folder / f"cert_{number}.pem", folder / f"key_{number}.pem")
        self._socket = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
        self._rest = b""

    def send(self, method: str, target: str, body: bytes = b"") -> None:
        """Send a request."""
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: x\r\nAccept: application/sep+xml\r\nUser-Agent: bench\r\n"
        )
        if body:
            head += f"Content-Type: application/sep+xml\r\nContent-Length: {len(body)}\r\n"
        self._socket.sendall(head.encode() + b"\r\n" + body)

    def receive(self) -> bytes:
        """The body of the response."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._some()
        head, _, body = data.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 20"):
            raise AssertionError(head + body)
        found = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        length = int(found[1]) if found else 0
        while len(body) < length:
            body += self._some()
        return body

    def get(self, target: str) -> bytes:
        """GET a document."""
        self.send("GET", target)
        return self.receive()

    def steady(self, body: bytes) -> list[Request]:
        """The requests of a poll, by following the links."""
        device = _href(self.get(f"/edev{_ALL}"), b"EndDevice")
        assignments = self.get(f"{device}/fsa{_ALL}")
        listed = [href.decode() for href in re.findall(_HREF % b"DERProgramListLink", assignments)]
        programs = next(href for href in listed if href != "/derp")
        document = self.get(programs + _ALL)
        return [
            ("GET", programs + _ALL, b""),
            ("GET", _href(document, b"DERControlListLink") + _ALL, b""),
            ("GET", _href(document, b"DefaultDERControlLink"), b""),
            ("PUT", f"{device}/der/1/ders", body),
        ]

    def _some(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise AssertionError("the server closed the connection")
        return data

    def close(self) -> None:
        """Close it."""
        self._socket.close()


def _href(document: bytes, element: bytes) -> str:
    return re.findall(_HREF % element, document)[0].decode()


Plans = list[tuple[Client, list[Request]]]


class Server:
    """A server with so many devices, and its clients. state: its state file."""

    def __init__(self, folder: Path, devices: int, state: str = "") -> None:
        self._child = Child(folder, devices, state)
        self._clients = [Client(folder, number, self._child.port) for number in range(1, CONNECTIONS + 1)]
        body = encode(status(), Edition.E2018)
        self._plans = [(client, client.steady(body)) for client in self._clients]

    def cost_us(self) -> float:
        """CPU microseconds of a request, in one round."""
        return _cost_us(self._child, self._plans)

    def published_ms(self) -> dict[str, float]:
        """CPU milliseconds of publishing for all."""
        return dict(self._child.ask("publish"))

    def stop(self) -> None:
        """Close the connections and end it."""
        for client in self._clients:
            client.close()
        self._child.stop()


def _cost_us(child: Child, plans: Plans) -> float:
    before_s, count = child.ask("cpu"), 0
    for step in [*range(STEPS)] * POLLS:
        for client, plan in plans:
            client.send(*plan[step])
        for client, _ in plans:
            client.receive()
        count += len(plans)
    return float((child.ask("cpu") - before_s) / count * 1e6)


def run() -> Iterator[Result]:
    """Few devices, many, and many with a state file: in turn, so that the machine's noise meets all alike."""
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as servers:
        folder = pki.create(Path(name) / "pki", CONNECTIONS)
        few, many = Server(folder, 100), Server(folder, 1000)
        durable = Server(folder, 1000, str(Path(name) / "state.db"))
        for each in (few, many, durable):
            servers.callback(each.stop)
        costs = [(few.cost_us(), many.cost_us(), durable.cost_us()) for _ in range(ROUNDS)]
        published_ms = many.published_ms()
    few_us, many_us, durable_us = (statistics.median(each) for each in zip(*costs, strict=True))
    yield at_most("CPU of a request at the server, 1,000 devices x 24 controls", many_us, 500, "us")
    yield at_most("the same over that with 100 devices", many_us / few_us, 1.2, "x")
    yield at_most("the same with --state, one of four requests a PUT", durable_us / many_us, 1.15, "x")
    yield at_most("publish a control for all of 1,000 devices", published_ms["one"], 50, "ms")
    yield at_most("publish a control in each of 1,000 lists", published_ms["each"], 50, "ms")
