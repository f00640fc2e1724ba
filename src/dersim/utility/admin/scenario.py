"""`/scenario`: the scenario that this server plays; an uploaded one takes its place."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from dersim.json_schema import described, unit
from dersim.utility.admin.context import AdminContext, AdminRoute, Call
from dersim.utility.admin.problems import PREFIX, refusal
from dersim.utility.device_resources import check_all
from dersim.utility.scenario.player import Player, end, play
from dersim.utility.scenario.reader import parse_scenario
from dersim.yaml_text import FileError

PATH = f"{PREFIX}/scenario"
EXAMPLE = {"programs": [{"name": "peak", "primacy": 10, "default": {"opModMaxLimW": 60}}]}
#: JSON is YAML too.
TYPES = frozenset({"application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
#: Larger ones keep the server busy for a second: begin with --scenario FILE.
MAX_BYTES = 1 << 18


_Parts = Annotated[list[dict[str, Any]], described("as in docs/scenarios.md")]


class ScenarioBody(TypedDict):
    """A scenario, as YAML with the Content-Type application/yaml, or as JSON. It names no files.

    docs/schemas/server-scenario.json describes all of it; here are its parts.
    """

    programs: _Parts
    description: NotRequired[str]
    personality: NotRequired[Annotated[int, described("2018 or 2023, the edition of all answers")]]
    registration: NotRequired[str]
    pin: NotRequired[int]
    poll_rates: NotRequired[dict[str, int]]
    groups: NotRequired[_Parts]
    devices: NotRequired[_Parts]
    controls: NotRequired[_Parts]
    events: NotRequired[_Parts]
    faults: NotRequired[_Parts]


class ScenarioView(TypedDict):
    """The scenario that is played."""

    name: str
    description: str
    began: str
    elapsed_s: Annotated[float, unit("s")]
    next_in_s: Annotated[float | None, unit("s", "when something happens next; null: nothing does")]
    published: Annotated[int, described("controls so far")]
    to_publish: Annotated[int, described("controls in all")]
    programs: Annotated[list[int], described("ids")]
    groups: Annotated[list[int], described("ids")]
    faults: Annotated[list[int], described("ids")]
    told: Annotated[list[str], described("the last events that were carried out")]


def _playing(context: AdminContext) -> Player:
    player = context.head_end.player
    if not isinstance(player, Player):
        raise refusal("not-found", "no scenario is played", f"POST {PATH} begins one")
    return player


def _get(context: AdminContext, _: Call) -> dict[str, Any] | None:
    player = context.head_end.player
    return player.to_json() if isinstance(player, Player) else None


def _begin(context: AdminContext, call: Call) -> dict[str, Any]:
    try:
        scenario = parse_scenario(call.body, "scenario")
    except FileError as error:
        raise error.as_body() from None
    check_all(context.head_end, scenario.devices)
    return play(context.head_end, scenario).to_json()


def _end(context: AdminContext, _: Call) -> dict[str, Any]:
    player = _playing(context)
    end(context.head_end)
    return player.to_json()


ROUTES = [
    AdminRoute(
        method="GET",
        path=PATH,
        handler=_get,
        summary="The scenario that is played; null: none.",
        response=ScenarioView | None,
        tag="Scenario",
    ),
    AdminRoute(
        method="POST",
        path=PATH,
        handler=_begin,
        summary="End the scenario that is played, and begin this one.",
        response=ScenarioView,
        status=201,
        request=ScenarioBody,
        example=EXAMPLE,
        tag="Scenario",
    ),
    AdminRoute(
        method="DELETE",
        path=PATH,
        handler=_end,
        summary="End the scenario: its programs, groups and faults are taken back, devices stay.",
        response=ScenarioView,
        tag="Scenario",
        problems=("not-found",),
    ),
]
