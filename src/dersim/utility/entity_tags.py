"""ETag and If-None-Match (RFC 9110 8.8.3, 13.1.2): a client that has the document gets a 304 without it."""

from __future__ import annotations

import hashlib
import re

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


def tag_of(body: bytes) -> str:
    """The strong entity tag of a document: a digest of its bytes."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether the header names this tag. As RFC 9110 has it, weak ones match, too, and * any."""
    return if_none_match.strip() == "*" or tag in _TAG.findall(if_none_match)
