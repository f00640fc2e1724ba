import io

import pytest

from dersim.logbuffer import LogBuffer


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def log(stream):
    return LogBuffer(5, stream=stream, now_s=lambda: 1_700_000_000.0625)


def test_an_entry_has_the_form_of_the_contract(log):
    log.log("Warning", "CSIP", "PUT /der/1/ders 503", device=2)
    assert [entry.to_json() for entry in log.entries()] == [
        {
            "id": 1,
            "timestamp": "2023-11-14T22:13:20.062Z",
            "level": "Warning",
            "module": "CSIP",
            "device": 2,
            "message": "PUT /der/1/ders 503",
        }
    ]


def test_the_buffer_is_bounded_and_ids_go_on(log):
    for number in range(8):
        log.log("Info", "AC", f"message {number}")
    assert [entry.id for entry in log.entries()] == [4, 5, 6, 7, 8]
    assert log.last_id == 8


def test_level_keeps_the_level_and_all_above(log):
    for level in ("Debug", "Info", "Warning", "Error"):
        log.log(level, "CSIP", level)
    assert [entry.message for entry in log.entries(level="Warning")] == ["Warning", "Error"]


def test_modules_and_device_filter(log):
    log.log("Info", "CSIP", "a", device=1)
    log.log("Info", "AC", "b", device=1)
    log.log("Info", "CSIP", "c", device=2)
    assert [entry.message for entry in log.entries(["CSIP", "DC"])] == ["a", "c"]
    assert [entry.message for entry in log.entries(["CSIP"], device=2)] == ["c"]
    assert log.modules() == ["AC", "CSIP"]


@pytest.mark.parametrize(
    ("after", "limit", "expected"),
    [
        (None, 2, [7, 8]),  # the newest, as a tail
        (5, 2, [6, 7]),  # the oldest after the id, so that a poller loses none
        (8, 2, []),
        (1, None, [4, 5, 6, 7, 8]),  # what fell out is gone, the rest comes
        (0, None, [4, 5, 6, 7, 8]),
        (99, None, []),
        (None, 0, []),
    ],
)
def test_after_and_limit(log, after, limit, expected):
    for number in range(8):
        log.log("Info", "AC", f"message {number}")
    assert [entry.id for entry in log.entries(after=after, limit=limit)] == expected


def test_stderr_gets_one_line_per_entry_whatever_a_peer_wrote(log, stream):
    log.log("Error", "CSIP", "HTTP 500: <html>\r\n\x1b[31mboom\x9b2J")
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue() == (
        "2023-11-14T22:13:20.062Z Error   CSIP: HTTP 500: <html> | \\x1b[31mboom\\x9b2J\n"
    )


def test_debug_stays_out_of_the_stream_but_in_the_buffer(log, stream):
    log.log("Debug", "Engine", "a traceback")
    assert stream.getvalue() == ""
    assert log.entries()[0].message == "a traceback"


def test_a_long_message_is_cut(log):
    log.log("Info", "CSIP", "x" * 20_000)
    assert len(log.entries()[0].message) < 8_100
    assert log.entries()[0].message.endswith("(12000 more characters)")


def test_a_closed_stderr_does_not_stop_the_simulation():
    stream = io.StringIO()
    log = LogBuffer(stream=stream)
    stream.close()
    log.log("Info", "AC", "one")
    log.log("Info", "AC", "two")
    assert [entry.message for entry in log.entries()] == ["one", "two"]


def test_the_stream_gets_its_own_level_and_all_above(stream, log):
    for level in ("Debug", "Info", "Warning"):
        log.log(level, "AC", f"at {level}")
    assert [line.rsplit(" at ")[-1] for line in stream.getvalue().splitlines()] == ["Info", "Warning"]
