"""What of the states of DERs is not in the file yet.

A checkpoint of a DER (`engine.checkpoints`) is written in parts: the DER, each front-end, and each of a
front-end's `rows` by itself. So a DER with a thousand events that are over costs no more than one with none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from dersim.kept import ROWS

#: JSON in the least space.
encoded = json.JSONEncoder(separators=(",", ":")).encode

#: A front-end of a DER: its number as text, its name.
Owner = tuple[str, str]
#: What a front-end has of rows: by the name of the part and the key of the row.
Rows = dict[tuple[str, str], Any]


class Changes(NamedTuple):
    """ders: by number; frontends: by owner; rows: by owner and row; all as JSON. gone: rows to be deleted.

    anew: DERs of which nothing in the file is known: what it has of their front-ends is deleted first.
    hashes, held: what is known of the file once this is written.
    """

    ders: dict[str, str]
    frontends: dict[Owner, str]
    rows: list[tuple[str, str, str, str, str]]
    gone: list[tuple[str, str, str, str]]
    anew: list[str]
    hashes: dict[Owner, int]
    held: dict[Owner, Rows]

    @property
    def size(self) -> int:
        """Characters of JSON."""
        texts = (*self.ders.values(), *self.frontends.values(), *(row[-1] for row in self.rows))
        return sum(map(len, texts))


class Written:
    """What is in the file, as far as this process has written it."""

    def __init__(self) -> None:
        self._hashes: dict[Owner, int] = {}
        self._rows: dict[Owner, Rows] = {}
        self._names: dict[str, frozenset[str]] = {}

    def __bool__(self) -> bool:
        """Whether anything is known of it."""
        return bool(self._hashes)

    def forget(self) -> None:
        """Nothing is known any more."""
        self._hashes.clear()
        self._rows.clear()
        self._names.clear()

    def changes(self, ders: Mapping[str, Any]) -> Changes:
        """What is new in these documents. It is not kept as written before `note`."""
        found = Changes({}, {}, [], [], [], {}, {})
        for number, document in ders.items():
            names = frozenset(document["frontends"])
            if self._names.get(number) != names:
                found.anew.append(number)
            self._text(found.ders, (number, ""), {**document, "frontends": {}}, found)
            for name, frontend in document["frontends"].items():
                self._frontend((number, name), frontend, found)
            time.sleep(0)  # the event loop may want the interpreter
        return found

    def note(self, changes: Changes) -> None:
        """These are in the file now."""
        for number in changes.anew:
            self._names[number] = frozenset(name for owner, name in changes.held if owner == number)
        self._hashes |= changes.hashes
        self._rows |= changes.held

    def _frontend(self, owner: Owner, document: Any, found: Changes) -> None:
        new = owner[0] in found.anew
        rows, rest = {}, document
        if isinstance(document, dict) and ROWS in document:
            rows, rest = document[ROWS], {key: each for key, each in document.items() if key != ROWS}
        self._text(found.frontends, owner, rest, found, new=new)
        now: Rows = {(part, key): row for part, each in rows.items() for key, row in each.items()}
        before = {} if new else self._rows.get(owner, {})
        found.held[owner] = now
        found.rows.extend(
            (*owner, *key, encoded(row)) for key, row in now.items() if before.get(key) is not row
        )
        found.gone.extend((*owner, *key) for key in before.keys() - now.keys())

    def _text(
        self, texts: dict[Any, str], owner: Owner, document: Any, found: Changes, *, new: bool = False
    ) -> None:
        text = encoded(document)
        if new or self._hashes.get(owner) != hash(text):
            texts[owner if owner[1] else owner[0]] = text
            found.hashes[owner] = hash(text)


def join(
    ders: Mapping[str, Any],
    frontends: Iterable[tuple[int, str, str]],
    rows: Iterable[tuple[int, str, str, str, str]],
) -> None:
    """Put front-ends and their rows, as they are in the file, back into the documents of the DERs."""
    for number, name, document in frontends:
        ders[str(number)]["frontends"][name] = json.loads(document)
    for number, name, part, key, document in rows:
        found = ders[str(number)]["frontends"][name]
        found.setdefault(ROWS, {}).setdefault(part, {})[key] = json.loads(document)
