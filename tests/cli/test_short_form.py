"""Which lines the terminal shows once connected, and what it makes of the same line of many DERs."""

import pytest

from dersim.cli.short_form import ShortForm
from dersim.logbuffer import LogBuffer


class Shown:
    """A log whose short form goes into `lines`, on a clock that a test moves."""

    def __init__(self, **arguments):
        self.lines, self.now_s = [], 0.0
        self.short = ShortForm(
            lambda entry: self.lines.append((entry.device, entry.message)), lambda: self.now_s, **arguments
        )
        self.short.joining = False
        self.log = LogBuffer(writer=self.short.write)


@pytest.mark.parametrize(
    ("level", "module", "message", "shown"),
    [
        ("Info", "CSIP", "GET /dcap: 200 DeviceCapability", False),
        ("Info", "CSIP", "PUT /edev/1/der/1/ders: 204 DERStatus", False),
        ("Info", "CSIP", "POST /mup/1: 204 MirrorMeterReadingList of 24", False),
        ("Info", "CSIP", "Response 2 for C5 to /rsps/1/rsp delivered (201)", False),
        ("Info", "CSIP", "DERControl C5 scheduled, {}: waits for its start", False),
        ("Info", "CSIP", "DERControl C5 active, {}: in force for opModMaxLimW", True),
        ("Info", "CSIP", "DERControl C5 completed, {}: ran to its end", True),
        ("Info", "CSIP", "DERControl C5 cancelled, {}: by the server", True),
        ("Info", "CSIP", "discovery of https://h/dcap is complete: EndDevice /edev/1", True),
        ("Info", "Utility", "LFDI answered C5: 2 (event started)", False),
        ("Info", "WS", "a listener went, 0 left", False),
        ("Info", "AC", "entering service (was tripped): no alarm", True),
        ("Info", "AC", "set over REST: opModMaxLimW", True),
        ("Info", "Engine", "20 DER(s); --seed 5 repeats this run", True),
        ("Info", "MyPlugin", "hello", True),
        ("Warning", "CSIP", "GET /dcap: 503", True),
        ("Warning", "AC", "tripped: OVER_VOLTAGE", True),
        ("Error", "WS", "internal error", True),
    ],
)
def test_what_is_shown_at_once(level, module, message, shown):
    screen = Shown()
    screen.log.log(level, module, message, 1)
    assert bool(screen.lines) is shown
    assert [entry.message for entry in screen.log.entries()] == [message], (
        "the log keeps it whatever is shown"
    )


def test_while_one_der_connects_everything_is_shown():
    screen = Shown(everything=True)
    screen.log.log("Info", "CSIP", "GET /dcap: 200 DeviceCapability", 1)
    screen.log.log("Debug", "CSIP", "a detail", 1)
    screen.short.everything = False
    screen.log.log("Info", "CSIP", "GET /tm: 200 Time", 1)
    assert screen.lines == [(1, "GET /dcap: 200 DeviceCapability")]


def test_while_many_join_the_end_of_each_discovery_is_left_to_the_bar():
    screen = Shown()
    screen.short.joining = True
    screen.log.log("Info", "CSIP", "discovery of https://h/dcap is complete: EndDevice /edev/1", 1)
    assert screen.lines == []


def test_the_same_of_many_ders_is_shown_once_at_once_and_then_how_many_more():
    screen = Shown()
    for device in range(1, 21):
        screen.log.log("Info", "CSIP", "DERControl C5 active, {}: in force", device)
    assert screen.lines == [(1, "DERControl C5 active, {}: in force")]
    screen.short.flush()
    assert len(screen.lines) == 1, "others may follow within the second"
    screen.now_s = 1.0
    screen.short.flush()
    assert screen.lines[1:] == [(0, "the same of 19 more DERs: DERControl C5 active, {}: in force")]
    screen.log.log("Info", "CSIP", "DERControl C5 active, {}: in force", 21)
    assert screen.lines[2:] == [(21, "DERControl C5 active, {}: in force")]


def test_two_lines_of_the_same_der_are_both_shown():
    screen = Shown()
    for _ in range(2):
        screen.log.log("Warning", "CSIP", "GET /dcap: 503, trying again in 10 s", 1)
    screen.now_s = 1.0
    screen.short.flush()
    assert [device for device, _ in screen.lines] == [1, 1]


def test_what_a_modbus_client_writes_again_and_again_is_shown_once_a_minute():
    screen = Shown()
    for second in range(61):
        screen.now_s = float(second)
        screen.log.log("Info", "Modbus", "written: 704.WMaxLimPct = 60", 1)
        screen.short.flush()
    assert screen.lines == [(1, "written: 704.WMaxLimPct = 60")] * 2
    screen.log.log("Info", "Modbus", "written: 704.WMaxLimPct = 50", 1)
    assert screen.lines[2:] == [(1, "written: 704.WMaxLimPct = 50")]
