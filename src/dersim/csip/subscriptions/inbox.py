"""What the server posts to one DER: judged, answered at once, and kept until it is taken in.

201: it is for a subscription of ours. 400: wrong type, malformed, or not subscribed to. 403: not from the
server that we talk to. 405, 415: not a POST of XML. 503: the DER is away or cut off. One notification waits
for each resource: a newer one takes the place of the older.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from dersim.csip import causes, document_links
from dersim.csip.subscriptions.held import Held, Subscribed, path_of
from dersim.errors import DersimError, RemoteProtocolError
from dersim.http11 import Headers, Request, Response
from dersim.ieee2030_5 import MEDIA_TYPE, decode, identity
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.codec_read import LeftOut

if TYPE_CHECKING:
    from dersim.clock import SimClock
    from dersim.csip.reader import Reader
    from dersim.exchanges.conversation import Conversation
    from dersim.http11 import Requests

#: Notification.status (2030.5-2018 B.2.3.18).
DEFAULT, CANCELLED, MOVED, CHANGED, DELETED = range(5)
_XML = frozenset({MEDIA_TYPE, "application/xml", "text/xml"})
_TEXT: Headers = (("content-type", "text/plain; charset=utf-8"),)


class NotificationRefused(DersimError):  # noqa: N818 - named as the answer that it is
    """Not taken. status: the HTTP status of the answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Notice(NamedTuple):
    """A notification to be taken in. resource: what it brought. left_out: items that could not be read."""

    record: Subscribed
    status: int
    resource: Any | None
    left_out: int
    new_uri: str | None


class ServerSeen:
    """The certificate of the server that we talk to. connection: the one to our own server."""

    __slots__ = ("_lfdi", "connection")

    def __init__(self) -> None:
        self.connection: Requests | None = None
        self._lfdi: str | None = None

    @property
    def lfdi(self) -> str | None:
        """Its LFDI; None without TLS or before the first connection."""
        der = None if self.connection is None else self.connection.peer_certificate_der
        if der is not None:
            self._lfdi = identity.lfdi(der)
        return self._lfdi

    @property
    def connects(self) -> int:
        """How often it was connected to."""
        return 0 if self.connection is None else self.connection.connects


class Inbox:
    """The notifications of one DER. url: of its path. on_notice: called with whether one was taken."""

    def __init__(
        self,
        held: Held,
        reader: Reader,
        server: ServerSeen,
        clock: SimClock,
        conversation: Conversation,
        device: int,
        *,
        is_gone: Callable[[], bool],
    ) -> None:
        self.waiting: dict[str, Notice] = {}
        self.url: Callable[[], str] = lambda: ""
        self.on_notice: Callable[[bool], None] = lambda _taken: None
        self.server = server
        self._held = held
        self._reader = reader
        self._clock = clock
        self._conversation = conversation
        self._device = device
        self._is_gone = is_gone

    def receive(self, request: Request) -> Response:
        """The answer to one request at our path."""
        counters = self._reader.session.counters
        try:
            notice = self._judged(request)
        except NotificationRefused as refused:
            counters.notifications_refused += 1
            self._reader.say_once(f"notification refused with {refused.status}: {refused}")
            headers = (*_TEXT, ("allow", "POST")) if refused.status == 405 else _TEXT
            response = Response(refused.status, headers, f"{refused}\n".encode())
            self._show(request, response, f"refused with {refused.status}")
            if refused.status != 503:
                self.on_notice(False)
            return response
        counters.notifications += 1
        record = notice.record
        record.notifications += 1
        record.last_s = self._clock.now_s()
        if notice.status in (CANCELLED, DELETED):
            record.end("cancelled", f"status {notice.status} in a notification")
        self.waiting[record.wanted.href] = notice
        response = Response(201)
        self._show(request, response, "ok")
        self.on_notice(True)
        return response

    def _show(self, request: Request, response: Response, end: str) -> None:
        self._conversation.add(
            self._clock.now_s(),
            self._device,
            request.method[:10],
            self.url(),
            (request.headers, request.body),
            response,
            end,
            0.0,
            cause=causes.NOTIFICATION,
        )

    def _judged(self, request: Request) -> Notice:
        if self._is_gone():
            raise NotificationRefused(503, "this DER is away or cut off")
        self._check_sender(request)
        if request.method != "POST":
            raise NotificationRefused(405, f"{request.method[:20]}: only POST is possible here")
        kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
        if kind not in _XML:
            raise NotificationRefused(
                415, f"Content-Type {kind[:60] or 'missing'}: only {MEDIA_TYPE} is read"
            )
        if (coding := request.header("content-encoding")) not in (None, "", "identity"):
            raise NotificationRefused(415, f"Content-Encoding {coding[:60]}: only identity is read")
        return self._read(request.body)

    def _check_sender(self, request: Request) -> None:
        known, der = self.server.lfdi, request.peer_certificate_der
        if known is not None and (der is None or identity.lfdi(der) != known):
            whose = "none" if der is None else f"of LFDI {identity.lfdi(der)}"
            raise NotificationRefused(403, f"certificate {whose}; the server that we talk to has {known}")

    def _read(self, body: bytes) -> Notice:
        session = self._reader.session
        rules = session.codec
        try:
            found, violations = decode(body, r.Notification, validation=rules.validation, strict=rules.strict)
        except RemoteProtocolError as error:
            raise NotificationRefused(400, f"not a Notification: {error}") from None
        session.counters.violations += len(violations)
        record = self._record(found)
        if found.status > DELETED:
            raise NotificationRefused(400, f"status {found.status} is not one of 0 to 4")
        resource = found.Resource
        if resource is not None and not isinstance(resource, record.wanted.kind):
            what = f"{type(resource).__name__} where {record.wanted.kind.__name__} was subscribed to"
            raise NotificationRefused(400, f"{record.wanted.href}: it brings {what}")
        if resource is not None and document_links.needed(body, session.origin, session.origin):
            base = path_of(found.subscribedResource) or "/"
            document_links.make_absolute(resource, session.origin, base, session.origin)
        left_out = sum(each.is_item for each in violations if isinstance(each, LeftOut))
        return Notice(record, found.status, resource, left_out, found.newResourceURI)

    def _record(self, found: r.Notification) -> Subscribed:
        record = self._held.of(found.subscribedResource)
        if record is None or record.state not in ("asked", "subscribed"):
            raise NotificationRefused(400, f"{found.subscribedResource[:200]} is not subscribed to")
        # While we ask, its Location is not known yet.
        if record.href is not None and path_of(found.subscriptionURI) != path_of(record.href):
            why = f"subscriptionURI {found.subscriptionURI[:200]} is not {record.href}"
            raise NotificationRefused(400, why)
        return record
