"""All checks of one plug-in, in order. What fails to load is not examined further."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator, Sequence

from dersim.contract.frontend_checks import checks as frontend_checks
from dersim.contract.function_checks import checks as function_checks
from dersim.contract.grid_checks import checks as grid_checks
from dersim.contract.panel_checks import checks as panel_checks
from dersim.contract.profile_checks import checks as profile_checks
from dersim.contract.schema_checks import checks as schema_checks
from dersim.contract.server_checks import checks as server_checks
from dersim.contract.source_checks import checks as source_checks
from dersim.contract.subject import Check, Subject, told
from dersim.contract.sunspec_checks import checks as sunspec_checks
from dersim.options import OptionParser, port
from dersim.outcomes import OK, Failed, Result
from dersim.plugin.candidates import DEFAULT_PLUGINS, Candidate, find
from dersim.plugin.checks import RESULTS
from dersim.plugin.loader import PluginSet
from dersim.plugin.registry import Named
from dersim.plugin.server_parts import ServerParts

_GROUPS = (
    function_checks,
    source_checks,
    schema_checks,
    profile_checks,
    sunspec_checks,
    grid_checks,
    frontend_checks,
    panel_checks,
    server_checks,
)
_BUILT_IN = DEFAULT_PLUGINS[0].name


def examine(
    candidate: Candidate, *, seed: int = 0, parser: OptionParser | None = None, flags: Sequence[str] = ()
) -> Iterator[Result]:
    """The result of each check of a plug-in, as it comes.

    seed: of everything random. parser: with the flags that the plug-in's may not repeat; it gets them too.
    flags: a command line with which it is tried.
    """
    loading = _Loading(candidate, seed, parser or OptionParser(), flags)
    for name, act in (("loads", loading.load), ("flags", loading.flags), ("hooks", loading.hooks)):
        result = Check(name, act).result()
        yield result
        if result.result != OK:
            return
    for group in _GROUPS:
        for check in group(loading.subject):
            yield check.result()


class _Loading:
    def __init__(self, candidate: Candidate, seed: int, parser: OptionParser, flags: Sequence[str]) -> None:
        self._given = list(flags)
        self._candidate = candidate
        self._seed = seed
        self._parser = parser
        self._options = Namespace()
        self._alone: PluginSet
        self.subject: Subject

    def load(self) -> str:
        """Imported, with hooks."""
        self._alone = PluginSet([self._candidate])
        [plugin] = self._alone.plugins
        return f"{plugin.name} {plugin.version} of {plugin.origin}, order {plugin.order}"

    def flags(self) -> str:
        """Added, explained, and read with the command line that was given, mostly none."""
        before = set(self._parser.flags)
        self._alone.add_options(self._parser)
        mine = {flag: action for flag, action in self._parser.flags.items() if flag not in before}
        server = OptionParser(add_help=False)
        self._alone.add_options(server, "add_server_options")
        for flag, action in (*mine.items(), *server.flags.items()):
            if not action.help:
                raise Failed(f"{flag} has no help; say in a few words what it does, with unit and default")
        self._options = self._parser.parse_args(self._given)
        for action in mine.values():
            if action.type is port:
                setattr(self._options, action.dest, 0)
        self._parser.format_help()
        server.format_help()
        return told({**mine, **server.flags})

    def hooks(self) -> str:
        """Everything is registered, and made and called once."""
        [built_in] = [each for each in find() if each.name == _BUILT_IN]
        registry = PluginSet([built_in, self._candidate]).register(self._options)
        registry.server = self._alone.server_parts(self._options)
        [plugin] = self._alone.plugins
        name = self._candidate.name
        self.subject = Subject(name, registry, self._options, self._seed, plugin.hooks)
        for kind in registry.device_types.values():
            registry.try_out(kind, registry.nameplate_of(kind))
        tables: list[Named[object]] = [getattr(registry, table) for _, table in RESULTS.values()]
        counted = [(len(self.subject.own(table)), table.kind) for table in tables]
        counted += [(len(parts), kind) for parts, kind in _of_server(registry.server)]
        return told(f"{count} {kind}{'s' * (count > 1)}" for count, kind in counted if count)


def _of_server(parts: ServerParts) -> Iterator[tuple[Sequence[object], str]]:
    """What there is of each kind, with the name of the kind."""
    yield parts.profiles, "server profile"
    yield parts.resources, "device resource"
    yield parts.documents, "server document"
    yield parts.routes, "address"
    yield parts.panels, "panel of the server"
