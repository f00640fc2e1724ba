"""`/api/dersim/commands` and `/api/dersim/stop`: the buttons of an operator at the machine."""

from __future__ import annotations

from collections import deque
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from weakref import WeakKeyDictionary

from dersim.json_schema import described
from dersim.pages.routes import Reply, Route
from dersim.timestamps import rfc3339
from dersim.web.context import Call, WebContext, find_device

COMMANDS = ("start", "stop", "reset")


class Command(TypedDict):
    """A command for one DER: start and stop its inverter, or reset what tripped it."""

    command: Literal["start", "stop", "reset"]
    device: NotRequired[Annotated[int, described("which DER, counted from 1", minimum=1)]]


class CommandLine(TypedDict):
    """A command that was given."""

    time: str
    command: str
    device: int


class Commands(TypedDict):
    """What can be commanded, and what was, newest first."""

    available: list[str]
    commands: list[CommandLine]


class Accepted(TypedDict):
    """What was started."""

    accepted: str


_given: WeakKeyDictionary[Any, deque[dict[str, Any]]] = WeakKeyDictionary()


def _journal(context: WebContext) -> deque[dict[str, Any]]:
    return _given.setdefault(context.engine.fleet, deque(maxlen=200))


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del call
    return {"available": list(COMMANDS), "commands": list(_journal(context))}


def _post(context: WebContext, call: Call) -> dict[str, Any]:
    device = find_device(context, call.body["device"]) if "device" in call.body else call.device
    command = call.body["command"]
    device.command(command)
    line = {"time": rfc3339(context.engine.clock.now_s()), "command": command, "device": device.number}
    _journal(context).appendleft(line)
    context.engine.log.log("Info", "AC", f"operator command {command}", device.number)
    return line


def _stop(context: WebContext, call: Call) -> Reply:
    del call
    context.engine.log.log("Info", "Engine", "stop asked for over REST")
    context.engine.stop()
    return Reply(202, {"accepted": "stop"})


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/commands",
        handler=_get,
        summary="The operator commands there are, and those given.",
        response=Commands,
        per_device=False,
        tag="Operator",
    ),
    Route(
        method="POST",
        path="/api/dersim/commands",
        handler=_post,
        summary="Start, stop or reset a DER.",
        request=Command,
        response=CommandLine,
        tag="Operator",
        problems=("bad-request", "no-such-device"),
    ),
    Route(
        method="POST",
        path="/api/dersim/stop",
        handler=_stop,
        summary="Stop the simulator cleanly.",
        response=Accepted,
        status=202,
        per_device=False,
        tag="Operator",
    ),
]
