"""The body of a control to publish, and the order that it means."""

from __future__ import annotations

import datetime
import math
from typing import Annotated, Any, NotRequired, TypedDict

from dersim.json_schema import described, unit
from dersim.json_text import BodyError
from dersim.numeric import shown
from dersim.utility.admin.body import read_modes
from dersim.utility.programs import MAX_DURATION_S, MAX_RANDOMIZATION_S, ControlOrder
from dersim.utility.responses import LIST_HREF

CONTROL = {"modes": {"opModMaxLimW": 60}, "start_in_s": 30, "duration_s": 120}
MAX_START_IN_S = 366 * 86_400

Modes = Annotated[
    dict[str, Any],
    described(
        "modes by name in plain units, see docs/control-functions.md; also those of the 2023 edition, such "
        "as opModMaxLimWInject (W), which make the documents of the program ones of 2023",
        minProperties=1,
        examples=[{"opModMaxLimW": 60}],
    ),
]
_Randomization = Annotated[int, unit("s", minimum=-MAX_RANDOMIZATION_S, maximum=MAX_RANDOMIZATION_S)]


class ControlBody(TypedDict):
    """A DERControl to publish. It starts now unless `start` or `start_in_s` says otherwise."""

    modes: Modes
    duration_s: Annotated[int, unit("s", minimum=1, maximum=MAX_DURATION_S)]
    start: NotRequired[Annotated[str, described("RFC 3339, e.g. 2026-11-28T17:00:00Z")]]
    start_in_s: NotRequired[
        Annotated[
            float,
            unit("s", "from now; negative: in the past", minimum=-MAX_START_IN_S, maximum=MAX_START_IN_S),
        ]
    ]
    randomize_start_s: NotRequired[_Randomization]
    randomize_duration_s: NotRequired[_Randomization]
    response_required: NotRequired[
        Annotated[
            int,
            described("bits: 1 receipt, 2 execution, 4 by the customer; default 7", minimum=0, maximum=255),
        ]
    ]
    description: NotRequired[Annotated[str, described("at most 32 characters")]]
    device_category: NotRequired[
        Annotated[
            str | None,
            described("hexadecimal digits of DeviceCategoryType, e.g. 00200000; null: every device"),
        ]
    ]
    reply_to: NotRequired[
        Annotated[str | None, described(f"where devices answer; default {LIST_HREF}; null: left out")]
    ]


_SAME_NAME = ("duration_s", "randomize_start_s", "randomize_duration_s", "response_required", "description")


def order_of(body: dict[str, Any], now_s: float) -> ControlOrder:
    """The order for a control, of a body of the right shape; ConfigError for bad values.

    2030.5 has whole seconds: a future start is rounded up, so that clients do not see it too late.
    """
    given = {key: body[key] for key in _SAME_NAME if key in body}
    if body.get("device_category") is not None:
        given["device_category"] = _bits(body["device_category"])
    if "reply_to" in body:
        given["reply_to"] = body["reply_to"]
    return ControlOrder(read_modes(body["modes"]), _start(body, now_s), **given)


def _start(body: dict[str, Any], now_s: float) -> int:
    if "start" in body and "start_in_s" in body:
        raise BodyError("start: give either start or start_in_s", "/start")
    start_s = moment("start", body["start"]) if "start" in body else now_s + body.get("start_in_s", 0)
    if abs(start_s - now_s) > MAX_START_IN_S + 1:
        raise BodyError(f"start: {body['start']} is more than a year from the server's time", "/start")
    return math.ceil(start_s) if start_s > now_s else math.floor(start_s)


def moment(name: str, text: str) -> float:
    """UTC seconds of an RFC 3339 text; BodyError that names the member."""
    try:
        found = datetime.datetime.fromisoformat(text)
        seconds = None if found.tzinfo is None else found.timestamp()
    except (ValueError, OverflowError):
        seconds = None
    if seconds is None:
        wanted = "a time with its zone such as 2026-11-28T17:00:00Z is needed"
        raise BodyError(f"{name}: {wanted}, not {shown(text)}", f"/{name}")
    return seconds


def _bits(text: str) -> int:
    digits = text.removeprefix("0x")
    if not 1 <= len(digits) <= 8 or not set(digits.upper()) <= set("0123456789ABCDEF"):
        wanted = "up to 8 hexadecimal digits are needed"
        raise BodyError(f"device_category: {wanted}, not {shown(text)}", "/device_category")
    return int(digits, 16)
