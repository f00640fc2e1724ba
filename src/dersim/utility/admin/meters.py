"""`/power` and `/end-devices/{lfdi}/readings`: what the mirrors report, over the last two hours."""

from __future__ import annotations

import json
import math
from typing import Annotated, Any, TypedDict

from dersim.ieee2030_5 import report_words
from dersim.json_schema import described, unit
from dersim.pages.routes import Query
from dersim.timestamps import rfc3339, rfc3339_many
from dersim.utility.admin.context import LFDI, AdminContext, AdminRoute, Call, Later
from dersim.utility.admin.paging import wanted_lfdi
from dersim.utility.admin.problems import PREFIX
from dersim.utility.admin.views import scaled
from dersim.utility.mirrors import MeterReadingRecord, MirrorRecord
from dersim.utility.reported_power import VARS, WATTS, held, is_of_site, meters, total

_LONGEST_S = 2 * 86_400
#: Times of one answer.
_POINTS = 240
#: A value holds for so many of the postRate that mirrors are told, and at least so long, s.
_POSTS_HELD, _LEAST_HELD_S = 2.5, 30.0

_Times = Annotated[list[str], described("rising, RFC 3339")]


class PowerView(TypedDict):
    """The sums over devices at some times; null where nobody reports."""

    now: str
    time: _Times
    power_w: Annotated[list[float | None], unit("W")]
    reactive_power_var: Annotated[list[float | None], unit("var")]
    reporting: Annotated[list[int], described("devices whose power is in the sum; of phases each")]


class MeterView(TypedDict):
    """One quantity over time."""

    mirror: int
    of_site: Annotated[bool, described("of a premises, by roleFlags: its W and var > 0 are imported")]
    mRID: str
    description: str
    quantity: Annotated[str, described("in words, as W, phase A")]
    unit: str
    time: _Times
    value: list[float | int | None]


class MetersView(TypedDict):
    """The quantities that a device reports."""

    now: str
    meters: list[MeterView]


def _power(context: AdminContext, call: Call) -> Later:
    head_end, seconds = context.head_end, call.query["seconds"]
    now_s, lfdi = head_end.now_s(), wanted_lfdi(call.query)
    since_s = now_s - seconds
    mirrors = head_end.mirrors.listed(None if lfdi is None else (lfdi,))
    watts, volt_amperes = (held(meters(mirrors, uom), since_s) for uom in (WATTS, VARS))
    hold_s = max(_POSTS_HELD * head_end.rates.post_s, _LEAST_HELD_S)

    def make() -> bytes:
        step_s = max(1, math.ceil(seconds / _POINTS))
        first = math.ceil(since_s / step_s)
        times_s = [*(float(step_s * k) for k in range(first, math.floor(now_s / step_s) + 1)), now_s]
        power, reactive = (total(each, times_s, hold_s) for each in (watts, volt_amperes))
        document: PowerView = {
            "now": rfc3339(now_s),
            "time": list(rfc3339_many(times_s)),
            "power_w": power.values,
            "reactive_power_var": reactive.values,
            "reporting": power.reporting,
        }
        return json.dumps(document, allow_nan=False).encode()

    return Later(make, "application/json")


def _readings(context: AdminContext, call: Call) -> dict[str, Any]:
    head_end, device = context.head_end, context.device(call.ids[0])
    now_s = head_end.now_s()
    since_s = now_s - call.query["seconds"]
    return {
        "now": rfc3339(now_s),
        "meters": [
            _meter(mirror, each, since_s)
            for mirror in head_end.mirrors.listed((device.lfdi,))
            for each in mirror.readings.values()
        ],
    }


def _meter(mirror: MirrorRecord, meter: MeterReadingRecord, since_s: float) -> dict[str, Any]:
    kind, series = meter.reading_type, meter.samples.since(since_s)
    exponent = kind.powerOfTenMultiplier or 0
    return {
        "mirror": mirror.number,
        "of_site": is_of_site(mirror.point),
        "mRID": meter.mrid,
        "description": meter.description or "",
        "quantity": report_words.quantity(kind),
        "unit": report_words.unit(kind),
        "time": list(rfc3339_many(series.times_s)),
        "value": [scaled(int(value), exponent) for value in series.values],
    }


_SECONDS = Query("seconds", int, 900, "How far back.", 60, _LONGEST_S)

ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/power",
        handler=_power,
        summary="Real and reactive power that the mirrors report, summed over the devices, over time.",
        response=PowerView,
        query=(_SECONDS, Query("lfdi", str, None, "Only that of the device with this LFDI.")),
        tag="Reports",
    ),
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/end-devices/{{lfdi}}/readings",
        handler=_readings,
        summary="The newest values of each quantity that a device reports, at most 120 of each.",
        response=MetersView,
        query=(_SECONDS,),
        path_parameters=(LFDI,),
        tag="Reports",
        problems=("not-found",),
    ),
]
