"""The two WebSocket addresses of the telemetry stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio
from quart import Response, websocket
from quart_trio import QuartTrio

from dersim.pages.guard import Guard
from dersim.pages.problems import Problem
from dersim.pages.responses import guard_request, problem_response
from dersim.web.context import WebContext, find_device
from dersim.web.telemetry import Mailbox, Telemetry

PATHS = ("/api/dersim/telemetry/ws", "/api/dersim/ws/telemetry")
GOING_AWAY = 1001
INTERNAL_ERROR = 1011

if TYPE_CHECKING:
    from dersim.device import Device


def add_telemetry(app: QuartTrio, context: WebContext, guard: Guard, telemetry: Telemetry) -> None:
    """Add both WebSocket addresses."""

    async def stream() -> Response | None:
        try:
            guard_request(guard, websocket.headers, changes=True)
            device = find_device(context, _device_number(websocket.args.get("device")))
        except Problem as problem:
            if problem.status == 421:
                problem.status = 403  # in answer to an upgrade, werkzeug knows no 421
            return problem_response(problem, websocket.path)
        await websocket.accept()
        try:
            await _serve_listener(context, telemetry, device)
        except Exception as error:  # noqa: BLE001 - a fence: this WebSocket ends, told and counted
            context.engine.fences.tell(error, "web_socket", "WS", f"WS {websocket.path}", device.number)
            await websocket.close(INTERNAL_ERROR, "an unexpected error; see the log")
        return None

    for path in PATHS:
        app.add_websocket(path, path, stream)


async def _serve_listener(context: WebContext, telemetry: Telemetry, device: Device) -> None:
    log, number = context.engine.log, device.number
    mailbox = telemetry.subscribe(device)
    log.log("Debug", "WS", f"a listener came, {telemetry.listeners} in all", number)
    try:
        await _pump(mailbox)
    finally:
        telemetry.unsubscribe(device, mailbox)
        lost = f"; it was slow and lost {mailbox.dropped} documents" if mailbox.dropped else ""
        log.log("Info", "WS", f"a listener went, {telemetry.listeners} left{lost}", number)


async def _pump(mailbox: Mailbox) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_discard_input)
        while (document := await mailbox.get()) is not None:
            await websocket.send(document)
        await websocket.close(GOING_AWAY, "dersim stops")
        nursery.cancel_scope.cancel()


async def _discard_input() -> None:
    """Read and drop what a listener sends; unread messages would hide that it has closed."""
    while True:
        await websocket.receive()


def _device_number(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(text)
    except ValueError:
        raise Problem("bad-request", f"query parameter device={text!r}: a whole number is needed") from None
