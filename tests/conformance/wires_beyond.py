"""Changes on the wire for the defects of the X- ids: a client that forgets, repeats or guesses."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from unittest import mock

from tests.conformance.wires import CREATED, is_response, path_of

from dersim.csip.subscriptions.hub import NotifyHub
from dersim.http11 import Response

_CONTROL = re.compile(rb"<DERControl .*?</DERControl>", re.DOTALL)
_PROGRAM = re.compile(rb"<DERProgram .*?</DERProgram>", re.DOTALL)


def mrid_of(xml):
    found = re.search(rb"<mRID>(\w+)<", xml)
    return found[1] if found else b""


def href_of(xml):
    found = re.search(rb'href="([^"]*)"', xml)
    return found[1] if found else b""


def subject_of(request):
    found = re.search(rb"<subject>(\w+)<", request.body)
    return found[1].upper() if found else b""


def number_in(xml, name):
    found = re.search(rb"<%b>(-?\d+)<" % name, xml)
    return int(found[1]) if found else None


def server_now_s(state):
    stage = state["stage"]
    return stage.clock.now_s() + stage.server_ahead_s


def each_control(change):
    """The DERControls of an answer as the device reads them: change(xml, state), b"" for one not seen."""

    def read(_, response, state):
        if b"<DERControl " not in response.body:
            return response
        return response._replace(body=_CONTROL.sub(lambda found: change(found[0], state), response.body))

    return read


def is_whole(body, name=b"DERControl"):
    """Whether a body is a list with all its items."""
    total = re.search(rb"<%bList [^>]*\ball=\"(\d+)\"" % name, body)
    return total is not None and int(total[1]) == body.count(b"<%b " % name)


def cut_after(count):
    """Lists of controls end early."""

    def change(_, response, __):
        if not is_whole(response.body):
            return response
        controls = _CONTROL.findall(response.body)
        body = response.body
        for each in controls[count:]:
            body = body.replace(each, b"")
        return response._replace(body=_counted(body, len(controls[:count])))

    return change


def _counted(body, count):
    for name in (b"all", b"results"):
        body = re.sub(rb'%b="\d+"' % name, b'%b="%d"' % (name, count), body, count=1)
    return body


def holds(count):
    """Of a list that is longer the controls that were read last are dropped."""

    def change(request, response, state):
        if not is_whole(response.body):
            return response
        listed = {mrid_of(xml): xml for xml in _CONTROL.findall(response.body)}
        held = [mrid for mrid in state.get(path_of(request), ()) if mrid in listed]
        held += [mrid for mrid in listed if mrid not in held]
        state[path_of(request)] = held[:count]
        body = response.body
        for mrid in held[count:]:
            body = body.replace(listed[mrid], b"")
        return response._replace(body=_counted(body, len(held[:count])))

    return change


def threatened_no_more(xml, state):
    """A running control whose rival is cancelled is taken for superseded."""
    known = state.setdefault("threatened", {})
    mrid, threatened = href_of(xml), b"<potentiallySuperseded>true" in xml
    running = b"<currentStatus>1<" in xml
    if known.get(mrid) and not threatened and running:
        state.setdefault("given up", set()).add(mrid)
    known[mrid] = threatened
    if mrid in state.get("given up", ()):
        return xml.replace(b"<currentStatus>1<", b"<currentStatus>4<")
    return xml


def first_primacy(_, response, state):
    """The primacy of a program is that of its first reading."""
    kept = state.setdefault("primacies", {})

    def change(found):
        now = number_in(found[0], b"primacy")
        first = kept.setdefault(mrid_of(found[0]), now)
        return found[0].replace(b"<primacy>%d<" % now, b"<primacy>%d<" % first)

    if b"<DERProgram" not in response.body:
        return response
    return response._replace(body=_PROGRAM.sub(change, response.body))


def ramp_for_all(xml, state):
    """The rampTms of one control is taken for all."""
    has_ramp = any("rampTms" in each.modes for each in state["stage"].controls.values())
    if not has_ramp or b"<rampTms>" in xml:
        return xml
    return re.sub(rb"(</?DERControlBase>.*?)(</DERControlBase>)", rb"\1<rampTms>4000</rampTms>\2", xml)


@contextlib.contextmanager
def no_chains() -> Iterator[None]:
    with mock.patch("dersim.ieee2030_5.event_rules.meet", return_value=None):
        yield


def main_time_for_all(request, response, state):
    """Every Time is taken for that of the DeviceCapability."""
    if not re.fullmatch(r"/tm/\d+", path_of(request)):
        return response
    now = b"%d" % server_now_s(state)
    return response._replace(body=re.sub(rb"<(currentTime|localTime)>\d+", rb"<\1>" + now, response.body))


class SaidAgain:
    """Response 2 is sent again before 3, for controls that `seen` has put into state["again"]."""

    def __init__(self, seen):
        self._seen = seen

    def answer(self, request, response, state):
        self._seen(request, response, state)
        return response

    def request(self, request, state):
        if is_response(request, 3) and subject_of(request) in state.get("again", ()):
            return [request._replace(body=request.body.replace(b"<status>3<", b"<status>2<")), request]
        return request


class _All:
    """All controls."""

    def __contains__(self, _):
        return True


def clock_went_back(request, response, state):
    if request.method == "GET" and path_of(request) == "/tm" and response.status == 200:
        now = number_in(response.body, b"currentTime") or 0
        if now < state.get("time", 0) - 60:
            state["again"] = _All()
        state["time"] = now


def interval_changed(_, response, state):
    known = state.setdefault("durations", {})
    for xml in _CONTROL.findall(response.body):
        mrid, duration = mrid_of(xml), number_in(xml, b"duration")
        if known.setdefault(mrid, duration) != duration:
            state.setdefault("again", set()).add(mrid)


def in_two_lists(request, response, state):
    where = state.setdefault("where", {})
    if not re.search(r"/derc$", path_of(request)):
        return
    for xml in _CONTROL.findall(response.body):
        lists = where.setdefault(mrid_of(xml), set())
        lists.add(re.sub(r"^/moved-\d+", "", path_of(request)))
        if len(lists) > 1:
            state.setdefault("again", set()).add(mrid_of(xml))


def time_with_end_devices(request, _):
    if request.method == "GET" and path_of(request) == "/edev":
        return [request._replace(target="/tm"), request]
    return request


class NoReadingsAfterWalk:
    """No readings are posted once a link to the EndDevice was gone."""

    @staticmethod
    def answer(request, response, state):
        if request.method == "GET" and path_of(request).startswith("/edev") and response.status == 404:
            state["gone"] = True
        return response

    @staticmethod
    def request(request, state):
        is_reading = request.method == "POST" and b"MirrorMeterReadingList" in request.body
        return CREATED if is_reading and "gone" in state else request


class EmptyForEver:
    """A list that was empty once is never asked for again."""

    @staticmethod
    def answer(request, response, state):
        if request.method == "GET" and response.status in (200, 204) and not response.body:
            state.setdefault("empty", set()).add(path_of(request))
        return response

    @staticmethod
    def request(request, state):
        is_empty = request.method == "GET" and path_of(request) in state.get("empty", ())
        return Response(204) if is_empty else request


def lost_mirror_unnoticed(request, response, state):
    """404 to readings is taken for success, and an empty list of mirrors is not believed."""
    if request.method == "POST" and re.search(r"/mup/\d+$", path_of(request)) and response.status == 404:
        return Response(204)
    if request.method != "GET" or path_of(request) != "/mup":
        return response
    if b"<MirrorUsagePoint " in response.body:
        state["mirrors"] = response
    return state.get("mirrors", response)


def without_retry_after(only=r".*"):
    """Retry-After headers of this form are not read."""

    def change(_, response, __):
        headers = tuple(
            each
            for each in response.headers
            if not (each[0] == "retry-after" and re.fullmatch(only, each[1]))
        )
        return response._replace(headers=headers)

    return change


def links_without_all(_, response, __):
    """A list whose link has no `all` is taken for empty."""
    body = re.sub(rb'<(\w+ListLink) href="[^"]*"></\1>', b"", response.body)
    return response._replace(body=body)


class Vanished:
    """A running control that is not in its list any more is reported completed at once."""

    @staticmethod
    def answer(request, response, state):
        if path_of(request).endswith("/derc") and is_whole(response.body):
            lists = state.setdefault("lists", {})
            now = {mrid_of(xml) for xml in _CONTROL.findall(response.body)}
            state.setdefault("vanished", set()).update(lists.get(path_of(request), set()) - now)
            lists[path_of(request)] = now
        return response

    @staticmethod
    def request(request, state):
        started, said = state.setdefault("started", {}), state.setdefault("said", set())
        told = state.setdefault("told", set())
        if is_response(request, 2):
            started[subject_of(request)] = request
        if is_response(request, 3) and subject_of(request) in told:
            return CREATED
        if any(is_response(request, status) for status in (3, 6, 7, 14)):
            said.add(subject_of(request))
        early = [
            each._replace(body=each.body.replace(b"<status>2<", b"<status>3<"))
            for mrid, each in started.items()
            if mrid in state.get("vanished", ()) and mrid not in said
        ]
        told.update(subject_of(each) for each in early)
        said.update(told)
        return [*early, request]


def first_reply_to(xml, state):
    """Responses go where the first reading of a control has said."""
    kept = state.setdefault("reply to", {})
    found = re.search(rb'replyTo="([^"]*)"', xml)
    if not found:
        return xml
    return xml.replace(found[0], b'replyTo="%b"' % kept.setdefault(mrid_of(xml), found[1]))


def redirect_of_bodies(request, response, _):
    """307 and 308 are errors."""
    is_body = request.method in ("PUT", "POST") and response.status in (307, 308)
    return Response(404) if is_body else response


def first_page_only(request, response, _):
    """A list is what its first page has."""
    found = re.search(rb'results="(\d+)"', response.body)
    if request.method != "GET" or not found or "s=0" not in request.target:
        return response
    return response._replace(body=re.sub(rb' all="\d+"', b' all="%b"' % found[1], response.body, count=1))


def scheduled_for_ever(xml, state):
    """A control whose status is still Scheduled after its start is given up."""
    start = number_in(xml, b"start") or 0
    late = server_now_s(state) - start - (number_in(xml, b"randomizeStart") or 0)
    return xml.replace(b"<currentStatus>0<", b"<currentStatus>2<") if late > 2 else xml


class NoLocation:
    """Without the Location of the mirror no readings are posted."""

    @staticmethod
    def answer(request, response, state):
        if request.method == "POST" and path_of(request) == "/mup" and response.header("location") is None:
            state["nowhere"] = response.status in (201, 204)
        return response

    @staticmethod
    def request(request, state):
        is_reading = request.method == "POST" and b"MirrorMeterReadingList" in request.body
        return CREATED if is_reading and state.get("nowhere") else request


def given_up(request, response, _):
    """A Response that was answered 5xx is never sent again."""
    return CREATED if is_response(request) and response.status >= 500 else response


def only_with_reply_to(xml, _):
    """A control without replyTo is not run."""
    return xml if b"replyTo=" in xml else b""


_READING = re.compile(rb"<MirrorMeterReading>.*?</MirrorMeterReading>", re.DOTALL)


def no_mirror(request, _):
    """No metering mirror: what is posted to one is posted nowhere."""
    is_mirror = request.method == "POST" and b"<Mirror" in request.body
    return Response(201, (("location", "/mup/99"),)) if is_mirror else request


def readings_of(uom, change):
    """The MirrorMeterReadings of one unit are sent otherwise."""

    def send(request, state):
        mrids = state.setdefault("readings", set())
        mrids.update(mrid_of(xml) for xml in _READING.findall(request.body) if b"<uom>%d<" % uom in xml)
        body = _READING.sub(
            lambda found: change(found[0]) if mrid_of(found[0]) in mrids else found[0], request.body
        )
        return request._replace(body=body)

    return send


def turned(xml):
    """With the other sign."""
    return re.sub(rb"<value>(-?)(\d+)", lambda at: b"<value>" + (b"" if at[1] else b"-") + at[2], xml)


def never_read(request, state):
    """What a Notification is about is never read."""
    told = {each.resource for each in state["stage"].evidence.notified}
    return request.method == "GET" and path_of(request) in told


@contextlib.contextmanager
def notified_with(change) -> Iterator[None]:
    """Notifications are answered otherwise: change(status) gives the status."""
    answer = NotifyHub.answer

    def other(hub, request):
        response = answer(hub, request)
        return response._replace(status=change(response.status))

    with mock.patch.object(NotifyHub, "answer", other):
        yield


class LostIsSent:
    """A Response that is due while the server is away is never sent."""

    @staticmethod
    def answer(_, response, state):
        if not isinstance(response, Response):
            state["away"] = server_now_s(state)
        return response

    @staticmethod
    def request(request, state):
        created_s = number_in(request.body, b"createdDateTime") or 0
        return CREATED if is_response(request) and created_s <= state.get("away", 0) else request
