"""What an operator is told of a model, and only once."""

import io
from types import SimpleNamespace

from dersim.conformance.bench import Away
from dersim.conformance.operator import in_words
from dersim.conformance.server.plan import Plan
from dersim.conformance.server.steps import (
    AddGroup,
    AddProgram,
    Assign,
    Cancel,
    Publish,
    Register,
    SetPrimacy,
)
from dersim.conformance.stage import Stage
from dersim.logbuffer import LogBuffer

LFDI = "AB" * 20


def model():
    stage = Stage(SimpleNamespace(now_s=lambda: 1000.0), LogBuffer(stream=io.StringIO()), LFDI, Away())
    return stage, Plan(stage)


def test_devices_groups_programs_and_controls_become_steps_in_their_order():
    stage, plan = model()
    stage.register()
    group = stage.group("feeder 1", "feeder")
    stage.assign(group)
    stage.program("best", 4, group, {"opModMaxLimW": 90})
    stage.control("event", "best", 120, 60, {"opModMaxLimW": 50})
    assert plan.steps() == [
        Register(LFDI),
        AddGroup("feeder 1", "feeder"),
        Assign(LFDI, "feeder 1"),
        AddProgram("best", 4, ("feeder 1",), {"opModMaxLimW": 90}),
        Publish("event", "best", 1120, 120, 60, {"opModMaxLimW": 50}),
    ]
    assert plan.steps() == []


def test_a_cancellation_and_another_primacy_are_told_later():
    stage, plan = model()
    stage.program("best", 4)
    stage.control("event", "best", 120, 60, {"opModMaxLimW": 50})
    plan.steps()
    stage.cancel("event")
    stage.head_end.update_program(stage.programs["best"], "best", 7, 0)
    assert plan.steps() == [SetPrimacy("best", 7), Cancel("event")]


def test_a_person_reads_what_to_publish():
    stage, plan = model()
    stage.program("best", 4)
    stage.control("event", "best", 120, 60, {"opModMaxLimW": 50}, randomize_start=-30)
    text = in_words(plan.steps())
    assert "Make the DERProgram with description best and primacy 4 for all devices" in text
    assert "opModMaxLimW 50 %, start in 120 s, 60 s long, randomizeStart -30" in text


def test_a_person_reads_the_points_of_a_curve():
    stage, plan = model()
    stage.program("best", 4, default={"opModVoltVar": {"curve": [[92, 30], [97.5, 0]], "open_loop_s": 5}})
    (step,) = plan.steps()
    assert "opModVoltVar (92, 30) (97.5, 0)" in step.text
    assert "open_loop_s 5" in step.text
