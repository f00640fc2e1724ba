"""Two controls in each of N programs, received, competing and answered: our event scheduler and py20305's.

py20305's intake grows with the cube of N (61 s of CPU at 200), so it is run with fewer programs; ours is run
at several sizes to show that it grows with N.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Iterator

from tests.bench.measure import Result

from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import Judgement, ProgramFeed
from dersim.ieee2030_5.events import EventScheduler

NOW = 1_795_000_000
PEER_PROGRAMS = 50


def control(program: int, index: int) -> r.DERControl:
    """One control: the first of its program is running, the second follows an hour later."""
    return r.DERControl(
        href=f"/derp/{program}/derc/{index}",
        replyTo="/rsp",
        responseRequired=7,
        mRID=f"{program * 2 + index:032X}",
        creationTime=NOW - 100 + program,
        EventStatus=r.EventStatus(currentStatus=0, dateTime=NOW - 100, potentiallySuperseded=False),
        interval=r.DateTimeInterval(duration=1800, start=NOW + 60 + 3600 * index),
        DERControlBase=r.DERControlBase(opModMaxLimW=5000 + program),
    )


def der_program(number: int) -> r.DERProgram:
    """One program, each of its own primacy as far as the type reaches."""
    return r.DERProgram(href=f"/derp/{number}", mRID=f"{10_000 + number:032X}", primacy=number % 200)


def judge(control: r.DERControl) -> Judgement:
    """A device that can do what is asked."""
    return Judgement({"opModMaxLimW": control.DERControlBase.opModMaxLimW})


def ours_s(programs: int, at_once: int = 1) -> float:
    """CPU seconds to take over every program, so many at once as they are read, and to answer all."""
    feeds = [ProgramFeed(der_program(p), [control(p, 0), control(p, 1)]) for p in range(programs)]
    start = time.process_time()
    scheduler = EventScheduler(judge, rng=random.Random(1))
    answered = 0
    for count in range(at_once, programs + 1, at_once):
        scheduler.feed(NOW, feeds[:count])
        answered += len(scheduler.step(NOW).responses)
    spent = time.process_time() - start
    assert answered >= 2 * programs, answered
    return spent


class _Silent:
    """py20305's dispatcher and transport, doing nothing at no cost."""

    def __getattr__(self, name: str) -> object:
        async def nothing(*args: object, **kwargs: object) -> None:
            return None

        return nothing


def peer_s(programs: int) -> float:
    """CPU seconds of py20305's EventProcessor for the same programs."""
    from py20305.client.state import DerProgramState, DiscoveredState
    from py20305.events.processor import EventProcessor
    from py20305.models import sep
    from py20305.xml.serialization import from_xml

    logging.disable(logging.CRITICAL)
    state = DiscoveredState()
    for p in range(programs):
        pair = r.DERControlList(all=2, results=2, DERControl=(control(p, 0), control(p, 1)))
        program_xml = encode(r.DERProgramList(all=1, results=1, DERProgram=(der_program(p),)), Edition.E2018)
        program = from_xml(program_xml, sep.DerprogramList).derprogram[0]
        state.der_programs[f"/derp/{p}"] = DerProgramState(
            program=program,
            href=f"/derp/{p}",
            primacy=p % 200,
            der_controls=from_xml(encode(pair, Edition.E2018), sep.DercontrolList).dercontrol,
            der_controls_complete=True,
        )

    async def intake() -> float:
        processor = EventProcessor(_Silent(), state, _Silent(), asyncio.Event())
        processor._timebase.now = lambda *_: NOW  # type: ignore[method-assign] # the peer's clock
        start = time.process_time()
        for href in list(state.der_programs):
            await processor.process_controls(href)
        spent = time.process_time() - start
        await processor.shutdown()
        return spent

    return asyncio.run(intake())


def run() -> Iterator[Result]:
    """The peer at 50 programs, ours at 50, then ours at 200 and 400."""
    small, peer = ours_s(PEER_PROGRAMS), peer_s(PEER_PROGRAMS)
    name = f"event scheduler, {PEER_PROGRAMS} programs x 2 controls, CPU"
    yield Result(name, small, peer, "s", "faster", small < peer)
    name = "event scheduler, 200 programs x 2 controls, CPU"
    for at_once in (1, 200):
        spent = ours_s(200, at_once)
        yield Result(f"{name}, {at_once} a feed", spent, 61.0, "s", "< 0.5 s (peer: 61 s)", spent < 0.5)
    two, four = ours_s(200, 200), ours_s(400, 400)
    yield Result(
        "event scheduler, 400 programs against 200", four, two, "s", "<= 2.6 times", four <= 2.6 * two
    )
