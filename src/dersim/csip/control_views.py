"""The controls of one DER in the form of the REST document `csip-client`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dersim.csip.control_setpoints import KeptDefault
from dersim.csip.control_values import RAMP, Wanted
from dersim.ieee2030_5.event_types import EventView, ModeSource, Phase, Program
from dersim.ieee2030_5.resources import DefaultDERControl
from dersim.modes import ModeValue, modes_to_json
from dersim.timestamps import rfc3339_or_none


def plain(modes: Mapping[str, Wanted]) -> dict[str, ModeValue]:
    """The modes of an event with their values, and its rampTms beside them."""
    values: dict[str, ModeValue] = {mode: wanted.value for mode, wanted in modes.items()}
    ramps = [wanted.ramp_s for wanted in modes.values() if wanted.ramp_s is not None]
    return values | ({RAMP: ramps[0]} if ramps else {})


def document(
    views: Sequence[EventView],
    programs: Sequence[Program],
    in_force: Mapping[str, ModeSource],
    defaults: Mapping[str, DefaultDERControl],
    kept: Mapping[str, KeptDefault],
) -> dict[str, Any]:
    """The controls' part of `csip-client`. in_force: the defaults in force, by mode; kept: of before."""
    return {
        "programs": [
            {"href": p.href, "mRID": p.mrid, "description": p.description, "primacy": p.primacy}
            for p in programs
        ],
        "active_controls": _shown(views, Phase.ACTIVE),
        "scheduled_controls": _shown(views, Phase.SCHEDULED),
        "default_control": _shown_default(in_force, programs, defaults, kept),
    }


def _shown(views: Sequence[EventView], phase: Phase) -> list[dict[str, Any]]:
    """The controls of this phase, in the order of their effective start. Times in server time."""
    chosen = sorted((v for v in views if v.phase is phase), key=lambda v: v.effective_start_s)
    return [
        {
            "mRID": seen.mrid,
            "href": seen.href,
            "program": seen.program,
            "primacy": seen.primacy,
            "status": seen.status,
            "status_text": seen.status_text,
            "start": rfc3339_or_none(seen.start_s),
            "duration_s": seen.duration_s,
            "effective_start": rfc3339_or_none(seen.effective_start_s),
            "effective_end": rfc3339_or_none(seen.effective_end_s),
            "modes": modes_to_json(seen.modes),
            "why": seen.why,
        }
        for seen in chosen
    ]


def _shown_default(
    in_force: Mapping[str, ModeSource],
    programs: Sequence[Program],
    defaults: Mapping[str, DefaultDERControl],
    kept: Mapping[str, KeptDefault],
) -> dict[str, Any] | None:
    """The defaults in force, under the name of the best program that sets one of them.

    program None: all are of before a restart, and the server was not read since.
    """
    keys = {source.program for source in in_force.values()}
    best = next((p for p in programs if p.key in keys), None)
    values = {mode: each.value for mode, each in kept.items()}
    modes = modes_to_json(values | {mode: source.value for mode, source in in_force.items()})
    if best is not None:
        default = defaults.get(best.key)
        return {"program": best.href, "mRID": default.mRID if default else "", "modes": modes}
    if kept:
        return {"program": None, "mRID": next(iter(kept.values())).mrid, "modes": modes}
    return None
