"""BASIC-001 to 003 and 027 to 029: identification, groups, alarms, status, meter readings."""

from __future__ import annotations

from dersim.conformance.checks import answers, documents, readings, wire
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import READ_BY, is_completed, is_read, rules
from dersim.conformance.fixtures import LEVELS, three_end_devices, topology
from dersim.conformance.operator import Instruction
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage
from dersim.utility import grouping
from dersim.utility.groups import TimeOf

DEFAULT = {"opModMaxLimW": 90}
_NAMES = tuple(name for name, _, _ in LEVELS)


def _basic_001(stage: Stage) -> None:
    three_end_devices(stage)
    stage.program("SY", 10, default=DEFAULT)


def _basic_002(stage: Stage) -> None:
    three_end_devices(stage)
    for group in topology(stage, DEFAULT).values():
        grouping.set_time(stage.head_end, group, TimeOf())
    stage.control("event", "SP", 300, 60, {"opModMaxLimW": 50})


def _basic_003(stage: Stage) -> None:
    three_end_devices(stage)
    groups = topology(stage)
    outside = stage.group("Group-Z", "non_topology")
    stage.assign(outside)
    stage.program("Z", 30, outside)
    # The transformer's program is the best one here.
    best = stage.program("best", 1, groups["TF"], DEFAULT)
    stage.programs["best"] = best
    stage.control("old", "best", 900, 300, {"opModMaxLimW": 20})


async def _another_feeder(stage: Stage) -> None:
    """The device moves from below feeder D1 to below feeder D2."""
    await stage.until(100)
    parent = stage.head_end.groups.find("SS")
    for level in ("feeder", "segment", "transformer", "service_point"):
        parent = stage.group(f"new {level}", level, parent)
    stage.program("new", 2, parent, {"opModMaxLimW": 70})
    stage.control("new event", "new", 240, 120, {"opModMaxLimW": 40})
    grouping.move(stage.head_end, stage.lfdi, parent)


def _plain(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10)


def _metering(stage: Stage) -> None:
    stage.register()
    power_factor = {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}}
    stage.program("SY", 10, default=power_factor | {"opModMaxLimW": 80})


async def _five_alarms(stage: Stage) -> None:
    stage.evidence.facts["alarms"] = True
    for number in range(1, 6):
        await stage.until(20 + 10 * number)
        if not stage.bench.raise_alarm(number):
            stage.evidence.facts["alarms"] = False


PROCEDURES = (
    Procedure(
        "BASIC-001",
        "Identification",
        _basic_001,
        (
            Criterion(
                "DeviceCapability, EndDeviceList and Registration are fetched",
                wire.fetched(wire.at("/dcap"), wire.at("/edev"), wire.of_device("/rg")),
            ),
            Criterion("its own assignments are fetched", wire.fetched(wire.of_device("/fsa"))),
            Criterion("no other EndDevice is taken for its own", wire.no_other_device),
            is_read("SY"),
        ),
        lasts_s=60,
    ),
    Procedure(
        "BASIC-002",
        "Groups of seven levels",
        _basic_002,
        (
            Criterion("the assignments are fetched", wire.fetched(wire.of_device("/fsa"))),
            Criterion("a Time of an assignment is fetched", wire.fetched_any("/tm/")),
            Criterion(
                "lists are fetched with l=255", wire.fetched_whole(wire.list_of("SP")), printed_only=True
            ),
            is_read("SP"),
            rules("the default of SP rules", limit(90), READ_BY, 300),
            rules("the event is applied", limit(50), 300, 360),
        ),
        lasts_s=370,
        reading="l=255 is asked for on lists; Time is no list. The control lasts 60 s.",
    ),
    Procedure(
        "BASIC-003",
        "The device is moved to another feeder",
        _basic_003,
        (
            is_read("best", "new"),
            rules("the default of the transformer rules", limit(90), READ_BY, 100),
            rules("the new default rules", limit(70), 130, 240),
            rules("the new event is applied", limit(40), 240, 360),
            rules("the old event does not run", limit(70), 360, 960),
            is_completed("new event"),
            Criterion("the old event is never started", answers.never("old", 2, 3)),
        ),
        lasts_s=960,
        stimuli=_another_feeder,
    ),
    Procedure(
        "BASIC-027",
        "Alarms",
        _plain,
        (Criterion("five LogEvents are posted and accepted", documents.log_events_posted),),
        lasts_s=110,
        stimuli=_five_alarms,
        by_hand=(
            Instruction("Let the device raise five alarms, one every 10 s from 30 s on, when called out"),
        ),
        reading="Any code is accepted; LE_GEN_SOFTWARE is 2.",
    ),
    Procedure(
        "BASIC-028",
        "Inverter status",
        _plain,
        (
            Criterion("the DERList is fetched", wire.fetched(wire.of_device("/der"))),
            Criterion("DERStatus has all that a generator must tell", documents.status_complete),
            Criterion("what was PUT is fetched again", documents.fetched_again, printed_only=True),
        ),
        lasts_s=60,
    ),
    Procedure(
        "BASIC-029",
        "Meter readings",
        _metering,
        (
            Criterion("a MirrorUsagePoint is posted", readings.mirror_posted),
            Criterion("W, var, Hz and V have their ReadingTypes", readings.kinds_posted),
            Criterion("the MirrorUsagePoint is fetched for its postRate", readings.mirror_fetched),
            Criterion("readings are posted at postRate", readings.posted_at_rate),
            Criterion("readings agree with the terminals", readings.agree_with_terminals),
        ),
        lasts_s=240,
    ),
)
