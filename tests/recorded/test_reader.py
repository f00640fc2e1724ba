"""What is read of a record that is torn, old or none."""

import json

import pytest

from dersim.errors import ConfigError
from dersim.recorded.reader import read_record

HEAD = {
    "conversation": 1, "dersim": "1.0", "clock": "real", "start": "2026-01-01T00:00:00.000Z", "start_s": 1.0,
    "seed": 1, "edition": "2023", "flags": [], "files": {}, "port": 8443, "pin_checked": False,
    "ders": [{"number": 1, "lfdi": "AB"}],
}  # fmt: skip
BODY = {"body": "b1", "text": "<a/>"}
GET = {
    "der": 1, "at": 1.0, "until": 1.5, "method": "GET", "url": "http://h/a", "headers": [], "status": 200,
    "answer_headers": [["a", "b"]], "answer": "b1",
}  # fmt: skip
END = {"end": 9.0}


def written(tmp_path, *lines, tail=""):
    path = tmp_path / "run.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines) + tail)
    return path


def refused(path):
    with pytest.raises(ConfigError) as found:
        read_record(path)
    assert "\n" not in str(found.value)
    return str(found.value).removeprefix(f"{path}")


def test_a_whole_record_is_read(tmp_path):
    record = read_record(written(tmp_path, HEAD, BODY, GET, {"der": 1, "at": 2.0, "command": "stop"}, END))
    assert not record.notices
    assert record.end_s == 9.0
    assert record.exchanges[1][0].answer == b"<a/>"
    assert record.changes[0].kind == "command"


def test_exchanges_are_in_the_order_in_which_they_were_sent(tmp_path):
    record = read_record(written(tmp_path, HEAD, BODY, {**GET, "at": 1.2}, {**GET, "at": 1.1}, END))
    assert [each.at_s for each in record.exchanges[1]] == [1.1, 1.2]


def test_a_torn_last_line_is_left_out_with_a_notice(tmp_path):
    record = read_record(written(tmp_path, HEAD, BODY, GET, tail='{"der":1,"at":3.'))
    assert record.notices == [
        "line 4 is torn and is left out",
        "it has no end: the run was killed, or could not write on",
    ]
    assert record.end_s == 1.5


def test_another_format_is_refused_in_one_line(tmp_path):
    why = refused(written(tmp_path, {**HEAD, "conversation": 2, "dersim": "9.9"}))
    assert why.startswith(" line 1: format 2, written by dersim 9.9; dersim ")
    assert why.endswith("reads format 1: replay it with dersim 9.9")


@pytest.mark.parametrize(
    ("lines", "why"),
    [
        ([], ": it is empty; give a file of dersim sim --record"),
        ([{"log": {}}], " line 1: this is no recorded conversation; give a file of dersim sim --record"),
        ([HEAD, GET], " line 2: /answer: no line before it has the body b1"),
        ([HEAD, {"x": 1}], " line 2: no kind of line that is known here"),
        ([HEAD, [1]], " line 2: no kind of line that is known here"),
        ([HEAD, {"der": 1, "at": 1.0}], " line 2: a change has one member besides der and at"),
        ([HEAD, {"body": "b", "base64": "%"}], " line 2: /base64: not base64"),
        ([HEAD, {**GET, "at": "now"}], " line 2: /at: 'now' is not a number"),
    ],
)
def test_what_is_no_record_is_told_with_its_place(tmp_path, lines, why):
    assert refused(written(tmp_path, *lines)) == why


def test_a_file_that_is_not_there_is_told(tmp_path):
    assert refused(tmp_path / "none.jsonl").startswith(": No such file or directory; give a file")
