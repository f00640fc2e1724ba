"""The requests of one DER: links, redirects, error statuses, and the documents that were read before.

A request gives an `Answer`, or raises `UtilityUnreachable` (no complete answer), `RequestRefused` (an error
status) or `RemoteProtocolError` (an answer that cannot be used). `lifecycle.py` decides what happens next.

Every GET remembers a hash of its body. The same bytes again return the same object, so an unchanged poll
costs only the hash.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass, fields
from typing import Any, Generic, NamedTuple, TypeVar

import trio

from dersim.clock import SimClock
from dersim.csip import document_links
from dersim.csip.answer_words import REDIRECTS, described, end_of, first_words
from dersim.csip.documents import Document, Documents, Remembered
from dersim.csip.hints import hint
from dersim.csip.links import Origin, resolve
from dersim.csip.retry_after import retry_after_s
from dersim.errors import LocalProtocolError, RemoteProtocolError, UtilityUnreachable
from dersim.exchanges.conversation import Conversation
from dersim.http11 import Headers, Requests, Response
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import Level

#: Redirects that are followed for one request.
MAX_REDIRECTS = 5
#: Servers to which a connection is kept, ours and those that redirects lead to; the oldest other is closed.
MAX_ORIGINS = 4
#: The status (RFC 5842) of a redirect that leads nowhere: an error of the server, so a Response is kept.
LOOP_DETECTED = 508
#: How soon a list that was 204 is read again, s.
EMPTY_POLL_RATE_S = 30
#: The longest part of a Location that is logged.
MAX_LOCATION_CHARS = 200
_READ_HEADERS = (("Accept", "application/sep+xml"), ("User-Agent", "dersim"))
_WRITE_HEADERS = (*_READ_HEADERS, ("Content-Type", "application/sep+xml"))

Say = Callable[[Level, str], None]
Connect = Callable[[Origin], Requests]
#: Goes around one unit of work, by place and name: an unforeseen error ends that unit alone.
Fence = Callable[[str, str], AbstractContextManager[None]]
T = TypeVar("T")


class RequestRefused(RemoteProtocolError):  # noqa: N818 - named as the answer that it is
    """The server answered with an error status. `retry_after_s`: how long it asked us to wait, or None."""

    def __init__(self, message: str, status: int, href: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.href = href
        self.retry_after_s = retry_after_s

    @property
    def gone(self) -> bool:
        """Whether the server says that there is no such resource (any more)."""
        return self.status in (404, 410)


class NoContent(RemoteProtocolError):  # noqa: N818 - named as the answer that it is
    """The server answered 204 where a single resource was expected: it is empty."""


class Answer(NamedTuple):
    """A good answer. origin, target: where it came from, after redirects. location: absolute, or a path.

    sent_s, received_s: simulated time.
    """

    origin: Origin
    target: str
    status: int
    location: str | None
    body: bytes
    content_type: str
    sent_s: float
    received_s: float


class Fetched(NamedTuple, Generic[T]):
    """A resource that was read: the same object where the bytes are the same as the time before.

    left_out: how many items of this list could not be read.
    """

    resource: T
    sent_s: float
    received_s: float
    left_out: int = 0


@dataclass(slots=True)
class Counters:
    """The counters of `csip-client`, since the start of this client."""

    requests: int = 0
    errors: int = 0
    puts: int = 0
    puts_skipped: int = 0
    meter_posts: int = 0
    responses: int = 0
    log_events: int = 0
    violations: int = 0
    notifications: int = 0
    notifications_refused: int = 0


COUNTER_NAMES = tuple(each.name for each in fields(Counters))


@dataclass(frozen=True, slots=True)
class CodecSettings:
    """How documents are written and read: the edition of what we send, the validation of what we receive."""

    edition: Edition
    validation: Any = "fast"
    strict: bool = False


class Session:
    """The requests of one DER to one server, one at a time over keep-alive connections.

    documents: what sessions share. connecting: limits how many sessions connect at once and in a second.
    on_recovered: called at the first 2xx after failures (5xx or no answer), with the hrefs that had failed.
    odd_lists: the lists whose pages did not agree when last read, and whether `all` rose (`paging.py`).
    """

    def __init__(
        self,
        origin: Origin,
        connect: Connect,
        clock: SimClock,
        *,
        codec: CodecSettings,
        counters: Counters,
        conversation: Conversation,
        say: Say,
        device: int,
        documents: Documents | None = None,
        connecting: AbstractAsyncContextManager[None] | None = None,
        on_recovered: Callable[[frozenset[str]], None] | None = None,
    ) -> None:
        self.origin = origin
        self.codec = codec
        self.counters = counters
        self.last_contact_s: float | None = None
        self.odd_lists: dict[str, bool] = {}
        self._connect = connect
        self._clock = clock
        self._conversation = conversation
        self._say = say
        self._device = device
        self._documents = documents or Documents()
        self._connecting = connecting or trio.CapacityLimiter(1)
        self._on_recovered = on_recovered
        self._failed: dict[str, None] = {}
        self._newest = 0
        self._connections: dict[Origin, Requests] = {}
        self._remembered = Remembered()
        self._accepted_us: dict[Origin, None] = {}

    async def aclose(self) -> None:
        """Close all connections."""
        connections, self._connections = self._connections, {}
        for connection in connections.values():
            await connection.aclose()

    async def renew(self, connect: Connect) -> None:
        """Close all connections; later ones are made by `connect`, with other certificates."""
        self._connect = connect
        self._accepted_us.clear()
        await self.aclose()

    def forget(self) -> None:
        """Forget all documents: the next GET of each is fresh."""
        self._remembered.clear()

    async def fetch(self, href: str, kind: type[T], cause: str, *, level: Level = "Info") -> Fetched[T]:
        """GET and read `href`, which must hold a `kind`.

        cause: why, for the conversation (`causes.py`). level: the log level of a fresh document; one seen
        before is logged as Debug.
        """
        answer = await self.exchange("GET", href, cause)
        if answer.status == 204:
            return self._empty(href, kind, answer)
        known = self._remembered.find(href, kind)
        digest = hash(answer.body)
        if known is not None and known.digest == digest and isinstance(known.resource, kind):
            self._say("Debug", f"GET {href}: {answer.status}, unchanged")
            return Fetched(known.resource, answer.sent_s, answer.received_s, known.left_out)
        document = self._read_or_note(href, kind, answer)
        self._remembered.keep(href, kind, document)
        self._say(level, f"GET {href}: {answer.status} {described(document.resource)}")
        return Fetched(document.resource, answer.sent_s, answer.received_s, document.left_out)

    def _empty(self, href: str, kind: type[T], answer: Answer) -> Fetched[T]:
        """A 204 is an empty resource: a list without items, anything else NoContent."""
        fresh = self._remembered.drop(href, kind)
        if not issubclass(kind, r.List | r.SubscribableList):
            raise NoContent(f"GET {href}: 204, there is no {kind.__name__}")
        self._say("Info" if fresh else "Debug", f"GET {href}: 204, taken as an empty {kind.__name__}")
        rate: dict[str, Any] = {"pollRate": EMPTY_POLL_RATE_S} if hasattr(kind, "pollRate") else {}
        return Fetched(kind(all=0, results=0, **rate), answer.sent_s, answer.received_s)

    def _read_or_note(self, href: str, kind: type, answer: Answer) -> Document:
        """As `_read`; the conversation tells of an answer that is not used. Nothing has been sent since."""
        try:
            return self._read(href, kind, answer)
        except RemoteProtocolError as error:
            self._conversation.amend(self._newest, f"not used: {error}")
            raise

    def _read(self, href: str, kind: type, answer: Answer) -> Document:
        """The document, which may be shared with other sessions; tells its violations."""
        held = self._documents.find(answer.body, kind, self.codec)
        for line in (document := held or self._parsed(href, kind, answer)).warnings():
            self._say("Warning", f"GET {href}: {line}")
        self.counters.violations += len(document.violations)
        return document

    def _parsed(self, href: str, kind: type, answer: Answer) -> Document:
        what, body, rules = f"GET {href}: {answer.status}", answer.body, self.codec
        if not body.strip():
            raise self._unusable(f"{what} without a body where a {kind.__name__} should be")
        try:
            resource, violations = decode(body, kind, validation=rules.validation, strict=rules.strict)
        except RemoteProtocolError as error:
            raise self._unusable(f"{what}, but {error}") from None
        document = Document(body, resource, violations)
        if document_links.needed(body, answer.origin, self.origin):
            document_links.make_absolute(resource, answer.origin, answer.target, self.origin)
        else:
            self._documents.keep(body, kind, rules, document)
        return document

    def _unusable(self, message: str) -> RemoteProtocolError:
        self.counters.errors += 1
        return RemoteProtocolError(message)

    def encode(self, resource: Any) -> bytes:
        """The document as this session's edition writes it."""
        return encode(resource, self.codec.edition)

    async def send(self, method: str, href: str, body: bytes, what: str, cause: str) -> Answer:
        """PUT or POST a document; logs one line that names it."""
        answer = await self.exchange(method, href, cause, body)
        self._say("Info", f"{method} {href}: {answer.status} {what}")
        return answer

    async def exchange(self, method: str, href: str, cause: str, body: bytes = b"") -> Answer:
        """As `_exchange`, noting which hrefs fail; the first 2xx after failures calls `on_recovered`."""
        try:
            answer = await self._exchange(method, href, cause, body)
        except (UtilityUnreachable, RequestRefused) as error:
            if isinstance(error, UtilityUnreachable) or error.status >= 500:
                self._failed[href.partition("?")[0]] = None
            if isinstance(error, RequestRefused) and error.status == LOOP_DETECTED:
                self._say("Warning", str(error))
                self.counters.errors += 1
            raise
        if self._failed:
            failed, self._failed = frozenset(self._failed), {}
            if self._on_recovered is not None:
                self._on_recovered(failed)
        return answer

    async def _exchange(self, method: str, href: str, cause: str, body: bytes) -> Answer:
        """One request, following redirects with method and body; raises as the head of this module says."""
        origin, target = resolve(self.origin, href)
        asked_for, chain = cause, [(origin, target)]
        for _ in range(MAX_REDIRECTS + 1):
            await (await self._connection(origin)).due(method, target)
            sent_s = self._clock.now_s()
            response = await self._once(origin, method, target, cause, body)
            if response.status in REDIRECTS and (location := response.header("location")):
                self._say(
                    "Info",
                    f"{method} {target}: {response.status}, redirected to {location[:MAX_LOCATION_CHARS]}",
                )
                origin, target = _redirected(chain, location)
                cause = f"{asked_for}, redirected"
                continue
            if not 200 <= response.status < 300:
                raise self._refused(method, target, origin, response, body)
            self._accepted_us[origin] = None
            return Answer(
                origin,
                target,
                response.status,
                self._location(response, origin, target),
                response.body,
                response.header("content-type") or "",
                sent_s,
                self._clock.now_s(),
            )
        why = f"more than {MAX_REDIRECTS} redirects, the last to {target}"
        raise RequestRefused(f"{method} {href}: {why}", LOOP_DETECTED, href)

    def _location(self, response: Response, origin: Origin, target: str) -> str | None:
        """The Location header as a path of this server or a URL elsewhere; None without a usable one."""
        location = response.header("location")
        if location is None:
            return None
        try:
            where, path = resolve(origin, location, base_path=target)
        except RemoteProtocolError as error:
            self._say("Warning", f"{target}: Location is not used: {error}")
            return None
        return path if where == self.origin else where.url(path)

    async def _once(self, origin: Origin, method: str, target: str, cause: str, body: bytes) -> Response:
        self.counters.requests += 1
        headers = _WRITE_HEADERS if body else _READ_HEADERS
        connection = await self._connection(origin)
        if not connection.is_open:
            async with self._connecting:
                return await self._timed(connection, origin, method, target, headers, cause, body)
        return await self._timed(connection, origin, method, target, headers, cause, body)

    async def _timed(
        self,
        connection: Requests,
        origin: Origin,
        method: str,
        target: str,
        headers: Headers,
        cause: str,
        body: bytes,
    ) -> Response:
        time_s, started_s = self._clock.now_s(), trio.current_time()
        end = "cancelled"
        outcome: tuple[int, Headers, bytes] = (0, (), b"")
        try:
            response = await connection.request(method, target, headers=headers, body=body)
            end, outcome = end_of(response.status), response
        except (UtilityUnreachable, RemoteProtocolError) as error:
            self.counters.errors += 1
            end = str(error)
            raise
        except LocalProtocolError as error:
            raise self._unusable(f"{method} {target}: {error}") from None
        finally:
            elapsed_s = trio.current_time() - started_s
            url = origin.url(target)
            self._newest = self._conversation.add(
                time_s, self._device, method, url, (headers, body), outcome, end, elapsed_s, cause=cause
            )
        self.last_contact_s = self._clock.now_s()
        return response

    async def _connection(self, origin: Origin) -> Requests:
        if (connection := self._connections.get(origin)) is None:
            if len(self._connections) >= MAX_ORIGINS:
                await self._connections.pop(next(o for o in self._connections if o != self.origin)).aclose()
            connection = self._connections[origin] = self._connect(origin)
        return connection

    def _refused(
        self, method: str, target: str, origin: Origin, response: Response, sent: bytes
    ) -> RequestRefused:
        self.counters.errors += 1
        message = f"{method} {target}: the server answered {response.status}"
        if text := first_words(response.body, response.header("content-type") or ""):
            message += f" ({text})"
        accepted = not origin.secure or origin in self._accepted_us
        if advice := hint(response, sent, self.codec.edition, certificate_accepted=accepted):
            message += f"; {advice}"
        return RequestRefused(message, response.status, target, retry_after_s(response))


def _redirected(chain: list[tuple[Origin, str]], location: str) -> tuple[Origin, str]:
    """Where a redirect leads, added to its chain; to an address of it is a loop (RFC 9110 15.4)."""
    origin, target = chain[-1]
    try:
        chain.append(resolve(origin, location, base_path=target))
    except RemoteProtocolError as error:
        raise RequestRefused(f"{target}: redirect refused: {error}", LOOP_DETECTED, target) from None
    if chain[-1] in chain[:-1]:
        raise RequestRefused(f"{target}: redirected in a loop, to {chain[-1][1]}", LOOP_DETECTED, target)
    return chain[-1]
