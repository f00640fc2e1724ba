"""The listener for notifications: a front-end of the fleet, with mutual TLS as a 2030.5 server has it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import trio

from dersim import http11
from dersim.csip.config import CsipConfig
from dersim.csip.subscriptions.hub import NotifyHub
from dersim.http11 import Limits, Request, Response
from dersim.plugin.extension import FrontendStatus
from dersim.plugin.services import NotifyTransportService

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendContext

#: Bounds of what a server may do to us.
LIMITS = Limits(connections=256, body_bytes=1 << 20, idle_s=300.0)


class NotifyListener:
    """Listens on one port for all DERs."""

    def __init__(self, context: FrontendContext) -> None:
        self._context = context
        self._options = context.options
        self._config = CsipConfig.from_options(context.options)
        self.hub = NotifyHub(secure=self._config.origin.secure, url=context.options.csip_notify_url or "")
        self._port = context.options.csip_notify_port
        self._listeners: Sequence[trio.abc.Listener[Any]] = ()
        context.offer(NotifyHub, self.hub)

    async def bind(self) -> Mapping[str, str]:
        """Open the port; ConfigError where it is busy."""
        elsewhere = self._context.service(NotifyTransportService)
        if elsewhere is not None:
            await trio.lowlevel.checkpoint()
            self._listeners, self.hub.base_url = elsewhere.listen()
            return {"csip_notify": self.hub.base_url}
        listeners = await http11.bind(self._options.csip_notify_host, self._port, flag="--csip_notify_port")
        self._listeners = listeners
        host, self._port = http11.address(listeners)
        shown = f"[{host}]" if ":" in host else host
        url = f"{'https' if self.hub.secure else 'http'}://{shown}:{self._port}"
        self.hub.base_url = self._options.csip_notify_url or url
        if _is_loopback(urlsplit(self.hub.base_url).hostname) and not _is_loopback(self._config.origin.host):
            self._context.log.log(
                "Warning",
                "CSIP",
                f"{self._config.origin.host} cannot reach {self.hub.base_url} to notify us: "
                "give an address of this machine with --csip_notify_host or --csip_notify_url",
            )
        return {"csip_notify": url}

    async def run(self) -> None:
        """Serve until cancelled."""
        await self.serve(self._listeners)

    async def serve(self, listeners: Sequence[trio.abc.Listener[Any]]) -> None:
        """Serve on any listeners, once there is a certificate."""
        await self.hub.ready.wait()
        await http11.serve(
            self._handle,
            listeners,
            tls=self.hub.context,
            limits=LIMITS,
            log=self._log,
            on_error=self._failed,
            gate=lambda: self.hub.context,
        )

    def status(self) -> FrontendStatus:
        """For the overview."""
        hub = self.hub
        return FrontendStatus(
            "listening", f"{hub.base_url}: {hub.received} notification(s), {hub.refused} refused"
        )

    async def _handle(self, request: Request) -> Response:
        await trio.lowlevel.checkpoint()
        return self.hub.answer(request)

    def _log(self, line: str) -> None:
        self.hub.refused += 1
        self._context.log.log("Warning", "CSIP", f"notifications: {line}")

    def _failed(self, error: Exception, peer: str) -> None:
        self._context.fences.tell(error, "csip_notify", "CSIP", f"notification from {peer}")


def _is_loopback(host: str | None) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def make(context: FrontendContext) -> NotifyListener:
    """The listener of this run."""
    return NotifyListener(context)
