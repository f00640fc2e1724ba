"""Front-ends: bound, run for a moment, and cancelled, without the rest of a run around them."""

from __future__ import annotations

import io
import queue
import threading
from collections.abc import Iterator, Mapping
from typing import Any

import trio

from dersim.clock import SimClock
from dersim.contract.subject import Check, Subject
from dersim.errors import bare_errors
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.outcomes import Failed
from dersim.plugin.builtin import make_device
from dersim.plugin.extension import Frontend, FrontendContext, FrontendStatus, FrontendType
from dersim.plugin.services import Services
from dersim.plugin.sunspec_model import OwnedModel

_RUNS_S, _CANCEL_S, _BIND_S = 0.2, 2.0, 10.0


def checks(subject: Subject) -> Iterator[Check]:
    """One check of each front-end."""
    for kind in subject.own(subject.registry.frontends):
        yield Check(f"front-end {kind.name}", lambda kind=kind: _exercise(subject, kind))  # type: ignore[misc]  # a bound default


def _exercise(subject: Subject, kind: FrontendType) -> str:
    """In a thread of its own: a front-end that cannot be cancelled would hold up everything."""
    answers: queue.Queue[str | BaseException] = queue.Queue()

    def work() -> None:
        try:
            with bare_errors():
                answers.put(trio.run(_bind_run_cancel, subject, kind))
        except BaseException as error:  # noqa: BLE001 - raised again in the thread that asked
            answers.put(error)

    threading.Thread(target=work, daemon=True).start()
    try:
        answer = answers.get(timeout=_BIND_S + _RUNS_S + _CANCEL_S)
    except queue.Empty:
        raise Failed(
            f"it did not end within {_CANCEL_S:g} s of its cancellation; let trio.Cancelled pass, "
            f"and do not block the event loop"
        ) from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


async def _bind_run_cancel(subject: Subject, kind: FrontendType) -> str:
    clock = SimClock(tick_s=1.0)
    clock.start()
    frontend = kind.make(_context(subject, kind, clock))
    missing = [name for name in ("bind", "run", "status") if not callable(getattr(frontend, name, None))]
    if missing:
        raise Failed(f"make returned {frontend!r}, which has no {', '.join(missing)}")
    shown = await _bind(frontend)
    status = await _run(frontend)
    return f"bound {', '.join(shown.values()) or 'nothing'}; {status.state}; cancelled in time"


async def _bind(frontend: Frontend) -> Mapping[str, str]:
    with trio.move_on_after(_BIND_S) as scope:
        shown: Any = await frontend.bind()
    if scope.cancelled_caught:
        raise Failed(f"bind took more than {_BIND_S:g} s")
    if not isinstance(shown, Mapping) or not all(isinstance(x, str) for pair in shown.items() for x in pair):
        raise Failed(f"bind returned {shown!r}; return texts by name for the ready line, or {{}}")
    return dict(shown)


async def _run(frontend: Frontend) -> FrontendStatus:
    returned = False

    async def serve() -> None:
        nonlocal returned
        await frontend.run()
        returned = True

    async with trio.open_nursery() as nursery:
        nursery.start_soon(serve)
        await trio.sleep(_RUNS_S)
        status: Any = frontend.status()
        if not isinstance(status, FrontendStatus):
            raise Failed(f"status returned {status!r}; return a FrontendStatus")
        if returned:
            raise Failed("run returned; serve until it is cancelled")
        cancelled_s = trio.current_time()
        nursery.cancel_scope.cancel()
    if returned:
        raise Failed("run swallowed its cancellation; let trio.Cancelled pass")
    if trio.current_time() - cancelled_s > _CANCEL_S:
        raise Failed(f"it ended {trio.current_time() - cancelled_s:.1f} s after its cancellation")
    return FrontendStatus(*status)


def _context(subject: Subject, kind: FrontendType, clock: SimClock) -> FrontendContext:
    log = LogBuffer(stream=io.StringIO())
    device = make_device(clock=clock, functions=subject.registry.functions.values())
    device.step(clock.now_s())
    models = subject.registry.sunspec_models
    context = FrontendContext(
        options=subject.options,
        fleet=Fleet([device]),
        clock=clock,
        log=log,
        services=Services(),
        stop=lambda: None,
        device=device if kind.scope == "device" else None,
        panels=tuple(subject.registry.panels.values()),
        sunspec_models=tuple(OwnedModel(subject.name, model) for model in models.values()),
        fences=Fences(log),
    )
    context.add_routes = context.routes.of(subject.name, kind.name)
    return context
