"""The companion server and one DER that subscribes, over memory streams, in virtual time, with mutual TLS."""

from __future__ import annotations

import random
from argparse import Namespace
from pathlib import Path
from typing import Any

import trio
from tests.csip.faulty_world import FaultyWorld

from dersim.csip import plugin
from dersim.csip.client import CsipClient
from dersim.csip.subscriptions.listener import NotifyListener
from dersim.memory_net import MemoryNet
from dersim.modes import modes_from_json
from dersim.options import OptionParser
from dersim.plugin.extension import FrontendContext
from dersim.plugin.services import Services
from dersim.utility.server import UtilityServer


class Companion(FaultyWorld):
    """Server and client can be stopped and begun again. port: that the listener tells the server."""

    def __init__(self, nursery: trio.Nursery, folder: Path) -> None:
        self.folder = folder
        self.port = 9001
        super().__init__(nursery, folder)
        self.server.config.notify_hosts = "any"
        self.server.config.notify_gap_s = 1.0
        self._server_scope = self._client_scope = trio.CancelScope()
        self._nobody = trio.CancelScope()
        self._nobody.cancel()

    def _client(self, folder: Path | None) -> CsipClient:
        parser = OptionParser()
        plugin.add_options(parser)
        flags = [
            "--use_test_pki_certs",
            str(folder),
            "--csip_subscriptions",
            "yes",
            "--event_removed",
            "cancel",
        ]
        more: dict[str, Any] = {"options": parser.parse_args(flags, Namespace(demo=False))}
        self.fleet = self.fleet if hasattr(self, "fleet") else self._fleet()
        more |= {"fleet": self.fleet, "clock": self.clock, "log": self.log, "services": Services()}
        more |= {"stop": lambda: None, "rng": random.Random(1), "fences": self.fences}
        self.listener = NotifyListener(FrontendContext(**more))
        self.listener.hub.base_url = f"https://127.0.0.1:{self.port}"
        self.notify_net = MemoryNet()
        return CsipClient(FrontendContext(**more, device=self.device), open_tcp=self._to_server)

    def _fleet(self) -> Any:
        from dersim.fleet import Fleet

        return Fleet([self.device])

    async def _to_server(self, host: str, port: int) -> trio.abc.Stream:
        return await self._opened(self.net, self._server_scope, host, port)

    async def _to_listener(self, host: str, port: int) -> trio.abc.Stream:
        scope = self._client_scope if port == self.port else self._nobody
        return await self._opened(self.notify_net, scope, host, port)

    async def _opened(self, net: MemoryNet, scope: trio.CancelScope, host: str, port: int) -> trio.abc.Stream:
        refused = OSError(111, "Connection refused")
        if scope.cancel_called:
            await trio.lowlevel.checkpoint()
            raise refused
        try:
            return await net.open_tcp(host, port)
        except trio.BrokenResourceError:
            raise refused from None

    async def begin(self, for_s: float = 5.0) -> None:
        self.nursery.start_soon(self._tick)
        self.begin_server()
        await self.begin_client()
        await trio.sleep(for_s)

    def begin_server(self) -> None:
        self.server.sender.open_tcp = self._to_listener
        self._server_scope = trio.CancelScope()
        server, net = self.server, self.net
        self.nursery.start_soon(self._within, self._server_scope, lambda: server.serve([net]))

    async def begin_client(self) -> None:
        await self.client.bind()
        self._client_scope = trio.CancelScope()
        client, listener = self.client, self.listener
        self.nursery.start_soon(
            self._within, self._client_scope, client.run, lambda: listener.serve([self.notify_net])
        )

    async def _within(self, scope: trio.CancelScope, *runs: Any) -> None:
        with scope:
            async with trio.open_nursery() as nursery:
                for run in runs:
                    nursery.start_soon(run)

    async def restart_server(self, away_s: float = 3.0) -> None:
        """Without a state file: it has forgotten everything."""
        self._server_scope.cancel()
        await trio.sleep(away_s)
        self.net = MemoryNet()
        self.server = UtilityServer(self.server.config, self.clock.now_s, self.log, self.fences)
        self.head_end = self.server.head_end
        self.begin_server()

    async def restart_client(self, *, clean: bool, checkpoint: Any = None) -> None:
        """Another process of the same DER: another port, another token. checkpoint: both are the same."""
        if not clean:
            self.client.client_status.enter("retrying", "as if it had crashed")
        self._client_scope.cancel()
        await trio.sleep(3)
        self.port += checkpoint is None
        self.client = self._client(self.folder)
        if checkpoint is not None:
            self.client.restore(checkpoint)
        await self.begin_client()
        await trio.sleep(5)

    def order_default(self, limit: float) -> None:
        self.head_end.set_default(self.operator, modes_from_json({"opModMaxLimW": limit}))

    @property
    def operator(self) -> Any:
        return self.head_end.programs.get(2)

    @property
    def limit(self) -> Any:
        return self.device.setpoints.value("opModMaxLimW")

    def notifications(self) -> dict[str, int]:
        """By resource, how many the client has taken."""
        return {each["resource"]: each["notifications"] for each in self.client.snapshot()["subscriptions"]}

    def states(self) -> set[str]:
        return {each["state"] for each in self.client.snapshot()["subscriptions"]}

    def held(self) -> list[str]:
        """What the server holds subscriptions to."""
        return sorted(each.wanted.resource for each in self.head_end.subscriptions)

    def count(self, path: str, method: str = "GET") -> int:
        """How many such requests of the client the server has logged."""
        entries = self.client.conversation.entries(limit=1_000_000)
        return sum(each.method == method and path == each.url.split("?")[0][22:] for each in entries)
