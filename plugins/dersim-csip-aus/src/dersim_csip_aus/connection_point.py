"""The ConnectionPoint of an EndDevice: the client tells the NMI of its site.

The link is in the EndDevice, in the namespace that this server speaks, and the document goes in the same.
What is there already is read first: some utilities refuse a second NMI, even the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dersim.plugin import CsipAccess, Extra
from dersim_csip_aus.elements import CONNECTION_POINT, CONNECTION_POINT_ID, CONNECTION_POINT_LINK, NAMESPACES

#: Statuses of a server that takes a POST where another takes a PUT.
_NO_PUT = (404, 405, 501)
_ID = re.compile(rb"<(?:\w+:)?connectionPointId[^>]*>\s*([^<]*?)\s*<")


async def tell_connection_point(nmis: Sequence[str], access: CsipAccess) -> float | None:
    """Once in each discovery. nmis: of all DERs, or of each in turn."""
    number = access.device.number
    nmi = nmis[0] if len(nmis) == 1 else nmis[number - 1] if number <= len(nmis) else ""
    if not nmi:
        return None
    end_device = access.end_device
    link = _link(end_device.extra if end_device is not None else ())
    if link is None:
        access.say("Info", f"our EndDevice has no ConnectionPointLink: NMI {nmi} is not sent")
        return None
    namespace, href = link.namespace, link.value.href
    known = await access.get(href)
    if known.status < 300 and nmi.encode() in _ID.findall(known.body):
        return None
    point = Extra(namespace, CONNECTION_POINT, {CONNECTION_POINT_ID: nmi})
    answer = await access.put(href, point)
    if answer.status in _NO_PUT:
        answer = await access.post(href, point)
    if answer.status >= 400:
        access.say("Warning", f"NMI {nmi} is not taken ({answer.status}); it is sent again after a discovery")
    return None


def _link(extras: Sequence[Extra]) -> Extra | None:
    ours = (each for each in extras if each.namespace in NAMESPACES.values())
    return next((each for each in ours if each.name == CONNECTION_POINT_LINK), None)
