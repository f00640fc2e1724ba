"""`GET /api/dersim/server-info`: what runs here."""

from __future__ import annotations

import math
import platform
import re
import ssl
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim import __version__
from dersim.json_schema import described, unit
from dersim.options import lab_address
from dersim.pages.routes import Route
from dersim.timestamps import rfc3339
from dersim.web.context import BOTH, Call, WebContext

if TYPE_CHECKING:
    from collections.abc import Mapping


class ServerInfo(TypedDict):
    """Version, licence and pace of this simulator."""

    name: str
    version: str
    build: Annotated[str | None, described("commit of the build, where known")]
    license: str
    python: str
    openssl: str
    platform: Annotated[str, described("operating system and machine")]
    packages: dict[str, str]
    flags: Annotated[dict[str, Any], described("the flags of this run; PINs and tokens are masked")]
    devices: int
    first_device: Annotated[int, described("the number of the first DER; the others follow")]
    demo: Annotated[bool, described("whether --demo brings a server whose controls are made up")]
    links: Annotated[dict[str, str], described("this run's pages; lab: the one that started it")]
    time: Annotated[str, described("simulated time", format="date-time")]
    tick_s: Annotated[float, unit("s")]
    rate: float
    effective_rate: float


#: Names of flags whose values are secrets. `token_file` and `csip_key` are paths.
_SECRET = re.compile(r"(^|_)(pin|token|password|passphrase|secret)$", re.IGNORECASE)
#: What has a page; the lab tells its own to the simulator that it starts.
_SITES = ("dashboard", "csip_ui", "utility_admin")
_PACKAGES = (
    "trio",
    "quart",
    "quart-trio",
    "hypercorn",
    "h11",
    "httptools",
    "httpx",
    "pymodbus",
    "xmlschema",
    "lxml",
)


def _versions() -> dict[str, str]:
    found = {}
    for name in (*_PACKAGES, "cryptography", "pluggy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # a plug-in selection may do without some
            continue
    return found


def flags(options: Mapping[str, Any]) -> dict[str, Any]:
    """The flags by name, as JSON; what may be a secret is masked."""
    return {
        name: "masked" if value is not None and _SECRET.search(name) else _plain(value)
        for name, value in sorted(options.items())
    }


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(each) for each in value]
    return str(value)


def _links(addresses: Mapping[str, str]) -> dict[str, str]:
    found = {name: addresses[name] for name in _SITES if name in addresses}
    lab = lab_address()
    return found if lab is None else {**found, "lab": lab}


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del call
    clock = context.engine.clock
    return {
        "name": "dersim",
        "version": __version__,
        "build": None,
        "license": "Apache-2.0",
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "platform": platform.platform(),
        "packages": _versions(),
        "flags": flags(vars(context.engine.options)),
        "demo": bool(getattr(context.engine.options, "demo", False)),
        "links": _links(context.engine.addresses),
        "devices": len(context.engine.fleet.devices),
        "first_device": context.engine.fleet.devices[0].number,
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
