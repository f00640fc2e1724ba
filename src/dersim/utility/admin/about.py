"""`/server`: which server this is, for the head of its page."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from dersim.json_schema import described
from dersim.utility.admin.context import AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX


class NotificationCounts(TypedDict):
    """The Notifications since the start of this server."""

    subscriptions: Annotated[int, described("that there are now; 0 with --subscriptions no")]
    sent: int
    failed: Annotated[int, described("attempts; each is repeated")]
    dropped: Annotated[int, described("Subscriptions that were given up")]


class PanelView(TypedDict):
    """A view of the utility's page."""

    name: Annotated[str, described("its module is /panels/NAME.js")]
    title: str


class ServerView(TypedDict):
    """This server."""

    version: Annotated[str, described("of dersim")]
    url: Annotated[str, described("for 2030.5 clients")]
    edition: Annotated[Literal["2018", "2023"] | None, described("of all answers; null: that of each client")]
    registration: Literal["open", "inband", "known"]
    demo: Annotated[bool, described("whether its controls are made up by --demo")]
    keeps_readings: Annotated[bool, described("in the file of --state: GET /readings has them")]
    time: str
    devices: Annotated[int, described("EndDevices")]
    shared_lfdis: Annotated[int, described("times that one LFDI was used on two connections at a time")]
    notifications: NotificationCounts
    panels: NotRequired[Annotated[list[PanelView], described("views that plug-ins add to the page")]]
    links: Annotated[dict[str, str], described("addresses of the other sites of this run")]


def _get(context: AdminContext, _: Call) -> dict[str, Any]:
    panels = [{"name": each.name, "title": each.title} for each in context.head_end.parts.panels]
    return {**context.about(), "panels": panels}


ROUTES = [
    AdminRoute(
        method="GET",
        path=f"{PREFIX}/server",
        handler=_get,
        summary="Which server this is.",
        response=ServerView,
        tag="Server",
    ),
]
