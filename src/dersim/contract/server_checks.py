"""What a plug-in adds to the companion server: documents are written and read, checks answer in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from dersim.contract.subject import Check, Subject
from dersim.ieee2030_5 import Edition, decode, encode, extensions
from dersim.ieee2030_5.declare import Extra, Simple
from dersim.outcomes import Failed
from dersim.plugin.server_parts import DeviceResource, ServerDocument

_VALUES = 20
_MOST = 1 << 16


def checks(subject: Subject) -> Iterator[Check]:
    """Two checks of each document of an EndDevice, one of each of the server."""
    for item in subject.registry.server.resources:
        name = f"device resource {item.name}"
        yield Check(f"{name}: check", lambda item=item: _answers(subject, item))  # type: ignore[misc]  # a bound default
        yield Check(f"{name}: wire", lambda item=item: _wire(subject, item))  # type: ignore[misc]  # a bound default
    for each in subject.registry.server.documents:
        yield Check(f"server document {each.path}", lambda each=each: _made(each))  # type: ignore[misc]  # a bound default


def _drawn(subject: Subject, item: DeviceResource) -> Iterator[dict[str, Any]]:
    """Members of the right types."""
    rng = Random(f"{subject.seed} {item.name}")  # noqa: S311 - not for secrets
    extension = extensions.find(item.namespace, item.element)
    members = () if extension is None else extension.members
    for _ in range(_VALUES):
        yield {name: _value(simple, rng) for name, simple in members}


def _value(simple: Simple, rng: Random) -> Any:
    if simple.kind == "int":
        return rng.randint(max(simple.low, -_MOST), min(simple.high, _MOST))
    if simple.kind == "hex_int":
        return rng.randrange(256 ** min(simple.octets, 2))
    if simple.kind == "bool":
        return rng.random() < 0.5
    longest = min(simple.length or 20, 20)
    digits = "0123456789ABCDEF" if simple.kind == "hex_text" else "0123456789ABCXYZ abcxyz-/"
    count = rng.randint(0, simple.octets) * 2 if simple.kind == "hex_text" else rng.randint(0, longest)
    return "".join(rng.choices(digits, k=count))


def _answers(subject: Subject, item: DeviceResource) -> str:
    """Whatever a client sends, the check says in words what is wrong, or nothing."""
    taken = 0
    for members in _drawn(subject, item):
        reason: object = item.check(members)
        if not isinstance(reason, str):
            raise Failed(f"check({members}) returned {reason!r}; return a reason in words, or an empty text")
        taken += not reason
    return f"{taken} of {_VALUES} are taken"


def _wire(subject: Subject, item: DeviceResource) -> str:
    """A client reads what was kept, and what `empty` says."""
    empty = () if item.empty is None else (item.empty,)
    for members in (*_drawn(subject, item), *empty):
        for edition in Edition:
            _there_and_back(item, members, edition)
    return f"{_VALUES + len(empty)} documents there and back"


def _there_and_back(item: DeviceResource, members: Mapping[str, Any], edition: Edition) -> None:
    sent = Extra(item.namespace, item.element, dict(members))
    body = encode(sent, edition)
    read = decode(body, Extra, strict=True, edition=edition).resource
    if read != sent:
        raise Failed(f"{body.decode()} is read as {read.value}")


def _made(item: ServerDocument) -> str:
    body: object = item.make()
    if not isinstance(body, bytes):
        raise Failed(f"make() returned {body!r}; return bytes")
    return f"{len(body)} bytes of {item.content_type}"
