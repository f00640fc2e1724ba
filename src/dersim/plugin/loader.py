"""Find, check and load plug-ins, and ask their hooks.

The plug-ins that come with dersim go the way of everyone else's: the same hooks, the same checks. Whatever a
plug-in does wrong ends in a `PluginError` that names it and says what to do, at start-up, before anything
runs. pluggy finds hooks and checks their arguments; it does not mind a coroutine where a function is meant
(it would never be awaited), nor what comes back, so those checks are made here.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import inspect
from argparse import Namespace
from collections.abc import Callable, Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NamedTuple, get_args

import pluggy

from dersim import __version__
from dersim.errors import DersimError, PluginError
from dersim.functions.contract import FunctionType, Stage
from dersim.hardware.device_type import DeviceType
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.options import OptionParser
from dersim.plugin import hookspecs
from dersim.plugin.extension import FrontendType, Panel, PluginInfo, Scope
from dersim.plugin.registry import EVERYTHING, Registry, Selection

GROUP = "dersim"
DEFAULT_ORDER = 100

# What foreign code raises when it is wrong, at import or in a hook.
_FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)


class BuiltIn(NamedTuple):
    """A plug-in that comes with dersim, and the front-ends by whose names it is selected, too."""

    name: str
    module: str
    frontends: tuple[str, ...] = ()


#: Imported only where selected: a run with the CSIP client alone does not pay for the web stack.
DEFAULT_PLUGINS: tuple[BuiltIn, ...] = (
    BuiltIn("builtin", "dersim.plugin.builtin"),
    BuiltIn("utility", "dersim.utility.demo"),
    BuiltIn("csip", "dersim.csip.plugin", ("csip",)),
    BuiltIn("modbus", "dersim.sunspec.plugin", ("modbus",)),
    BuiltIn("rest", "dersim.web.plugin", ("rest",)),
    BuiltIn("csip_ui", "dersim.web.csip_ui", ("csip_ui",)),
)

#: Of each hook that returns something: the class of the items, and the table of the `Registry`.
_RESULTS: Mapping[str, tuple[type, str]] = {
    "register_device_types": (DeviceType, "device_types"),
    "register_control_functions": (FunctionType, "functions"),
    "register_sunspec_models": (Mapping, "sunspec_models"),
    "register_schema_extensions": (SchemaExtension, "schema_extensions"),
    "register_frontends": (FrontendType, "frontends"),
    "register_ui_panels": (Panel, "panels"),
}


class Candidate(NamedTuple):
    """A plug-in that could be loaded. `load` imports it."""

    name: str
    version: str
    origin: str
    load: Callable[[], Any]
    frontends: tuple[str, ...] = ()


class Plugin(NamedTuple):
    """A loaded and checked plug-in."""

    name: str
    version: str
    origin: str
    order: int
    target: Any
    hooks: tuple[str, ...]


def find() -> list[Candidate]:
    """All plug-ins there are, ours and those of the entry-point group; PluginError for a name taken twice."""
    found: dict[str, Candidate] = {}
    own = [
        Candidate(b.name, __version__, b.module, lambda b=b: importlib.import_module(b.module), b.frontends)  # type: ignore[misc]  # a bound default
        for b in DEFAULT_PLUGINS
    ]
    for candidate in (*own, *map(_of_entry_point, entry_points(group=GROUP))):
        if candidate.name in found:
            raise PluginError(
                f"plug-in {candidate.name}: {candidate.origin} and {found[candidate.name].origin} both bear "
                f"this name; uninstall one, or rename its entry point"
            )
        found[candidate.name] = candidate
    return list(found.values())


def _of_entry_point(point: EntryPoint) -> Candidate:
    version = point.dist.version if point.dist else "unknown"
    origin = f"{point.dist.name} ({point.value})" if point.dist else point.value
    return Candidate(point.name, version, origin, point.load)


class PluginSet:
    """The selected plug-ins, loaded and in order."""

    def __init__(self, candidates: Iterable[Candidate], selection: Selection = EVERYTHING) -> None:
        self._all = list(candidates)
        self._selection = selection
        self._pluggy = pluggy.PluginManager(hookspecs.PROJECT)
        self._pluggy.add_hookspecs(hookspecs)
        wanted = [candidate for candidate in self._all if self._is_wanted(candidate)]
        self.plugins = sorted(map(self._load, wanted), key=lambda plugin: (plugin.order, plugin.name))

    def _is_wanted(self, candidate: Candidate) -> bool:
        only, without = set(self._selection.only), set(self._selection.without)
        if candidate.name in without:
            return False
        if not candidate.frontends:
            return True
        if not set(candidate.frontends) - without:
            return False
        every = {name for each in self._all if each.frontends for name in (each.name, *each.frontends)}
        return not only & every or bool(only & {candidate.name, *candidate.frontends})

    def _load(self, candidate: Candidate) -> Plugin:
        name = candidate.name
        try:
            target = candidate.load()
        except _FAILURES as error:
            raise PluginError(
                f"plug-in {name}: {candidate.origin} cannot be imported: {error!r}; "
                f"mend or uninstall it, or leave it out with --without {name}"
            ) from error
        if inspect.isclass(target):
            raise PluginError(f"plug-in {name}: its entry point names a class; name a module or an object")
        order = getattr(target, "order", DEFAULT_ORDER)
        if isinstance(order, bool) or not isinstance(order, int):
            raise PluginError(f"plug-in {name}: order is {order!r}; give a whole number")
        try:
            self._pluggy.register(target, name)
            self._pluggy.check_pending()
        except pluggy.PluginValidationError as error:
            raise PluginError(f"plug-in {name}: {self._explain(error)}") from error
        except ValueError as error:  # the same module under two names
            raise PluginError(
                f"plug-in {name}: {error}; give each entry point a module of its own"
            ) from error
        return Plugin(name, candidate.version, candidate.origin, order, target, self._hooks_of(name, target))

    def _explain(self, error: pluggy.PluginValidationError) -> str:
        """pluggy's words, with what to do."""
        known = [hook for hook, _ in self._specs()]
        for caller in self._pluggy.get_hookcallers(error.plugin) or ():
            if caller.name not in known:
                near = difflib.get_close_matches(caller.name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
                return f"there is no hook {caller.name!r}; {hint}"
        return f"{str(error).splitlines()[-1]}; take the arguments named in dersim.plugin.hookspecs, or fewer"

    @staticmethod
    def _specs() -> list[tuple[str, Any]]:
        return [(n, f) for n, f in vars(hookspecs).items() if hasattr(f, f"{hookspecs.PROJECT}_spec")]

    def _hooks_of(self, name: str, target: Any) -> tuple[str, ...]:
        callers = self._pluggy.get_hookcallers(target) or []
        offered = {caller.name for caller in callers}
        if not offered:
            raise PluginError(
                f"plug-in {name}: it has no hook; mark its functions with @dersim.plugin.hookspecs.hookimpl"
            )
        for caller in callers:
            for each in caller.get_hookimpls():
                if each.plugin is not target:
                    continue
                if inspect.iscoroutinefunction(each.function) or inspect.isasyncgenfunction(each.function):
                    raise PluginError(
                        f"plug-in {name}: its hook {caller.name} is async and would never be awaited; "
                        f"make it a plain function and let the object that it registers be async"
                    )
                if each.hookwrapper or each.wrapper:
                    raise PluginError(
                        f"plug-in {name}: its hook {caller.name} is a wrapper; hooks only declare"
                    )
        return tuple(hook for hook, _ in self._specs() if hook in offered)

    def _call(self, plugin: Plugin, hook: str, **arguments: Any) -> Any:
        """Ask one plug-in. Errors that are meant for the user pass; all others get the plug-in's name."""
        others = [each.target for each in self.plugins if each is not plugin]
        try:
            results = self._pluggy.subset_hook_caller(hook, others)(**arguments)
            return list(results[0]) if results and hook in _RESULTS else next(iter(results), None)
        except DersimError:
            raise
        except _FAILURES as error:
            raise PluginError(
                f"plug-in {plugin.name}: its hook {hook} failed: {error!r}; "
                f"mend it, or leave it out with --without {plugin.name}"
            ) from error

    def add_options(self, parser: OptionParser) -> None:
        """Let each plug-in add its flags. PluginError for a flag, or a name of its value, taken twice."""
        owners = dict.fromkeys(parser.flags, "dersim itself")
        names = {action.dest: "dersim itself" for action in parser.flags.values()}
        for plugin in self.plugins:
            if "add_options" not in plugin.hooks:
                continue
            try:
                answer = self._call(plugin, "add_options", parser=parser)
            except argparse.ArgumentError as error:
                flag = next((flag for flag in owners if flag in str(error)), "?")
                raise PluginError(
                    f"plug-in {plugin.name}: {error}; {flag} is a flag of {owners.get(flag, 'another')}: "
                    f"rename it, or leave one out with --without {plugin.name}"
                ) from error
            if answer is not None:
                raise PluginError(
                    f"plug-in {plugin.name}: its hook add_options returned {answer!r}; "
                    f"it shall add to the parser and return nothing"
                )
            self._own_flags(plugin, parser, owners, names)

    @staticmethod
    def _own_flags(
        plugin: Plugin, parser: OptionParser, owners: dict[str, str], names: dict[str, str]
    ) -> None:
        mine = {flag: action for flag, action in parser.flags.items() if flag not in owners}
        for flag, action in mine.items():
            if action.dest in names:
                raise PluginError(
                    f"plug-in {plugin.name}: {flag} would set options.{action.dest}, which belongs to "
                    f"{names[action.dest]}; give it another dest"
                )
        owners.update(dict.fromkeys(mine, f"plug-in {plugin.name}"))
        names.update({action.dest: f"plug-in {plugin.name}" for action in mine.values()})

    def register(self, options: Namespace, *, also: Iterable[str] = ()) -> Registry:
        """Ask all registering hooks, in the order of hookspecs.py, and keep what is selected."""
        registry = self._collect(_RESULTS, options)
        known = {name for each in self._all for name in (each.name, *each.frontends)}
        registry.select(self._selection, known, also=also)
        registry.activate()
        registry.plugins = self._listed()
        return registry

    def learn_extensions(self) -> None:
        """Make known what the plug-ins add to 2030.5 documents, nothing else: for a program without DERs."""
        self._collect(("register_schema_extensions",), Namespace()).activate()

    def _collect(self, hooks: Iterable[str], options: Namespace) -> Registry:
        registry = Registry()
        for hook in hooks:
            kind, table = _RESULTS[hook]
            arguments = {"options": options} if hook == "register_frontends" else {}
            for plugin in self.plugins:
                if hook in plugin.hooks:
                    for item in self._call(plugin, hook, **arguments):
                        name = _name_of(plugin, hook, item, kind)
                        getattr(registry, table).add(name, item, plugin.name)
        return registry

    def _listed(self) -> tuple[PluginInfo, ...]:
        loaded = {plugin.name for plugin in self.plugins}
        return tuple(
            PluginInfo(each.name, each.version, each.origin, each.name in loaded) for each in self._all
        )


def _name_of(plugin: Plugin, hook: str, item: Any, kind: type) -> str:
    """The name under which an item is registered, having judged the item."""
    if not isinstance(item, kind):
        raise PluginError(f"plug-in {plugin.name}: {hook} gave {item!r}; give objects of {kind.__name__}")
    if isinstance(item, SchemaExtension):
        return f"{{{item.namespace}}}{item.element}"
    name = item.get("id") if isinstance(item, Mapping) else getattr(item, "name", None)
    if isinstance(item, Mapping) and isinstance(name, int) and not isinstance(name, bool):
        return str(name)
    if not isinstance(name, str) or not name:
        what = (
            "a SunSpec model needs a whole number as id" if isinstance(item, Mapping) else "it needs a name"
        )
        raise PluginError(f"plug-in {plugin.name}: {hook} gave {item!r}; {what}")
    if isinstance(item, FrontendType):
        _judge_frontend(plugin, item)
    built_in = getattr(plugin.target, "__name__", "") == "dersim.plugin.builtin"
    if isinstance(item, FunctionType) and not built_in:
        _judge_function(plugin, item)
    return name


def _judge_function(plugin: Plugin, kind: FunctionType) -> None:
    """Have xmlschema judge the declared parameters; those of the built-in functions are judged by a test."""
    from dersim.functions.schema import schema_of  # noqa: PLC0415 - spares xmlschema where nothing is to judge

    if kind.stage not in get_args(Stage):
        raise PluginError(
            f"plug-in {plugin.name}: the stage of control function {kind.name} is {kind.stage!r}; "
            f"say one of {', '.join(get_args(Stage))}"
        )
    try:
        schema_of(kind)
    except PluginError as error:
        raise PluginError(f"plug-in {plugin.name}: {error}") from error


def _judge_frontend(plugin: Plugin, kind: FrontendType) -> None:
    if kind.scope not in get_args(Scope):
        raise PluginError(
            f"plug-in {plugin.name}: the scope of front-end {kind.name} is {kind.scope!r}; "
            f'say "device" or "fleet"'
        )
    if inspect.iscoroutinefunction(kind.make):
        raise PluginError(
            f"plug-in {plugin.name}: make of front-end {kind.name} is async; "
            f"give one that takes a FrontendContext and returns the front-end"
        )
