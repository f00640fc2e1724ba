"""The installed plug-ins: those that come with dersim, and those of the entry-point group ``dersim``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple

from dersim import __version__
from dersim.errors import PluginError

GROUP = "dersim"


class BuiltIn(NamedTuple):
    """A plug-in that comes with dersim. frontends: names by which it is selected besides its own."""

    name: str
    module: str
    frontends: tuple[str, ...] = ()


#: A module is imported only if selected: a run with the CSIP client alone does not load the web stack.
DEFAULT_PLUGINS: tuple[BuiltIn, ...] = (
    BuiltIn("builtin", "dersim.plugin.builtin"),
    BuiltIn("island", "dersim.plugin.island"),
    BuiltIn("utility", "dersim.utility.demo"),
    BuiltIn("csip", "dersim.csip.plugin", ("csip",)),
    BuiltIn("modbus", "dersim.sunspec.plugin", ("modbus",)),
    BuiltIn("rest", "dersim.web.plugin", ("rest",)),
    BuiltIn("csip_ui", "dersim.web.csip_ui", ("csip_ui",)),
)


#: The names of those that come with dersim.
BUILT_IN_NAMES = frozenset(each.name for each in DEFAULT_PLUGINS)


class Candidate(NamedTuple):
    """A plug-in that could be loaded. `load` imports it."""

    name: str
    version: str
    origin: str
    load: Callable[[], Any]
    frontends: tuple[str, ...] = ()


def find() -> list[Candidate]:
    """All installed plug-ins, the built-in ones first; PluginError for a name taken twice."""
    found: dict[str, Candidate] = {}
    own = [
        Candidate(b.name, __version__, b.module, lambda b=b: importlib.import_module(b.module), b.frontends)  # type: ignore[misc]  # a bound default
        for b in DEFAULT_PLUGINS
    ]
    for candidate in (*own, *map(_of_entry_point, entry_points(group=GROUP))):
        if candidate.name in found:
            raise PluginError(
                f"plug-in {candidate.name}: {candidate.origin} and {found[candidate.name].origin} both have "
                f"this name; uninstall one, or rename its entry point"
            )
        found[candidate.name] = candidate
    return list(found.values())


def _of_entry_point(point: EntryPoint) -> Candidate:
    version = point.dist.version if point.dist else "unknown"
    origin = f"{point.dist.name} ({point.value})" if point.dist else point.value
    return Candidate(point.name, version, origin, point.load)
