"""The writer of a record: in a thread, bounded, and without harm to the simulation where it fails."""

import io
import json
import threading
from pathlib import Path

import pytest

from dersim.errors import ConfigError
from dersim.logbuffer import LogBuffer
from dersim.recorded.encoding import Encoder
from dersim.recorded.lines import Exchange
from dersim.recorded.recorder import Recorder
from dersim.recorded.writer import LIMIT_BYTES, RecordWriter


def exchange(answer=b"<a/>", **values):
    return Exchange(1, 0.0, 0.1, "GET", "http://h/dcap", (), b"", 200, (), answer)._replace(**values)


def lines_of(*items, pins=(), redact=str):
    encoder = Encoder(pins, redact)
    return [json.loads(line) for item in items for line in encoder.lines(item)]


def test_a_body_is_written_once():
    body, first, second = lines_of(exchange(), exchange())
    assert body["text"] == "<a/>"
    assert first["answer"] == second["answer"] == body["body"]


def test_a_body_that_is_no_text_is_kept_in_base64():
    assert lines_of(exchange(b"\xff\xfe\x00"))[0]["base64"] == "//4A"


class Clock:
    start_s = 100.0

    def now_s(self):
        return 101.5


def recorder(path):
    log = LogBuffer(stream=io.StringIO())
    writer = RecordWriter(path, Encoder((), str).lines)
    made = Recorder(writer, Clock(), log, lambda lfdis: {"conversation": 1, "lfdis": dict(lfdis)})
    return made, writer, log


def warnings(log):
    return [each.message for each in log.entries() if each.level == "Warning"]


def test_what_waits_is_written_at_the_end(tmp_path):
    made, _, log = recorder(tmp_path / "run.jsonl")
    made.identified(1, "AB")
    made.begin([])
    for _ in range(500):
        made.put(exchange())
    made.end()
    made.close()
    lines = (tmp_path / "run.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 1 + 500 + 1
    assert json.loads(lines[0])["lfdis"] == {"1": "AB"}
    assert json.loads(lines[-1]) == {"end": 1.5}
    assert not warnings(log)


def wait_until(happened):
    done = threading.Event()
    for _ in range(1000):
        if happened():
            return
        done.wait(0.005)
    raise AssertionError("it did not happen")


def test_a_full_disk_stops_the_record_with_one_warning():
    made, writer, log = recorder(Path("/dev/full"))
    made.begin([])
    wait_until(lambda: writer.problem)
    for _ in range(3):
        made.put(exchange())
    made.close()
    [told] = warnings(log)
    assert told.startswith("--record /dev/full: No space left on device: recording has stopped")


def test_a_file_that_is_removed_stops_the_record_with_one_warning(tmp_path, monkeypatch):
    monkeypatch.setattr("dersim.recorded.writer._LOOK_S", 0.0)
    made, writer, log = recorder(tmp_path / "run.jsonl")
    made.begin([])
    (tmp_path / "run.jsonl").unlink()
    made.put(exchange())
    wait_until(lambda: writer.problem)
    made.put(exchange())
    made.close()
    [told] = warnings(log)
    assert "the file was removed" in told


def test_a_disk_that_is_too_slow_stops_the_record(tmp_path):
    goes_on = threading.Event()

    def encode(_item):
        goes_on.wait(10)
        return [b"x\n"]

    writer = RecordWriter(tmp_path / "run.jsonl", encode)
    for _ in range(2):
        writer.put("item", LIMIT_BYTES // 2)
    assert not writer.problem
    writer.put("item")
    assert writer.problem.endswith("the disk is too slow")
    held = writer.size().held_bytes
    writer.put("item", 1)
    assert writer.size().held_bytes == held
    goes_on.set()
    writer.close()


def test_a_file_that_cannot_be_written_is_told_at_the_start(tmp_path):
    with pytest.raises(ConfigError, match="Is a directory; give a file that can be written"):
        RecordWriter(tmp_path, Encoder((), str).lines)
