"""A web site as a front-end of the engine: bind, run, status."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import trio

from dersim.pages.guard import Guard, require_token_beyond_loopback, settle_token
from dersim.pages.sockets import bind_socket, url_of
from dersim.plugin.extension import FrontendContext, FrontendStatus
from dersim.web.context import Site, WebContext
from dersim.web.history import History
from dersim.web.telemetry import Telemetry

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.pages.serving import WebServer


class WebFrontend:
    """One of the two web sites. flag: the stem of its flags, `--website` or `--csip_website`."""

    def __init__(self, site: Site, context: FrontendContext, flag: str, host: str, port: int) -> None:
        self._site: Site = site
        self._context = context
        self._flag = flag
        self._host = host
        self._port = port
        self._server: WebServer | None = None
        self._url = ""
        options = context.options
        self._guard = Guard(
            frozenset({*(name.lower() for name in getattr(options, "allow_host", ())), host.lower()}),
            settle_token(options),
            frozenset(getattr(options, "cors_origin", ())),
        )
        self.history = History(context.fleet)
        context.buffers[f"{site}_history"] = self.history.size
        self._web = WebContext(context, self.history, self._openapi)
        self.telemetry = Telemetry(context.fleet, self._document, context.fences)

    async def bind(self) -> Mapping[str, str]:
        """Open the port; ConfigError where it is busy, or open to others without a token."""
        require_token_beyond_loopback(f"{self._flag}_ip", self._host, self._guard.token)
        listening = bind_socket(f"{self._flag}_port", self._host, self._port)
        # After a restart the port must be the one that users were told.
        self._port = listening.getsockname()[1]
        self._url = url_of(listening)
        self._server = self._make_server(listening)
        facts: dict[str, str] = {self._site: self._url}
        if self._site == "dashboard" and getattr(self._context.options, "token_made", False):
            facts["token"] = str(self._guard.token)
        return facts

    def _make_server(self, listening: socket.socket) -> WebServer:
        # The web stack takes most of a second to import: a run without web does not pay for it.
        from dersim.pages.serving import WebServer  # noqa: PLC0415 - as above
        from dersim.web.api import all_routes  # noqa: PLC0415 - the web stack, only where served
        from dersim.web.app import make_app  # noqa: PLC0415 - as above

        app = make_app(self._site, all_routes(self._context.routes), self._web, self._guard, self.telemetry)
        return WebServer(app, listening, self._context.log, self._context.fences)

    def _openapi(self) -> dict[str, Any]:
        from dersim.pages.openapi import openapi  # noqa: PLC0415 - as above
        from dersim.web.api import all_routes  # noqa: PLC0415 - as above

        return openapi(all_routes(self._context.routes), self._site)

    def _document(self, device: Device) -> str:
        from dersim.pages.responses import dumps  # noqa: PLC0415 - as above
        from dersim.web.api import overview  # noqa: PLC0415 - as above

        return dumps(overview.document(self._web, device))

    def measured(self, device: Device) -> dict[str, Any]:
        """What the overview document says of a DER's measurements and status."""
        from dersim.web.api import overview  # noqa: PLC0415 - as above

        return overview.measured(device)

    async def run(self) -> None:
        """Serve until cancelled, then end within a second whatever the peers do."""
        server, self._server = self._server, None
        if server is None:
            raise RuntimeError("run before bind")
        self._context.log.log("Info", "WS", f"serving {self._url}")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self.telemetry.run)
            if self._site == "dashboard":  # the other has no address that shows the past
                nursery.start_soon(self.history.run)
            await server.serve(self.telemetry.close)

    async def aclose(self) -> None:
        """Close what `bind` opened if `run` was never called."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def status(self) -> FrontendStatus:
        """Whether it serves, and where."""
        return FrontendStatus("serving" if self._url else "starting", self._url)
