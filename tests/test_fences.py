"""What nobody foresaw ends one unit of work: told, counted, and fatal where it was asked to be."""

import io

import pytest
import trio

from dersim.fences import Fences
from dersim.logbuffer import LogBuffer


@pytest.fixture
def log():
    return LogBuffer(stream=io.StringIO())


def test_the_unit_ends_and_what_is_beside_it_goes_on(log):
    fences = Fences(log)
    done = []
    for number in (1, 2, 3):
        with fences.around("poll", "CSIP", f"poll {number}", device=7):
            if number == 2:
                raise KeyError("x")
            done.append(number)
    assert done == [1, 3]
    assert fences.counts == {"poll": 1}
    [line] = log.entries(level="Info")
    assert (line.level, line.module, line.device) == ("Error", "CSIP", 7)
    assert line.message == "poll 2: unexpected KeyError('x')"


def test_the_traceback_is_at_level_debug(log):
    with Fences(log).around("poll", "CSIP", "a poll"):
        raise KeyError("x")
    [trace] = [entry for entry in log.entries() if entry.level == "Debug"]
    assert "Traceback" in trace.message


def test_under_fail_fast_it_is_told_and_goes_on_up(log):
    fences = Fences(log, fail_fast=True)
    with pytest.raises(KeyError), fences.around("poll", "CSIP", "a poll"):
        raise KeyError("x")
    assert fences.counts == {"poll": 1}


async def test_a_cancellation_passes(log):
    fences = Fences(log)
    with trio.CancelScope() as scope:
        with fences.around("poll", "CSIP", "a poll"):
            scope.cancel()
            await trio.lowlevel.checkpoint()
        raise AssertionError("the fence swallowed the cancellation")
    assert not fences.counts
