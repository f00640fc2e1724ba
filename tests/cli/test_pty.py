"""The command in a real pseudo-terminal, as a person starts it."""

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import time

import pytest
from tests.interop.processes import CERTS

ANY_PORTS = ["--mb_port", "0", "--website_port", "0", "--csip_website_port", "0"]
DEMO = ["sim", "--demo", *ANY_PORTS, "--csip_server_port", "0", "--admin_port", "0"]
SGR = re.compile(r"\x1b\[[0-9;]*m")


class Screen:
    """A `dersim` whose stdout, or only stderr, is a terminal of 100 columns."""

    def __init__(self, words, *, stdout=None, **environ):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
        known = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        self.text, self._fd = "", ours
        self.process = subprocess.Popen(
            [sys.executable, "-m", "dersim", *words],
            stdin=theirs,
            stdout=theirs if stdout is None else stdout,
            stderr=theirs,
            env={**known, "TERM": "xterm-256color", **environ},
            start_new_session=True,
        )
        os.close(theirs)

    def read_until(self, wanted, timeout_s=40):
        """Read until `wanted`, a part of what is shown; "" reads to the end."""
        deadline = time.monotonic() + timeout_s
        while not wanted or wanted not in self.text:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not select.select([self._fd], [], [], left_s)[0]:
                raise AssertionError(f"{wanted!r} did not come: {self.text[-2000:]}")
            try:
                data = os.read(self._fd, 65536)
            except OSError:  # the other end is closed
                data = b""
            if not data:
                assert not wanted, self.text[-2000:]
                return
            self.text += data.decode(errors="replace")

    def interrupt(self):
        """SIGINT, as Ctrl-C sends it; the exit code, once everything is read."""
        self.process.send_signal(signal.SIGINT)
        self.read_until("")
        return self.process.wait(20)

    @property
    def plain(self):
        return SGR.sub("", self.text).replace("\r\n", "\n")

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._fd)


@contextlib.contextmanager
def screen(words, **arguments):
    shown = Screen(words, **arguments)
    try:
        yield shown
    finally:
        shown.close()


@pytest.fixture(scope="module")
def demo_of_20():
    """All that `-N 20 --demo` shows until its first control is in force everywhere."""
    with screen([*DEMO, "-N", "20"]) as shown:
        shown.read_until("the same of 19 more DERs: DERControl")
        assert shown.interrupt() == 0
        return shown


def test_twenty_ders_do_not_scroll_the_dashboard_away(demo_of_20):
    last_rows = demo_of_20.plain.splitlines()[-24:]
    assert any(re.match(r"  dashboard +http://127\.0\.0\.1:\d+$", row) for row in last_rows)
    assert len(re.findall(r"^  dashboard ", demo_of_20.plain, re.MULTILINE)) == 2


def test_twenty_ders_are_told_in_colour_with_a_bar_and_no_calls(demo_of_20):
    assert "\x1b[36mEngine" in demo_of_20.text
    assert re.search(r"connecting .*\d+/20", demo_of_20.plain)
    assert re.search(r"Engine: all 20 connected after \d+\.\d s\n", demo_of_20.plain)
    assert re.search(r"CSIP DER \d+: DERControl [0-9A-F]{32} active, ", demo_of_20.plain)
    assert "GET /" not in demo_of_20.plain
    assert "PUT /" not in demo_of_20.plain


def test_stdout_has_the_ready_line_alone(demo_of_20):
    assert len(re.findall("^dersim ready ", demo_of_20.plain, re.MULTILINE)) == 1


def test_one_der_shows_its_discovery_then_the_table_then_is_quiet():
    with screen(DEMO) as shown:
        shown.read_until("Ctrl-C stops it")
        assert shown.interrupt() == 0
    before, after = shown.plain.split("Ctrl-C stops it", 1)
    assert "GET /dcap: 200 DeviceCapability" in before
    assert not re.search("(?:GET|PUT|POST) /", after)


@pytest.mark.slow
def test_every_call_is_shown_where_the_level_is_asked_for():
    with screen([*DEMO, "--log_level", "info", "-N", "2"]) as shown:
        shown.read_until("CSIP DER 2\x1b[0m: PUT /edev/")
        assert shown.interrupt() == 0


def test_an_interrupt_during_the_bar_leaves_the_terminal_clean(free_port):
    words = ["--csip_server_port", str(free_port), "--use_test_pki_certs", str(CERTS), "-N", "3"]
    with screen(["sim", *ANY_PORTS, *words]) as shown:
        shown.read_until("0/3")
        assert shown.interrupt() == 0
    assert shown.text.rindex("\x1b[?25h") > shown.text.rindex("\x1b[?25l"), "the cursor is shown again"
    assert "Traceback" not in shown.text
    end = shown.text[shown.text.rindex("0/3") :]
    assert "\x1b[2K" in end, "the line of the bar is cleared"
    assert end.endswith(("\x1b[2K", "\n"))


@pytest.fixture
def free_port():
    """A port where nothing listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_no_color_is_obeyed_and_the_table_stays():
    with screen(DEMO, NO_COLOR="1") as shown:
        shown.read_until("Ctrl-C stops it")
        assert shown.interrupt() == 0
    assert not SGR.search(shown.text)
    assert "  dashboard " in shown.text


@pytest.mark.slow
def test_a_dumb_terminal_gets_no_escape_at_all():
    with screen([*DEMO, "-N", "2"], TERM="dumb") as shown:
        shown.read_until("Ctrl-C stops it")
        assert shown.interrupt() == 0
    assert "\x1b" not in shown.text


def test_a_pipe_gets_every_line_plain_and_no_table():
    words = [sys.executable, "-m", "dersim", *DEMO, "-N", "2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "PUT /edev/2/" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    told = "".join(lines) + err
    assert process.returncode == 0
    assert re.fullmatch(r"dersim ready [^\n]*\n", out)
    assert "\x1b" not in told
    assert "  dashboard " not in told
    assert all(re.match(r"\d{4}-\d\d-\d\dT", line) for line in told.splitlines())
    assert "GET /dcap: 200" in told


def test_a_server_in_a_terminal_shows_where_it_listens():
    with screen(["server", "--port", "0", "--admin_port", "0"]) as shown:
        shown.read_until("its admin REST")
        assert shown.interrupt() == 0
    assert re.search(r"  2030\.5 server +https://127\.0\.0\.1:\d+\n", shown.plain)
