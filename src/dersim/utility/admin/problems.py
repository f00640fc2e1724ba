"""Errors of the admin REST: problem documents (RFC 9457) with a hint, of the kinds that all our sites use."""

from __future__ import annotations

from collections.abc import Sequence

from dersim.json_schema import FieldError
from dersim.pages.problems import PROBLEM_TYPES, Problem

PREFIX = "/api/utility"

_HINTS = {
    "bad-request": "See /docs for what this address takes.",
    "not-json": "Send a JSON body with the header Content-Type: application/json.",
    "token-needed": "Send the header Authorization: Bearer TOKEN; the token is that of --admin_token.",
    "foreign-origin": "Ask from this server's own page, or from a program.",
    "foreign-host": "Use localhost, an IP address, or the name of --admin_host.",
    "not-found": f"GET {PREFIX}/programs, /controls, /end-devices and /groups list what there is.",
    "method-not-allowed": "See /docs for the methods of this address.",
    "conflict": f"GET {PREFIX}/controls shows what is in force.",
    "too-large": "A request body may have 1 MiB.",
    "unavailable": "The log says why the file of --state cannot be written; make room, and ask again.",
    "internal": "See the log of this server, and report it.",
}
#: The kinds that this port answers with: status, and what to do.
PROBLEMS = {kind: (PROBLEM_TYPES[kind][0], hint) for kind, hint in _HINTS.items()}


def refusal(kind: str, detail: str, hint: str = "", errors: Sequence[FieldError] = ()) -> Problem:
    """A Problem of this port; without a hint that of its kind."""
    return Problem(kind, detail, hint=hint or PROBLEMS[kind][1], errors=errors)
