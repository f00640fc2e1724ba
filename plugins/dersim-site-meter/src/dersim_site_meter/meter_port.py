"""The port of the meter: lines `read`, `load 1200`, `limit 3000` or `limit off`; each is answered."""

from __future__ import annotations

from collections.abc import Mapping

import trio

from dersim.plugin import (
    ConfigError,
    FrontendContext,
    FrontendStatus,
    SetpointChange,
    SetpointSource,
    Verdict,
)
from dersim_site_meter.export_limit import LIMIT, LOAD
from dersim_site_meter.registers import power_w

_LONGEST = 100
_MODES = {"load": LOAD, "limit": LIMIT}


class MeterPort:
    """The listener of one DER's meter."""

    def __init__(self, context: FrontendContext) -> None:
        if context.device is None:
            raise ConfigError("a site's meter belongs to a DER")
        self._context = context
        self._device = context.device
        first = context.options.site_port
        self._port = first + self._device.number - 1 if first else 0
        self._listeners: list[trio.SocketListener] = []
        self._clients = 0

    async def bind(self) -> Mapping[str, str]:
        """Open the port. After a restart it is the one that was announced."""
        try:
            self._listeners = await trio.open_tcp_listeners(self._port, host="127.0.0.1")
        except OSError as error:
            raise ConfigError(
                f"--site_port {self._port}: cannot listen: {error.strerror}; give another"
            ) from None
        self._port = self._listeners[0].socket.getsockname()[1]
        return {"site_meter": f"127.0.0.1:{self._port}"}

    async def run(self) -> None:
        """Serve until cancelled. An error ends one connection alone."""
        listeners, self._listeners = self._listeners, []
        await trio.serve_listeners(self._serve, listeners)

    async def aclose(self) -> None:
        """Close what `bind` opened, if `run` was never called."""
        while self._listeners:
            await self._listeners.pop().aclose()

    def status(self) -> FrontendStatus:
        """For the overview."""
        return FrontendStatus("serving", f"port {self._port}, {self._clients} client(s)")

    async def _serve(self, stream: trio.SocketStream) -> None:
        self._clients += 1
        try:
            with self._context.fences.around("site_meter", "Site", "a connection", self._device.number):
                await self._answer_lines(stream)
        finally:
            self._clients -= 1

    async def _answer_lines(self, stream: trio.SocketStream) -> None:
        held = b""
        try:
            async for data in stream:
                *lines, held = (held + data).split(b"\n")
                for line in lines:
                    await stream.send_all(self.answer(line.decode("ascii", "replace")).encode() + b"\n")
                if len(held) > _LONGEST:
                    return
        except trio.BrokenResourceError:
            return  # the other side went away

    def answer(self, line: str) -> str:
        """The answer to one line."""
        match line.split():
            case ["read"]:
                return " ".join(
                    f"{name} {'off' if w is None else format(w, '.0f')}"
                    for name, w in power_w(self._device).items()
                )
            case ["limit", "off"]:
                return self._submit(LIMIT, None)
            case ["load" | "limit" as what, text] if text.isdecimal() and text.isascii():
                return self._submit(_MODES[what], float(text))
        return "error say read, load W, limit W or limit off"

    def _submit(self, mode: str, value: float | None) -> str:
        change = SetpointChange(SetpointSource.OPERATOR, mode, value, "site meter")
        [outcome] = self._device.setpoints.submit(change)
        return "ok" if outcome.verdict is Verdict.ACCEPTED else f"error {outcome.reason}"
