"""All planted faults of one server, and how they act on a request and on a new connection."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from dersim.errors import ConfigError
from dersim.http11 import PLANTED_FAULT, Raw, Request, Response
from dersim.logbuffer import Level
from dersim.tls import ServerContext
from dersim.utility.config import UtilityConfig
from dersim.utility.faults import connection_faults as connections
from dersim.utility.faults import content_faults as contents
from dersim.utility.faults import http_faults as http
from dersim.utility.faults.actions import Action, Answer, ConnectionAction, Turn
from dersim.utility.faults.list_faults import ListLie
from dersim.utility.faults.path_faults import Moved
from dersim.utility.faults.plans import FaultPlan
from dersim.utility.faults.planted import Client, PlantedFault
from dersim.utility.faults.xml_faults import XmlFlaw

#: Most faults that are not over, and those that are over and still listed.
MAX_LIVE = 100
_KEPT = 100

_ACTIONS: dict[str, Callable[[dict[str, Any], int], Action]] = {
    "status": http.Status,
    "hang": http.Hang,
    "delay": http.Delay,
    "slow_body": http.SlowBody,
    "reset": http.Reset,
    "content_length": http.ContentLength,
    "gone": http.Gone,
    "redirect": http.Redirect,
    "redirect_loop": http.RedirectLoop,
    "moved": Moved,
    "list": ListLie,
    "xml": XmlFlaw,
    "time": contents.WrongTime,
    "mrid": contents.WrongMrid,
}
_OWN_PATH = re.compile(r"/(moved|redirect)-([0-9]{1,9})(?:-([0-9]{1,2}))?(?=/)")


class Outcome(NamedTuple):
    """What a request is answered. carried_out: the head-end's own response, None if it never saw the request.

    delay_s: how much later the answer comes. marks: of the faults that acted.
    """

    answer: Answer
    carried_out: Response | None
    delay_s: float = 0.0
    marks: tuple[str, ...] = ()


class Faults:
    """The planted faults of one server. log: (level, message)."""

    def __init__(
        self, config: UtilityConfig, now_s: Callable[[], float], log: Callable[[Level, str], object]
    ) -> None:
        self._config = config
        self._now_s = now_s
        self._log = log
        self._planted = 0
        self._live: list[PlantedFault] = []
        self._over: deque[PlantedFault] = deque(maxlen=_KEPT)
        self._has_redirected = False

    @property
    def may_act(self) -> bool:
        """Whether requests need to come by: a fault is not over, or a redirect may still be followed."""
        return bool(self._live) or self._has_redirected

    def __iter__(self) -> Iterator[PlantedFault]:
        """Those that are not over, then those that are, newest first."""
        yield from self._live
        yield from reversed(self._over)

    def find(self, number: int) -> PlantedFault | None:
        """The fault of this number, over or not."""
        return next((fault for fault in self if fault.number == number), None)

    def plant(self, plan: FaultPlan) -> PlantedFault:
        """Plant a fault; ConfigError where it cannot act on this server, or too many are planted."""
        if len(self._live) >= MAX_LIVE:
            raise ConfigError(f"{MAX_LIVE} faults are planted; remove one first")
        number = self._planted + 1
        fault = PlantedFault(number, plan, self._action(plan, number), self._now_s())
        self._planted = number
        self._live.append(fault)
        self._has_redirected |= plan.kind == "redirect"
        self._log("Warning", f"{fault.name} for {fault.scope}{_limits(fault)}")
        self.advance(self._now_s())
        return fault

    def _action(self, plan: FaultPlan, number: int) -> Action:
        match plan.kind:
            case "no_handshake":
                return connections.NoHandshake()
            case "tls_alert" if not self._config.encrypted:
                raise ConfigError("kind: tls_alert is a fault of TLS, and this server speaks plain HTTP")
            case "tls_alert":
                return connections.TlsAlert(plan.data)
            case "certificate":
                return connections.OtherCertificate(plan.data, self._config)
        return _ACTIONS[plan.kind](plan.data, number)

    def remove(self, fault: PlantedFault) -> None:
        """End a fault."""
        if not fault.over:
            fault.over = "it was removed"
            self.advance(self._now_s())

    def advance(self, now_s: float) -> None:
        """Log which faults have begun and which are over by now."""
        for fault in self._live:
            if not fault.has_begun and now_s >= fault.starts_s:
                fault.has_begun = True
                if fault.plan.data.get("start_in_s"):
                    self._log("Warning", f"{fault.name} begins")
            if fault.state(now_s) == "over":
                fault.over = fault.over or f"its {fault.ends_s - fault.starts_s:g} s have passed"
                self._log("Warning", f"{fault.name} is over: {fault.over}; it acted {fault.acted} time(s)")
                self._over.append(fault)
        if any(fault.over for fault in self._live):
            self._live = [fault for fault in self._live if not fault.over]

    def answer(self, request: Request, client: Client, carry_out: Callable[[Request], Response]) -> Outcome:
        """The answer to one request. carry_out: the head-end's."""
        return _Passage(self, request, client, self._now_s()).through(carry_out)

    def active(self, now_s: float) -> list[PlantedFault]:
        """Those that may act now."""
        return [fault for fault in self._live if fault.state(now_s) == "active"]

    def gate(self) -> Raw | ServerContext | None:
        """What a new connection gets in place of the usual handshake, or None."""
        if not self._live:
            return None
        now_s, nobody = self._now_s(), Client(None, None)
        for fault in self.active(now_s):
            if isinstance(fault.action, ConnectionAction) and fault.draw(nobody):
                self.note(fault, now_s, "a new connection")
                return fault.action.gate()
        return None

    def note(self, fault: PlantedFault, now_s: float, where: str) -> None:
        """A fault has acted."""
        fault.has_acted(now_s)
        of = f" of {fault.count}" if fault.count is not None else ""
        self._log("Info", f"{fault.name} acts on {where}, {fault.acted}{of}")
        self.advance(now_s)


class _Passage:
    """One request on its way to the head-end and back."""

    def __init__(self, faults: Faults, request: Request, client: Client, now_s: float) -> None:
        self._faults = faults
        self._request = request
        self._client = client
        self._now_s = now_s
        self._active = faults.active(now_s)
        self._marks: list[str] = []

    def through(self, carry_out: Callable[[Request], Response]) -> Outcome:
        answer = self._own_path()
        if answer is not None:
            return Outcome(answer, None)
        path = self._request.target.partition("?")[0]
        met = [f for f in self._active if f.meets(self._request.method, path, self._client)]
        met = [f for f in met if not isinstance(f.action, ConnectionAction) and f.draw(self._client)]
        turn = Turn(self._asked, path, self._now_s)
        for fault in met:
            changed = fault.action.before(turn)
            if isinstance(changed, Request):
                self._request = changed
            elif changed is not None:
                self._note(fault)
                return Outcome(self._marked(changed), None, 0.0, tuple(self._marks))
        if met:
            self._request = _unconditional(self._request)
        response = carry_out(self._request)
        return self._back(turn, met, response)

    def _own_path(self) -> Answer | None:
        """Take the prefix of a moved or redirected path away; an answer where a redirect goes on."""
        self._asked = request = self._request
        path = request.target.partition("?")[0]
        found = _OWN_PATH.match(path)
        fault = None if found is None else self._faults.find(int(found[2]))
        if found is None or fault is None:
            return None
        action = fault.action
        if isinstance(action, Moved) and fault in self._active:
            self._request = action.original(request)
        elif isinstance(action, http.Redirect) and found[3] is not None:
            step = action.hop(request, path[found.end() :], int(found[3]))
            if not isinstance(step, Request):
                return self._marked(step)
            self._request = step
            self._active = [each for each in self._active if each is not fault]
        return None

    def _back(self, turn: Turn, met: list[PlantedFault], response: Response) -> Outcome:
        answer: Answer = response
        delay_s = 0.0
        for fault in met if self._request.method != "HEAD" else ():
            if isinstance(answer, Raw):
                break
            changed = fault.action.after(turn, answer)
            if changed is None:
                continue
            if not isinstance(fault.action, Moved):
                self._note(fault)
            answer = _without_tag(changed) if isinstance(changed, Response) else changed
            delay_s += fault.action.delay_s
        return Outcome(self._marked(answer), response, delay_s, tuple(self._marks))

    def _note(self, fault: PlantedFault) -> None:
        self._marks.append(fault.mark)
        who = "" if self._client.lfdi is None else f" of {self._client.lfdi}"
        self._faults.note(fault, self._now_s, f"{self._asked.method} {self._asked.target[:200]}{who}")

    def _marked(self, answer: Answer) -> Answer:
        if isinstance(answer, Raw):
            return answer
        headers = answer.headers
        if self._marks:
            headers = (*headers, (PLANTED_FAULT, "; ".join(self._marks)))
        if any(isinstance(fault.action, ConnectionAction) for fault in self._active):
            headers = (*headers, ("connection", "close"))  # so that the next connection meets the fault
        return answer._replace(headers=headers)


def _unconditional(request: Request) -> Request:
    """Without If-None-Match: a 304 would hide the fault."""
    return request._replace(headers=tuple(each for each in request.headers if each[0] != "if-none-match"))


def _without_tag(response: Response) -> Response:
    return response._replace(headers=tuple(each for each in response.headers if each[0] != "etag"))


def _limits(fault: PlantedFault) -> str:
    data = fault.plan.data
    words = [
        f"from {data['start_in_s']:g} s on" if data.get("start_in_s") else "",
        f"for {data['duration_s']:g} s" if "duration_s" in data else "",
        f"{data['count']} time(s)" if "count" in data else "",
        f"with probability {data['probability']:g}" if "probability" in data else "",
        data.get("note", ""),
    ]
    return "".join(f", {word}" for word in words if word)
