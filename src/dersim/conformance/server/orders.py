"""The order of each list in 2030.5-2018: its sort keys, turned so that ascending is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.ieee2030_5 import resources as r

#: Lists: what their items are sorted by, in words and as a key of numbers and texts.
ORDERS: Mapping[type[Any], tuple[str, Callable[[Any], tuple[Any, ...]]]] = {
    r.EndDeviceList: (
        "changedTime descending, sFDI ascending",
        lambda each: (-(each.changedTime or 0), each.sFDI or 0),
    ),
    r.FunctionSetAssignmentsList: ("mRID descending", lambda each: (_down(each.mRID),)),
    r.DERProgramList: (
        "primacy ascending, mRID descending",
        lambda each: (each.primacy or 0, _down(each.mRID)),
    ),
    r.DERControlList: (
        "start ascending, creationTime descending, mRID descending",
        lambda each: (each.interval.start, -each.creationTime, _down(each.mRID)),
    ),
    r.DERCurveList: (
        "creationTime descending, mRID descending",
        lambda each: (-each.creationTime, _down(each.mRID)),
    ),
    r.LogEventList: (
        "createdDateTime descending, logEventID descending",
        lambda each: (-each.createdDateTime, -each.logEventID),
    ),
    r.MirrorUsagePointList: ("mRID descending", lambda each: (_down(each.mRID),)),
    r.UsagePointList: ("mRID descending", lambda each: (_down(each.mRID),)),
    r.MeterReadingList: ("mRID descending", lambda each: (_down(each.mRID),)),
}


def _down(mrid: object) -> int:
    """An mRID as a key that is smaller for a greater mRID."""
    try:
        return -int(str(mrid), 16)
    except ValueError:
        return 0


def items_of(listed: Any) -> tuple[Any, ...]:
    """The items of a list resource."""
    name = type(listed).__name__.removesuffix("List")
    return tuple(getattr(listed, name, ()))


def wrong_order(listed: Any) -> str | None:
    """How a list is sorted wrongly, None where it is right or has no order that we know."""
    known = ORDERS.get(type(listed))
    if known is None:
        return None
    words, key = known
    keys = [key(each) for each in items_of(listed)]
    if keys == sorted(keys):
        return None
    place = next(number for number in range(1, len(keys)) if keys[number] < keys[number - 1])
    return f"item {place + 1} must come before item {place}: {words}"
