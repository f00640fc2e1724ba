"""Bodies compressed with gzip, for the browsers that accept it."""

from __future__ import annotations

import gzip


def pack(raw: bytes, level: int = 9) -> bytes:
    """The body as gzip; the same bytes for the same input."""
    return gzip.compress(raw, level, mtime=0)


def gzip_accepted() -> bool:
    """Whether the client of the current request takes a body in gzip."""
    from quart import request  # noqa: PLC0415 - `pack` is for servers without quart, too

    return bool(request.accept_encodings.quality("gzip") > 0)
