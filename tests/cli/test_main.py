"""The command line: its errors in one line, its exit codes, and what it makes of the flags."""

import argparse
import contextlib
import re
import signal
import subprocess
import sys
import threading
import types
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trio
import trio.testing

from dersim import __version__
from dersim.cli import main, sim
from dersim.cli.sim_options import read_selection
from dersim.cli.stopping import Watchdog
from dersim.errors import ConfigError
from dersim.options import OptionParser, count, names, number, port, readable_file, time_of_day, yes_no, zone
from dersim.plugin.candidates import DEFAULT_PLUGINS, Candidate
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.registry import Selection


def run(*words, timeout=60):
    """The command as users start it: in a process of its own."""
    command = [sys.executable, "-m", "dersim", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def complaint(capsys, *words):
    """The exit code and the one line on stderr of a command that cannot work."""
    code = main.main(words)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1, err
    return code, err.strip()


@pytest.fixture
def parser():
    parser = OptionParser(prog="dersim sim")
    group = parser.add_argument_group("csip")
    group.add_argument("--csip_client_enable", "-csip_enable", type=yes_no, default=True)
    group.add_argument("--csip_enc", "-ce", type=yes_no, default=True)
    group.add_argument("--csip-2018-compat", action="store_true")
    parser.add_argument("-d", "--device_type")
    parser.add_argument("-N", dest="count", type=count(1, 10_000), default=1)
    parser.add_argument("--gain", type=number(-1, 1))
    return parser


def test_flags_are_taken_as_spelled(parser):
    options = parser.parse_args(
        ["-csip_enable", "no", "-ce", "no", "--csip-2018-compat", "-N", "4", "--gain", "-.5"]
    )
    assert (options.csip_client_enable, options.csip_enc) == (False, False)
    assert (options.csip_2018_compat, options.count, options.gain) == (True, 4, -0.5)
    assert parser.parse_args(["--csip_enc=no"]).csip_enc is False


@pytest.mark.parametrize(
    "words",
    [
        ["--csip_client", "no"],
        ["-csip_e", "no"],
        ["-csip", "no"],
        ["-N4"],
        ["--csip_2018_compat"],
        ["-dPV"],
        ["-c"],
    ],
)
def test_nothing_is_abbreviated_or_glued(parser, words):
    with pytest.raises(ConfigError, match=rf"^{words[0]}: no such flag; "):
        parser.parse_args(words)


def test_a_misspelt_flag_gets_a_hint(parser):
    with pytest.raises(
        ConfigError, match=r"--csip_2018-compat: no such flag; did you mean --csip-2018-compat\?"
    ):
        parser.parse_args(["--csip_2018-compat"])


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--csip_enc", "true"], "--csip_enc/-ce: yes or no is needed, not 'true'; see dersim sim --help"),
        (["--csip_enc"], "--csip_enc/-ce: a value is missing; see dersim sim --help"),
        (["stray"], "stray: one word too many, or a flag that is not known here; see dersim sim --help"),
        (["-N", "0"], "-N: a whole number from 1 to 10000 is needed, not '0'; see dersim sim --help"),
    ],
)
def test_a_bad_value_names_the_flag(parser, words, line):
    with pytest.raises(ConfigError) as caught:
        parser.parse_args(words)
    assert str(caught.value) == line


@pytest.mark.parametrize(
    ("convert", "text", "value"),
    [
        (port, "0", 0),
        (port, "65535", 65535),
        (number(0, above=True), "1e-3", 0.001),
        (number(0.01, 3600), "3600", 3600.0),
        (count(0, 5), "5", 5),
        (names, "csip, volt-var,csip", ("csip", "volt-var")),
    ],
)
def test_converters_take(convert, text, value):
    assert convert(text) == value


@pytest.mark.parametrize(
    ("convert", "text"),
    [
        (port, "65536"),
        (port, "-1"),
        (port, "80.0"),
        (port, "\u0663"),
        (port, ""),
        (number(0, above=True), "0"),
        (number(), "nan"),
        (number(), "inf"),
        (number(), "1e999"),
        (number(0.01, 3600), "0"),
        (count(0, 5), "6"),
        (count(0, 5), "1_0"),
        (names, ","),
        (time_of_day, "24:00:00"),
        (time_of_day, "7:00"),
        (zone, "Mars/Olympus"),
        (zone, "../../etc/passwd"),
        (yes_no, "Yes"),
        (readable_file, "/no/such/file"),
        (readable_file, "/"),
    ],
)
def test_converters_refuse_and_repeat_what_they_got(convert, text):
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        convert(text)
    assert text in str(caught.value)


def test_the_selection_is_read_before_other_flags_exist():
    words = [
        "--csip_server_ip",
        "10.0.0.1",
        "--plugins",
        "csip,max-w",
        "-wi",
        "0.0.0.0",
        "--without=rest",
        "-x",
        "--demo",
    ]
    assert read_selection(words) == Selection(("csip", "max-w"), ("rest",))
    assert read_selection([]) == Selection((), ("utility",))


@pytest.mark.parametrize(
    ("words", "start"),
    [
        ([], None),
        (["--start_clock_time", "06:30:00", "--wall_clock", "yes"], None),
        (["--start_clock_time", "06:30:00"], (6, 30)),
        (["-start_clock_time", "06:30:00"], (6, 30)),
        (["--start-clock-time", "06:30", "-wc_tz", "Asia/Kolkata"], (1, 0)),
    ],
)
def test_the_simulated_day_starts_when_it_is_told(words, start):
    options, _ = sim.configure(words)
    start_s = sim.start_of(options)
    if start is None:
        assert start_s is None
    else:
        moment = datetime.fromtimestamp(start_s, UTC)
        assert (moment.hour, moment.minute, moment.second) == (*start, 0)
        assert abs(start_s - datetime.now(UTC).timestamp()) < 2 * 86400


def test_every_general_flag_has_its_spellings():
    words = "-d PV-1Phase -N 3 --demo --tick 0.5 --rate 1 --rate_override yes -wc no -wc_tz UTC --start off"
    options, _ = sim.configure([*words.split(), "--fail_fast", "--seed", "5", "--log_level", "debug"])
    assert (options.device_type, options.count, options.demo, options.tick) == ("PV-1Phase", 3, True, 0.5)
    assert (options.start, options.fail_fast, options.seed, options.log_level) == ("off", True, 5, "Debug")


def test_seeds_differ_unless_given():
    seeds = {sim.configure([])[0].seed for _ in range(3)}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        (["fly"], 2, "dersim: fly: no such command; there are sim"),
        (
            ["sim", "--tick", "0"],
            2,
            "dersim: --tick: a number of seconds from 0.01 to 3600 is needed, not '0'",
        ),
        (["sim", "--rate", "fast"], 2, "dersim: --rate: a number above 0"),
        (["sim", "--without", "volt-vra"], 2, "dersim: --without: nothing is named 'volt-vra'"),
        (
            ["sim", "-f", "no.json"],
            2,
            "dersim: -f: no.json: No such file or directory; give a file that can be read",
        ),
        (
            ["sim", "--log_level", "loud"],
            2,
            "dersim: --log_level: one of debug, info, warning, error is needed",
        ),
        (["plugins", "--all"], 2, "dersim: --all: one word too many"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(capsys, words, code, line):
    found, text = complaint(capsys, *words)
    assert found == code
    assert text.startswith(line)


@pytest.mark.parametrize("flag", ["--seed", "--website_port", "--rate", "-N", "--wall_clock", "--log_level"])
@pytest.mark.parametrize("value", ["9" * 5_000, "\udc80" * 400])
def test_a_value_of_any_length_is_refused_in_a_short_printable_line(capsys, flag, value):
    code, line = complaint(capsys, "sim", flag, value)
    assert code == 2
    assert line.isprintable()
    assert len(line) < 400


def test_a_flag_of_any_length_is_refused_in_a_short_line(capsys):
    code, line = complaint(capsys, "sim", "--" + "x" * 5_000)
    assert code == 2
    assert line.startswith("dersim: --xxx")
    assert len(line) < 400


def test_help_and_version(capsys):
    assert main.main([]) == 0
    assert "dersim COMMAND" in capsys.readouterr().out
    assert main.main(["--version"]) == 0
    assert capsys.readouterr().out == f"dersim {__version__}\n"
    with pytest.raises(SystemExit) as ended:
        main.main(["sim", "--help"])
    assert ended.value.code == 0
    told = capsys.readouterr().out
    assert "--device_type" in told
    assert "None" not in told
    assert re.search(r"--wall_clock yes\|no.*?\(default: no\)", told, re.DOTALL)


def test_plugins_lists_them_in_order(capsys):
    assert main.main(["plugins"]) == 0
    rows = capsys.readouterr().out.splitlines()
    assert rows[0].split() == ["NAME", "VERSION", "ORDER", "FROM", "HOOKS"]
    orders = [int(row.split()[2]) for row in rows[1:]]
    assert orders == sorted(orders)


def test_a_plugin_that_cannot_be_loaded_has_its_reason_in_the_list(capsys, monkeypatch):
    good, bad = types.ModuleType("good"), types.ModuleType("bad")
    good.register_ui_panels = hookimpl(lambda: [*()])
    found = [
        Candidate("bad", "1", "dist-bad", lambda: bad),
        Candidate("good", "2", "dist-good", lambda: good),
    ]
    monkeypatch.setattr("dersim.cli.plugins.find", lambda: found)
    assert main.main(["plugins"]) == 2
    rows = capsys.readouterr().out.splitlines()
    assert rows[1].split() == ["good", "2", "100", "dist-good", "register_ui_panels"]
    assert rows[2].split()[:5] == ["bad", "1", "-", "dist-bad", "refused:"]
    assert "it has no hook" in rows[2]


def test_the_process_tells_a_mistake_in_one_line():
    done = run("sim", "--tick", "never")
    assert (done.returncode, done.stdout) == (2, "")
    wanted = "a number of seconds from 0.01 to 3600 is needed, not 'never'"
    assert done.stderr == f"dersim: --tick: {wanted}; see dersim sim --help\n"


@pytest.mark.parametrize("words", [["completion", "bash"], ["--help"]])
def test_a_full_disk_behind_stdout_is_one_line(words):
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "dersim", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.stderr == "dersim: stdout: No space left on device; make room, or write elsewhere\n"
    assert ended.returncode == 1


def test_ctrl_c_within_a_nursery_is_an_interruption_and_no_bug(monkeypatch, capsys):
    def interrupted(words):
        raise BaseExceptionGroup("a nursery", [BaseExceptionGroup("another", [KeyboardInterrupt()])])

    monkeypatch.setattr(main, "_dispatch", interrupted)
    assert main.main(["conformance"]) == 1
    assert capsys.readouterr().err == "dersim: interrupted before the end\n"


def test_a_bug_is_one_line_without_a_traceback_unless_asked_for():
    code = "import sys; from dersim.cli import main; sys.excepthook = main._report_bug; {}['x']"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("dersim: internal error in __main__:1: KeyError('x'); this is a bug")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words", [["pki", "sho"], ["pki", "show"], ["pki", "show", "{here}"], ["pki", "show", "{me}"]]
)
def test_pki_mistakes_are_one_line_and_exit_code_2(capsys, tmp_path, words):
    code, _ = complaint(capsys, *(word.format(here=tmp_path, me=__file__) for word in words))
    assert code == 2


@contextlib.contextmanager
def started(*words):
    """`dersim sim` without any front-end in a process of its own, and its ready line."""
    all_of_them = ",".join(name for each in DEFAULT_PLUGINS for name in each.frontends)
    command = [sys.executable, "-m", "dersim", "sim", "--without", all_of_them, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()


async def test_a_task_that_cannot_be_cancelled_does_not_hold_the_process(monkeypatch):
    """What hypercorn does to a peer that reads no more: a send in a shielded scope, for ever."""
    ended, token = trio.Event(), trio.lowlevel.current_trio_token()
    told = []

    def end_process(message):
        told.append(message)
        token.run_sync_soon(ended.set)

    monkeypatch.setattr(Watchdog, "_end_process", staticmethod(end_process))

    class Stuck:
        stopping = trio.Event()
        stop = stopping.set

        async def run(self, announce):
            with trio.CancelScope(shield=True):
                await ended.wait()

    Stuck.stopping.set()
    with trio.fail_after(30):
        await sim.run_until_stopped(Stuck(), 0.01)
    assert told == [
        "dersim: the stop took longer than 0.01 s: a task does not end; the process ends without it"
    ]


async def test_a_clean_end_leaves_no_watchdog(monkeypatch):
    fired = []
    monkeypatch.setattr(Watchdog, "_end_process", staticmethod(fired.append))

    class Quick:
        stopping = trio.Event()
        stop = stopping.set

        async def run(self, announce):
            self.stopping.set()
            await trio.testing.wait_all_tasks_blocked()

    before = set(threading.enumerate())
    await sim.run_until_stopped(Quick(), 60)
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert fired == []
    assert not set(threading.enumerate()) - before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly(number):
    with started("-N", "3", "--seed", "5") as (process, ready):
        assert ready == "dersim ready\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (0, "")
    assert "Engine: 3 DER(s); --seed 5 repeats this run" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["-d", "PV-9Phase"], "--device_type PV-9Phase: not known; known are PV-3Phase, "),
        (["-f", "{file}"], "nameplate {file} line 1 column 1: not JSON: "),
        (
            ["--dc_profile", "{file}"],
            "{file} line 1: column 'nonsense' is not known; known are t_s, TimeUTC, ",
        ),
        (
            ["--grid_profile", "{file}"],
            "{file} line 1: column 'nonsense' is not known; known are t_s, TimeUTC, ",
        ),
    ],
)
def test_a_bad_input_file_is_one_line_and_exit_code_2(capsys, monkeypatch, tmp_path, words, line):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    file = tmp_path / "input"
    file.write_text("nonsense\n")
    code, text = complaint(capsys, "sim", *(word.format(file=file) for word in words))
    assert code == 2
    assert text.startswith("dersim: " + line.format(file=file))
