"""The texts of controls: written once while they are needed, and let go of when they are not."""

from __future__ import annotations

from dersim.ieee2030_5.codec import decode
from dersim.ieee2030_5.control_texts import KEPT, KEPT_S, ControlTexts
from dersim.ieee2030_5.resources import DateTimeInterval, DERControl, DERControlBase, EventStatus


def control(number: int) -> DERControl:
    return DERControl(
        href=f"/derp/1/derc/{number}",
        mRID=f"{number:032X}",
        creationTime=0,
        EventStatus=EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
        interval=DateTimeInterval(duration=60, start=0),
        DERControlBase=DERControlBase(),
    )


def test_a_text_is_written_once_while_it_is_needed() -> None:
    texts, one = ControlTexts(), control(1)
    first = texts.of(one)
    assert decode(first.encode(), DERControl).resource.mRID == one.mRID
    for minute in range(0, 3000, 5):
        texts.age(60.0 * minute)
        assert texts.of(one) is first


def test_controls_with_one_content_have_texts_of_their_own() -> None:
    texts = ControlTexts()
    one, other = control(1), control(1)
    assert texts.of(one) == texts.of(other)
    assert len(texts) == 2


def test_what_is_over_is_let_go_of() -> None:
    """A day of controls, of which five are not over at a time, and a checkpoint every minute."""
    texts = ControlTexts()
    waiting: list[DERControl] = []
    for number in range(1440):
        texts.age(60.0 * number)
        waiting = [*waiting, control(number)][-5:]
        for each in waiting:
            texts.of(each)
        assert len(texts) <= 2 * (KEPT_S / 60 + 5)
    for minute in (1500, 1600):  # nothing is in force any more
        texts.age(60.0 * minute)
    assert len(texts) == 0


def test_a_clock_that_is_set_back_keeps_nothing_for_longer() -> None:
    texts = ControlTexts()
    for number in range(100):
        texts.age(1e9 - 1000.0 * number)
        texts.of(control(number))
        assert len(texts) <= 2


def test_a_server_that_changes_all_controls_at_each_poll_fills_no_memory() -> None:
    texts = ControlTexts()
    for number in range(3 * KEPT):
        texts.of(control(number))
    assert len(texts) <= 2 * KEPT
