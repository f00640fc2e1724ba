"""The PUTs of DERCapability, DERSettings, DERStatus and DERAvailability, each skipped when nothing changed.

Unchanged means: the same bytes as the server last accepted at this href, apart from readingTime, dateTime and
updatedTime. A body that was refused with a 4xx is not sent again unchanged either (2030.5-2018 5.5). The next
discovery clears both memories, because the server may have been restarted. A refusal with a 5xx is a trouble
until the resource is taken, or need not be sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dersim.csip import causes, der_bodies
from dersim.csip.documents import Documents
from dersim.csip.reader import Moved
from dersim.csip.session import Fence, RequestRefused, Say, Session
from dersim.csip.status import Trouble
from dersim.csip.tree import DerNode
from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.plugin.services import DerResource

if TYPE_CHECKING:
    from dersim.device import Device

_TIMES = re.compile(rb"<(readingTime|dateTime|updatedTime)>(-?\d+)</\1>")
_HREF = re.compile(rb"^(<[^<>]*?) href=\"[^\"<>]*\"")
_NO_TIMES = re.compile(rb"<(readingTime|dateTime|updatedTime)></\1>")

#: The order of the PUTs: ratings and settings before live values.
IDENTITY: tuple[DerResource, ...] = ("DERCapability", "DERSettings")
LIVE: tuple[DerResource, ...] = ("DERStatus", "DERAvailability")


def _without_times(body: bytes) -> bytes:
    return _TIMES.sub(rb"<\1></\1>", body)


class _Sent(NamedTuple):
    """A body that was sent, in less room: without its times, and these in their order."""

    shape: bytes
    times: tuple[int, ...]

    def body(self) -> bytes:
        left = iter(self.times)
        return _NO_TIMES.sub(lambda found: b"<%b>%d</%b>" % (found[1], next(left), found[1]), self.shape)


class Reporter:
    """The four PUTs of one DER.

    now_s: server time, s (our own until the server's is known). refresh_s: repeat an unchanged PUT after so
    many seconds of that time; None never. documents: what all clients of a run share.
    """

    def __init__(
        self,
        device: Device,
        session: Session,
        say: Say,
        now_s: Callable[[], float],
        refresh_s: float | None,
        fence: Fence,
        documents: Documents,
    ) -> None:
        self._device = device
        self._session = session
        self._say = say
        self._now_s = now_s
        self._refresh_s = refresh_s
        self._fence = fence
        self._documents = documents
        self._sent: dict[DerResource, _Sent] = {}
        self._accepted: dict[DerResource, tuple[bytes, float]] = {}
        self._refused: dict[DerResource, bytes] = {}
        #: By resource: the 5xx with which its last PUT was refused.
        self.troubles: dict[DerResource, Trouble] = {}
        self._hrefs: dict[DerResource, str] = {}
        self._since: dict[str, tuple[Any, int]] = {}
        self._forgotten = ""
        #: Send genConnectStatus for a storage too.
        self.gen_connect_status = False

    def forget(self, why: str) -> None:
        """PUT everything again: the server may have been restarted. why: for the cause of these PUTs."""
        self._forgotten = why
        self._accepted.clear()
        self._refused.clear()
        self.troubles.clear()

    async def put(self, node: DerNode, *names: DerResource) -> RequestRefused | None:
        """PUT those that changed; refusals are logged. Returns a 5xx to one that the server took before.

        UtilityUnreachable and a Retry-After are raised, and Moved where an href that accepted a PUT is gone.
        """
        failed: RequestRefused | None = None
        for name in names:
            if (href := node.href_of(name)) is not None:
                with self._fence("csip_put", f"PUT {href} {name}"):
                    failed = await self._put_one(name, href) or failed
        return failed

    async def _put_one(self, name: DerResource, href: str) -> RequestRefused | None:
        if self._hrefs.setdefault(name, href) != href:  # another EndDevice of ours, which has none of it yet
            self._hrefs[name] = href
            self._accepted.pop(name, None)
            self._refused.pop(name, None)
        try:
            body = self._session.encode(self.body(name))
        except LocalProtocolError as error:
            self._say("Error", f"{name} cannot be written: {error}")
            return None
        shape = _without_times(body)
        now_s, counters = self._now_s(), self._session.counters
        accepted, accepted_s = self._accepted.get(name, (b"", 0.0))
        stale = self._refresh_s is not None and now_s - accepted_s >= self._refresh_s
        if (shape == accepted and not stale) or shape == self._refused.get(name):
            counters.puts_skipped += 1
            self.troubles.pop(name, None)
            return None
        try:
            await self._session.send("PUT", href, body, name, self._cause(name, changed=shape != accepted))
        except RequestRefused as error:
            if error.retry_after_s is not None:
                raise
            if error.gone and self._accepted.pop(name, None) is not None:
                raise Moved(f"{error}; it existed before: discovering again") from None
            self._say("Warning", f"{name} not accepted: {error}")
            if error.status >= 500:
                return self._has_failed(name, error)
            self._refused[name] = shape
            self.troubles.pop(name, None)
            return None
        except RemoteProtocolError as error:
            self._say("Warning", f"{name}: {error}")
            return None
        counters.puts += 1
        self.troubles.pop(name, None)
        shape = self._documents.shape(shape)
        self._sent[name] = _Sent(shape, tuple(int(found[2]) for found in _TIMES.finditer(body)))
        self._accepted[name] = (shape, now_s)
        self._refused.pop(name, None)
        return None

    def _has_failed(self, name: DerResource, error: RequestRefused) -> RequestRefused | None:
        """Keep the trouble; returns the error where the server took this resource before."""
        known = self.troubles.get(name)
        since_s = (self._session.last_contact_s or 0.0) if known is None else known.since_s
        self.troubles[name] = Trouble(since_s, str(error))
        return error if name in self._sent else None

    def sent(self, name: DerResource) -> Any | None:
        """The resource as the server last took it; None before the first PUT."""
        sent = self._sent.get(name)
        return None if sent is None else decode(sent.body()).resource

    def has_taken(self, name: DerResource) -> bool:
        """Whether the server took the resource since `forget`."""
        return name in self._accepted

    def is_taken(self, name: DerResource, body: bytes) -> bool:
        """Whether a body from the server says the same in the same bytes, but for times and its own href."""
        sent = self._sent.get(name)
        return sent is not None and _without_times(_HREF.sub(rb"\1", body, count=1)) == sent.shape

    def _cause(self, name: DerResource, *, changed: bool) -> str:
        """Why it is PUT: for the first time since all was forgotten, because it changed, or to repeat it."""
        if name not in self._accepted:
            return f"{self._forgotten}: {name}"
        return causes.CHANGES[name] if changed else causes.PUT_REFRESH

    def body(self, name: DerResource) -> Any:
        """The resource as it would be PUT now."""
        device, edition = self._device, self._session.codec.edition
        plate, setpoints, time = device.nameplate, device.setpoints, int(self._now_s())
        match name:
            case "DERCapability":
                return der_bodies.capability(plate, setpoints.supported_modes, edition, device)
            case "DERSettings":
                changed = self._changed_at("settings", device.settings.changes)
                return der_bodies.settings(
                    plate, device.settings, setpoints.supported_modes, changed, edition, device
                )
            case "DERStatus":
                held = not device.permitted or any(each.source.is_local for each in setpoints.in_force())
                return der_bodies.status(
                    plate,
                    device.state,
                    remote=not held,
                    since=self._changed_at,
                    reading_time=time,
                    edition=edition,
                    gen_for_storage=self.gen_connect_status,
                )
            case "DERAvailability":
                return der_bodies.availability(device.state, time, edition)

    def _changed_at(self, name: str, value: Any) -> int:
        """The server time at which this value last changed, s."""
        known = self._since.get(name)
        if known is None or known[0] != value:
            known = self._since[name] = (value, int(self._now_s()))
        return known[1]
