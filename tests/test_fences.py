"""What nobody foresaw ends one unit of work: told, counted, and fatal where it was asked to be."""

import ast
import io
from pathlib import Path

import pytest
import trio

from dersim.errors import ConfigError, PluginError, UtilityUnreachable
from dersim.fences import Fences, at_start
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


def test_a_plug_in_that_calls_exit_ends_its_unit_and_not_the_process(log):
    fences = Fences(log)
    with fences.around("poll", "CSIP", "a poll") as ended:
        raise SystemExit(0)
    assert str(ended).startswith("SystemExit(0) in ")
    with fences.around("poll", "CSIP", "a poll"):
        raise BaseExceptionGroup("of a nursery", [SystemExit(0), KeyError("x")])
    assert fences.counts == {"poll": 2}


def test_a_keyboard_interrupt_passes_alone_and_in_a_group(log):
    fences = Fences(log)
    with pytest.raises(KeyboardInterrupt), fences.around("poll", "CSIP", "a poll"):
        raise KeyboardInterrupt
    with pytest.raises(BaseExceptionGroup), fences.around("poll", "CSIP", "a poll"):
        raise BaseExceptionGroup("of a nursery", [KeyboardInterrupt(), KeyError("x")])
    assert not fences.counts


async def test_a_cancellation_passes(log):
    fences = Fences(log)
    with trio.CancelScope() as scope:
        with fences.around("poll", "CSIP", "a poll"):
            scope.cancel()
            await trio.lowlevel.checkpoint()
        raise AssertionError("the fence swallowed the cancellation")
    assert not fences.counts


def is_broad(handler):
    caught = (
        [node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)] if handler.type else []
    )
    return handler.type is None or not {"Exception", "BaseException"}.isdisjoint(caught)


def is_told(handler):
    """Whether the handler raises the error again, or hands it to the fences."""
    inside = list(ast.walk(handler))
    return any(isinstance(node, ast.Raise) and node.exc is None for node in inside) or any(
        isinstance(node, ast.Attribute) and node.attr == "tell" for node in inside
    )


def test_what_nobody_foresaw_is_caught_by_fences_alone():
    root = Path(__file__).parents[1] / "src" / "dersim"
    untold = [
        f"{path.relative_to(root)}:{node.lineno}"
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and is_broad(node) and not is_told(node)
    ]
    assert {each.partition(":")[0] for each in untold} == {
        "fences.py",  # at_start: a PluginError is raised
        "contract/subject.py",  # it is the result of the check, which is printed
        "fleet_run/running.py",  # a shard's end, in its summary: Dask could not pickle it
        "fleet_run/cluster.py",  # why a shard ended, told by the command, which starts it again
        "contract/frontend_checks.py",  # raised again in the thread that asked
        "testing/portal.py",  # as above
    }


def test_an_error_of_a_plugin_at_start_names_it_and_the_line():
    with (
        pytest.raises(
            PluginError, match=r"plug-in soft: its hook failed: KeyError\('x'\) in \S+test_fences:\d+"
        ),
        at_start("soft", "its hook"),
    ):
        raise KeyError("x")
    with pytest.raises(ConfigError, match=r"^--port 7: busy$"), at_start("soft", "its hook"):
        raise ConfigError("--port 7: busy")


def test_an_error_for_users_is_told_in_its_own_words(log):
    with Fences(log).around("frontend", "Engine", "front-end web failed") as ended:
        raise ConfigError("--port 7: busy")
    assert str(ended) == "--port 7: busy"
    assert log.entries(level="Error")[0].message == "front-end web failed: --port 7: busy"


def test_a_foreseen_error_passes_a_fence_for_unforeseen_ones(log):
    fences = Fences(log)
    with pytest.raises(UtilityUnreachable), fences.around_unforeseen("post", "CSIP", "a post"):
        raise UtilityUnreachable("connection refused")
    assert not fences.counts
    with fences.around_unforeseen("post", "CSIP", "a post"):
        raise KeyError("x")
    assert fences.counts == {"post": 1}


async def test_of_an_error_and_a_cancellation_the_error_is_told_and_the_cancellation_passes(
    log, autojump_clock
):
    fences = Fences(log)

    async def fail_when_cancelled():
        try:
            await trio.sleep_forever()
        finally:
            raise KeyError("volts")

    with trio.CancelScope() as scope:
        with fences.around("place", "Engine", "a unit"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_when_cancelled)
                nursery.start_soon(trio.sleep_forever)
                await trio.sleep(1)
                scope.cancel()
        await trio.sleep(1)
        pytest.fail("the cancellation was lost")
    assert fences.counts == {"place": 1}
    assert "KeyError('volts')" in log.entries(level="Error")[0].message
