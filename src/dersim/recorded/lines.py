"""The lines of a record, JSON Lines: a head, then bodies, exchanges and changes, and an end.

A body is written once, before the first line that names it. Times are simulated seconds since the start, in
steps of 0.1 ms. No line holds a secret: PINs in bodies are replaced by words (`secrets.py`).
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, NotRequired, TypedDict

from dersim.http11 import Headers
from dersim.json_schema import Schema, SchemaBook, described, unit

#: Of the format; a reader refuses another one.
FORMAT = 1
#: Digits of a time, s. Less than what a double at today's UTC seconds can hold, so that a replay of a replay
#: has the same times to the last digit.
DIGITS = 4

Phase = Literal["", "resolve", "connect", "tls", "send", "receive"]


class DerLine(TypedDict):
    """One DER of the run. The head tells of all, in their order."""

    number: int
    lfdi: Annotated[str | None, described("upper-case hex; null: it had no certificate yet")]


class HeadLine(TypedDict):
    """What the run was."""

    conversation: Annotated[int, described("number of the format")]
    dersim: Annotated[str, described("the version that wrote it")]
    clock: Annotated[
        Literal["real", "virtual"], described("virtual: every time is exact, as in a record of a replay")
    ]
    start: Annotated[str, described("the same as start_s, for people", format="date-time")]
    start_s: Annotated[float, unit("s", "first instant of simulated time, since 1970 UTC")]
    seed: Annotated[int, described("of all random draws")]
    edition: Annotated[str, described("of what the first DER sends: 2018 or 2023")]
    flags: Annotated[list[str], described("those of dersim sim that matter to a replay")]
    files: Annotated[
        dict[str, str],
        described(
            "content of the files that flags name, by flag, or by path within the folder of a fleet file"
        ),
    ]
    port: Annotated[int, described("of the server, where the flag left it open")]
    profiles_from_s: NotRequired[Annotated[float, unit("s", "at which the profiles of inputs began, UTC")]]
    notify_url: NotRequired[Annotated[str, described("where notifications were taken")]]
    state: NotRequired[Annotated[dict[str, Any], described("of --state: the DERs at the start, by number")]]
    began_s: NotRequired[Annotated[float, unit("s", "of --state: first instant of the first run")]]
    pin_checked: Annotated[bool, described("whether a Registration's PIN was checked")]
    ders: list[DerLine]


class BodyLine(TypedDict):
    """A body of requests or answers; one of text and base64."""

    body: Annotated[str, described("its name in later lines, a digest")]
    text: NotRequired[str]
    base64: NotRequired[str]


class FailureLine(TypedDict):
    """Why no answer came."""

    message: str
    phase: Annotated[Phase, described("how far it came; empty: an answer came that is not HTTP")]
    no_descriptors: NotRequired[bool]


class ExchangeLine(TypedDict):
    """A request and what came of it. Without status and failure it was cancelled by the client."""

    der: int
    at: Annotated[float, unit("s", "when it was sent, since the start")]
    until: Annotated[float, unit("s", "when the answer was complete, or the attempt was given up")]
    method: str
    url: str
    headers: Annotated[list[list[str]], described("of the request")]
    sent: NotRequired[Annotated[str, described("body of the request")]]
    status: NotRequired[int]
    answer_headers: NotRequired[list[list[str]]]
    answer: NotRequired[Annotated[str, described("body of the answer")]]
    failure: NotRequired[FailureLine]
    connects: NotRequired[Annotated[int, described("how often it was connected for this request, if at all")]]
    closed: NotRequired[Annotated[bool, described("true: there is no connection after it")]]


class NotificationLine(TypedDict):
    """What the server sent to the listener for notifications."""

    method: str
    headers: list[list[str]]
    sent: NotRequired[Annotated[str, described("its body")]]


class ChangeLine(TypedDict):
    """Something that did not come from the server and changes what is sent; one of the members below."""

    der: int
    at: Annotated[float, unit("s", "since the start")]
    setpoints: NotRequired[
        Annotated[list[Any], described("submitted by Modbus, REST, an operator, a plug-in")]
    ]
    inputs: NotRequired[Annotated[dict[str, Any], described("grid and weather from now on")]]
    settings: NotRequired[Annotated[dict[str, Any], described("DERSettings that were written, by name")]]
    command: NotRequired[Literal["start", "stop", "reset"]]
    lfdi: NotRequired[Annotated[str, described("that of a certificate that was read later")]]
    action: NotRequired[Annotated[list[Any], described("of a user on the CSIP client: name and arguments")]]
    notification: NotRequired[NotificationLine]


class EndLine(TypedDict):
    """The last line of a run that was stopped, and not killed."""

    end: Annotated[float, unit("s", "since the start")]


#: The kinds of lines, each by a member that no kind before it has.
MARKS: dict[str, type] = {
    "conversation": HeadLine, "body": BodyLine, "method": ExchangeLine, "der": ChangeLine, "end": EndLine,
}  # fmt: skip


def line_schema() -> Schema:
    """The JSON Schema of one line."""
    book = SchemaBook("#/$defs")
    kinds = [book.of(kind) for kind in MARKS.values()]
    return {"title": "a line of a recorded conversation", "anyOf": kinds, "$defs": book.components}


class Failure(NamedTuple):
    """Why no answer came. phase: as of UtilityUnreachable; "" where what came is no HTTP."""

    message: str
    phase: str = ""
    no_descriptors: bool = False


class Exchange(NamedTuple):
    """One exchange. status 0 without `failure`: cancelled. at_s, until_s: since the start.

    connects: how often it was connected for it. is_open: whether there is a connection afterwards.
    """

    der: int
    at_s: float
    until_s: float
    method: str
    url: str
    headers: Headers
    body: bytes
    status: int = 0
    answer_headers: Headers = ()
    answer: bytes = b""
    failure: Failure | None = None
    connects: int = 0
    is_open: bool = True


class Notification(NamedTuple):
    """What the server sent to our listener: the value of a change of this kind."""

    method: str
    headers: Headers
    body: bytes


class Change(NamedTuple):
    """A change of one DER. kind: the member of `ChangeLine` that holds `value`."""

    der: int
    at_s: float
    kind: str
    value: Any
