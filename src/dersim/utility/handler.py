"""HTTP requests of 2030.5 clients to responses, without I/O.

A client is identified by its certificate. Statuses: 404 for what does not exist or belongs to another client,
403 for what only registered clients may see, 405 with Allow for a method that the resource does not support,
501 for a method that HTTP does not have, 406 and 415 for media types other than `application/sep+xml` (EXI is
not supported), 400 with the reason for any other error in a request.

The Error resource has no text, so the reason is sent in an XML comment before it.

Encoded documents are kept (`encoded`) by path, query, edition and, where clients see different content, LFDI,
as long as the document's version does not change. Each has an ETag, a digest of its bytes; a GET with that in
If-None-Match is answered 304.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.fences import Fences
from dersim.http11 import Raw, Request, Response
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, encode, identity
from dersim.ieee2030_5 import resources as r
from dersim.plugin.server_parts import ServerDocument
from dersim.utility import device_resources, tree
from dersim.utility.encoded import EncodedDocuments
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.entity_tags import matches
from dersim.utility.faults.actions import Delayed
from dersim.utility.faults.planted import Client
from dersim.utility.head_end import MODULE, HeadEnd
from dersim.utility.negotiation import check_accept, check_content_type
from dersim.utility.paging import DEFAULT_PAGE, Page, parse_page
from dersim.utility.refusal import BAD_FORM, RequestRefused, not_found
from dersim.utility.request_context import Answer, RequestContext
from dersim.utility.routing import Route

_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"})
_XML = ("content-type", MEDIA_TYPE)

#: Not an error of the client: does not exist yet, exists already.
_EXPECTED = frozenset({404, 409})

MAX_TARGET = 255
#: Targets whose route is remembered: some 15 for each of a thousand devices.
_TARGETS_KEPT = 16_384


class _Found(NamedTuple):
    """Where a target leads: its route with the numbers in the path, the path, the query."""

    route: Route
    numbers: tuple[int, ...]
    path: str
    query: str


class RequestHandler:
    """Answers the requests of 2030.5 clients for one head-end.

    `answer` never raises, except for what `fences` raises again under fail_fast.
    """

    def __init__(self, head_end: HeadEnd, fences: Fences) -> None:
        self._head_end = head_end
        self._fences = fences
        self._documents = EncodedDocuments()
        own = (device_resources.routes_of(each) for each in head_end.parts.resources)
        self._routes = {path: route for each in (tree.ROUTES, *own) for path, route in each.items()}
        self._at = {each.path: each for each in head_end.parts.documents}
        self._find = functools.lru_cache(maxsize=_TARGETS_KEPT)(self._look_up)

    def answer(self, request: Request) -> Response | Raw | Delayed:
        """The response, or what planted faults make of it; both are added to the request log."""
        now_s = self._head_end.now_s()
        lfdi = None
        if request.peer_certificate_der is not None:
            lfdi = identity.lfdi(request.peer_certificate_der)
        what = f"{request.method} {request.target[:200]} of {lfdi or request.peer}"
        if self._head_end.faults.may_act:
            answer: Response | Raw | Delayed = _FAILED
            with self._fences.around("utility_fault", MODULE, what):
                answer = self._answer_with_faults(request, lfdi, what, now_s)
            return answer  # noqa: RET504 - not what was returned where the fence ended it
        response = self._carried_out(request, lfdi, what)
        self._head_end.request_log.add(
            now_s, request.method, request.target, response.status, lfdi, request.body, response.body
        )
        return response

    def _carried_out(self, request: Request, lfdi: str | None, what: str) -> Response:
        response = _FAILED
        with self._fences.around("utility_request", MODULE, what):
            response = self._answer_or_refuse(request, lfdi, what)
        return response  # noqa: RET504 - not what was returned where the fence ended it

    def _answer_with_faults(
        self, request: Request, lfdi: str | None, what: str, now_s: float
    ) -> Response | Raw | Delayed:
        head_end = self._head_end
        device = head_end.end_devices.find(lfdi)
        client = Client(lfdi, None if device is None else device.number)
        outcome = head_end.faults.answer(
            request, client, lambda changed: self._carried_out(changed, lfdi, what)
        )
        answer, response = outcome.answer, outcome.carried_out
        shown = answer if isinstance(answer, Response) else response or Response(0)
        head_end.request_log.add(
            now_s, request.method, request.target, shown.status, lfdi, request.body, shown.body, outcome.marks
        )
        return Delayed(answer, outcome.delay_s) if outcome.delay_s else answer

    def _answer_or_refuse(self, request: Request, lfdi: str | None, what: str) -> Response:
        head_end = self._head_end
        try:
            return self._answer(request, lfdi, head_end.advance())
        except RequestRefused as refused:
            log = head_end.info if refused.status in _EXPECTED else head_end.warn
            log(f"{what}: {refused.status}: {refused}")
            return _refusal(refused)
        except LocalProtocolError as error:
            # An error of ours, in one document: the others can still be read.
            head_end.error(f"{what}: cannot be written: {error}")
            return _FAILED

    def _answer(self, request: Request, lfdi: str | None, now_s: float) -> Response:
        if request.method not in _METHODS:
            raise RequestRefused(501, f"{request.method[:40]} is not a method of HTTP", code=BAD_FORM)
        if self._at and (found := self._at.get(_split(request.target)[0])) is not None:
            self._end_device(lfdi, now_s)
            return _of_server(found, request.method)
        route, numbers, path, query = self._find(request.target)
        device = self._end_device(lfdi, now_s)
        if device is not None and device.peers.newest != request.peer:
            self._note_peer(device, request.peer, now_s)
        context = RequestContext(
            self._head_end,
            now_s,
            lfdi,
            device,
            _page(query) if request.method in ("GET", "HEAD") else DEFAULT_PAGE,
            request.method,
            path,
            request.body,
            request.peer,
        )
        if request.method in ("GET", "HEAD"):
            check_accept(request)
            known = request.header("if-none-match")
            return self._read(route, context, numbers, query, known)
        if device is not None:
            self._head_end.end_devices.touch(device)
        return _write(request, route, context, numbers)

    def _look_up(self, target: str) -> _Found:
        path, query = _split(target)
        found = tree.find(path, self._routes)
        if found is None:
            raise not_found()
        return _Found(*found, path, query)

    def _end_device(self, lfdi: str | None, now_s: float) -> EndDeviceRecord | None:
        if lfdi is None:
            if self._head_end.config.encrypted:
                raise RequestRefused(403, "a client certificate is needed")
            return None
        end_devices = self._head_end.end_devices
        known = len(end_devices)
        device = end_devices.on_contact(lfdi, now_s)
        if device is not None and len(end_devices) > known:
            self._head_end.info(f"registered {lfdi} at first contact as {device.href}")
        return device

    def _note_peer(self, device: EndDeviceRecord, peer: str, now_s: float) -> None:
        """The request came on another connection than the one before."""
        if peer.startswith("("):  # closed before its address was read, or no socket
            return
        both = device.peers.note(peer, now_s)
        if both is not None:
            # No violation: HTTP lets one client keep several connections.
            self._head_end.shared_lfdis += 1
            where = " and ".join(sorted(both))
            text = f"LFDI {device.lfdi} is used on the connections of {where} at a time"
            self._head_end.warn(f"{text}: two clients with one certificate, or one that keeps several?")

    def _read(
        self, route: Route, context: RequestContext, numbers: Sequence[int], query: str, known: str | None
    ) -> Response:
        document = route.get(context, *numbers)
        edition = document.edition or context.edition
        key = (context.path, query and context.page, edition, context.lfdi if document.own else None)
        found = self._documents.get(key, document.version, lambda: encode(document.build(edition), edition))
        if known is not None and matches(known, found.tag):
            return Response(304, (found.etag,))
        return Response(200, (_XML, found.etag), found.body)


def _of_server(document: ServerDocument, method: str) -> Response:
    """A document that a plug-in makes for the whole server."""
    if method not in ("GET", "HEAD"):
        allow = "GET, HEAD"
        raise RequestRefused(405, f"{method} is not supported here; use {allow}", headers=(("allow", allow),))
    return Response(200, (("content-type", document.content_type),), document.make())


def _write(request: Request, route: Route, context: RequestContext, numbers: Sequence[int]) -> Response:
    handlers = {"PUT": route.put, "POST": route.post, "DELETE": route.delete}
    handler = handlers.get(request.method)
    if handler is None:
        raise RequestRefused(
            405,
            f"{request.method} is not supported here; use {route.allow}",
            headers=(("allow", route.allow),),
        )
    if request.method != "DELETE":
        check_content_type(request)
    answer: Answer = handler(context, *numbers)
    context.count_violations()
    headers = () if answer.location is None else (("location", answer.location),)
    return Response(answer.status, headers)


def _split(target: str) -> tuple[str, str]:
    """Path, percent-decoded, and query; an absolute target (RFC 9112 3.2.2) is cut to them."""
    if len(target) > MAX_TARGET:
        raise RequestRefused(400, f"the target has {len(target)} bytes; at most {MAX_TARGET} are allowed")
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    path, _, query = target.partition("?")
    parts = [unquote(part) for part in path.split("/")]
    if any("/" in part for part in parts):
        raise not_found()
    return "/".join(parts), query


@functools.lru_cache(maxsize=256)
def _page(query: str) -> Page:
    try:
        return parse_page(query)
    except RemoteProtocolError as error:
        raise RequestRefused(400, str(error)) from None


def _refusal(refused: RequestRefused) -> Response:
    # Comments must not contain two hyphens in a row or characters that XML forbids. Angle brackets would
    # make the body look like HTML.
    reason = "".join(c if c.isprintable() and c not in "<>" else " " for c in refused.reason[:400])
    reason = reason.replace("--", "- -")
    body = encode(r.Error(reasonCode=refused.code), Edition.E2018)
    comment = f"<!-- {reason} -->".encode("utf-8", "replace")
    return Response(refused.status, (_XML, *refused.headers), comment + body)


_FAILED = _refusal(RequestRefused(500, "this is an error of the server; see its log"))
