"""Reads a record: ConfigError with file and line for what is none, a notice for a torn last line."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dersim import __version__, json_text
from dersim.errors import ConfigError
from dersim.json_schema import require
from dersim.json_text import BodyError
from dersim.recorded.lines import FORMAT, MARKS, Change, Exchange, Failure, Notification, line_schema
from dersim.recorded.secrets import stand_in

#: The longest line, bytes: a head with the states of thousands of DERs.
MAX_LINE_BYTES = 128 << 20


@dataclass
class Record:
    """A record. head: as in the file. exchanges: by DER, in the order in which they were sent.

    end_s: since the start. notices: what is odd about the file, a line each.
    """

    path: Path
    head: dict[str, Any]
    exchanges: dict[int, list[Exchange]] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)
    end_s: float = 0.0
    notices: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many exchanges there are."""
        return sum(map(len, self.exchanges.values()))


def read_record(path: Path) -> Record:
    """The record in a file."""
    try:
        with path.open("rb") as file:
            return _Reader(path).read(file)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a file of dersim sim --record") from None


class _Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._schema = line_schema()
        self._bodies: dict[str, bytes] = {}
        self._number = 0
        self._record: Record | None = None
        self._ended = False

    def read(self, file: Any) -> Record:
        torn = False
        while text := file.readline(MAX_LINE_BYTES + 1):
            self._number += 1
            if len(text) > MAX_LINE_BYTES:
                raise self._error(f"a line of more than {MAX_LINE_BYTES >> 20} MiB")
            if torn := not text.endswith(b"\n"):
                break
            if text.strip():
                self._take(text)
        record = self._record
        if record is None:
            raise ConfigError(f"{self._path}: it is empty; give a file of dersim sim --record")
        if torn:
            record.notices.append(f"line {self._number} is torn and is left out")
        self._finish(record)
        return record

    def _take(self, text: bytes) -> None:
        try:
            line = json_text.parse(text, "the line")
            if self._record is None:
                self._begin(line if isinstance(line, dict) else {})
            else:
                self._follow(self._record, line)
        except BodyError as error:
            raise self._error(error.placed) from None

    def _follow(self, record: Record, line: Any) -> None:
        kind = next((mark for mark in MARKS if mark in line), "") if isinstance(line, dict) else ""
        if kind in ("", "conversation"):
            raise BodyError("no kind of line that is known here")
        require({"$ref": f"#/$defs/{MARKS[kind].__name__}"}, self._schema["$defs"], line)
        if kind == "body":
            self._body(line)
        elif kind == "method":
            self._exchange(record, line)
        elif kind == "der":
            self._change(record, line)
        else:
            record.end_s, self._ended = line["end"], True

    def _error(self, why: str) -> ConfigError:
        return ConfigError(f"{self._path} line {self._number}: {why}")

    def _begin(self, line: dict[str, Any]) -> None:
        number = line.get("conversation")
        if number is None:
            raise BodyError("this is no recorded conversation; give a file of dersim sim --record")
        if number != FORMAT:
            by = f"dersim {line.get('dersim', '?')}"
            ours = f"dersim {__version__} reads format {FORMAT}"
            raise BodyError(f"format {number}, written by {by}; {ours}: replay it with {by}")
        require({"$ref": "#/$defs/HeadLine"}, self._schema["$defs"], line)
        self._record = Record(self._path, line)

    def _body(self, line: dict[str, Any]) -> None:
        try:
            content = base64.b64decode(line["base64"], validate=True) if "base64" in line else None
        except binascii.Error:
            raise BodyError("not base64", "/base64") from None
        self._bodies[line["body"]] = stand_in(line.get("text", "").encode() if content is None else content)

    def _exchange(self, record: Record, line: dict[str, Any]) -> None:
        failure = line.get("failure")
        exchange = Exchange(
            line["der"],
            line["at"],
            line["until"],
            line["method"],
            line["url"],
            _headers(line["headers"]),
            self._named(line, "sent"),
            line.get("status", 0),
            _headers(line.get("answer_headers", ())),
            self._named(line, "answer"),
            None if failure is None else Failure(**failure),
            line.get("connects", 0),
            not line.get("closed", False),
        )
        record.exchanges.setdefault(exchange.der, []).append(exchange)
        record.end_s = max(record.end_s, exchange.until_s)

    def _named(self, line: dict[str, Any], member: str) -> bytes:
        name = line.get(member, "")
        if name and name not in self._bodies:
            raise BodyError(f"no line before it has the body {name}", f"/{member}")
        return self._bodies.get(name, b"")

    def _change(self, record: Record, line: dict[str, Any]) -> None:
        kinds = line.keys() - {"der", "at"}
        if len(kinds) != 1:
            raise BodyError("a change has one member besides der and at")
        kind = kinds.pop()
        value = line[kind]
        if kind == "notification":
            value = Notification(value["method"], _headers(value["headers"]), self._named(value, "sent"))
        record.changes.append(Change(line["der"], line["at"], kind, value))
        record.end_s = max(record.end_s, line["at"])

    def _finish(self, record: Record) -> None:
        if not self._ended:
            record.notices.append("it has no end: the run was killed, or could not write on")
        for exchanges in record.exchanges.values():
            exchanges.sort(key=lambda each: each.at_s)  # they were written when they were complete
        record.changes.sort(key=lambda each: each.at_s)


def _headers(pairs: Any) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in pairs)
