"""Discovery: from the DeviceCapability by links to everything that concerns this DER.

    DeviceCapability -> Time
                     -> EndDeviceList -> our EndDevice -> Registration (PIN)
                                                       -> DERList -> the four resources that we PUT
                                                       -> FunctionSetAssignmentsList -> `programs.py`
                                                       -> LogEventList
                     -> MirrorUsagePointList

Every method reads one branch into the `Tree` and returns when to read it again, in seconds of simulated time.
The first walk and the polls after it (`polling`) use the same methods. Only `device_capability`, `end_device`
and `registration` can stop a walk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dersim.csip import causes
from dersim.csip.own_end_device import ExpectedEndDevice, find_own
from dersim.csip.paging import PAGE_ITEMS, Listing
from dersim.csip.reader import Moved, Reader
from dersim.csip.session import Fetched, RequestRefused
from dersim.csip.tree import DER_POLL_RATE_S, DerNode, Tree, links_of, poll_rate_s
from dersim.errors import DersimError, RemoteProtocolError
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r


class _Unreadable:
    """A document that may exist but could not be read this time."""


_UNREADABLE = _Unreadable()


class NotRegistered(DersimError):  # noqa: N818 - a state of the world, named as one
    """The server does not know this DER (yet)."""


class PinRefused(DersimError):  # noqa: N818 - as above
    """The Registration's PIN is not ours: this server is not to be used (2030.5-2018 8.5.2).

    rate_s: how often the Registration may be read again.
    """

    def __init__(self, message: str, rate_s: float) -> None:
        super().__init__(message)
        self.rate_s = rate_s


class Discovery:
    """Reads all branches but the programs.

    dcap: where the DeviceCapability is. end_device: what else the EndDevice says that registers in-band.
    """

    def __init__(
        self,
        reader: Reader,
        tree: Tree,
        expected: ExpectedEndDevice,
        dcap: str,
        end_device: Callable[[], Mapping[str, Any]] = dict,
    ) -> None:
        self.tree = tree
        self.polling = False
        self.log_events_unread = False
        self._reader = reader
        self._expected = expected
        self.dcap = dcap
        self._end_device = end_device
        self._list_href = ""
        self._list_head: r.EndDeviceList | None = None
        self._long_list = False
        self._may_register = True
        self._made_at: str | None = None
        self._own_of: tuple[r.EndDevice, ...] = ()  # the list with which our own was read by its href

    def reread_end_device(self) -> None:
        """Read our EndDevice and its list at the next poll, even if the list is long or unchanged."""
        self._own_of, self._long_list = (), False

    async def device_capability(self) -> float:
        """Read the DeviceCapability; Moved where its links changed after the walk."""
        fetched = await self._reader.required(
            self.dcap, lambda: self._reader.fetch(self.dcap, r.DeviceCapability)
        )
        before, self.tree.dcap = self.tree.dcap, fetched.resource
        if self.polling and before is not None and links_of(before) != links_of(fetched.resource):
            raise Moved("the links of the DeviceCapability have changed: discovering again")
        return poll_rate_s(fetched.resource)

    async def end_device(self, now_s: float) -> float:
        """Find our EndDevice, or register in-band; NotRegistered where the server refuses.

        now_s: the server's time as far as it is known, for EndDevice.changedTime.
        """
        link = self.tree.dcap.EndDeviceListLink if self.tree.dcap else None
        if link is None:
            raise RemoteProtocolError(
                f"the DeviceCapability at {self.dcap} has no EndDeviceListLink: this client needs one"
            )
        if self._long_list and self.tree.end_device_href and self._list_href == link.href:
            # A list of more than one page is not polled: our own EndDevice is enough.
            self._set_end_device(await self._own(self.tree.end_device_href, self.tree.end_device))
            return self._reader.again_s(self._list_head, self.tree.end_device_href)
        listing = await self._listing(link.href)
        self._list_href, self._list_head = link.href, listing.head
        self._long_list = len(listing.items) > PAGE_ITEMS
        found = find_own(listing.items, self._expected, self._reader.say_once)
        # A server that listed us before and does not any more was restarted: register again.
        self._may_register |= found is not None
        if found is None:
            found = await self._unlisted() or await self._register(link.href, now_s)
        elif (
            self.polling
            and listing.is_of(self._own_of)
            and self.tree.end_device is not None
            and not self._reader.is_failing(found.href)
        ):
            return poll_rate_s(listing.head)
        else:
            found = await self._own(found.href, found)
        self._own_of = listing.items
        self._set_end_device(found)
        return self._reader.again_s(listing.head, found.href)

    async def _listing(self, href: str) -> Listing:
        listing = await self._reader.required(href, lambda: self._reader.read_list(href, r.EndDeviceList))
        if listing.warning:
            self._reader.say_once(listing.warning)
        return listing

    async def _own(self, href: str | None, inline: r.EndDevice | None) -> r.EndDevice:
        """The EndDevice by its own href; where it is not served, the list's copy."""
        if href is None:
            return _present(inline)
        own = await self._reader.optional(
            "our EndDevice by its own link",
            href,
            lambda: self._reader.fetch(href, r.EndDevice),
            kept=None,
            gone=None,
        )
        return _present(inline) if own is None else own.resource

    def _set_end_device(self, device: r.EndDevice) -> None:
        before, self.tree.end_device = self.tree.end_device, device
        self.tree.end_device_href = device.href or self.tree.end_device_href
        if device.enabled is False:
            raise NotRegistered(
                f"our EndDevice {device.href} is not enabled: waiting for the server to enable it"
            )
        if self.polling and before is not None and links_of(before) != links_of(device):
            raise Moved("the links of our EndDevice have changed: discovering again")

    async def _unlisted(self) -> r.EndDevice | None:
        """Our EndDevice where our POST has made it, although the list does not show it (yet).

        None where we made none; and where the server has lost it: then we may register again.
        """
        href = self._made_at
        if href is None:
            return None
        try:
            device = (await self._reader.fetch(href, r.EndDevice)).resource
        except RequestRefused as error:
            if error.status not in (403, 404, 410):
                raise
        else:
            if device.lFDI is not None and identity.same_lfdi(device.lFDI, self._expected.lfdi):
                device.href = device.href or href
                self._reader.works(href)
                return device
        self._made_at, self._may_register = None, True
        return None

    async def _register(self, href: str, now_s: float) -> r.EndDevice:
        """POST our EndDevice; a server that registers out of band answers 403, and we wait.

        It is POSTed again where it may not have arrived, and where the refusal passes: 5xx, one with a
        Retry-After, or 404 and 410, which are no answer of a list that was read a moment ago.
        """
        expected, session = self._expected, self._reader.session
        missing = f"the server's EndDeviceList {href} does not have our LFDI {expected.lfdi}"
        self.tree.end_device = self.tree.end_device_href = None
        if not self._may_register:
            raise NotRegistered(f"{missing}; waiting to be registered there")
        own = {"lFDI": expected.lfdi, "sFDI": expected.sfdi, "changedTime": int(now_s)}
        me = r.EndDevice(**{**self._end_device(), **own})
        try:
            answer = await session.send(
                "POST", href, session.encode(me), "our EndDevice (in-band registration)", causes.REGISTERING
            )
        except RequestRefused as error:
            self._may_register = error.gone or error.status >= 500 or error.retry_after_s is not None
            raise NotRegistered(f"{missing}, and {error}; waiting to be registered there") from None
        self._may_register = False
        # The server may show a registered device more links than a stranger.
        await self.device_capability()
        if answer.location is None:
            found = find_own((await self._listing(href)).items, expected, self._reader.say_once)
            if found is None:
                raise NotRegistered(f"{missing}, although it accepted our EndDevice; waiting")
            return found
        self._made_at = answer.location
        device = (await session.fetch(answer.location, r.EndDevice, causes.REGISTERING)).resource
        self._reader.works(answer.location)
        device.href = device.href or answer.location
        return device

    async def registration(self) -> float:
        """Compare the PIN; PinRefused where it is not ours. No Registration is accepted, and logged.

        One that cannot be read says nothing: the verdict of its last reading holds.
        """
        view = self.tree.registration
        end_device = self.tree.end_device
        link = end_device.RegistrationLink if end_device else None
        found: Fetched[r.Registration] | _Unreadable | None = None
        if link is not None:
            href = link.href
            found = await self._reader.optional(
                "Registration",
                href,
                lambda: self._reader.fetch(href, r.Registration),
                kept=_UNREADABLE,
                gone=None,
            )
        rate_s = poll_rate_s(found.resource) if isinstance(found, Fetched) else self._reader.retry_s
        if not isinstance(found, _Unreadable):
            view.present = found is not None
            view.verified = None
            if found is not None and self._expected.pin is not None:
                view.verified = found.resource.pIN == self._expected.pin
        if view.verified is False:
            raise PinRefused(
                "the Registration's PIN is not the one of --csip_pin: this server is not used", rate_s
            )
        if view.verified is None and self._expected.pin is not None:
            self._reader.say_once("no Registration can be read: the PIN is not verified")
        return rate_s

    async def der(self) -> float:
        """Find the DER whose four resources we PUT: the first of the DERList."""
        tree = self.tree
        link = tree.end_device.DERListLink if tree.end_device else None
        if link is None:
            tree.der = None
            self._reader.say_once("our EndDevice has no DERListLink: nothing can be PUT")
            return self._reader.retry_s
        listing = await self._reader.optional(
            "DERList",
            link.href,
            lambda: self._reader.read_list(link.href, r.DERList),
            kept=None,
            gone=None,
        )
        if listing is None:
            return self._reader.retry_s
        if not listing.items:
            tree.der = None
            self._reader.say_once(f"the DERList {link.href} is empty: nothing can be PUT")
        else:
            tree.der = _der_node(listing.items[0])
        return poll_rate_s(listing.head, DER_POLL_RATE_S)

    async def log_events(self) -> None:
        """Whether our EndDevice has a LogEventList that answers; one that cannot be read is asked again."""
        link = self.tree.end_device.LogEventListLink if self.tree.end_device else None
        self.tree.log_events = None
        self.log_events_unread = False
        if link is None:
            return
        found: Any = await self._reader.optional(
            "LogEventList",
            link.href,
            lambda: self._reader.fetch(f"{link.href}?s=0&l=1", r.LogEventList),
            kept=_UNREADABLE,
            gone=None,
        )
        self.log_events_unread = found is _UNREADABLE
        self.tree.log_events = link.href if isinstance(found, Fetched) else None

    async def mirrors(self) -> float:
        """Whether the server accepts MirrorUsagePoints."""
        link = self.tree.dcap.MirrorUsagePointListLink if self.tree.dcap else None
        self.tree.mirrors = None
        if link is None:
            return self._reader.retry_s
        found = await self._reader.optional(
            "MirrorUsagePointList",
            link.href,
            lambda: self._reader.fetch(f"{link.href}?s=0&l=1", r.MirrorUsagePointList),
            kept=None,
            gone=None,
        )
        # A list that cannot be read may still take a POST.
        self.tree.mirrors = link.href
        return poll_rate_s(found.resource) if found is not None else self._reader.retry_s


def _present(device: r.EndDevice | None) -> r.EndDevice:
    if device is None:
        raise RemoteProtocolError("our EndDevice cannot be read, neither in the list nor by itself")
    return device


def _der_node(der: r.DER) -> DerNode:
    def href(link: r.Link | None) -> str | None:
        return None if link is None else link.href

    return DerNode(
        der.href or "",
        href(der.DERCapabilityLink),
        href(der.DERSettingsLink),
        href(der.DERStatusLink),
        href(der.DERAvailabilityLink),
    )
