"""Find, check and load plug-ins, and ask their hooks.

The plug-ins that come with dersim are loaded like all others: the same hooks, the same checks. A mistake of a
plug-in is a `PluginError` at start-up that names the plug-in and says what to do. pluggy finds hooks and
checks their arguments. It accepts async hooks and any result; those checks are
made here and in `checks.py`.
"""

from __future__ import annotations

import argparse
import inspect
from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple

import pluggy

from dersim.errors import PluginError
from dersim.fences import at_start
from dersim.options import OptionParser
from dersim.plugin import hookspecs
from dersim.plugin.candidates import BUILT_IN_NAMES, Candidate
from dersim.plugin.checks import ALL_RESULTS, RESULTS, in_full, name_of
from dersim.plugin.extension import PluginInfo
from dersim.plugin.registry import EVERYTHING, Registry, Selection
from dersim.plugin.server_checks import SERVER_RESULTS
from dersim.plugin.server_parts import ServerParts
from dersim.suggestions import hint

DEFAULT_ORDER = 100
#: The front-end of the companion server.
COMPANION = "utility"
#: The hooks that get the flags.
_WITH_OPTIONS = (
    "register_schema_extensions",
    "register_csip_profiles",
    "register_grids",
    "register_frontends",
    "register_ui_panels",
)


class Plugin(NamedTuple):
    """A loaded and checked plug-in."""

    name: str
    version: str
    origin: str
    order: int
    target: Any
    hooks: tuple[str, ...]


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
        with at_start(name, f"the import of {candidate.origin}"):
            target = candidate.load()
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
            raise PluginError(f"plug-in {name}: {error}; give each entry point its own module") from error
        return Plugin(name, candidate.version, candidate.origin, order, target, self._hooks_of(name, target))

    def _explain(self, error: pluggy.PluginValidationError) -> str:
        """pluggy's message, with what to do."""
        known = [hook for hook, _ in self._specs()]
        for caller in self._pluggy.get_hookcallers(error.plugin) or ():
            if caller.name not in known:
                return f"there is no hook {caller.name!r}; {hint(caller.name, known)}"
        return f"{str(error).splitlines()[-1]}; take the arguments named in dersim.plugin.hookspecs, or fewer"

    @staticmethod
    def _specs() -> list[tuple[str, Any]]:
        return [(n, f) for n, f in vars(hookspecs).items() if hasattr(f, f"{hookspecs.PROJECT}_spec")]

    def _hooks_of(self, name: str, target: Any) -> tuple[str, ...]:
        callers = self._pluggy.get_hookcallers(target) or []
        offered = {caller.name for caller in callers}
        if not offered:
            raise PluginError(
                f"plug-in {name}: it has no hook; mark its functions with @dersim.plugin.hookimpl"
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
        """Call a hook of one plug-in; the list that it returned, or what else it is."""
        others = [each.target for each in self.plugins if each is not plugin]
        what = f"its hook {hook}"
        with at_start(plugin.name, what):
            results = self._pluggy.subset_hook_caller(hook, others)(**arguments)
        result = next(iter(results), None)  # pluggy leaves out None
        if hook not in ALL_RESULTS:
            return result
        if result is None or isinstance(result, str | Mapping):
            raise PluginError(f"plug-in {plugin.name}: {what} returned {result!r}; return a list of objects")
        with at_start(plugin.name, what):
            return list(result)

    def add_options(
        self, parser: OptionParser, hook: Literal["add_options", "add_server_options"] = "add_options"
    ) -> None:
        """Let each plug-in add its flags. PluginError for a flag, or the name of its value, that is taken.

        hook: that of the program whose parser it is.
        """
        owners = dict.fromkeys(parser.flags, "dersim itself")
        names = {action.dest: "dersim itself" for action in parser.flags.values()}
        for plugin in self.plugins:
            if hook not in plugin.hooks:
                continue
            try:
                answer = self._call(plugin, hook, parser=parser)
            except PluginError as error:
                if not isinstance(clash := error.__cause__, argparse.ArgumentError):
                    raise
                flag = next((flag for flag in owners if flag in str(clash)), "?")
                raise PluginError(
                    f"plug-in {plugin.name}: {clash}; {flag} is a flag of {owners.get(flag, 'another')}: "
                    f"rename it, or leave one out with --without {plugin.name}"
                ) from error
            if answer is not None:
                raise PluginError(
                    f"plug-in {plugin.name}: its hook {hook} returned {answer!r}; "
                    f"it adds to the parser and returns nothing"
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

    def adapt_options(self, options: Namespace, given: frozenset[str]) -> None:
        """Let each plug-in change the defaults of options that were not given. PluginError for others."""
        for plugin in self.plugins:
            if "adapt_options" not in plugin.hooks:
                continue
            before = {name: getattr(options, name) for name in given}
            self._call(plugin, "adapt_options", options=options, given=given)
            changed = [name for name, value in before.items() if getattr(options, name) is not value]
            if changed:
                raise PluginError(
                    f"plug-in {plugin.name}: its hook adapt_options changed options.{changed[0]}, "
                    f"which the user has given; change the others only"
                )

    def register(self, options: Namespace, *, also: Iterable[str] = ()) -> Registry:
        """Call all register_ hooks, in the order of hookspecs.py, and keep what is selected."""
        registry = self._collect(RESULTS, options)
        known = {name for each in self._all for name in (each.name, *each.frontends)}
        registry.select(self._selection, known, also=also)
        registry.activate()
        registry.csip_profile()
        if COMPANION in registry.frontends:
            registry.server = self.server_parts(options)
        registry.plugins = self._listed()
        registry.own = BUILT_IN_NAMES
        return registry

    def learn_extensions(self, options: Namespace | None = None) -> None:
        """Add only the schema extensions of the plug-ins: for a program without DERs."""
        self._collect(("register_schema_extensions",), options or Namespace()).activate()

    def server_parts(self, options: Namespace) -> ServerParts:
        """What the plug-ins add to the companion server, once the schema extensions are known.

        options: of `dersim server`, or of a program that has a server without its flags: then they are at
        their defaults.
        """
        parser = OptionParser(add_help=False)
        self.add_options(parser, "add_server_options")
        defaults = vars(parser.parse_args([])) if parser.flags else {}
        return self._collect(SERVER_RESULTS, Namespace(**{**defaults, **vars(options)})).server_parts()

    def device_types(self) -> tuple[str, ...]:
        """The names of all device types, for the help and shell completion."""
        return tuple(self._collect(("register_device_types",), Namespace()).device_types)

    def grids(self, options: Namespace) -> tuple[str, ...]:
        """The names of the grids that these flags ask for."""
        return tuple(self._collect(("register_grids",), options).grids)

    def _collect(self, hooks: Iterable[str], options: Namespace) -> Registry:
        registry = Registry()
        for hook in hooks:
            _, table = ALL_RESULTS[hook]
            arguments = {"options": options} if hook in (*_WITH_OPTIONS, *SERVER_RESULTS) else {}
            for plugin in self.plugins:
                if hook in plugin.hooks:
                    for item in map(in_full, self._call(plugin, hook, **arguments)):
                        name = name_of(plugin.name, hook, item, trusted=plugin.name in BUILT_IN_NAMES)
                        getattr(registry, table).add(name, item, plugin.name)
        return registry

    def _listed(self) -> tuple[PluginInfo, ...]:
        loaded = {plugin.name for plugin in self.plugins}
        return tuple(
            PluginInfo(each.name, each.version, each.origin, each.name in loaded) for each in self._all
        )
