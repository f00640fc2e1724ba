"""Serves the device under test for one run; its handshakes become evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import trio

from dersim import http11, tls
from dersim.conformance.evidence import Handshake
from dersim.conformance.stage import Stage
from dersim.http11 import Request, Response
from dersim.http11.messages import Handler
from dersim.http11.raw import Raw
from dersim.tls.stream import TlsStream

#: What stands between the device and the stage: takes the stage, gives what answers the device instead.
Wire = Callable[[Stage], Handler]


class Scene:
    """One run's stage, which is set up when it begins. begun: set from then on.

    wire: changes what passes between the device and the server, for tests of the procedures themselves.
    """

    def __init__(self, set_up: Callable[[], Stage], wire: Wire | None = None) -> None:
        self._set_up = set_up
        self._wire = wire
        self._handler: Handler | None = None
        self._stage: Stage | None = None
        self.begun = trio.Event()

    def begin(self) -> Stage:
        """Set the stage up, once."""
        if self._stage is None:
            self._stage = self._set_up()
            self._handler = self._stage.handle if self._wire is None else self._wire(self._stage)
            self.begun.set()
        return self._stage

    @property
    def stage(self) -> Stage | None:
        """The stage, None before it has begun."""
        return self._stage

    async def handle(self, request: Request) -> Response | Raw:
        """Answer one request."""
        self.begin()
        assert self._handler is not None  # noqa: S101 - `begin` has set it
        return await self._handler(request)

    def shaken(self, stream: TlsStream) -> None:
        """Keep a handshake as evidence."""
        stage, cipher = self.begin(), stream.cipher()
        facts = (stream.version(), cipher and cipher[0], None, stream.session_reused, stream.peer_chain())
        stage.evidence.handshakes.append(Handshake(stage.clock.now_s(), *facts))

    def ended(self, line: str) -> None:
        """Keep why a connection ended early as evidence."""
        stage = self.begin()
        stage.evidence.handshakes.append(Handshake(stage.clock.now_s(), None, None, line))


async def serve(
    scene: Scene, listeners: Sequence[trio.abc.Listener[Any]], context: tls.ServerContext | None
) -> None:
    """Serve until cancelled; the first connection begins the scene."""

    def arrived() -> None:
        scene.begin()

    def failed(error: Exception, peer: str) -> None:
        scene.ended(f"{peer}: {error}")

    await http11.serve(
        scene.handle,
        listeners,
        tls=context,
        log=scene.ended,
        on_error=failed,
        gate=arrived,
        on_handshake=scene.shaken,
    )
