"""Subscriptions of the device: POSTed, notified, answered 201, and read again."""

from __future__ import annotations

import re
from typing import Any

from dersim.conformance.checks.finding import failed, passed, warned
from dersim.conformance.checks.wire import Place
from dersim.conformance.evidence import Evidence, Exchange, Notified
from dersim.conformance.procedure import Check, Finding
from dersim.errors import DersimError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r

#: How soon after a Notification the resource is read, printed seconds.
READ_S = 30.0
#: Notification.status: the resource has changed, the Subscription is cancelled.
CHANGED, CANCELLED = 0, 1
#: What a GET may have otherwise than the Notification: attributes of the document.
_NOT_COMPARED = frozenset({"pollRate", "results", "schemaVer", "extra"})


def subscribed(place: Place) -> Check:
    """A Subscription to the place is POSTed and answered 201 with a Location."""

    def check(evidence: Evidence) -> Finding:
        path = place(evidence)
        posts = [
            each
            for each, body in evidence.posted(r.Subscription)
            if str(body.subscribedResource).split("://")[-1].endswith(path)
        ]
        good = [each for each in posts if each.status == 201 and each.location]
        if good:
            return passed(f"Subscription {good[0].location} to {path}", good)
        return failed(f"{len(posts)} Subscriptions to {path}, none answered 201 with a Location", posts)

    return check


def notified(place: Place, status: int = CHANGED) -> Check:
    """A Notification of this status about the place was sent, and each was answered 201."""

    def check(evidence: Evidence) -> Finding:
        path = place(evidence)
        found = [
            each for each in _of(evidence, path) if _status(each) == status and not _is_wrong(each, path)
        ]
        if not found:
            return failed(f"no Notification of status {status} about {path} could be delivered")
        told = ", ".join(f"{each.status} at {evidence.since_start(each.time_s):.1f} s" for each in found)
        wrong = [each for each in found if each.status != 201]
        said = f"Notification about {path}, status {status}: answered {told}"
        if wrong:
            return failed(f"{said}; 201 is due", _exchanges(evidence, wrong))
        return passed(said, _exchanges(evidence, found))

    return check


def refused(place: Place) -> Check:
    """A Notification that brought another resource than that of the place was answered 400."""

    def check(evidence: Evidence) -> Finding:
        path = place(evidence)
        wrong = [each for each in _of(evidence, path) if _is_wrong(each, path)]
        told = ", ".join(f"{each.status} at {evidence.since_start(each.time_s):.1f} s" for each in wrong)
        said = f"a Notification about {path} that brings an EndDevice: answered {told or 'never'}"
        is_refused = bool(wrong) and all(each.status == 400 for each in wrong)
        return (passed if is_refused else failed)(said, _exchanges(evidence, wrong))

    return check


def answered_at_all(place: Place, status: int) -> Check:
    """A Notification of this status was answered: 201 is due, another answer is a warning."""

    def check(evidence: Evidence) -> Finding:
        found = notified(place, status)(evidence)
        answers = [each for each in _of(evidence, place(evidence)) if _status(each) == status]
        if answers and found.verdict == "fail":
            return warned(found.text, _exchanges(evidence, answers))
        return found

    return check


def read_again(place: Place) -> Check:
    """After each Notification of a change the place is fetched, and is what the Notification has said."""

    def check(evidence: Evidence) -> Finding:
        path = place(evidence)
        gets: list[Exchange] = []
        for each in _of(evidence, path):
            brought = _resource(each.body)
            if _status(each) != CHANGED or brought is None or _is_wrong(each, path):
                continue
            latest_s = each.time_s + READ_S * evidence.scale
            later = [get for get in evidence.gets(path) if each.time_s <= get.time_s <= latest_s]
            at = f"{evidence.since_start(each.time_s):.1f} s"
            if not later:
                return failed(f"{path} is not fetched after the Notification at {at}")
            if not _agree(later[0].got(type(brought)), brought):
                return failed(f"{path} differs from the Notification at {at}", later[:1])
            gets += [*_exchanges(evidence, [each]), later[0]]
        if not gets:
            return failed(f"no Notification about {path} brought it")
        said = f"{path} is fetched after {len(gets) // 2} Notification(s), and is identical"
        return passed(said, gets)

    return check


def _exchanges(evidence: Evidence, notified: list[Notified]) -> list[Exchange]:
    numbers = {each.number for each in notified}
    return [each for each in evidence.exchanges if each.number in numbers]


def _of(evidence: Evidence, path: str) -> list[Notified]:
    return [each for each in evidence.notified if each.resource == path]


def _is_wrong(each: Notified, path: str) -> bool:
    """Whether it brings an EndDevice as what is at another path."""
    return isinstance(_resource(each.body), r.EndDevice) and not re.fullmatch(r"/edev/\d+", path)


def _notification(body: bytes) -> r.Notification | None:
    try:
        found = decode(body).resource
    except DersimError:
        return None
    return found if isinstance(found, r.Notification) else None


def _status(each: Notified) -> int | None:
    found = _notification(each.body)
    return None if found is None else found.status


def _resource(body: bytes) -> Any:
    found = _notification(body)
    return None if found is None else found.Resource


def _agree(got: Any, brought: Any) -> bool:
    """Whether a GET shows what a Notification brought; of a list it brings at most `limit` items."""
    if got is None:
        return False
    shown, told = _members(got), _members(brought)
    is_cut = (getattr(brought, "results", None) or 0) < (getattr(brought, "all", None) or 0)
    for name, value in told.items():
        if is_cut and isinstance(value, tuple):
            if any(item not in shown[name] for item in value):
                return False
        elif shown[name] != value:
            return False
    return True


def _members(resource: Any) -> dict[str, Any]:
    names = [name for name in dir(resource) if not name.startswith("_") and name not in _NOT_COMPARED]
    return {name: value for name in names if not callable(value := getattr(resource, name))}
