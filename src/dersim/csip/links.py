"""Resolve relative and absolute links of a 2030.5 server.

2030.5 hrefs are followed, never built. They may be a path or a whole URL, on another host or port too. A link
from HTTPS to plain HTTP is refused, and so is anything that would break the request line.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from dersim.errors import RemoteProtocolError

MAX_HREF_CHARS = 2_000

#: Blanks and control characters, which no request line may contain.
_UNFIT = re.compile(r"[\x00-\x20\x7f]")


class Origin(NamedTuple):
    """Scheme, host and port of a server."""

    secure: bool
    host: str
    port: int

    def url(self, target: str) -> str:
        """The whole URL of a request target; IPv6 addresses in brackets."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}{target}"


def resolve(origin: Origin, href: str, *, base_path: str = "/") -> tuple[Origin, str]:
    """The server and the request target that `href`, found at `base_path` on `origin`, means.

    Raises RemoteProtocolError for links that cannot or must not be followed.
    """
    if not href or len(href) > MAX_HREF_CHARS or _UNFIT.search(href):
        raise RemoteProtocolError(f"link {href[:80]!r} cannot be followed: empty, too long or not a URI")
    if href.startswith("/") and not href.startswith("//"):
        return origin, _target(href.partition("#")[0])
    try:
        parts = urlsplit(urljoin(origin.url(base_path), href))
        port = parts.port
    except ValueError:
        raise RemoteProtocolError(
            f"link {href[:80]!r} cannot be followed: its host or port cannot be read"
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise RemoteProtocolError(f"link {href[:80]!r} cannot be followed: not http or https")
    if port == 0 or not parts.hostname.isascii() or re.match("//(/|$)", href):
        raise RemoteProtocolError(f"link {href[:80]!r} cannot be followed: its host or port cannot be used")
    secure = parts.scheme == "https"
    if origin.secure and not secure:
        raise RemoteProtocolError(f"link {href[:80]!r} leads from https to http: never followed")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Origin(secure, parts.hostname, port or (443 if secure else 80)), _target(target)


def _target(target: str) -> str:
    return target if target.isascii() else quote(target, safe="/?&=%:;,+@!$'()*~-._")


def with_query(href: str, query: str) -> str:
    """`href` with more query parameters; a fragment is never sent, so it is dropped."""
    href = href.partition("#")[0]
    return f"{href}{'&' if '?' in href else '?'}{query}"
