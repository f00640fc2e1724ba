"""Servers with one planted defect each, and the ids that must fail for it."""

from __future__ import annotations

import contextlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from unittest import mock

from lxml import etree
from tests.conformance.wires import any_chain, is_response, path_of

from dersim.conformance.server.runs import companion
from dersim.http11 import Response
from dersim.http11.plain import to_tls
from dersim.tls import context as tls_context
from dersim.utility.subscriptions import notification, subscribable
from dersim.utility.subscriptions.book import Subscriptions
from dersim.utility.subscriptions.changes import Changes
from dersim.utility.subscriptions.sender import Sender

NS = "{urn:ieee:std:2030.5:ns}"
#: The ids that each defect is tried on: every area, and no two for the same purpose.
PROBE = (
    *("COMM-002", "COMM-003", "COMM-004D", "CORE-001", "CORE-002", "CORE-003", "CORE-004", "CORE-005"),
    *("CORE-009", "CORE-011", "CORE-012", "CORE-014", "CORE-021", "CORE-022", "BASIC-001", "BASIC-003"),
    *("BASIC-010", "BASIC-015", "BASIC-019", "BASIC-021", "BASIC-027", "BASIC-028", "BASIC-029"),
    *("CORE-018", "CORE-019", "UTIL-001", "UTIL-002", "UTIL-004"),
    *("MAINT-001", "MAINT-003", "MAINT-004", "MAINT-005", "ERR-002"),
)
#: The ids with controls that are followed to their end and answered.
EVENTS = frozenset(
    (
        "CORE-011",
        "CORE-012",
        "CORE-021",
        "CORE-022",
        "BASIC-003",
        "BASIC-010",
        "BASIC-015",
        "BASIC-019",
        "BASIC-021",
    )
)
#: The ids that compare LFDI, SFDI and PIN.
IDENTITY = EVENTS | {"CORE-003", "CORE-009", "BASIC-001", "UTIL-002"}
#: The ids that read DERPrograms in their list and by their own href.
PROGRAMS = EVENTS | {
    *("CORE-001", "CORE-003", "BASIC-001", "UTIL-001", "UTIL-004", "MAINT-003", "MAINT-004", "MAINT-005"),
}
#: The ids that subscribe and are notified.
SUBSCRIBING = frozenset(
    ("CORE-018", "CORE-019", "UTIL-004", "MAINT-001", "MAINT-003", "MAINT-004", "MAINT-005")
)
#: The ids that fetch a resource with GET and expect 200.
READING = frozenset(PROBE) - {"COMM-004D", "COMM-003"}


@dataclass
class Broken:
    """A server with a defect.

    fails: the ids that must fail, of those in PROBE. request: what the server understands of a request:
    itself, a changed one, or a Response in its place. answer: what becomes of its answer. patch: a defect of
    the server itself. change: of a new server, before it serves.
    """

    name: str
    fails: set[str]
    answer: Callable | None = None
    request: Callable | None = None
    patch: Callable = contextlib.nullcontext
    change: Callable | None = None

    def make(self, kit, clock, log):
        """A server with the defect."""
        server, state = companion(kit, clock, log), {}

        async def wire(request, answer):
            wanted = request if self.request is None else self.request(request, state)
            response = wanted if isinstance(wanted, Response) else await answer(wanted)
            return response if self.answer is None else self.answer(request, response, state)

        server.wire = wire
        if self.change is not None:
            self.change(server)
        return server


def rewritten(pattern, replacement, path=""):
    """Bodies of answers with another text; path: of those whose path ends so, a pattern."""

    def change(request, response, _):
        if request.method != "GET" or not re.search(path, path_of(request)):
            return response
        return response._replace(body=re.sub(pattern, replacement, response.body, flags=re.DOTALL))

    return change


def remade(test, change):
    """Answers of GETs whose path passes the test, with a changed tree."""

    def answer(request, response, _):
        if request.method != "GET" or response.status != 200 or not re.search(test, path_of(request)):
            return response
        root = etree.fromstring(response.body)
        change(root)
        return response._replace(body=etree.tostring(root))

    return answer


def turned(name):
    """The items of a list the other way round."""

    def change(root):
        items = root.findall(f"{NS}{name}")
        for each in items:
            root.remove(each)
        for each in reversed(items):
            root.append(each)

    return change


def status_of(method, path, status):
    """Another status for such requests that are accepted."""

    def answer(request, response, _):
        is_meant = request.method == method and re.search(path, path_of(request))
        return response._replace(status=status) if is_meant and response.status < 300 else response

    return answer


def refused_as(status, other, path=""):
    """Another status where the server refuses with this one."""
    return lambda request, response, _: (
        response._replace(status=other)
        if response.status == status and re.search(path, path_of(request))
        else response
    )


def without_header(name, method, path):
    def answer(request, response, _):
        if request.method != method or not re.search(path, path_of(request)):
            return response
        return response._replace(headers=tuple(each for each in response.headers if each[0] != name))

    return answer


def not_kept(path, status):
    """PUTs that are answered and forgotten."""
    return lambda request, _: (
        Response(status) if request.method == "PUT" and re.search(path, path_of(request)) else request
    )


def first_kept(path):
    """Only the first PUT of a document is kept."""

    def request_of(request, state):
        if request.method != "PUT" or not re.search(path, path_of(request)):
            return request
        seen = state.setdefault("put", set())
        if path_of(request) in seen:
            return Response(204)
        seen.add(path_of(request))
        return request

    return request_of


def frozen(path):
    """The first answer of a target counts for ever."""

    def answer(request, response, state):
        if request.method != "GET" or response.status != 200 or not re.search(path, path_of(request)):
            return response
        return state.setdefault((request.target, request.peer_certificate_der), response)

    return answer


def without_query(name):
    """The parameter of lists is not understood; where it is `l`, the list is whole."""

    def request_of(request, _):
        path, mark, query = request.target.partition("?")
        parts = [part for part in query.split("&") if part and not part.startswith(f"{name}=")]
        if mark and len(parts) < len(query.split("&")) and name == "l":
            parts.append("l=255")
        return request._replace(target=path + ("?" + "&".join(parts) if parts else ""))

    return request_of


def counted_up(found):
    return b'%b="%d"' % (found[1], int(found[2]) + 1)


def shown_to_all(request, response, state):
    """What belongs to another client is shown to anyone."""
    who, path = request.peer_certificate_der, path_of(request)
    if request.method == "GET" and response.status == 200 and path.startswith("/edev/"):
        state[path] = (who, response)
    owner, shown = state.get(path, (who, response))
    return response if owner == who else shown


def changing(name, every=1):
    """A number in the resource that is another one at each look."""

    def answer(request, response, state):
        if request.method != "GET" or f"<{name}>".encode() not in response.body:
            return response
        state["looks"] = state.get("looks", 0) + every
        return response._replace(
            body=re.sub(
                rb"<%b>(\w+)" % name.encode(),
                lambda found: b"<%b>%d" % (name.encode(), int(found[1]) - state["looks"]),
                response.body,
            )
        )

    return answer


def program_renamed(request, response, state):
    """A DERProgram has another mRID by its own href each time."""
    if request.method != "GET" or not re.fullmatch(r"/derp/\d+", path_of(request)):
        return response
    state["looks"] = state.get("looks", 0) + 1
    body = re.sub(rb"<mRID>..", b"<mRID>%02d" % (state["looks"] % 100), response.body)
    return response._replace(body=body)


def without_mtls(server):
    """Clients without a certificate get in, and see DeviceCapability."""
    make, wire = server._context, server.wire

    def context():
        made = make()
        made.verify_mode = ssl.CERT_OPTIONAL
        return made

    async def open_wire(request, answer):
        if request.peer_certificate_der is None:
            return Response(200, (("content-type", "application/sep+xml"),), b"<DeviceCapability/>")
        return await wire(request, answer)

    server._context, server.wire = context, open_wire


@contextlib.contextmanager
def absent_chain_accepted():
    """No chain is as good as a right one; a wrong one is refused."""
    chain_of, check = tls_context._CheckedObject.verified_chain, tls_context.check_chain

    def chain(self):
        return chain_of(self) if self.getpeercert(binary_form=True) else []

    with (
        mock.patch.object(tls_context._CheckedObject, "verified_chain", chain),
        mock.patch.object(tls_context, "check_chain", lambda each: check(each) if each else ()),
    ):
        yield


@contextlib.contextmanager
def to_http():
    async def redirect(request):
        answer = await to_tls(request)
        headers = tuple(
            (k, v.replace("https:", "http:") if k == "location" else v) for k, v in answer.headers
        )
        return answer._replace(headers=headers)

    with mock.patch("dersim.http11.server.to_tls", redirect):
        yield


@contextlib.contextmanager
def sent_twice():
    post = Sender._post

    async def twice(self, *given):
        await post(self, *given)
        await post(self, *given)

    with mock.patch.object(Sender, "_post", twice):
        yield


def told_as(change):
    """Notifications of changes with another body."""
    of_change = notification.of_change
    return lambda: mock.patch.object(notification, "of_change", lambda *given: change(of_change(*given)))


def never_ended():
    """A Subscription that the server ends is gone without a word."""
    return mock.patch.object(Subscriptions, "end", lambda self, record, _: self.remove(record))


def never_noticed():
    """Changes are not seen by the notifier."""
    return mock.patch.object(Changes, "collect", return_value=None)


def refusal_unseen():
    """400 to a Notification is a failure like any other."""
    return mock.patch("dersim.utility.subscriptions.notifier.UNWANTED", 999)


def parents_told():
    """How many items the lists below a resource have counts as a change of it."""
    return mock.patch.object(subscribable, "_COUNT", re.compile(rb"((?!))"))


def unknown_accepted(request, response, _):
    is_reading = request.method == "POST" and path_of(request).startswith("/mup/") and response.status == 400
    return Response(204) if is_reading else response


def lacking(ending, element):
    """An element of a document that is left out."""
    return rewritten(rb"<%b[ >/].*?(?:</%b>|/>)" % (element, element), b"", ending)


def cut_to(most):
    def change(root):
        items = root.findall(f"{NS}DERControl")
        for each in items[most:]:
            root.remove(each)
        root.set("all", str(min(most, len(items))))
        root.set("results", str(min(most, len(items))))

    return change


def last_point_lost(root):
    for curve in root.iter(f"{NS}DERCurve"):
        points = curve.findall(f"{NS}CurveData")
        curve.remove(points[-1])


def late_to_list(request, response, state):
    """A control that is cancelled vanishes, and is never shown as cancelled."""
    if request.method != "GET" or not path_of(request).endswith("/derc") or response.status != 200:
        return response
    root = etree.fromstring(response.body)
    for each in root.findall(f"{NS}DERControl"):
        if each.findtext(f"{NS}EventStatus/{NS}currentStatus") in ("2", "3"):
            root.remove(each)
    count = str(len(root))
    root.set("all", count)
    root.set("results", count)
    return response._replace(body=etree.tostring(root))


DOCUMENTS = r"/der/1/\w+$"
BROKEN = [
    # documents and settings
    Broken(
        "PUTs are answered 204 and not kept",
        {"CORE-009", "CORE-014", "BASIC-028", "UTIL-002"},
        request=not_kept(DOCUMENTS, 204),
    ),
    Broken("only the first PUT of a document is kept", {"CORE-014"}, request=first_kept(DOCUMENTS)),
    Broken(
        "PUTs are answered 200",
        {"CORE-002", "CORE-014", "BASIC-028", "UTIL-002"},
        status_of("PUT", DOCUMENTS, 200),
    ),
    Broken(
        "a digit of modesSupported is altered",
        {"CORE-009", "CORE-014", "UTIL-002"},
        rewritten(rb"(<modesSupported>\w+)\w(<)", rb"\g<1>0\2", "/dercap$"),
    ),
    Broken(
        "the sign of setMaxVarNeg is lost",
        {"CORE-009", "CORE-014", "UTIL-002"},
        rewritten(rb"-4840", b"4840", "/derg$"),
    ),
    # metering and events
    Broken("MirrorUsagePoints have no Location", {"BASIC-029"}, without_header("location", "POST", "^/mup$")),
    Broken("a MirrorUsagePoint has no postRate", {"BASIC-029"}, lacking(r"^/mup/\d+$", b"postRate")),
    Broken("readings of unknown mRIDs are taken", {"BASIC-029"}, unknown_accepted),
    Broken(
        "the newest reading is kept with the wrong sign",
        {"BASIC-029"},
        rewritten(rb"<value>-", b"<value>", "/r$"),
    ),
    Broken(
        "LogEvents have no Location", {"CORE-002", "BASIC-027"}, without_header("location", "POST", "/lel$")
    ),
    Broken("LogEvents are listed the oldest first", {"BASIC-027"}, remade("/lel$", turned("LogEvent"))),
    # lists
    Broken("lists ignore l", {"CORE-004"}, request=without_query("l")),
    Broken("lists ignore s", {"CORE-004"}, request=without_query("s")),
    Broken("lists ignore a", {"CORE-004"}, request=without_query("a")),
    Broken("all is one too many", set(READING), rewritten(rb'(\ball)="(\d+)"', counted_up)),
    Broken("results is one too many", set(READING), rewritten(rb'(\bresults)="(\d+)"', counted_up)),
    Broken(
        "DERControls are in reverse order", {"BASIC-015", "BASIC-019"}, remade("/derc$", turned("DERControl"))
    ),
    Broken(
        "DERPrograms are in reverse order",
        {
            "CORE-004",
            "CORE-011",
            "CORE-012",
            "CORE-021",
            "CORE-022",
            "BASIC-003",
            "BASIC-010",
            "BASIC-015",
            "BASIC-021",
        },
        remade("/derp$", turned("DERProgram")),
    ),
    Broken(
        "assignments are in reverse order",
        {
            "CORE-011",
            "BASIC-003",
            "BASIC-010",
            "BASIC-015",
            "CORE-018",
            "CORE-019",
            "UTIL-001",
            "UTIL-004",
            "MAINT-003",
            "MAINT-004",
            "MAINT-005",
        },
        remade("/fsa$", turned("FunctionSetAssignments")),
    ),
    Broken(
        "FunctionSetAssignmentsList has no pollRate",
        {"CORE-003"},
        rewritten(rb' pollRate="\d+"', b"", "/fsa$"),
    ),
    # controls over time
    Broken(
        "EventStatus never becomes Active",
        set(EVENTS),
        rewritten(rb"<currentStatus>1<", b"<currentStatus>0<"),
    ),
    Broken(
        "EventStatus is Active from the beginning",
        EVENTS | {"UTIL-004", "MAINT-004"},
        rewritten(rb"<currentStatus>0<", b"<currentStatus>1<"),
    ),
    Broken(
        "a cancellation is not shown",
        {"CORE-022", "BASIC-015"},
        rewritten(rb"<currentStatus>[23]<", b"<currentStatus>0<"),
    ),
    Broken("cancelled controls vanish", {"CORE-022", "BASIC-015"}, late_to_list),
    Broken("new controls are not listed", EVENTS | {"UTIL-004", "MAINT-004"}, frozen("/derc$")),
    Broken("a list holds no more than 20 controls", {"BASIC-015"}, remade("/derc$", cut_to(20))),
    Broken("randomizeStart is left out", {"CORE-021"}, lacking("/derc", b"randomizeStart")),
    Broken(
        "curves lose their last point", {"CORE-012", "CORE-021", "CORE-022"}, remade("/dc", last_point_lost)
    ),
    Broken(
        "defaults of opModMaxLimW are halved",
        {
            "CORE-011",
            "CORE-012",
            "CORE-021",
            "CORE-022",
            "BASIC-001",
            "BASIC-003",
            "BASIC-010",
            "BASIC-019",
            "BASIC-021",
            "MAINT-003",
        },
        rewritten(rb"(<opModMaxLimW>)(\d+)", lambda f: b"%b%d" % (f[1], int(f[2]) // 2), "/dderc$"),
    ),
    Broken(
        "controls have no replyTo",
        EVENTS | {"UTIL-004", "MAINT-004"},
        rewritten(rb' replyTo="[^"]*"', b"", "/derc"),
    ),
    Broken(
        "Responses are answered 200", EVENTS | {"UTIL-004", "MAINT-004"}, status_of("POST", "^/rsps/", 200)
    ),
    Broken(
        "Responses with status 7 are refused",
        {"BASIC-015", "BASIC-021"},
        request=lambda request, _: Response(400) if is_response(request, 7) else request,
    ),
    Broken("creationTime changes", EVENTS | {"UTIL-004", "MAINT-004"}, changing("creationTime")),
    Broken("the mRID of a program changes", set(PROGRAMS), program_renamed),
    # who sees what
    Broken("the PIN is another one", set(IDENTITY), rewritten(rb"<pIN>\d+", b"<pIN>222220")),
    Broken("sFDI has no check digit", IDENTITY | {"MAINT-001"}, rewritten(rb"(<sFDI>\d+)\d<", rb"\1<")),
    Broken(
        "Time is a minute off",
        EVENTS | {"CORE-005"},
        rewritten(rb"<currentTime>(\d+)", lambda found: b"<currentTime>%d" % (int(found[1]) + 60), "^/tm"),
    ),
    Broken("Time stands still", {"CORE-005"}, frozen("^/tm")),
    Broken("EndDevices of others are shown", {"BASIC-001"}, shown_to_all),
    Broken("a removed EndDevice stays", {"MAINT-001"}, frozen("^/edev$")),
    Broken("a move of a device is not shown", {"BASIC-003", "MAINT-003"}, frozen("/fsa$")),
    Broken("a change of primacy is not shown", {"MAINT-005"}, frozen(r"^/derp/\d+$")),
    # Subscriptions
    Broken(
        "Subscriptions have no Location",
        SUBSCRIBING | {"ERR-002"},
        without_header("location", "POST", "/sub$"),
    ),
    Broken("Subscriptions are answered 200", SUBSCRIBING | {"ERR-002"}, status_of("POST", "/sub$", 200)),
    Broken(
        "a Subscription that was deleted goes on",
        {"CORE-018"},
        request=lambda request, _: (
            Response(204) if request.method == "DELETE" and "/sub/" in request.target else request
        ),
    ),
    Broken(
        "FunctionSetAssignmentsList is not subscribable",
        {"CORE-018", "CORE-019", "ERR-002"},
        rewritten(rb'subscribable="1"', b'subscribable="0"', "/fsa$"),
    ),
    Broken("changes are not notified", SUBSCRIBING | {"ERR-002"}, patch=never_noticed),
    Broken("each Notification comes twice", {"CORE-018", "ERR-002"}, patch=sent_twice),
    Broken(
        "a Notification differs from GET",
        set(SUBSCRIBING),
        patch=told_as(lambda body: re.sub(rb'\ball="(\d+)"', rb'all="9\1"', body, count=1)),
    ),
    Broken(
        "Notifications have no Resource",
        set(SUBSCRIBING),
        patch=told_as(lambda body: re.sub(rb"<Resource.*</Resource>", b"", body, flags=re.DOTALL)),
    ),
    Broken(
        "a Notification has status 1",
        set(SUBSCRIBING),
        patch=told_as(lambda body: body.replace(b"<status>0<", b"<status>1<")),
    ),
    Broken("a parent is notified of a change below it", {"CORE-019"}, patch=parents_told),
    Broken("the end of a Subscription is not told", {"CORE-019", "MAINT-001"}, patch=never_ended),
    Broken("a Notification that was refused is repeated", {"ERR-002"}, patch=refusal_unseen),
    # HTTP
    Broken(
        "HEAD is not supported",
        {"CORE-001"},
        request=lambda request, _: Response(405) if request.method == "HEAD" else request,
    ),
    Broken("an unknown method is answered 405", {"CORE-001", "CORE-002"}, refused_as(501, 405)),
    Broken(
        "405 comes without Allow",
        {"CORE-002"},
        lambda _, response, __: response._replace(headers=()) if response.status == 405 else response,
    ),
    Broken("an unknown URI is answered 400", {"CORE-002"}, refused_as(404, 400, "^/no/such")),
    Broken(
        "documents are text/xml",
        READING | {"COMM-003"},
        lambda _, response, __: response._replace(
            headers=tuple((k, v.replace("application/sep+xml", "text/xml")) for k, v in response.headers)
        ),
    ),
    Broken(
        "answers have no Date",
        set(PROBE) - {"COMM-004D"},
        lambda _, response, __: response._replace(headers=(*response.headers, ("date", ""))),
    ),
    Broken(
        "an EndDevice has the href of the list",
        set(READING - {"COMM-002"}),
        rewritten(rb'(<EndDevice [^>]*?href=")/edev/\d+', rb"\1/edev", r"^/edev/\d+$"),
    ),
    Broken("Responses have no Location", set(EVENTS), without_header("location", "POST", "^/rsps/")),
    Broken(
        "hrefs have no leading slash", set(READING), rewritten(rb'href="/edev/', b'href="edev/', "^/edev$")
    ),
    Broken(
        "a 2018 document has attributes of 2023",
        {"BASIC-029"},
        rewritten(rb"<MirrorUsagePoint ", b'<MirrorUsagePoint subscribable="0" '),
    ),
    Broken("plain HTTP is redirected to http", {"CORE-002"}, patch=to_http),
    # TLS
    Broken("clients need no certificate", {"COMM-003"}, change=without_mtls, patch=absent_chain_accepted),
    Broken("any client chain is accepted", {"COMM-004D"}, patch=any_chain),
]
