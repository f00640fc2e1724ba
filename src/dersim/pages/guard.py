"""Who may send requests: the Host, Origin and token checks, without any I/O.

The dashboard listens on loopback and asks for no password. Two attacks remain, both through the user's own
browser. *DNS rebinding*: a hostile page's name is made to resolve to 127.0.0.1, so that the page's scripts
reach us as their own origin; the Host header still has the hostile name, hence `check_host`. *Cross-site
requests*: a hostile page posts to us, or opens a WebSocket, which no same-origin policy stops; the browser
says in Origin where that page came from, hence `check_origin`. Programs such as curl send no Origin.

Beyond loopback a token is needed: `Authorization: Bearer TOKEN`, or, since a browser cannot set headers on
a WebSocket, a cookie that the first visit with `?token=TOKEN` sets.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from pathlib import Path

from dersim.errors import ConfigError
from dersim.pages.problems import Problem

COOKIE = "dersim_token"
#: Gives the token where the process list, which shows a command line to all users, must not.
TOKEN_VARIABLE = "DERSIM_TOKEN"  # noqa: S105 - the name of a variable
#: The same of the companion server's admin port.
ADMIN_TOKEN_VARIABLE = "DERSIM_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
#: What an HTTP header and a cookie may both hold (RFC 6265 4.1.1).
MOST_TOKEN_CHARS = 1000
_TOKEN = re.compile(rf"[!#-+\--:<-\[\]-~]{{1,{MOST_TOKEN_CHARS}}}")

#: Sent with every answer. Scripts and styles come from here alone; nothing may frame us.
SECURITY_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Whether a bind address can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def settle_token(options: Namespace) -> str | None:
    """The token of `--token`, `--token_file` or the environment; None where nobody asks for one.

    `auto` makes one for both web sites and writes it into the options. ConfigError names what is wrong.
    """
    found = given_token(options)
    if found == "auto" and not getattr(options, "token_file", None):
        found = options.token = secrets.token_urlsafe(24)
        options.token_made = True
    return found


def given_token(options: Namespace, name: str = "token", variable: str = TOKEN_VARIABLE) -> str | None:
    """The token of `--NAME`, `--NAME_file` or the variable; None where there is none.

    ConfigError for two of them, a file that cannot be read, and what no header can carry.
    """
    text, file = getattr(options, name, None), getattr(options, f"{name}_file", None)
    if text and file:
        raise ConfigError(f"--{name}, --{name}_file: give one of the two")
    if file:
        return _token_in(f"--{name}_file", file)
    where = f"--{name}"
    if text is None:
        text, where = os.environ.get(variable) or None, f"{variable} of the environment"
    return None if text is None else _usable(where, text)


def token(text: str) -> str:
    """The value of `--token`; ArgumentTypeError for one that no request could send."""
    try:
        return _usable("", text)
    except ConfigError as error:
        raise ArgumentTypeError(str(error).removeprefix(": ")) from None


def _usable(where: str, text: str) -> str:
    """The token; ConfigError for one that a header or a cookie cannot carry, or an empty one."""
    if not _TOKEN.fullmatch(text):
        raise ConfigError(
            f"{where}: a token of 1 to {MOST_TOKEN_CHARS} letters, digits and ASCII signs is needed, "
            f'without spaces and without any of " , ; \\'
        )
    return text


def _token_in(flag: str, file: Path) -> str:
    """The one line of a token file, without the spaces around it."""
    try:
        with file.open("rb") as opened:  # not all of it: it may be a device without an end
            text = opened.read(2 * MOST_TOKEN_CHARS)
    except OSError as error:
        raise ConfigError(f"{flag} {file}: {error.strerror}") from None
    return _usable(f"{flag} {file}", text.decode(errors="replace").strip())


def require_token_beyond_loopback(
    flag: str,
    host: str,
    token: str | None,
    remedy: str = "add --token_file FILE, or --token auto to have a token made,",
) -> None:
    """ConfigError where others could reach the site and no token guards it."""
    if token is None and not is_loopback(host):
        raise ConfigError(
            f"{flag} {host}: other machines could operate this simulator; {remedy} or stay with 127.0.0.1"
        )


@dataclass(frozen=True, slots=True)
class Guard:
    """The checks of one web site. hosts: names allowed in Host beside IP addresses and localhost."""

    hosts: frozenset[str] = frozenset()
    token: str | None = None
    cors_origins: frozenset[str] = frozenset()

    def check(self, header: Callable[[str], str | None], *, changes: bool, token: bool = True) -> None:
        """All checks of one request. header: finds one; changes: whether it may change something."""
        self.check_host(header("Host"))
        site, mode, dest = (header(f"Sec-Fetch-{name}") for name in ("Site", "Mode", "Dest"))
        self.check_fetch(site, mode, dest, header("Origin"))
        if changes:
            self.check_origin(header("Origin"), header("Host"), site)
        if token:
            self.check_token(header("Authorization"), header("Cookie"))

    def check_host(self, host: str | None) -> None:
        """Problem foreign-host unless the request was meant for us."""
        name = _host_name(host or "")
        if name == "localhost" or name in self.hosts or _is_ip(name):
            return
        raise Problem("foreign-host", f"this server does not answer for the host {name!r}")

    def check_origin(self, origin: str | None, host: str | None, site: str | None = None) -> None:
        """Problem foreign-origin where a page of another site asks (`site` is Sec-Fetch-Site)."""
        if origin is None:
            if site in ("cross-site", "same-site"):
                raise Problem("foreign-origin", "a page of another site asked")
            return
        if origin in self.cors_origins:
            return
        scheme, _, name = origin.partition("://")  # as browsers send it: without a path
        if scheme not in ("http", "https") or name.lower() != (host or "").lower():
            raise Problem("foreign-origin", f"the page asking comes from {origin!r}, not from here")

    def check_fetch(self, site: str | None, mode: str | None, dest: str | None, origin: str | None) -> None:
        """Problem foreign-origin where a page of another site asks, except where a link to us was followed.

        site, mode, dest: the Sec-Fetch-* headers, which all browsers send to a loopback address.
        """
        followed_link = (mode, dest) == ("navigate", "document")
        if site == "cross-site" and not followed_link and origin not in self.cors_origins:
            raise Problem("foreign-origin", "a page of another site asked")

    def check_token(self, authorization: str | None, cookie: str | None) -> None:
        """Problem token-needed unless the token is shown, or none is asked."""
        if self.token is None:
            return
        shown = _bearer(authorization) or _cookie(cookie)
        if shown is None:
            raise Problem("token-needed", "this server asks for its token")
        if not self.token_is(shown):
            raise Problem("token-needed", "the token is not the right one")

    def token_is(self, shown: str) -> bool:
        """Compare in constant time."""
        return self.token is not None and secrets.compare_digest(shown.encode(), self.token.encode())


def _host_name(host: str) -> str:
    """The name in a Host header, without the port, in lower case."""
    if host.startswith("["):
        name, closed, rest = host[1:].partition("]")
        return name.lower() if closed and (not rest or rest.startswith(":")) else host
    return host.rpartition(":")[0].lower() if ":" in host else host.lower()


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _bearer(authorization: str | None) -> str | None:
    scheme, _, value = (authorization or "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def _cookie(header: str | None) -> str | None:
    try:
        morsel = SimpleCookie(header or "").get(COOKIE)
    except CookieError:
        return None
    return morsel.value if morsel else None
