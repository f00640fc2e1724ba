"""Heads, exchanges and changes as lines of a record; runs in the writer's thread."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import OrderedDict
from collections.abc import Collection, Generator, Iterator, Mapping
from functools import lru_cache
from typing import Any

from dersim.http11 import Headers
from dersim.recorded.lines import DIGITS, Change, Exchange, Notification
from dersim.recorded.secrets import Redact, hide_paths, hide_pins, shown_headers

#: Bodies that are known to be in the file; one that was forgotten is written again.
MAX_BODIES = 4_096
#: URLs and values of headers that are remembered.
MAX_TEXTS = 4_096
#: A text with a secret in it has one of these words, in lower-case.
_SUSPECT = ("pin", "token", "bearer", "private key")
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Encoder:
    """Knows which bodies were written. pins: those of our DERs. redact: replaces secrets in a text."""

    def __init__(self, pins: Collection[int], redact: Redact) -> None:
        self._pins = pins
        self._redact = redact
        self._short = lru_cache(maxsize=MAX_TEXTS)(self._clean)
        self._written: OrderedDict[bytes, str] = OrderedDict()

    def lines(self, item: Exchange | Change | Mapping[str, Any]) -> Iterator[bytes]:
        """The lines of one item; a mapping is a line as it is."""
        if isinstance(item, Exchange):
            yield from self._exchange(item)
        elif isinstance(item, Change):
            value = item.value
            if isinstance(value, Notification):
                value = {"method": value.method, "headers": self._headers(value.headers)}
                value |= {"sent": (yield from self._body(item.value.body))} if item.value.body else {}
            yield _line({"der": item.der, "at": round(item.at_s, DIGITS), item.kind: value})
        else:
            yield _line(item)

    def _exchange(self, item: Exchange) -> Iterator[bytes]:
        line: dict[str, Any] = {
            "der": item.der,
            "at": round(item.at_s, DIGITS),
            "until": round(item.until_s, DIGITS),
            "method": item.method,
            "url": self._short(item.url),
            "headers": self._headers(item.headers),
        }
        if item.body:
            line["sent"] = yield from self._body(item.body)
        if item.failure is not None:
            message, phase, no_descriptors = item.failure
            line["failure"] = {"message": self._redact(message), "phase": phase}
            line["failure"] |= {"no_descriptors": True} if no_descriptors else {}
        elif item.status:
            line |= {"status": item.status, "answer_headers": self._headers(item.answer_headers)}
            if item.answer:
                line["answer"] = yield from self._body(item.answer)
        line |= {"connects": item.connects} if item.connects else {}
        line |= {} if item.is_open else {"closed": True}
        yield _line(line)

    def _clean(self, text: str) -> str:
        """The text without secrets; the search for them costs ten times what the first look does."""
        low = text.lower()
        return self._redact(text) if any(word in low for word in _SUSPECT) else text

    def _headers(self, headers: Headers) -> list[list[str]]:
        return [[name, self._short(value)] for name, value in shown_headers(headers)]

    def _body(self, body: bytes) -> Generator[bytes, None, str]:
        """Yields the line of a body that is new; returns its name."""
        name = self._written.get(body)
        if name is not None:
            self._written.move_to_end(body)
            return name
        hidden = hide_paths(hide_pins(body, self._pins))
        name = hashlib.blake2b(hidden, digest_size=12).hexdigest()
        self._written[body] = name
        if len(self._written) > MAX_BODIES:
            self._written.popitem(last=False)
        yield _line({"body": name, **self._content(hidden)})
        return name

    def _content(self, body: bytes) -> dict[str, str]:
        try:
            return {"text": self._clean(body.decode())}
        except UnicodeDecodeError:
            return {"base64": base64.b64encode(body).decode()}


def _line(values: Mapping[str, Any]) -> bytes:
    return _ENCODER.encode(values).encode("utf-8", "surrogatepass") + b"\n"
