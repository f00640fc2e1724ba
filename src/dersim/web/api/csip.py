"""The CSIP client over REST: its state, and the commands of an operator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, TypedDict, get_args

from dersim.errors import ConfigError, DersimError
from dersim.json_schema import described, unit
from dersim.pages.problems import Problem
from dersim.pages.routes import Reply, Route
from dersim.plugin.services import CsipService
from dersim.web.context import BOTH, Call, WebContext

if TYPE_CHECKING:
    from dersim.device import Device

Time = Annotated[str, described("RFC 3339, UTC", format="date-time")]
Modes = Annotated[dict[str, Any], described("mode -> value in plain units")]


State = Literal["disabled", "discovering", "connected", "retrying", "failed", "away"]


class Registration(TypedDict):
    """Whether the server has a Registration, and whether its PIN is the expected one."""

    present: bool
    verified: Annotated[bool | None, described("null: no PIN was given to compare")]


class ClockOffset(TypedDict):
    """The server's time against ours."""

    offset_s: Annotated[float | None, unit("s")]
    bound_s: Annotated[float | None, unit("s", "how far off the estimate can be")]
    samples: int


class ClockEntry(ClockOffset):
    """The same for one Time resource that programs follow."""

    href: str | None


class ProgramEntry(TypedDict):
    """A DERProgram; of two, the lower primacy rules."""

    href: str | None
    mRID: str | None
    description: str | None
    primacy: int | None


class ControlEntry(TypedDict):
    """A DERControl that is active or scheduled."""

    mRID: str
    href: str | None
    program: str | None
    primacy: int | None
    status: Annotated[int, described("EventStatus.currentStatus")]
    status_text: str
    start: Time
    duration_s: Annotated[float, unit("s")]
    effective_start: Time
    effective_end: Time
    modes: Modes
    why: Annotated[str, described("why it stands as it does")]


class DefaultControlEntry(TypedDict):
    """The DefaultDERControl that rules where no event does; program null: not read since a restart."""

    program: str | None
    mRID: str | None
    modes: Modes


class Counters(TypedDict):
    """Since the start."""

    requests: int
    errors: int
    puts: int
    puts_skipped: int
    meter_posts: int
    responses: int
    log_events: int
    violations: Annotated[int, described("documents that broke the schema and were used")]
    notifications: Annotated[int, described("of the server, taken")]
    notifications_refused: Annotated[int, described("of the server, answered with an error")]


class ClientEntry(TypedDict):
    """The client of one DER, in short."""

    device: int
    state: str
    lfdi: str | None
    active_controls: int


class TroubleEntry(TypedDict):
    """A part of the server's tree that fails now; the rest may work."""

    what: str
    since: Time | None
    error: str


class SubscriptionEntry(TypedDict):
    """A subscription of the client (`--csip_subscriptions yes`)."""

    resource: str
    kind: Annotated[str, described("the resource's name, such as DERControlList")]
    href: Annotated[str | None, described("where the server keeps it")]
    state: Literal["asked", "subscribed", "refused", "cancelled", "lost"]
    state_text: str
    why: Annotated[str, described("it is not subscribed")]
    since: Time | None
    renewed: Time | None
    notifications: int
    last_notification: Time | None


class CsipClientDocument(TypedDict):
    """The state of the CSIP client of one DER."""

    state: State
    server: str | None
    dcap: str | None
    lfdi: str | None
    sfdi: str | None
    edition: str | None
    end_device: str | None
    registration: Registration
    clock: ClockOffset
    clocks: list[ClockEntry]
    programs: list[ProgramEntry]
    active_controls: list[ControlEntry]
    scheduled_controls: list[ControlEntry]
    default_control: DefaultControlEntry | None
    subscriptions: list[SubscriptionEntry]
    last_contact: Time | None
    last_error: str | None
    troubles: list[TroubleEntry]
    retry_in_s: float | None
    counters: Counters
    devices: list[ClientEntry]


class Accepted(TypedDict):
    """What was started."""

    accepted: str


class ControlChoice(TypedDict):
    """One control, by its mRID."""

    mRID: Annotated[str, described("hex digits", minLength=1, maxLength=64)]


class Burst(TypedDict):
    """A burst of LogEvents (CSIP BASIC-027)."""

    alarm_status: NotRequired[
        Literal["Abnormal", "Normal"] | Annotated[int, described("a bitmap", minimum=0, maximum=0xFFFFFFFF)]
    ]
    interval: NotRequired[Annotated[float, unit("s", minimum=0.001, maximum=86_400)]]
    count: NotRequired[Annotated[int, described("how many", minimum=1, maximum=1000)]]


#: The keys of `counters`, and the words of `state`.
COUNTERS = (
    "requests",
    "errors",
    "puts",
    "puts_skipped",
    "meter_posts",
    "responses",
    "log_events",
    "violations",
    "notifications",
    "notifications_refused",
)
STATES: tuple[str, ...] = get_args(State)


def client_of(context: WebContext, device: Device) -> CsipService | None:
    """The CSIP client of this DER; None where CSIP is off."""
    return context.engine.service(CsipService, device.number)


def known_client(context: WebContext, device: Device) -> CsipService:
    """The CSIP client of this DER; Problem conflict where CSIP is off."""
    client = client_of(context, device)
    if client is None:
        raise Problem("conflict", "the CSIP client is off", hint="Start with --csip_client_enable yes.")
    return client


def snapshot(context: WebContext, device: Device) -> dict[str, Any]:
    """The `csip-client` document without `devices`."""
    client = client_of(context, device)
    return _disabled() if client is None else client.snapshot()


def _disabled() -> dict[str, Any]:
    nothing = ("server", "dcap", "lfdi", "sfdi", "edition", "end_device")
    return {
        "state": "disabled",
        **dict.fromkeys(nothing),
        "registration": {"present": False, "verified": None},
        "clock": {"offset_s": None, "bound_s": None, "samples": 0},
        "clocks": [],
        "programs": [],
        "active_controls": [],
        "scheduled_controls": [],
        "default_control": None,
        "subscriptions": [],
        "last_contact": None,
        "last_error": None,
        "troubles": [],
        "retry_in_s": None,
        "counters": dict.fromkeys(COUNTERS, 0),
    }


def _short(context: WebContext, device: Device) -> dict[str, Any]:
    document = snapshot(context, device)
    return {
        "device": device.number,
        "state": document["state"],
        "lfdi": document["lfdi"],
        "active_controls": len(document["active_controls"]),
    }


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    document = snapshot(context, call.device)
    fleet = context.engine.fleet.devices
    document["devices"] = context.of_fleet("clients", lambda: [_short(context, each) for each in fleet])
    return document


def _rediscover(context: WebContext, call: Call) -> Reply:
    known_client(context, call.device).rediscover()
    return Reply(202, {"accepted": "rediscover"})


def _opt_out(context: WebContext, call: Call) -> Reply:
    return _opt(known_client(context, call.device).opt_out, call.body["mRID"], "opt-out")


def _opt_in(context: WebContext, call: Call) -> Reply:
    return _opt(known_client(context, call.device).opt_in, call.body["mRID"], "opt-in")


def _opt(action: Any, mrid: str, name: str) -> Reply:
    try:
        action(mrid.upper())
    except ConfigError as error:
        raise Problem(
            "not-found", str(error), hint="GET /api/dersim/csip-client lists the controls that are held."
        ) from None
    return Reply(202, {"accepted": name})


def _burst(context: WebContext, call: Call) -> Reply:
    body = call.body
    try:
        known_client(context, call.device).log_event_burst(
            body.get("alarm_status", "Abnormal"), body.get("interval", 5), body.get("count", 5)
        )
    except ConfigError:
        raise  # a value that makes no sense: 400
    except DersimError as error:  # no LogEventList, or a burst is running
        raise Problem("conflict", str(error)) from None
    return Reply(202, {"accepted": "log-event-burst"})


def _post(path: str, handler: Any, summary: str, **more: Any) -> Route:
    return Route(
        method="POST",
        path=f"/api/dersim/csip/{path}",
        handler=handler,
        summary=summary,
        response=Accepted,
        status=202,
        sites=BOTH,
        tag="CSIP",
        **more,
    )


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/csip-client",
        handler=_get,
        summary="Where the CSIP client stands, and what the utility told it.",
        response=CsipClientDocument,
        sites=BOTH,
        tag="CSIP",
        etag=True,
    ),
    _post(
        "rediscover",
        _rediscover,
        "Read the certificate files again and start discovery over.",
        problems=("conflict",),
    ),
    _post(
        "opt-out",
        _opt_out,
        "Opt out of a control (Response 4).",
        request=ControlChoice,
        problems=("bad-request", "conflict", "not-found"),
    ),
    _post(
        "opt-in",
        _opt_in,
        "Opt in again (Response 5).",
        request=ControlChoice,
        problems=("bad-request", "conflict", "not-found"),
    ),
    _post(
        "log-event-burst",
        _burst,
        "Send a burst of LogEvents (BASIC-027).",
        request=Burst,
        request_optional=True,
        problems=("bad-request", "conflict"),
    ),
]
