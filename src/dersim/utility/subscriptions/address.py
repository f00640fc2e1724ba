"""The notificationURI of a Subscription: where the server may send to.

By default that is the address that the Subscription came from, so that a client cannot make the server send
to others.
"""

from __future__ import annotations

import functools
import ipaddress
from typing import NamedTuple
from urllib.parse import urlsplit

from dersim.utility.config import UtilityConfig
from dersim.utility.refusal import RequestRefused

MAX_URI = 255
_PORTS = {"https": 443, "http": 80}


class Address(NamedTuple):
    """Where a Notification goes. target: path and query."""

    encrypted: bool
    host: str
    port: int
    target: str


@functools.lru_cache(maxsize=4096)
def address_of(uri: str) -> Address:
    """The address that a URI means; RequestRefused (400) says why it cannot be used."""
    if len(uri) > MAX_URI:
        raise _refused(uri, f"has {len(uri)} characters; at most {MAX_URI} are allowed")
    if not (uri.isascii() and uri.isprintable()) or " " in uri:
        raise _refused(uri, "only printable ASCII characters are allowed")
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _refused(uri, "is no URI") from None
    if parts.scheme not in _PORTS or not host or port == 0:
        raise _refused(uri, "an absolute URI is needed, such as https://192.0.2.7:8443/ntfy")
    if parts.fragment or "@" in parts.netloc:
        raise _refused(uri, "must have neither a fragment nor a user name")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(parts.scheme == "https", host, port or _PORTS[parts.scheme], target)


def check_address(uri: str, peer: str, config: UtilityConfig) -> None:
    """RequestRefused (400) for a notificationURI that this server does not send to. peer: "host:port"."""
    address = address_of(uri)
    if not address.encrypted and config.encrypted and not config.notify_http:
        raise _refused(uri, "https is needed (--notify_http yes allows http in a lab)")
    if address.encrypted and not config.encrypted:
        raise _refused(uri, "this server has no certificate (--enc no), so http is needed")
    if config.notify_hosts == "own" and not _same_host(address.host, peer.rpartition(":")[0]):
        came_from = peer.rpartition(":")[0] or "an unknown address"
        raise _refused(uri, f"its host must be {came_from}, where the Subscription comes from")


def _same_host(host: str, other: str) -> bool:
    try:
        return _plain(host) == _plain(other)
    except ValueError:
        return False


def _plain(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address; that of a client of IPv4 on a socket of IPv6 is the one of IPv4."""
    address = ipaddress.ip_address(text)
    return (address.version == 6 and address.ipv4_mapped) or address


def _refused(uri: str, why: str) -> RequestRefused:
    return RequestRefused(400, f"Subscription/notificationURI {uri[:100]}: {why}")
