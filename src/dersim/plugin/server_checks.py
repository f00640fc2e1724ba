"""Checks of what plug-ins register for the companion server; a mistake is a PluginError that names it."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any, get_args

from dersim.errors import PluginError
from dersim.plugin.declared import check_call, check_fields, check_panel
from dersim.plugin.panel import Panel
from dersim.plugin.routes import SERVER_SITE, check_route
from dersim.plugin.server_parts import DeviceResource, PenForm, Rule, ServerDocument, ServerProfile, Write
from dersim.routes import Route

#: Of each hook of the companion server: the classes of the items, and the table of the `Registry`.
SERVER_RESULTS: Mapping[str, tuple[tuple[type, ...], str]] = {
    "register_server_profiles": ((ServerProfile,), "server_profiles"),
    "register_server_resources": ((DeviceResource, ServerDocument), "server_resources"),
    "register_server_routes": ((Route,), "server_routes"),
    "register_server_panels": ((Panel,), "server_panels"),
}
#: Parts of paths below an EndDevice that the standard's resources have here.
_TAKEN = ("der", "di", "fsa", "lel", "rg", "sub")


def name_of(plugin: str, hook: str, item: Any) -> str:
    """Check an item that `hook` returned; the name under which it is registered."""
    kinds, _ = SERVER_RESULTS[hook]
    if not isinstance(item, kinds):
        wanted = " or ".join(each.__name__ for each in kinds)
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; give objects of {wanted}")
    check_fields(plugin, item)
    match item:
        case Route():
            if inspect.iscoroutinefunction(item.handler):
                raise PluginError(
                    f"plug-in {plugin}: {item.path}: its handler is async; give a plain function"
                )
            return check_route(plugin, plugin, item, (SERVER_SITE,))
        case Panel():
            check_panel(plugin, item)
        case ServerProfile():
            _check_profile(f"plug-in {plugin}: server profile {item.name!r}", item)
        case ServerDocument():
            _check_document(f"plug-in {plugin}: server document {item.path!r}", item)
        case DeviceResource():
            _check_resource(f"plug-in {plugin}: device resource {item.name!r}", item)
    if not isinstance(item.name, str) or not item.name:
        raise PluginError(f"plug-in {plugin}: {hook} gave {item!r}; it needs a name")
    return str(item.name)


def _check_profile(what: str, item: ServerProfile) -> None:
    if item.pen_form is not None and item.pen_form not in get_args(PenForm):
        raise PluginError(f"{what} has the pen_form {item.pen_form!r}; say {' or '.join(get_args(PenForm))}")
    if unknown := [each for each in item.refuses if each not in get_args(Rule)]:
        raise PluginError(f"{what} refuses {unknown[0]!r}; known are {', '.join(get_args(Rule))}")
    if item.ended_listed_s is not None and item.ended_listed_s < 0:
        raise PluginError(f"{what} has ended_listed_s {item.ended_listed_s}; give seconds from 0")


def _check_document(what: str, item: ServerDocument) -> None:
    if not item.path.startswith("/") or any(mark in item.path for mark in "*?#{}"):
        raise PluginError(f"{what}: give a path such as /.well-known/name")
    check_call(f"{what}: make", item.make, 0)


def _check_resource(what: str, item: DeviceResource) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", item.name):
        raise PluginError(f"{what}: its name is a part of a path; give lower-case letters, such as cp")
    if item.name in _TAKEN:
        raise PluginError(f"{what}: /edev/k/{item.name} is dersim's own; give it another name")
    if unknown := [each for each in item.writes if each not in get_args(Write)]:
        raise PluginError(f"{what} has writes {unknown[0]!r}; known are {', '.join(get_args(Write))}")
    check_call(f"{what}: check", item.check, 1)
