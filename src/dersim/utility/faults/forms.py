"""What a fault is written as, in REST bodies and scenario files: one TypedDict for each kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.json_schema import Note, Schema, SchemaBook, described, unit
from dersim.utility.faults.alerts import ALERTS

MAX_S = 366 * 86_400
_COUNT = 1_000_000

Method = Literal["GET", "HEAD", "PUT", "POST", "DELETE"]
Path = Annotated[
    str,
    described(
        "paths without query; * is any text: /derp/*/derc", minLength=1, maxLength=200, pattern=r"^[/*]"
    ),
]

Device = Annotated[
    Annotated[int, Note(minimum=1)] | Annotated[str, Note(maxLength=60)],
    described("EndDevice number or LFDI; all if left out"),
]


class _Any(TypedDict):
    """What every fault may have."""

    note: NotRequired[Annotated[str, described("for the log and the page", maxLength=200)]]
    start_in_s: NotRequired[Annotated[float, unit("s", "when it begins; 0", minimum=0, maximum=MAX_S)]]
    duration_s: NotRequired[
        Annotated[
            float, unit("s", "until removed, if left out", minimum=0, exclusiveMinimum=0, maximum=MAX_S)
        ]
    ]
    count: NotRequired[
        Annotated[int, described("how often it acts; no limit if left out", minimum=1, maximum=_COUNT)]
    ]


class _Drawn(_Any):
    probability: NotRequired[
        Annotated[float, described("that it acts where it may; 1", minimum=0, exclusiveMinimum=0, maximum=1)]
    ]
    seed: NotRequired[
        Annotated[int, described("of the draws; its number if left out", minimum=0, maximum=2**63)]
    ]


class _OnPaths(_Drawn):
    path: NotRequired[Path]
    device: NotRequired[Device]


class _OnRequests(_OnPaths):
    method: NotRequired[Method]


class StatusFault(_OnRequests):
    """An error status; the request is not carried out."""

    kind: Literal["status"]
    status: Annotated[int, described("", minimum=400, maximum=599)]
    retry_after_s: NotRequired[
        Annotated[float, unit("s", "of the Retry-After header", minimum=0, maximum=MAX_S)]
    ]
    retry_after: NotRequired[Annotated[Literal["seconds", "date"], described("seconds, if left out")]]


class HangFault(_OnRequests):
    """Silence: before the answer (not carried out), after its headers, or in the middle of its body."""

    kind: Literal["hang"]
    at: NotRequired[Annotated[Literal["answer", "headers", "body"], described("answer, if left out")]]


class DelayFault(_OnRequests):
    """The answer comes later."""

    kind: Literal["delay"]
    seconds: Annotated[float, unit("s", "", minimum=0, exclusiveMinimum=0, maximum=3600)]


class SlowBodyFault(_OnRequests):
    """The body of the answer comes at this rate."""

    kind: Literal["slow_body"]
    bytes_per_s: Annotated[float, unit("B/s", "", minimum=0.01, maximum=1e6)]


class ResetFault(_OnRequests):
    """The connection ends: before the request is carried out, after it, or within the answer."""

    kind: Literal["reset"]
    at: NotRequired[
        Annotated[Literal["request", "answer", "status", "headers", "body"], described("body, if left out")]
    ]
    how: NotRequired[Annotated[Literal["reset", "close"], described("TCP's RST, or FIN; reset")]]


class ContentLengthFault(_OnRequests):
    """A Content-Length that is not that of the body."""

    kind: Literal["content_length"]
    by: NotRequired[
        Annotated[int, unit("B", "too much; negative: too little; 100", minimum=-(2**20), maximum=2**40)]
    ]


class GoneFault(_OnRequests):
    """404 or 410."""

    kind: Literal["gone"]
    status: NotRequired[Annotated[Literal[404, 410], described("404, if left out")]]


class RedirectFault(_OnRequests):
    """A redirect, to the same resource under another path or to any URL."""

    kind: Literal["redirect"]
    status: NotRequired[Annotated[Literal[301, 302, 303, 307, 308], described("301, if left out")]]
    hops: NotRequired[Annotated[int, described("redirects one after the other; 1", minimum=1, maximum=50)]]
    to: NotRequired[
        Annotated[str, described("a URL or path", minLength=1, maxLength=1000, pattern="^[!-~]+$")]
    ]


class RedirectLoopFault(_OnRequests):
    """A redirect to itself."""

    kind: Literal["redirect_loop"]
    status: NotRequired[Annotated[Literal[301, 302, 303, 307, 308], described("302, if left out")]]


class MovedFault(_Any):
    """Resources have other hrefs while it lasts: the old ones are 404, links lead to the new ones."""

    kind: Literal["moved"]
    path: Path
    device: NotRequired[Device]


ListLie = Literal[
    "all_too_high", "all_too_low", "all_zero", "results_too_high", "results_too_low", "repeats", "omits",
    "empty", "endless", "reversed",
]  # fmt: skip


class ListFault(_OnPaths):
    """A list whose counts or items are not true."""

    kind: Literal["list"]
    lie: ListLie


XmlFlaw = Literal[
    "truncated", "wrong_namespace", "no_namespace", "unknown_elements", "wrong_order", "missing_required",
    "bad_number", "huge_number", "bom", "utf16", "wrong_encoding", "doctype", "empty_body", "html", "json",
    "duplicate_elements", "wrong_root", "nul_bytes", "too_deep", "wrong_content_type",
]  # fmt: skip


class XmlFault(_OnPaths):
    """A document that is malformed, invalid or unusual (bom, utf16 and unknown_elements are permitted)."""

    kind: Literal["xml"]
    flaw: XmlFlaw


class TimeFault(_OnPaths):
    """The Time resource is off by offset_s, stands still, or jumps by offset_s to and fro."""

    kind: Literal["time"]
    how: NotRequired[Annotated[Literal["offset", "frozen", "jumping"], described("offset, if left out")]]
    offset_s: NotRequired[Annotated[int, unit("s", "3600, if left out", minimum=-(2**31), maximum=2**40)]]


class MridFault(_OnPaths):
    """Two items of a list have one mRID, or later ones come under the first mRID that was shown."""

    kind: Literal["mrid"]
    how: NotRequired[Annotated[Literal["duplicate", "reused"], described("duplicate, if left out")]]


class NoHandshakeFault(_Drawn):
    """A connection is accepted, then silence."""

    kind: Literal["no_handshake"]


class TlsAlertFault(_Drawn):
    """A TLS alert in place of the handshake."""

    kind: Literal["tls_alert"]
    alert: NotRequired[
        Annotated[Literal[tuple(ALERTS)], described("handshake_failure, if left out")]  # type: ignore[valid-type]  # made of the table
    ]


class CertificateFault(_Drawn):
    """The server shows another certificate: of a CA that nobody knows, or an expired one of its own CA."""

    kind: Literal["certificate"]
    which: NotRequired[Annotated[Literal["other_ca", "expired"], described("other_ca, if left out")]]


FORMS: dict[str, Any] = {
    "status": StatusFault,
    "hang": HangFault,
    "delay": DelayFault,
    "slow_body": SlowBodyFault,
    "reset": ResetFault,
    "content_length": ContentLengthFault,
    "gone": GoneFault,
    "redirect": RedirectFault,
    "redirect_loop": RedirectLoopFault,
    "moved": MovedFault,
    "list": ListFault,
    "xml": XmlFault,
    "time": TimeFault,
    "mrid": MridFault,
    "no_handshake": NoHandshakeFault,
    "tls_alert": TlsAlertFault,
    "certificate": CertificateFault,
}

_BOOK = SchemaBook("#/$defs")
SCHEMAS: dict[str, Schema] = {kind: _BOOK.of(form) for kind, form in FORMS.items()}
#: What the schemas refer to.
COMPONENTS = _BOOK.components


def fault_schema() -> Schema:
    """The JSON Schema (2020-12) of one fault, whatever its kind, with its own `$defs`."""
    return {"title": "Fault", "anyOf": list(SCHEMAS.values()), "$defs": COMPONENTS}
