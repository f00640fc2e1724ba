"""How stderr is written: colours by the environment's conventions, the table of addresses."""

import contextlib
import io

import pytest

from dersim.cli.terminal import Look, Terminal, look_of, rows_of
from dersim.logbuffer import LogBuffer

COLOURED = Look(interactive=True, colour=True, moves=True)


class Tty(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "look"),
    [
        (Tty(), {"TERM": "xterm"}, (True, True, True)),
        (Tty(), {}, (True, True, True)),
        (Tty(), {"NO_COLOR": "1"}, (True, False, True)),
        (Tty(), {"NO_COLOR": ""}, (True, True, True)),
        (Tty(), {"TERM": "dumb"}, (True, False, False)),
        (Tty(), {"TERM": "dumb", "FORCE_COLOR": "1"}, (True, True, False)),
        (Tty(), {"FORCE_COLOR": "0"}, (True, False, True)),
        (io.StringIO(), {"TERM": "xterm"}, (False, False, False)),
        (io.StringIO(), {"FORCE_COLOR": "1"}, (False, True, False)),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, (False, False, False)),
    ],
)
def test_the_look_follows_the_stream_and_the_environment(stream, environ, look):
    assert look_of(stream, environ) == look


def test_a_closed_stream_is_not_a_terminal():
    stream = io.StringIO()
    stream.close()
    assert look_of(stream, {}) == Look(interactive=False, colour=False, moves=False)


def written(look, *entries):
    stream = Tty()
    log = LogBuffer(writer=Terminal(stream, look).writer, stream=stream, now_s=lambda: 1_700_000_000.0)
    for entry in entries:
        log.log(*entry)
    return stream.getvalue()


def test_without_colour_a_line_in_a_terminal_is_that_of_a_pipe():
    entry = ("Warning", "CSIP", "GET /dcap: 503 [b]not markup[/b] :smile: " + "x" * 300, 2)
    plain = written(Look(interactive=False, colour=False, moves=False), entry)
    assert "\x1b" not in plain
    assert written(Look(interactive=True, colour=False, moves=True), entry) == plain


@pytest.mark.parametrize(("level", "code"), [("Warning", "33"), ("Error", "1;31"), ("Info", "36")])
def test_colour_tells_the_level(level, code):
    assert f"\x1b[{code}m" in written(COLOURED, (level, "AC", "text"))


def test_what_a_peer_wrote_brings_no_colour_of_its_own():
    assert "\x1b[31mboom" not in written(COLOURED, ("Info", "CSIP", "\x1b[31mboom"))


def test_the_addresses_of_many_ders_take_one_row_and_the_dashboard_is_first():
    addresses = {
        "utility": "https://u",
        "modbus": "h:1",
        "modbus_2": "h:2",
        "modbus_3": "h:3",
        "other": "x",
    }
    assert rows_of(addresses | {"dashboard": "http://d"}) == [
        ("dashboard", "http://d"),
        ("Modbus", "h:1 ... h:3 (3 DERs)"),
        ("2030.5 server", "https://u"),
        ("other", "x"),
    ]


def test_the_table_is_for_people_only():
    for look, shown in ((COLOURED, True), (Look(interactive=False, colour=True, moves=False), False)):
        stream = Tty()
        Terminal(stream, look).table({"dashboard": "http://d"})
        assert ("http://d" in stream.getvalue()) is shown


def test_a_bar_leaves_nothing_behind_and_the_cursor_shown():
    stream = Tty()
    with contextlib.suppress(KeyboardInterrupt), Terminal(stream, COLOURED).bar("connecting", 20) as show:
        show(7)
        assert "7/20" in stream.getvalue()
        raise KeyboardInterrupt
    told = stream.getvalue()
    assert told.rindex("\x1b[?25h") > told.rindex("\x1b[?25l")
    assert told.endswith("\x1b[2K")
