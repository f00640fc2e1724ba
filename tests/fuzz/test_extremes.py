"""Every number from outside at its extremes, through the real client and server, in virtual time.

Documents of the server, bodies of the dashboard's REST and of the operator's: no case may end anything, be
answered 500, or break a view. A sample runs every day; DERSIM_EXTREMES_SAMPLED=1 runs all (``tox -e fuzz``).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import trio
from tests.fuzz import bodies, documents
from tests.fuzz.conftest import SAMPLED, OpenRange, Range

from dersim.ieee2030_5 import resources as r
from dersim.pages.openapi import openapi
from dersim.web.api import ROUTES

LIMIT = {"opModMaxLimW": 60}
CURVES = {
    "opModVoltVar": [[92, 44], [98, 0], [102, 0], [108, -44]],
    "opModFreqWatt": [[60.5, 100], [62, 0]],
    "opModHVRTMustTrip": [[0.16, 120], [13, 110]],
    "opModWattPF": [[20, 1, "inject"], [100, 0.9, "absorb"]],
}
#: Long enough for a poll of the lists (10 s) and for what follows from it.
A_POLL_S = 12


def sampled(cases: Iterable[Any], step: int = SAMPLED) -> Iterator[Any]:
    return itertools.islice(cases, 0, None, step)


def test_there_are_five_thousand_cases_with_twenty_extremes_each():
    assert len(set(documents.EXTREMES)) == len(set(bodies.EXTREMES)) == 20
    classes = (r.DERControlList, r.DERCurveList, r.DefaultDERControl, r.Time)
    of_documents = sum(len(list(documents.numbers(cls))) for cls in classes)
    of_bodies = len(list(bodies.admin_cases())) + len(list(bodies.rest_cases(openapi(ROUTES, "dashboard"))))
    assert of_documents > 200
    assert 20 * (of_documents + of_bodies) > 5_000


async def test_a_changed_document_is_what_the_client_obeys(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT)
    default = shot.resource("/derp/1/dderc", r.DefaultDERControl)
    [place] = [
        each
        for each in documents.numbers(r.DefaultDERControl)
        if documents.name_of(each) == "DERControlBase/opModMaxLimW"
    ]
    shot.replaced["/derp/1/dderc"] = documents.with_number(default, place, "2500")
    await trio.sleep(A_POLL_S)
    assert (await shot.house.in_force("opModMaxLimW"))["value"] == 25


def document_cases(cls: type, number: int) -> list[tuple[documents.Place, str]]:
    """Every number of a class with every extreme, or a sample of them that starts at `number`."""
    every = itertools.product(documents.numbers(cls), documents.EXTREMES)
    return list(itertools.islice(every, number % SAMPLED, None, SAMPLED))


async def try_documents(shot: Range, path: str, resource: Any, number: int, mark: Any = None) -> None:
    """Put each changed document in its place for a poll, then the good one: the client must work on."""
    client = shot.house.client
    for index, (place, text) in enumerate(document_cases(type(resource), number)):
        if mark is not None:
            mark(index)
        shot.replaced[path] = documents.with_number(resource, place, text)
        if type(resource) is r.Time:
            client.rediscover()
        await trio.sleep(A_POLL_S)
        await shot.look(f"{type(resource).__name__}/{documents.name_of(place)} = {text[:24]!r}")
    shot.replaced.clear()
    client.rediscover()
    await trio.sleep(3 * A_POLL_S)
    assert client.snapshot()["state"] == "connected"
    assert not shot.failures, "\n".join(shot.failures)


def renew(shot: Range, controls: r.DERControlList, index: int) -> None:
    """Make the control a new one that starts now."""
    control = controls.DERControl[0]
    control.mRID = f"{index:024X}00009F1C"
    control.creationTime = control.interval.start = int(shot.house.clock.now_s())


async def test_controls(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT)
    shot.house.publish(LIMIT, start_in_s=5, duration_s=2 * A_POLL_S)
    controls = shot.resource("/derp/2/derc", r.DERControlList)

    def mark(index: int) -> None:
        renew(shot, controls, index)

    await try_documents(shot, "/derp/2/derc", controls, 0, mark)


@pytest.mark.parametrize(("number", "mode"), list(enumerate(CURVES)))
async def test_curves(autojump_clock, open_range: OpenRange, number: int, mode: str):
    shot = await open_range(LIMIT)
    shot.house.publish({mode: CURVES[mode]}, start_in_s=5, duration_s=2 * A_POLL_S)
    controls = shot.resource("/derp/2/derc", r.DERControlList)
    curves = shot.resource("/derp/2/dc", r.DERCurveList)

    def mark(index: int) -> None:
        renew(shot, controls, index)
        shot.replace("/derp/2/derc", controls)

    await try_documents(shot, "/derp/2/dc", curves, 13 * number, mark)


async def test_the_default_control(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT | {"setGradW": 50, "setESDelay": 30})
    await try_documents(shot, "/derp/1/dderc", shot.resource("/derp/1/dderc", r.DefaultDERControl), 7)


async def test_time(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT)
    await try_documents(shot, "/tm", shot.resource("/tm", r.Time), 31)


async def test_the_dashboards_rest(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT)
    every = itertools.product(bodies.rest_cases(openapi(ROUTES, "dashboard")), bodies.EXTREMES)
    for case, extreme in sampled(every):
        target = f"{case.path}?{case.query.replace(bodies.HOLE, extreme[:60])}"
        status = await shot.rest(case.method, target, case.text(extreme) if case.method == "POST" else None)
        await trio.sleep(1.5)
        await shot.look(f"{case.name} = {extreme[:24]}", status)
    assert not shot.failures, "\n".join(shot.failures)


async def test_sunspec_points_over_rest(autojump_clock, open_range: OpenRange):
    # There are more than a thousand: one case in seven at most.
    shot = await open_range(LIMIT)
    models = [entry["model"] for entry in shot.registers.shown_points(None)["models"]]
    points = {model: shot.registers.shown_points(model)["points"] for model in models}
    for case, extreme in sampled(
        itertools.product(bodies.point_cases(points), bodies.EXTREMES), max(SAMPLED, 7)
    ):
        status = await shot.rest(case.method, case.path, case.text(extreme))
        await trio.sleep(1.5)
        await shot.look(f"{case.name} = {extreme[:24]}", status)
    assert not shot.failures, "\n".join(shot.failures)


async def test_the_operators_rest(autojump_clock, open_range: OpenRange):
    shot = await open_range(LIMIT)
    for case, extreme in sampled(itertools.product(bodies.admin_cases(), bodies.EXTREMES)):
        path = f"{case.path}?{case.query.replace(bodies.HOLE, extreme[:60])}"
        status = shot.admin(case.method, path, case.text(extreme) if case.body else b"")
        await trio.sleep(1.5)
        await shot.look(f"{case.name} = {extreme[:24]}", status)
    assert not shot.failures, "\n".join(shot.failures)
