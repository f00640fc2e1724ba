"""CORE-018 and CORE-019: subscriptions."""

from __future__ import annotations

from dersim.conformance.checks import subscriptions as subs
from dersim.conformance.checks import wire
from dersim.conformance.checks.power import limit
from dersim.conformance.criteria import READ_BY, rules
from dersim.conformance.notifying import cancel_subscriptions, change_end_device, send_wrong
from dersim.conformance.procedure import Criterion, Procedure
from dersim.conformance.stage import Stage
from dersim.utility.groups import Group

_ASSIGNMENTS, _END_DEVICE = wire.of_device("/fsa"), wire.of_device()


def _offered(stage: Stage) -> None:
    stage.register()
    stage.program("SY", 10, default={"opModMaxLimW": 90})
    better = stage.group("better", "non_topology")
    stage.program("better", 4, better, {"opModMaxLimW": 60})
    best = stage.group("best", "non_topology")
    stage.program("best", 2, best, {"opModMaxLimW": 40})


async def _another_assignment(stage: Stage) -> None:
    await stage.until(90)
    stage.assign(_group(stage, "better"))


async def _changes_and_a_cancellation(stage: Stage) -> None:
    await _another_assignment(stage)
    await stage.until(150)
    change_end_device(stage)
    await stage.until(210)
    cancel_subscriptions(stage, _ASSIGNMENTS(stage.evidence))


async def _errors(stage: Stage) -> None:
    await _another_assignment(stage)
    await stage.until(150)
    await send_wrong(stage, _ASSIGNMENTS(stage.evidence))
    await stage.until(190)
    cancel_subscriptions(stage, _ASSIGNMENTS(stage.evidence))


def _group(stage: Stage, name: str) -> Group:
    found = stage.head_end.groups.find(name)
    assert found is not None  # noqa: S101 - `_offered` has made it
    return found


_FIRST = (
    Criterion("its EndDevice, which has the SubscriptionListLink, is fetched", wire.in_full(_END_DEVICE)),
    Criterion("a Subscription to the assignments is made", subs.subscribed(_ASSIGNMENTS)),
    Criterion("the Notification about the assignments is answered 201", subs.notified(_ASSIGNMENTS)),
    Criterion("the assignments are fetched and identical", subs.read_again(_ASSIGNMENTS)),
    rules("the first default rules", limit(90), READ_BY, 90),
)
_READING = (
    "The device is told of a new assignment after 90 s. It has 30 s to read what a Notification is about; "
    "attributes of the document, such as pollRate, are not compared."
)

PROCEDURES = (
    Procedure(
        "CORE-018",
        "Subscription to the assignments",
        _offered,
        (*_FIRST, rules("the new default rules", limit(60), 120, 180)),
        lasts_s=180,
        stimuli=_another_assignment,
        reading=_READING,
        required="AS",
        subscriptions=True,
    ),
    Procedure(
        "CORE-019",
        "Subscriptions to the EndDevice and the assignments, one of them cancelled",
        _offered,
        (
            *_FIRST,
            Criterion("a Subscription to the EndDevice is made", subs.subscribed(_END_DEVICE)),
            Criterion("the Notification about the EndDevice is answered 201", subs.notified(_END_DEVICE)),
            Criterion("the EndDevice is fetched and identical", subs.read_again(_END_DEVICE)),
            Criterion(
                "the cancellation is answered",
                subs.answered_at_all(_ASSIGNMENTS, subs.CANCELLED),
            ),
            rules("the new default rules", limit(60), 120, 260),
        ),
        lasts_s=260,
        stimuli=_changes_and_a_cancellation,
        reading=f"{_READING} Whether the device subscribes again after the cancellation is its matter.",
        required="AS",
        subscriptions=True,
    ),
    Procedure(
        "ERR-002",
        "Notifications that are wrong, and a Subscription that is cancelled",
        _offered,
        (
            *_FIRST,
            Criterion("a Notification with another resource is answered 400", subs.refused(_ASSIGNMENTS)),
            Criterion(
                "the cancellation is answered",
                subs.answered_at_all(_ASSIGNMENTS, subs.CANCELLED),
            ),
            rules("the new default rules", limit(60), 120, 240),
        ),
        lasts_s=240,
        stimuli=_errors,
        reading=f"{_READING} The wrong Notification comes before the cancellation, as it needs a "
        "Subscription; the server does not restart.",
        required="AS",
        subscriptions=True,
    ),
)
