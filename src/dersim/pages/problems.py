"""Errors of the API: RFC 9457 problem documents, each with a hint of what to do.

`type` is a stable URN, listed in `PROBLEM_TYPES`; scripts may switch on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, NotRequired, TypedDict

from dersim.errors import DersimError
from dersim.json_schema import FieldError

#: The last part of the URN -> (HTTP status, what to do, unless the place of the error says it better).
PROBLEM_TYPES: dict[str, tuple[int, str]] = {
    "bad-request": (400, "See /docs for what this address takes."),
    "not-json": (415, "Send a JSON body with the header Content-Type: application/json."),
    "token-needed": (401, "Send the header Authorization: Bearer TOKEN; the token is that of --token."),
    "foreign-origin": (403, "Ask from the dashboard's own page, or start with --cors_origin URL."),
    "foreign-host": (421, "Use localhost, an IP address, or start dersim with --allow_host NAME."),
    "not-found": (404, "GET /openapi.json lists every address."),
    "no-such-device": (404, "GET /api/dersim/devices lists the devices."),
    "method-not-allowed": (405, "See /docs for the methods of this address."),
    "conflict": (409, "GET /api/dersim/csip-client shows where the client stands."),
    "too-large": (413, "A request body may have 64 KiB."),
    "unsupported": (422, "The device cannot do this; GET /api/dersim/setpoints shows what it does."),
    "unavailable": (503, "The part that answers this is off or starting; GET /api/dersim/overview shows it."),
    "internal": (500, "This is a bug of dersim: please report it with the log of the Engine module."),
}


class ProblemDocument(TypedDict):
    """An error, as RFC 9457 has it, with a hint."""

    type: str
    title: str
    status: int
    detail: str
    hint: str
    instance: str
    errors: NotRequired[list[ProblemField]]


class ProblemField(TypedDict):
    """One wrong field of the request: its JSON Pointer and what is wrong."""

    pointer: str
    detail: str


class Problem(DersimError):  # noqa: N818 - named as RFC 9457 names it
    """A request that cannot be answered; `kind` is a key of PROBLEM_TYPES."""

    def __init__(self, kind: str, detail: str, *, hint: str = "", errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status, usual_hint = PROBLEM_TYPES[kind]
        self.hint = hint or usual_hint
        self.errors = tuple(errors)

    def document(self, instance: str) -> dict[str, Any]:
        """The problem document; `instance` is the path that was asked."""
        out: dict[str, Any] = {
            "type": f"urn:dersim:problem:{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": str(self),
            "hint": self.hint,
            "instance": instance,
        }
        if self.errors:
            out["errors"] = [error._asdict() for error in self.errors]
        return out


def kind_of_status(status: int) -> str:
    """The problem type for a bare HTTP status, e.g. one that the framework raised."""
    for kind, (known, _) in PROBLEM_TYPES.items():
        if known == status:
            return kind
    return "internal" if status >= 500 else "bad-request"
