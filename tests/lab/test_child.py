"""Real child processes, small ones: Python programs of a line or two."""

import os
import sys

import pytest
import trio

from dersim.lab import child as child_module
from dersim.lab.child import MASK, MAX_LINE, Child, State, explain_exit

READY = "print('dersim ready utility=https://127.0.0.1:5 token=abc utility_admin=http://127.0.0.1:6')\n"
FOREVER = "import signal, sys, time\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(0))\n"
SLEEP = "time.sleep(60)\n"


class Watched:
    """A child, and a way to wait until something is so."""

    def __init__(self):
        self._news = trio.Event()
        self.child = Child(self._tell)

    def _tell(self):
        self._news.set()
        self._news = trio.Event()

    async def until(self, so):
        with trio.fail_after(30):
            while not so(self.child):
                await self._news.wait()

    def texts(self, stream):
        return [line.text for line in self.child.lines(0) if line.stream == stream]


@pytest.fixture
def watched():
    return Watched()


@pytest.fixture
async def run(watched, nursery):
    async def run_it(code, secrets=()):
        await nursery.start(watched.child.run, [sys.executable, "-c", code], f"python {code[:9]}", secrets)

    return run_it


async def test_it_runs_once_it_says_so_and_stops_when_asked(watched, run):
    child = watched.child
    assert not child.is_up
    await run(FOREVER + READY + SLEEP)
    assert child.is_up
    pid = child.pid
    os.kill(pid, 0)
    await watched.until(lambda child: child.state is State.RUNNING)
    assert child.addresses == {"utility": "https://127.0.0.1:5", "utility_admin": "http://127.0.0.1:6"}
    await child.stop()
    assert (child.state, child.exit_code, child.pid, child.addresses) == (State.STOPPED, 0, None, {})
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert watched.texts("lab") == ["starting: python import si", "stopping", f"ended: {explain_exit(0)}"]


async def test_an_end_of_its_own_is_told_with_code_and_last_words(watched, run):
    await run("import sys; print('one'); print('dersim: no such port', end='', file=sys.stderr); sys.exit(2)")
    await watched.until(lambda child: not child.is_up)
    assert (watched.child.state, watched.child.exit_code) == (State.EXITED, 2)
    assert watched.texts("out") == ["one"]
    assert watched.texts("err") == ["dersim: no such port"]
    assert "cannot be used" in watched.texts("lab")[-1]


async def test_it_can_be_started_again_and_its_log_goes_on(watched, run):
    await run("print('first')")
    await watched.until(lambda child: not child.is_up)
    last = watched.child.lines(0)[-1].id
    await run("print('second')")
    await watched.until(lambda child: not child.is_up)
    assert [line.text for line in watched.child.lines(last) if line.stream == "out"] == ["second"]


async def test_what_does_not_stop_is_killed(watched, run, monkeypatch):
    monkeypatch.setattr(child_module, "STOP_DEADLINE_S", 0.2)
    await run("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + SLEEP)
    await watched.until(lambda child: child.state is State.RUNNING)
    await watched.child.stop()
    assert (watched.child.state, watched.child.exit_code) == (State.EXITED, -9)
    assert "is killed" in watched.texts("lab")[2]


async def test_two_stops_at_once_are_one(watched, run):
    await run(FOREVER + READY + SLEEP)
    await watched.until(lambda child: child.state is State.RUNNING)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(watched.child.stop)
        nursery.start_soon(watched.child.stop)
    assert watched.texts("lab").count("stopping") == 1
    assert watched.child.state is State.STOPPED


async def test_a_cancelled_lab_leaves_no_process_behind(watched):
    pids = []
    async with trio.open_nursery() as nursery:
        argv = [
            sys.executable,
            "-c",
            "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + SLEEP,
        ]
        await nursery.start(watched.child.run, argv, "it", ())
        pids.append(watched.child.pid)
        nursery.cancel_scope.cancel()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


async def test_secrets_and_tokens_are_masked_in_the_log(watched, run):
    await run(READY + "print('PIN 123455 is not 999999')", secrets=["123455"])
    await watched.until(lambda child: not child.is_up)
    assert watched.texts("out") == [
        f"dersim ready utility=https://127.0.0.1:5 token={MASK} utility_admin=http://127.0.0.1:6",
        f"PIN {MASK} is not 999999",
    ]


async def test_of_two_secrets_the_longer_is_masked_first(watched, run):
    secrets = [
        "open",
        "open-sesame",
        "sesame",
    ]  # masked in this order, "-sesame" would show
    await run("print('it says open-sesame, then open')", secrets=secrets)
    await watched.until(lambda child: not child.is_up)
    assert watched.texts("out") == [f"it says {MASK}, then {MASK}"]


async def test_a_stop_while_the_process_is_being_made_stops_it(watched, nursery, monkeypatch):
    may_go_on, open_process = trio.Event(), trio.lowlevel.open_process

    async def slow(*args, **kwargs):
        await may_go_on.wait()
        return await open_process(*args, **kwargs)

    monkeypatch.setattr(trio.lowlevel, "open_process", slow)
    nursery.start_soon(watched.child.run, [sys.executable, "-c", FOREVER + READY + SLEEP], "it", ())
    await watched.until(lambda child: child.state is State.STARTING)
    async with trio.open_nursery() as stopping:
        stopping.start_soon(watched.child.stop)
        await watched.until(lambda child: child.state is State.STOPPING)
        may_go_on.set()
    assert watched.child.state is State.STOPPED
    assert not any("is killed" in text for text in watched.texts("lab"))


async def test_endless_lines_and_endless_output_stay_bounded(watched, run):
    await run(
        f"print('x' * {MAX_LINE * 3}); [print(n) for n in range({child_module.KEPT_LINES})]; print('end')"
    )
    await watched.until(lambda child: not child.is_up)
    lines = watched.child.lines(0)
    assert len(lines) == child_module.KEPT_LINES
    assert max(len(line.text) for line in lines) <= MAX_LINE
    assert lines[-2].text == "end"


async def test_output_that_is_no_text_does_no_harm(watched, run):
    await run(r"import sys; sys.stdout.buffer.write(b'\xff\x00\x1b[31m\n')")
    await watched.until(lambda child: not child.is_up)
    assert len(watched.texts("out")) == 1


async def test_a_program_that_is_not_there(watched, nursery):
    await nursery.start(watched.child.run, ["/nowhere/at/all"], "it", ())
    await watched.until(lambda child: not child.is_up)
    assert watched.child.state is State.EXITED
    assert watched.texts("lab")[-1].startswith("cannot be started")


async def test_its_output_has_no_colours_whatever_the_lab_was_started_with(watched, run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    code = "import os, sys; from dersim.cli.terminal import look_of\n"
    await run(code + "print(look_of(sys.stdout, os.environ).colour)")
    await watched.until(lambda child: not child.is_up)
    assert watched.texts("out") == ["False"]
