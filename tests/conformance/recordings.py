"""What passed between our own client and the server in each procedure, and on which of them a defect acts.

A defect that changes nothing of what passed leaves the run as it was, so that it need not be tried again.
"""

from __future__ import annotations

import functools
from types import SimpleNamespace
from typing import NamedTuple

from dersim.conformance import virtual
from dersim.conformance.procedures import ALL


class Passed(NamedTuple):
    """One request and its answer. time_s: of the procedure, server_ahead_s as in `Stage`."""

    time_s: float
    server_ahead_s: float
    request: object
    response: object


class Recording(NamedTuple):
    """One run without a defect."""

    outcome: object
    passed: tuple[Passed, ...]
    controls: dict


@functools.cache
def record(name, kit):
    """The run of a procedure."""
    passed, stages = [], []

    def wire(stage):
        stages.append(stage)

        async def handle(request):
            response = await stage.handle(request)
            passed.append(Passed(stage.clock.now_s(), stage.server_ahead_s, request, response))
            return response

        return handle

    outcome = virtual.run(ALL[name], kit, wire=wire)
    return Recording(outcome, tuple(passed), dict(stages[0].controls))


def acts(broken, recording):
    """Whether the defect changes something of a run; one in the client itself may always do so."""
    if not broken.is_on_wire:
        return True
    clock = SimpleNamespace(now_s=lambda: 0.0)
    evidence = recording.outcome.evidence
    stage = SimpleNamespace(clock=clock, server_ahead_s=0.0, controls=recording.controls, evidence=evidence)
    state = {"stage": stage}
    for each in recording.passed:
        clock.now_s, stage.server_ahead_s = (lambda at=each.time_s: at), each.server_ahead_s
        if broken.changes(each.request, each.response, state):
            return True
    return False
