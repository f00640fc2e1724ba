"""What a client sent beside what was recorded: by XML element, with the headers that matter.

A record of a run in real time is replayed in exact time. There a clock reads some milliseconds differently
and a measured value may be rounded the other way. `Allowed` says how much of that is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from dersim.http11 import Headers
from dersim.numeric import shown

#: Headers of a request that are compared: the others tell who sent it.
HEADERS = ("accept", "content-type")
#: Elements whose value is an instant, UTC seconds.
TIMES = frozenset({
    "changedTime", "createdDateTime", "creationTime", "dateTime", "lastUpdateTime", "readingTime", "start",
    "updatedTime",
})  # fmt: skip
#: Elements that hold a measured value, as a child named value or themselves.
MEASURED = frozenset({
    "MirrorReading", "Reading", "availabilityDuration", "estimatedVarAvail", "estimatedWAvail",
    "maxChargeDuration", "reservePercent", "stateOfChargeStatus", "statVarAvail", "statWAvail",
})  # fmt: skip
#: Elements with a part that is drawn for each run: the path in a notificationURI is a secret.
DRAWN = frozenset({"notificationURI"})
#: The most lines about one body, and the longest value that is shown without quotes.
MAX_LINES = 8
MAX_PLAIN_CHARS = 40

_PARSER = etree.XMLParser(
    resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
)


@dataclass(frozen=True)
class Allowed:
    """What is no difference. within_s: of the times of requests and of instants in bodies.

    percent: of a measured value; one unit is always allowed where it is above 0. exact: bytes are compared
    too. ignore: names of elements and headers (lower-case too) that are not compared.
    """

    within_s: float = 2.0
    percent: float = 1.0
    exact: bool = False
    ignore: frozenset[str] = field(default_factory=frozenset)


def headers(recorded: Headers, sent: Headers, allowed: Allowed) -> Iterator[str]:
    """The headers that differ, a line each."""
    before, now = _by_name(recorded), _by_name(sent)
    for name in HEADERS:
        if name not in allowed.ignore and before.get(name) != now.get(name):
            yield f"header {name}: recorded {_word(before.get(name))}, sent {_word(now.get(name))}"


def _by_name(pairs: Headers) -> Mapping[str, str]:
    return {name.lower(): value for name, value in pairs}


def bodies(recorded: bytes, sent: bytes, allowed: Allowed) -> list[str]:
    """What differs, a line each; empty if it is the same."""
    if recorded == sent:
        return []
    before, now = _elements(recorded), _elements(sent)
    if before is None or now is None:
        return [f"body: recorded {_bytes(recorded)}, sent {_bytes(sent)}"]
    found = list(_different(before, now, allowed))
    if not found and allowed.exact and not any(name.encode() in recorded for name in DRAWN):
        at = next((i for i, (a, b) in enumerate(zip(recorded, sent, strict=False)) if a != b), None)
        at = min(len(recorded), len(sent)) if at is None else at
        was, is_now = recorded[max(at - 20, 0) : at + 20], sent[max(at - 20, 0) : at + 20]
        return [f"the same elements in other bytes, from byte {at}: recorded {was!r}, sent {is_now!r}"]
    more = len(found) - MAX_LINES
    return [*found[:MAX_LINES], f"and {more} more"] if more > 0 else found


def _elements(body: bytes) -> dict[str, str] | None:
    """The text of each leaf and the value of each attribute, by path; None for what is no XML."""
    try:
        root = etree.fromstring(body, _PARSER)
    except etree.XMLSyntaxError:
        return None
    found: dict[str, str] = {}
    namespace = etree.QName(root).namespace or ""
    if namespace:
        found["xmlns"] = namespace
    todo: list[tuple[Any, str]] = [(root, etree.QName(root).localname)]
    while todo:
        node, path = todo.pop()
        found.update({f"{path}/@{etree.QName(name).localname}": value for name, value in node.attrib.items()})
        children = [child for child in node if isinstance(child.tag, str)]
        if not children:
            found[path] = (node.text or "").strip()
            continue
        names = [etree.QName(child).localname for child in children]
        counts, seen = Counter(names), Counter[str]()
        below = []
        for child, name in zip(children, names, strict=True):
            seen[name] += 1
            place = f"{name}[{seen[name]}]" if counts[name] > 1 else name
            below.append((child, f"{path}/{place}"))
        todo += reversed(below)
    return found


def _different(before: Mapping[str, str], now: Mapping[str, str], allowed: Allowed) -> Iterator[str]:
    for path in dict.fromkeys((*before, *now)):
        names = [part.partition("[")[0].lstrip("@") for part in path.split("/")]
        if allowed.ignore.intersection(names) or DRAWN.intersection(names):
            continue
        was, is_now = before.get(path), now.get(path)
        if was != is_now and not _is_allowed(names, was, is_now, allowed):
            yield f"{path}: recorded {_word(was)}, sent {_word(is_now)}"


def _is_allowed(names: list[str], was: str | None, is_now: str | None, allowed: Allowed) -> bool:
    if was is None or is_now is None:
        return False
    try:
        first, second = int(was), int(is_now)
    except ValueError:
        return False
    if TIMES.intersection(names[-2:]):
        return abs(first - second) <= allowed.within_s
    if MEASURED.intersection(names[-2:]):
        return abs(first - second) <= (max(1.0, abs(first) * allowed.percent / 100) if allowed.percent else 0)
    return False


def _word(text: str | None) -> str:
    if text is None:
        return "none"
    return text if text.isalnum() and len(text) <= MAX_PLAIN_CHARS else shown(text)


def _bytes(body: bytes) -> str:
    return f"{len(body)} bytes {body[:60]!r}" if body else "no body"
