"""Reads the four DER resources back once in a walk, and compares them with what was PUT.

A difference means that another client has our LFDI, or that the server changes values. Numbers are compared
by value, whatever their multiplier; times are not, because a server may set them itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dersim.csip.causes import PUT_CHECK
from dersim.csip.reporting import IDENTITY, LIVE, Reporter
from dersim.csip.session import RequestRefused, Say, Session
from dersim.csip.tree import DerNode
from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import TYPES
from dersim.plugin.services import DerResource

_TIMES = frozenset({"readingTime", "updatedTime", "dateTime"})
_KINDS: Mapping[DerResource, type[Any]] = {
    "DERCapability": r.DERCapability,
    "DERSettings": r.DERSettings,
    "DERStatus": r.DERStatus,
    "DERAvailability": r.DERAvailability,
}
#: What a server answers that takes these resources and does not give them: no error.
NOT_READ = frozenset({404, 405})
#: So many differences of one resource are told.
_MOST_TOLD = 4


async def check_puts(session: Session, reporter: Reporter, node: DerNode, say: Say) -> None:
    """GET what the server has taken since the walk began; a difference is a warning.

    UtilityUnreachable and a Retry-After are raised. A server that does not answer the GET is no error.
    """
    for name in (*IDENTITY, *LIVE):
        href = node.href_of(name)
        if href is None or not reporter.has_taken(name):
            continue
        try:
            answer = await session.exchange("GET", href, PUT_CHECK)
            if reporter.is_taken(name, answer.body):
                continue
            found = decode(answer.body, _KINDS[name]).resource
        except RequestRefused as refusal:
            if refusal.retry_after_s is not None:
                raise
            if refusal.status in NOT_READ:
                session.counters.errors -= 1
            say("Debug", f"{name} was not read back: {refusal}")
        except RemoteProtocolError as error:
            say("Debug", f"{name} was not read back: {error}")
        else:
            if told := differences(reporter.sent(name), found):
                say("Warning", _warning(name, href, told))


def _warning(name: str, href: str, told: list[str]) -> str:
    more = len(told) - _MOST_TOLD
    shown = "; ".join(told[:_MOST_TOLD]) + (f"; and {more} more" if more > 0 else "")
    return (
        f"{name} at {href} is not what this DER has PUT: {shown}. Another client has this LFDI, "
        f"or the server changes values; compare the certificates of all clients"
    )


def differences(sent: Any, found: Any) -> list[str]:
    """The elements whose values differ, each in words; times are left out."""
    ours, theirs = _values(sent), _values(found)
    names = [name for name in dict.fromkeys((*ours, *theirs)) if ours.get(name) != theirs.get(name)]
    return [f"{name} {_shown(ours.get(name))} was PUT, {_shown(theirs.get(name))} is there" for name in names]


def _values(resource: Any) -> dict[str, Any]:
    """The elements that are set, in plain values."""
    values = {member.name: getattr(resource, member.name) for member in TYPES[type(resource)].elements}
    return {name: _plain(value) for name, value in values.items() if value is not None and name not in _TIMES}


def _plain(value: Any) -> Any:
    """A number, or the only value that an element holds beside a time; the value of several is a dict."""
    if type(value) not in TYPES:
        return value
    parts = _values(value)
    exponent = parts.pop("multiplier", None)
    if len(parts) != 1:
        return parts
    (single,) = parts.values()
    if exponent is None:
        return single
    # A quotient, because 10.0 ** -1 is not exact.
    return single * 10**exponent if exponent >= 0 else single / 10**-exponent


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
