"""Digests of documents, each made once for all who see the same."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable

KEPT = 20_000


class Digests:
    """The newest digests, each for the version of its document that it was made of."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[Hashable, str]] = {}

    def of(self, key: Hashable, version: Hashable, make: Callable[[], bytes]) -> str:
        """The digest of the document `key`; `make` makes its bytes where it is of another version."""
        held = self._held.get(key)
        if held is not None and held[0] == version:
            return held[1]
        digest = hashlib.blake2b(make(), digest_size=12).hexdigest()
        self._held.pop(key, None)
        self._held[key] = (version, digest)
        if len(self._held) > KEPT:
            del self._held[next(iter(self._held))]
        return digest
