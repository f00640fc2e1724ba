"""I13: no secret in the log."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dersim.invariants.base import FleetLook, Invariant, Violation

#: A shorter PIN is found in other numbers, too.
SHORTEST = 4
#: The lines that are searched after one tick, at most.
_MOST_LINES = 2_000
#: What begins a private key, whosever it is.
_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")


class Secrecy(Invariant):
    """The log has no key, token or PIN."""

    id = "I13"
    statement = "No key, token or PIN in the log."

    def __init__(self) -> None:
        self._last_id = 0
        self._known: tuple[str, ...] = ()
        self._pattern = _KEY

    def check_fleet(self, look: FleetLook) -> Iterator[Violation]:
        """Search the lines that are new."""
        if look.log.last_id == self._last_id:
            return
        self._learn(look.secrets)
        for entry in look.log.entries(after=self._last_id, limit=_MOST_LINES):
            self._last_id = entry.id
            if (found := self._pattern.search(entry.message)) is not None:
                where = f"{entry.module} {entry.level} line {entry.id}, at character {found.start()}"
                yield look.violation(Secrecy, "no secret in the log", where, entry.device)

    def _learn(self, secrets: Sequence[str]) -> None:
        known = tuple(secrets)
        if known == self._known:
            return
        self._known = known
        texts = [rf"(?<![\w]){re.escape(each)}(?![\w])" for each in known if len(each) >= SHORTEST]
        self._pattern = re.compile("|".join((_KEY.pattern, *texts)))
