"""What the clients of one run share of documents: those they read, and the constant part of those they PUT.

A fleet reads the same programs and controls, and alike DERs PUT alike bodies. So documents that were read are
kept once for equal bodies, as long as some client remembers them. Nobody changes a document that was read;
where that is needed, a copy is changed.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterator
from typing import Any

from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.codec_read import LeftOut

#: Documents that several DERs may read; in others are hrefs of one DER.
_SHARED = (
    r.DeviceCapability,
    r.FunctionSetAssignmentsList,
    r.FunctionSetAssignments,
    r.DERProgramList,
    r.DERProgram,
    r.DefaultDERControl,
    r.DERControlList,
    r.DERControl,
    r.DERCurveList,
    r.DERCurve,
)
#: Violations of one document that are logged, beside what was left out.
MAX_VIOLATIONS_LOGGED = 3
MAX_LEFT_OUT_LOGGED = 20
#: Documents that are remembered of one DER: those that it polls, and the newest of those that come and go: it
#: reads a control or a curve by its own href a few times, and never again.
MAX_REMEMBERED, MAX_PASSING = 4_096, 32
_PASSING = (r.DERControl, r.DERCurve)
#: Different bodies, without their times, that are kept to be shared; then all are forgotten.
_MOST_SHAPES = 1_000


class Document:
    """A document that was read: the hash of its body, and what is in it.

    left_out: how many of its items could not be read. violations: as of `ieee2030_5.Decoded`.
    """

    __slots__ = ("__weakref__", "digest", "left_out", "resource", "violations")

    def __init__(self, body: bytes, resource: Any, violations: tuple[str, ...]) -> None:
        self.digest = hash(body)
        self.resource = resource
        self.left_out = sum(each.is_item for each in violations if isinstance(each, LeftOut))
        self.violations = violations

    def warnings(self) -> Iterator[str]:
        """What the log tells of the violations."""
        left_out = [each for each in self.violations if isinstance(each, LeftOut)]
        others = [each for each in self.violations if not isinstance(each, LeftOut)]
        for violation in (*left_out[:MAX_LEFT_OUT_LOGGED], *others[:MAX_VIOLATIONS_LOGGED]):
            yield f"not valid: {violation}"
        if len(left_out) > MAX_LEFT_OUT_LOGGED:
            yield f"{len(left_out) - MAX_LEFT_OUT_LOGGED} more are left out"


class Remembered:
    """The documents that one DER has read last, by href; the one that has changed longest ago goes first."""

    __slots__ = ("_passing", "_polled")

    def __init__(self) -> None:
        self._polled: dict[str, Document] = {}
        self._passing: dict[str, Document] = {}

    def __len__(self) -> int:
        return len(self._polled) + len(self._passing)

    def documents(self) -> Iterator[Document]:
        """All of them."""
        yield from self._polled.values()
        yield from self._passing.values()

    def find(self, href: str, kind: type) -> Document | None:
        """What was read last from an href as a `kind`."""
        return self._of(kind).get(href)

    def keep(self, href: str, kind: type, document: Document) -> None:
        """Remember what was read."""
        held = self._of(kind)
        most = MAX_PASSING if held is self._passing else MAX_REMEMBERED
        held.pop(href, None)
        held[href] = document
        if len(held) > most:
            del held[next(iter(held))]

    def drop(self, href: str, kind: type) -> bool:
        """Forget one; whether it was remembered."""
        return self._of(kind).pop(href, None) is not None

    def clear(self) -> None:
        """Forget all."""
        self._polled.clear()
        self._passing.clear()

    def _of(self, kind: type) -> dict[str, Document]:
        return self._passing if kind in _PASSING else self._polled


class Documents:
    """The documents of all clients of one run."""

    def __init__(self) -> None:
        self._read: weakref.WeakValueDictionary[tuple[bytes, type, object], Document] = (
            weakref.WeakValueDictionary()
        )
        self._shapes: dict[bytes, bytes] = {}

    def find(self, body: bytes, kind: type, rules: object) -> Document | None:
        """The document of an equal body that was read as a `kind` by the same rules, while it is in use."""
        return self._read.get(_key(body, kind, rules)) if kind in _SHARED else None

    def keep(self, body: bytes, kind: type, rules: object, document: Document) -> None:
        """Have `find` find this document, if it is of a kind that several DERs read."""
        if kind in _SHARED:
            self._read[_key(body, kind, rules)] = document

    def shape(self, shape: bytes) -> bytes:
        """The constant part of a body; equal ones are one object."""
        if len(self._shapes) >= _MOST_SHAPES:
            self._shapes.clear()
        return self._shapes.setdefault(shape, shape)


def _key(body: bytes, kind: type, rules: object) -> tuple[bytes, type, object]:
    return hashlib.blake2b(body, digest_size=16).digest(), kind, rules
