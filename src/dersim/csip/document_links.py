"""The links of a document, made absolute against the address of the document itself (RFC 3986, 5.1).

Most servers write paths, which need no change. Some write hrefs relative to the document, and a
document that a redirect brought from another host means that host by its paths.
"""

from __future__ import annotations

import re
from typing import Any

from dersim.csip.links import Origin, resolve
from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5.declare import TYPES

_RELATIVE = re.compile(rb"""\b(?:href|replyTo)\s*=\s*["'](?!/[^/]|/["']|https?:)""")


def needed(body: bytes, origin: Origin, home: Origin) -> bool:
    """Whether the document has links that are not plain paths on the home server."""
    if origin != home:
        return True
    # Nearly always all are plain, which is counted in a tenth of the time of the expression.
    links = body.count(b"href") + body.count(b"replyTo")
    plain = body.count(b'href="/') + body.count(b'replyTo="/')
    return (links != plain or b'="//' in body) and _RELATIVE.search(body) is not None


def make_absolute(resource: Any, origin: Origin, target: str, home: Origin) -> None:
    """Rewrite every link of a document that was read at `target` of `origin`: a path, or a URL elsewhere.

    Links that cannot be followed stay as they are; following one gives the reason.
    """
    for member in TYPES[type(resource)].members:
        value = getattr(resource, member.name)
        if member.simple is not None:
            if member.simple.kind == "uri" and isinstance(value, str) and value:
                setattr(resource, member.name, _absolute(value, origin, target, home))
            continue
        for each in value if isinstance(value, tuple) else (value,):
            if type(each) in TYPES:
                make_absolute(each, origin, target, home)


def _absolute(href: str, origin: Origin, target: str, home: Origin) -> str:
    try:
        where, path = resolve(origin, href, base_path=target)
    except RemoteProtocolError:
        return href
    return path if where == home else where.url(path)
