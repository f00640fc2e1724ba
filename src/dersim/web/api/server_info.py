"""`GET /api/dersim/server-info`: what runs here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, TypedDict

from dersim import __version__
from dersim.pages.routes import Route
from dersim.pages.schema import described, unit
from dersim.timestamps import rfc3339
from dersim.web.context import BOTH, Call, WebContext


class ServerInfo(TypedDict):
    """Version, licence and pace of this simulator."""

    name: str
    version: str
    build: Annotated[str | None, described("commit of the build, where known")]
    license: str
    python: str
    packages: dict[str, str]
    devices: int
    time: Annotated[str, described("simulated time", format="date-time")]
    tick_s: Annotated[float, unit("s")]
    rate: float
    effective_rate: float


_PACKAGES = ("trio", "quart", "quart-trio", "hypercorn", "h11", "httpx", "pymodbus", "xmlschema", "lxml")


def _versions() -> dict[str, str]:
    found = {}
    for name in (*_PACKAGES, "cryptography", "pluggy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a plug-in selection may do without some
            continue
    return found


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del call
    clock = context.engine.clock
    return {
        "name": "dersim",
        "version": __version__,
        "build": None,
        "license": "Apache-2.0",
        "python": platform.python_version(),
        "packages": _versions(),
        "devices": len(context.engine.fleet.devices),
        "time": rfc3339(clock.now_s()),
        "tick_s": clock.tick_s,
        "rate": clock.rate,
        "effective_rate": round(clock.effective_rate, 4),
    }


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/server-info",
        handler=_get,
        summary="Version, licence, packages and pace.",
        response=ServerInfo,
        per_device=False,
        tag="Simulator",
        sites=BOTH,
    )
]
