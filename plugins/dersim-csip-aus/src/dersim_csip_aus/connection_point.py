"""The ConnectionPoint of an EndDevice: the client tells the NMI of its site.

The link is in the EndDevice, in the namespace that this server speaks, and the document goes in the same.
What is there already is read first: some utilities refuse a second NMI, even the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dersim.plugin import CsipAccess, Extra
from dersim_csip_aus.elements import CONNECTION_POINT, CONNECTION_POINT_ID, CONNECTION_POINT_LINK, NAMESPACES

#: How soon it is tried again without a link, or after an error of the server, s.
LATER_S = 300.0
#: Statuses of a server that takes a POST where another takes a PUT.
_NO_PUT = (404, 405, 501)
_ID = re.compile(rb"<(?:\w+:)?connectionPointId[^>]*>\s*([^<]*?)\s*<")


class ConnectionPoints:
    """Tells the NMIs. nmis: one for all DERs, or one for each in turn."""

    def __init__(self, nmis: Sequence[str]) -> None:
        self._nmis = nmis
        self._missed: set[int] = set()

    async def visit(self, access: CsipAccess) -> float | None:
        """After each discovery; again later where there is no link yet, or the server has failed."""
        number, nmis = access.device.number, self._nmis
        nmi = nmis[0] if len(nmis) == 1 else nmis[number - 1] if number <= len(nmis) else ""
        if not nmi:
            return None
        end_device = access.end_device
        link = _link(end_device.extra if end_device is not None else ())
        if link is None:
            if number not in self._missed:
                access.say("Info", f"our EndDevice has no ConnectionPointLink (yet): NMI {nmi} is not sent")
            self._missed.add(number)
            return LATER_S
        self._missed.discard(number)
        status = await _tell(access, link, nmi)
        if status >= 400:
            access.say("Warning", f"NMI {nmi} is not taken ({status})")
        return LATER_S if status >= 500 else None


async def _tell(access: CsipAccess, link: Extra, nmi: str) -> int:
    """Read, and PUT or POST what is not there; the status."""
    href = link.value.href
    known = await access.get(href)
    if known.status < 300 and nmi.encode() in _ID.findall(known.body):
        return known.status
    point = Extra(link.namespace, CONNECTION_POINT, {CONNECTION_POINT_ID: nmi})
    answer = await access.put(href, point)
    if answer.status in _NO_PUT:
        answer = await access.post(href, point)
    return answer.status


def _link(extras: Sequence[Extra]) -> Extra | None:
    ours = (each for each in extras if each.namespace in NAMESPACES.values())
    return next((each for each in ours if each.name == CONNECTION_POINT_LINK), None)
