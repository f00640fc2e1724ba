"""The page of `dersim fleet`, on loopback.

GET  /api/fleet               the fleet: sums, shards, workers, log
GET  /api/fleet/ders/{number} one DER, asked of its shard
POST /api/fleet/stop          202; as Ctrl-C
GET  /api/dersim/load         what is measured, as of `dersim sim`
GET  /metrics                 for Prometheus
"""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path
from typing import Any

import trio
from quart import Response
from quart_trio import QuartTrio

import dersim.web
from dersim.cli.sim_options import FAIL_FAST_VARIABLE
from dersim.fences import Fences
from dersim.fleet_run.steering import Steering
from dersim.fleet_run.view import FleetDocuments
from dersim.logbuffer import LogBuffer
from dersim.pages import statics
from dersim.pages.guard import Guard
from dersim.pages.middleware import add_error_handlers, add_guard
from dersim.pages.problems import Problem
from dersim.pages.responses import dumps
from dersim.pages.serving import WebServer

STATIC = Path(__file__).parent / "static"
#: Of Prometheus' text format.
_TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
_DASHBOARD = Path(dersim.web.__file__).parent / "static"


async def serve(
    listening: socket.socket, documents: FleetDocuments, steering: Steering, log: LogBuffer
) -> None:
    """Serve until cancelled."""
    fences = Fences(log, fail_fast=os.environ.get(FAIL_FAST_VARIABLE) == "yes")
    site = WebServer(make_app(documents, steering, fences), listening, log, fences)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(partial(site.serve, trio.lowlevel.checkpoint))
        while True:
            documents.note(trio.current_time())
            await trio.sleep(1)


def make_app(documents: FleetDocuments, steering: Steering, fences: Fences) -> QuartTrio:
    """The application."""
    app = QuartTrio("dersim.fleet_run", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    add_guard(app, Guard())
    add_error_handlers(app, fences)
    statics.add_site(app, "fleet", STATIC / "fleet.html", _DASHBOARD)
    _add_api(app, documents, steering)
    return app


def _add_api(app: QuartTrio, documents: FleetDocuments, steering: Steering) -> None:
    async def overview() -> Response:
        return _json(documents.overview(trio.current_time()))

    async def load() -> Response:
        return _json(documents.load())

    async def metrics() -> Response:
        return Response(documents.metrics(trio.current_time()), content_type=_TEXT_FORMAT)

    async def stop() -> Response:
        steering.stop()
        return _json({"accepted": "stop"}, 202)

    async def der(number: int) -> Response:
        return Response(await _der(steering, number), content_type="application/json")

    app.add_url_rule("/api/fleet", "overview", overview, methods=["GET"])
    app.add_url_rule("/api/fleet/ders/<int:number>", "der", der, methods=["GET"])
    app.add_url_rule("/api/fleet/stop", "stop", stop, methods=["POST"])
    app.add_url_rule("/api/dersim/load", "load", load, methods=["GET"])
    app.add_url_rule("/metrics", "metrics", metrics, methods=["GET"])


async def _der(steering: Steering, number: int) -> str:
    plan = steering.board.plan
    if plan.shard_of(number) is None:
        first, last = plan.shards[0].first, plan.shards[-1].ders.numbers()[-1]
        raise Problem("no-such-device", f"there is no DER {number}", hint=f"There are {first} to {last}.")
    answer = await steering.show(number)
    if answer is None:
        raise Problem("unavailable", f"the shard of DER {number} does not answer", hint="Try again soon.")
    return answer


def _json(document: Any, status: int = 200) -> Response:
    answer = Response(dumps(document), status, content_type="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer
