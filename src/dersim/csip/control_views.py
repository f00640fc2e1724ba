"""The controls of one DER in the form of the REST document `csip-client`."""

from __future__ import annotations

import weakref
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dersim.csip.control_setpoints import KeptDefault
from dersim.csip.control_values import RAMP, Wanted
from dersim.ieee2030_5.event_types import EventView, ModeSource, Phase, Program
from dersim.ieee2030_5.resources import DefaultDERControl
from dersim.modes import ModeValue, modes_to_json
from dersim.timestamps import rfc3339_or_none

if TYPE_CHECKING:
    from dersim.ieee2030_5.events import EventScheduler


def plain(modes: Mapping[str, Wanted]) -> dict[str, ModeValue]:
    """The modes of an event with their values, and its rampTms beside them."""
    values: dict[str, ModeValue] = {mode: wanted.value for mode, wanted in modes.items()}
    ramps = [wanted.ramp_s for wanted in modes.values() if wanted.ramp_s is not None]
    return values | ({RAMP: ramps[0]} if ramps else {})


class GivenViews(list[EventView]):
    """Views that were given to somebody; they are seen to be in use as long as that keeps them."""


class Explained:
    """The events of one DER for people. Who keeps what it was given gets it again until something changes.

    A client holds up to a thousand events that are over; to explain all of them costs milliseconds.
    """

    def __init__(self) -> None:
        self._given: weakref.ref[GivenViews] | None = None
        self._of: tuple[EventScheduler, int] | None = None

    def of(self, scheduler: EventScheduler) -> list[EventView]:
        """Every event held, those that are over too, with the values of its modes."""
        given = None if self._given is None else self._given()
        mark = scheduler, scheduler.changes
        if given is not None and self._of == mark:
            return given
        known = given if given is not None and self._of and self._of[0] is scheduler else ()
        same = set(map(id, known))
        views = scheduler.views(known)
        made = GivenViews(
            seen if id(seen) in same else seen._replace(modes=plain(seen.modes)) for seen in views
        )
        self._given, self._of = weakref.ref(made), mark
        return made


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
