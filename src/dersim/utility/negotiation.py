"""Media types: whether a client accepts `application/sep+xml`, and whether it sent it (RFC 9110)."""

from __future__ import annotations

import functools

from dersim.http11 import Request
from dersim.ieee2030_5 import MEDIA_TYPE
from dersim.utility.refusal import RequestRefused

#: Media ranges that `application/sep+xml` is sent for, most specific first.
_ACCEPTED = (MEDIA_TYPE, "application/xml", "text/xml", "application/*", "text/*", "*/*")
_WRITABLE = frozenset({MEDIA_TYPE, "application/xml", "text/xml"})


def check_accept(request: Request) -> None:
    """RequestRefused (406) where no Accept header allows XML. Several count as one; an empty one as none."""
    given = ",".join(value for name, value in request.headers if name == "accept")
    if not _is_accepted(given):
        raise RequestRefused(406, f"Accept {given[:100]}: the server sends only {MEDIA_TYPE}")


@functools.lru_cache(maxsize=64)
def _is_accepted(given: str) -> bool:
    ranges = dict(_range(item) for item in given.split(",") if item.strip())
    if not ranges:
        return True
    # The most specific range decides: "application/sep+xml;q=0, */*" refuses sep+xml.
    return next((ranges[kind] for kind in _ACCEPTED if kind in ranges), 0.0) > 0


def _range(item: str) -> tuple[str, float]:
    """A media range and its q; a q that is no number counts as 1."""
    kind, *parameters = (part.strip().lower() for part in item.split(";"))
    quality = next((text[2:].strip() for text in parameters if text.startswith("q=")), "1")
    try:
        return kind, float(quality)
    except ValueError:
        return kind, 1.0


def check_content_type(request: Request) -> None:
    """RequestRefused (415) where the body is declared as something other than XML."""
    given = request.header("content-type")
    if given is not None and given.partition(";")[0].strip().lower() not in _WRITABLE:
        raise RequestRefused(415, f"Content-Type {given[:100]}: the server reads only {MEDIA_TYPE}")
