"""From an HTTP request to its response, without I/O: who asks, what for, and what HTTP demands around it.

Who a client is, its certificate tells. The statuses: 404 for what is not there or not the client's own, 403
for what only registered clients may see, 405 with Allow for a method that the resource does not take, 501
for one that HTTP does not know, 406 and 415 where something other than `application/sep+xml` is asked for or
sent (EXI is not spoken), 400 with the reason for everything else that is wrong with a request.

An Error body has no place for words, so the reason stands in an XML comment before it.

Documents are encoded once: the bytes are kept by path, query, edition and, where it matters, reader, as long
as the document's version stays.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from dersim.errors import LocalProtocolError, RemoteProtocolError
from dersim.http11 import Request, Response
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, encode, identity
from dersim.ieee2030_5 import resources as r
from dersim.utility import tree
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.paging import DEFAULT_PAGE, Page, parse_page
from dersim.utility.refusal import BAD_FORM, Refused, not_found
from dersim.utility.request_context import Answer, RequestContext
from dersim.utility.tree import Route

_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT"})
_READABLE_AS = frozenset({MEDIA_TYPE, "application/*", "*/*", "application/xml", "text/xml", "text/*"})
_WRITABLE_AS = frozenset({MEDIA_TYPE, "application/xml", "text/xml"})
_XML = ("content-type", MEDIA_TYPE)

#: What a client may run into without doing wrong: not there yet, there already.
_EXPECTED = frozenset({404, 409})

#: Encoded documents kept; the oldest leave first.
CACHED = 20_000
MAX_TARGET = 255


class _Kept(NamedTuple):
    version: Hashable
    body: bytes


class RequestHandler:
    """Answers requests for one head-end. `answer` never raises for what a client does."""

    def __init__(self, head_end: HeadEnd) -> None:
        self._head_end = head_end
        self._encoded: dict[Hashable, _Kept] = {}

    def answer(self, request: Request) -> Response:
        """The response, and a note of the exchange in the conversation."""
        head_end = self._head_end
        now_s = head_end.advance()
        lfdi = None
        if request.peer_certificate_der is not None:
            lfdi = identity.lfdi(request.peer_certificate_der)
        try:
            response = self._answer(request, lfdi, now_s)
        except Refused as refused:
            response = _refusal(refused)
            tell = head_end.info if refused.status in _EXPECTED else head_end.warn
            who = lfdi or request.peer
            tell(f"{request.method} {request.target[:200]} of {who}: {refused.status}: {refused}")
        except LocalProtocolError as error:
            # A fault of ours, in one document: the others can still be read.
            head_end.error(f"{request.method} {request.target[:200]}: cannot be written: {error}")
            response = Response(500)
        head_end.conversation.add(
            now_s, request.method, request.target, response.status, lfdi, request.body, response.body
        )
        return response

    def _answer(self, request: Request, lfdi: str | None, now_s: float) -> Response:
        if request.method not in _METHODS:
            raise Refused(501, f"{request.method[:40]} is not a method of HTTP", code=BAD_FORM)
        if request.header("host") is None:
            raise Refused(400, "the header Host is missing", code=BAD_FORM)
        path, query = _split(request.target)
        found = tree.find(path)
        if found is None:
            raise not_found()
        route, numbers = found
        context = RequestContext(
            self._head_end,
            now_s,
            lfdi,
            self._meet(lfdi, now_s),
            _page(query) if request.method in ("GET", "HEAD") else DEFAULT_PAGE,
            request.method,
            path,
            request.body,
        )
        if request.method in ("GET", "HEAD"):
            _check_accept(request)
            return self._read(route, context, numbers, query)
        return _write(request, route, context, numbers)

    def _meet(self, lfdi: str | None, now_s: float) -> EndDeviceRecord | None:
        if lfdi is None:
            if self._head_end.config.encrypted:
                raise Refused(403, "a client certificate is needed")
            return None
        registry = self._head_end.registry
        known = len(registry)
        device = registry.meet(lfdi, now_s)
        if device is not None and len(registry) > known:
            self._head_end.info(f"registered {lfdi} at first contact as {device.href}")
        return device

    def _read(self, route: Route, context: RequestContext, numbers: list[int], query: str) -> Response:
        document = route.get(context, *numbers)
        edition = document.edition or context.edition
        key = (context.path, query and context.page, edition, context.lfdi if document.own else None)
        kept = self._encoded.get(key)
        if kept is None or kept.version != document.version:
            kept = _Kept(document.version, encode(document.build(edition), edition))
            self._encoded[key] = kept
            if len(self._encoded) > CACHED:
                del self._encoded[next(iter(self._encoded))]
        return Response(200, (_XML,), kept.body)


def _write(request: Request, route: Route, context: RequestContext, numbers: list[int]) -> Response:
    handlers = {"PUT": route.put, "POST": route.post, "DELETE": route.delete}
    handler = handlers.get(request.method)
    if handler is None:
        raise Refused(
            405,
            f"{request.method} is not possible here; {route.allow} are",
            headers=(("allow", route.allow),),
        )
    if request.method != "DELETE":
        _check_content_type(request)
    answer: Answer = handler(context, *numbers)
    headers = () if answer.location is None else (("location", answer.location),)
    return Response(answer.status, headers)


def _split(target: str) -> tuple[str, str]:
    """Path and query; an absolute target (RFC 9112 3.2.2) loses its scheme and authority."""
    if len(target) > MAX_TARGET:
        raise Refused(400, f"the target has {len(target)} bytes; at most {MAX_TARGET} are allowed")
    if target.startswith(("http://", "https://")):
        target = "/" + target.split("/", 3)[3] if target.count("/") > 2 else "/"
    path, _, query = target.partition("?")
    return path, query


def _page(query: str) -> Page:
    try:
        return parse_page(query)
    except RemoteProtocolError as error:
        raise Refused(400, str(error)) from None


def _check_accept(request: Request) -> None:
    accept = request.header("accept")
    if accept is None:
        return
    kinds = {item.partition(";")[0].strip().lower() for item in accept.split(",")}
    if kinds.isdisjoint(_READABLE_AS):
        raise Refused(406, f"Accept {accept[:100]}: only {MEDIA_TYPE} is spoken here")


def _check_content_type(request: Request) -> None:
    given = request.header("content-type")
    if given is not None and given.partition(";")[0].strip().lower() not in _WRITABLE_AS:
        raise Refused(415, f"Content-Type {given[:100]}: only {MEDIA_TYPE} is understood here")


def _refusal(refused: Refused) -> Response:
    # A comment may not hold two hyphens in a row, nor characters that XML forbids; and what looks like a tag
    # in it would mislead those who look for HTML.
    reason = "".join(c if c.isprintable() and c not in "<>" else " " for c in refused.reason[:400])
    reason = reason.replace("--", "- -")
    body = encode(r.Error(reasonCode=refused.code), Edition.E2018)
    comment = f"<!-- {reason} -->".encode("utf-8", "replace")
    return Response(refused.status, (_XML, *refused.headers), comment + body)
