"""Documents as they are sent: encoded once, and kept until their version changes."""

from __future__ import annotations

from collections.abc import Callable, Hashable

from dersim.utility.entity_tags import tag_of

#: Most documents that are kept, and most bytes of them; the oldest are dropped.
DOCUMENTS_KEPT = 20_000
BYTES_KEPT = 64 * 1024 * 1024


class EncodedDocument:
    """The bytes of a document. version: of what it was made of. etag: the header with its tag."""

    __slots__ = ("body", "etag", "version")

    def __init__(self, version: Hashable, body: bytes) -> None:
        self.version = version
        self.body = body
        self.etag = ("etag", tag_of(body))

    @property
    def tag(self) -> str:
        """The entity tag: a digest of the bytes."""
        return self.etag[1]


class EncodedDocuments:
    """The newest encoded documents. held_bytes: of their bodies."""

    def __init__(self, most_documents: int = DOCUMENTS_KEPT, most_bytes: int = BYTES_KEPT) -> None:
        self.held_bytes = 0
        self._most_documents = most_documents
        self._most_bytes = most_bytes
        self._held: dict[Hashable, EncodedDocument] = {}

    def get(self, key: Hashable, version: Hashable, encode: Callable[[], bytes]) -> EncodedDocument:
        """The document of `key`; `encode` makes its bytes where the held ones are of another version."""
        held = self._held.get(key)
        if held is not None:
            if held.version == version:
                return held
            self._drop(key)
        made = self._held[key] = EncodedDocument(version, encode())
        self.held_bytes += len(made.body)
        while len(self._held) > self._most_documents or self.held_bytes > self._most_bytes:
            self._drop(next(iter(self._held)))
        return made

    def _drop(self, key: Hashable) -> None:
        self.held_bytes -= len(self._held.pop(key).body)
