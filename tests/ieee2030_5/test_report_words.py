"""Readings and LogEvents in words."""

import pytest

from dersim.ieee2030_5 import report_words
from dersim.ieee2030_5 import resources as r


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ({"uom": 38, "flowDirection": 1, "accumulationBehaviour": 12}, "W"),
        ({"uom": 38, "phase": 128}, "W, phase A"),
        ({"uom": 72, "flowDirection": 19, "accumulationBehaviour": 9}, "Wh, reverse, total"),
        ({"uom": 29, "phase": 65}, "V, phase B-N"),
        ({"uom": 200, "phase": 7}, "unit 200, phase 7"),
        ({}, "no unit"),
    ],
)
def test_a_quantity_is_told_in_words(kind, words):
    assert report_words.quantity(r.ReadingType(**kind)) == words


@pytest.mark.parametrize(
    ("function_set", "code", "profile", "words"),
    [
        (11, 2, 2, ("DER", "over voltage")),
        (11, 3, 2, ("DER", "over voltage, back to normal")),
        (11, 60, 2, ("DER", "code 60")),
        (0, 2, 2, ("general", "software")),
        (0, 27, 2, ("general", "code 27")),
        (11, 2, 1, ("DER", "code 2")),
        (77, 2, 2, ("function set 77", "code 2")),
    ],
)
def test_a_log_event_is_told_in_words(function_set, code, profile, words):
    event = r.LogEvent(
        createdDateTime=0,
        functionSet=function_set,
        logEventCode=code,
        logEventID=1,
        logEventPEN=40732,
        profileID=profile,
    )
    assert (report_words.function_set(event), report_words.log_event(event)) == words
