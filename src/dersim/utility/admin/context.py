"""What the functions of the admin REST work on: the head-end, and the call with its ids, query and body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from dersim.fences import Fences
from dersim.pages.problems import Problem
from dersim.pages.routes import Query, Route
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.conversation import RequestConversation
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.program import Control, Program

#: The name of this site in the routes' `sites`.
SITE = "utility"
AdminRoute = partial(Route, sites=(SITE,), per_device=False)

PROGRAM_ID = Query("id", int, None, "The program's id.", minimum=1)
MRID = Query("mRID", str, None, "The control's mRID, 32 hexadecimal digits.")
LFDI = Query("lfdi", str, None, "The device's LFDI, 40 hexadecimal digits.")


class AdminContext(NamedTuple):
    """The head-end, what counts the unexpected errors, what `/server` says, and the judged request log."""

    head_end: HeadEnd
    fences: Fences
    about: Callable[[], Mapping[str, Any]]
    conversation: RequestConversation

    def program(self, text: str) -> Program:
        """The program of this id; Problem not-found."""
        program = self.head_end.programs.get(number_of(text))
        if program is None:
            raise refusal(
                "not-found", f"there is no program {text[:80]}", f"GET {PREFIX}/programs lists them"
            )
        return program

    def control(self, text: str) -> Control:
        """The listed control of this mRID; Problem not-found."""
        control = self.head_end.programs.find_control(text)
        if control is None:
            raise refusal(
                "not-found", f"there is no control {text[:80]}", f"GET {PREFIX}/controls lists them"
            )
        return control

    def device(self, text: str) -> EndDeviceRecord:
        """The EndDevice of this LFDI, leading zeros or not; Problem not-found."""
        device = self.head_end.end_devices.find(text.upper())
        if device is None:
            raise _missing("EndDevice", text, "end-devices")
        return device

    def group(self, text: str) -> Group:
        """The group of this id; Problem not-found."""
        group = self.head_end.groups.get(number_of(text))
        if group is None:
            raise _missing("group", text, "groups")
        return group


class Later(NamedTuple):
    """An answer that takes long: `make` makes the body of a 200 and may run in a thread.

    file_name: under which a browser saves it; empty: it shows it.
    """

    make: Callable[[], bytes]
    content_type: str
    file_name: str = ""


class Call(NamedTuple):
    """One request, decoded and checked: the ids in its path, the query, the body."""

    ids: tuple[str, ...]
    query: Mapping[str, Any]
    body: Any = None


def number_of(text: str) -> int:
    """An id in a path; 0, which nothing has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _missing(what: str, text: str, where: str) -> Problem:
    return refusal("not-found", f"there is no {what} {text[:80]}", f"GET {PREFIX}/{where} lists them")
