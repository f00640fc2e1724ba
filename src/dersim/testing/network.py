"""What is between the DERs and the server: memory streams, or the loopback."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

import trio

from dersim import http11
from dersim.errors import ConfigError
from dersim.http11.endpoint import OpenTcp, open_tcp
from dersim.memory_net import MemoryNet

#: What a connection takes over memory streams, seconds: at the first instant of a world nothing is sent yet.
CONNECT_S = 0.001
#: Added to the number of a simulator's first DER, in URLs for notifications.
_NOTIFY_PORT = 9000


class Network(Protocol):
    """Where the server listens, and how clients reach it."""

    async def listen(self) -> Sequence[trio.abc.Listener[Any]]:
        """Listen, again after `close`."""
        ...

    async def close(self) -> None:
        """Refuse connections from now on."""
        ...

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A client's connection; OSError where nobody listens."""
        ...

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `dersim sim`: where the server is."""
        ...


class NotifyNet:
    """Where the DERs of one simulator take notifications, over memory streams."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.net = MemoryNet()

    def listen(self) -> tuple[Sequence[trio.abc.Listener[Any]], str]:
        """New listeners, and the URL that the server is told."""
        self.net = MemoryNet()
        return [self.net], f"https://127.0.0.1:{self.port}"


class Transport:
    """How the CSIP clients of one simulator reach the server, and it them. notify: None: over a socket."""

    def __init__(self, dial: OpenTcp, notify: NotifyNet | None) -> None:
        self._dial = dial
        self.notify = notify

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A connection; OSError where there is none."""
        return await self._dial(host, port)


class MemoryNetwork:
    """Memory streams. open: holds the clients' ends of connections. notify: by port, see `NotifyNet`."""

    flags: tuple[str, ...] = ()

    def __init__(self) -> None:
        self.open: weakref.WeakSet[trio.abc.Stream] = weakref.WeakSet()
        self.notify: dict[int, NotifyNet] = {}
        self._net: MemoryNet | None = None

    def notify_net(self, first: int) -> NotifyNet:
        """Of the simulator whose first DER this is."""
        found = NotifyNet(_NOTIFY_PORT + first)
        self.notify[found.port] = found
        return found

    async def open_notify(self, host: str, port: int) -> trio.abc.Stream:
        """The server's connection to a simulator; OSError where nobody listens."""
        await trio.sleep(CONNECT_S)
        if port not in self.notify:
            raise ConnectionRefusedError("nobody listens")
        return await self.notify[port].net.open_tcp(host, port)

    async def listen(self) -> Sequence[trio.abc.Listener[Any]]:
        """Listen, again after `close`."""
        self._net = MemoryNet()
        return [self._net]

    async def close(self) -> None:
        """Refuse connections from now on, and close those that nobody has accepted."""
        if self._net is not None:
            net, self._net = self._net, None
            await net.aclose()

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A client's connection; OSError where nobody listens."""
        await trio.sleep(CONNECT_S)
        if self._net is None:
            raise ConnectionRefusedError("nobody listens")
        stream = await self._net.open_tcp(host, port)
        self.open.add(stream)
        return stream


class LoopbackNetwork:
    """Sockets on a free port of 127.0.0.1, the same after a restart."""

    def __init__(self) -> None:
        self.port = 0
        self._listeners: Sequence[trio.abc.Listener[Any]] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        """Of `dersim sim`: where the server is."""
        return ("--csip_server_port", str(self.port))

    async def listen(self) -> Sequence[trio.abc.Listener[Any]]:
        """Listen, again after `close`."""
        listeners = await http11.bind("127.0.0.1", self.port)
        self._listeners = listeners
        self.port = http11.address(listeners)[1]
        return self._listeners

    async def close(self) -> None:
        """Refuse connections from now on."""
        for each in self._listeners:
            await each.aclose()
        self._listeners = ()

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A client's connection; OSError where nobody listens."""
        return await open_tcp(host, port)


class ElsewhereNetwork:
    """The way to a server that is not ours. url: https://host:port/dcap; ConfigError for what is none."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname:
            raise ConfigError(f"server {url!r}: a URL such as https://127.0.0.1:8443/dcap is needed")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        flags: tuple[str, ...] = ("--csip_server_ip", parts.hostname, "--csip_server_port", str(port))
        flags += ("--csip_enc", "yes" if parts.scheme == "https" else "no")
        self.flags = (*flags, "--dcap", parts.path) if parts.path.strip("/") else flags

    async def listen(self) -> Sequence[trio.abc.Listener[Any]]:
        """Nothing of ours listens."""
        await trio.lowlevel.checkpoint()
        return ()

    async def close(self) -> None:
        """Nothing to close."""
        await trio.lowlevel.checkpoint()

    async def open_tcp(self, host: str, port: int) -> trio.abc.Stream:
        """A client's connection; OSError where nobody listens."""
        return await open_tcp(host, port)
