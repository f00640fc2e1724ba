import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import trio
import trio.testing

from dersim import http11, pki, tls
from dersim.memory_net import MemoryNet


class CountingNet(MemoryNet):
    """A network in memory that counts what was opened and makes endpoints."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        self.opened += 1
        return await super().open_tcp(host, port)

    def endpoint(self, context: tls.ClientContext | None = None, **options: float) -> http11.Endpoint:
        return http11.Endpoint("server.test", 8443, context, open_tcp=self.open_tcp, **options)


Script = Callable[[trio.SocketStream], Awaitable[None]]


class Scripted:
    """A loopback server that hands the k-th connection to the k-th script."""

    def __init__(self) -> None:
        self.port = 0
        self.scripts: list[Script] = []
        self.connections = 0
        self.clients: list[http11.Connection] = []

    async def serve(self, stream: trio.SocketStream) -> None:
        script = self.scripts[min(self.connections, len(self.scripts) - 1)]
        self.connections += 1
        with contextlib.suppress(trio.BrokenResourceError):
            await script(stream)

    def connection(self, *scripts: Script, **options: float) -> http11.Connection:
        self.scripts = list(scripts)
        self.clients.append(http11.Endpoint("127.0.0.1", self.port).connection(**options))
        return self.clients[-1]


@pytest.fixture
def net() -> CountingNet:
    return CountingNet()


@pytest.fixture
async def scripted(nursery: trio.Nursery) -> AsyncIterator[Scripted]:
    server = Scripted()
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    server.port = listener.socket.getsockname()[1]
    nursery.start_soon(trio.serve_listeners, server.serve, [listener])
    yield server
    for client in server.clients:
        await client.aclose()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 2)


@pytest.fixture
def client_context(folder):
    return tls.client_context(folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem")


@pytest.fixture
def server_context(folder):
    return tls.server_context(folder / "cert_server.pem", folder / "key_server.pem", folder / "cert_root.pem")


@pytest.fixture(scope="session")
def net_class():
    return CountingNet
