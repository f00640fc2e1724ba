"""The objects that plug-ins registered, and their selection by the command line.

``--without`` and ``--plugins`` take names of plug-ins, front-ends and control functions. ``--without`` leaves
out what it names. ``--plugins`` keeps only what it names, kind by kind: a list that names front-ends keeps
only those front-ends, a list that names control functions keeps only those; a kind of which it names none
stays whole. So ``--plugins csip`` runs the CSIP client alone, with all control functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from dersim.errors import ConfigError, PluginError
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.modes import MODES
from dersim.plugin.server_parts import DeviceResource, ServerDocument, ServerParts
from dersim.plugin.trial import try_device_type, try_function
from dersim.setpoint_sources import register as register_source
from dersim.suggestions import hint

if TYPE_CHECKING:
    from dersim.functions.contract import FunctionType
    from dersim.hardware.device_type import DeviceType
    from dersim.hardware.nameplate import Nameplate
    from dersim.ieee2030_5.extensions import SchemaExtension
    from dersim.plugin.csip_profile import CsipProfile
    from dersim.plugin.extension import FrontendType, GridType, PluginInfo
    from dersim.plugin.panel import Panel
    from dersim.plugin.server_parts import ServerProfile
    from dersim.plugin.sunspec_model import SunspecModel
    from dersim.routes import Route
    from dersim.setpoint_sources import SetpointSource

T = TypeVar("T")
#: Documents in which an element commands or reports a DER; one without a meaning there is a mistake.
_OF_A_DER = frozenset({"DERControlBase", "DefaultDERControl", "DERCapability", "DERSettings"})


@contextmanager
def _named(plugin: str) -> Iterator[None]:
    """An error within names the plug-in."""
    try:
        yield
    except PluginError as error:
        raise PluginError(f"plug-in {plugin}: {error}") from error


class Selection(NamedTuple):
    """`only` from --plugins (empty: all) and `without` from --without."""

    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()

    def keep(self, owners: Mapping[str, str]) -> set[str]:
        """The selected names of one kind. owners: the plug-in of each name."""
        kept = {name for name, plugin in owners.items() if not {name, plugin} & set(self.without)}
        named = {name for name, plugin in owners.items() if {name, plugin} & set(self.only)}
        return kept & named if named else kept

    def check(self, known: Iterable[str]) -> None:
        """ConfigError for an unknown name."""
        known = sorted(set(known))
        for flag, wanted in (("--plugins", self.only), ("--without", self.without)):
            for name in wanted:
                if name not in known:
                    raise ConfigError(f"{flag}: nothing is named {name!r}; {hint(name, known)}")


EVERYTHING = Selection()


class Named(dict[str, T]):
    """The registered objects of one kind by name. owners: the plug-in of each; a second name is refused."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.owners: dict[str, str] = {}

    def add(self, name: str, value: T, plugin: str) -> None:
        """Add an object of `plugin`; PluginError if the name is taken."""
        if name in self:
            other = self.owners[name]
            raise PluginError(
                f"plug-in {plugin}: its {self.kind} {name!r} has the name of one of plug-in {other}; "
                f"rename it, or leave one out with --without {plugin}"
            )
        self[name] = value
        self.owners[name] = plugin

    def keep(self, names: set[str]) -> None:
        """Drop all others."""
        for name in set(self) - names:
            del self[name]


@dataclass(slots=True)
class Registry:
    """All registered objects, in the order of registration."""

    device_types: Named[DeviceType] = field(default_factory=lambda: Named("device type"))
    functions: Named[FunctionType] = field(default_factory=lambda: Named("control function"))
    setpoint_sources: Named[SetpointSource] = field(default_factory=lambda: Named("source of setpoints"))
    sunspec_models: Named[SunspecModel] = field(default_factory=lambda: Named("SunSpec model"))
    schema_extensions: Named[SchemaExtension] = field(default_factory=lambda: Named("schema extension"))
    csip_profiles: Named[CsipProfile] = field(default_factory=lambda: Named("CSIP profile"))
    grids: Named[GridType] = field(default_factory=lambda: Named("grid"))
    frontends: Named[FrontendType] = field(default_factory=lambda: Named("front-end"))
    panels: Named[Panel] = field(default_factory=lambda: Named("panel"))
    server_profiles: Named[ServerProfile] = field(default_factory=lambda: Named("server profile"))
    server_resources: Named[DeviceResource | ServerDocument] = field(
        default_factory=lambda: Named("server resource")
    )
    server_routes: Named[Route] = field(default_factory=lambda: Named("address"))
    server_panels: Named[Panel] = field(default_factory=lambda: Named("panel of the server"))
    #: Of the companion server in this run.
    server: ServerParts = field(default_factory=ServerParts)
    plugins: tuple[PluginInfo, ...] = ()
    own: frozenset[str] = frozenset()  # plug-ins that come with dersim: what they do wrong is a bug of ours

    def nameplate_of(self, device_type: DeviceType) -> Nameplate:
        """Its own nameplate; of a plug-in's type that cannot be read, a PluginError names the plug-in."""
        owner = self.device_types.owners[device_type.name]
        try:
            return read_nameplate(bundled(device_type.profile))
        except ConfigError as error:
            if owner in self.own:
                raise
            raise PluginError(f"plug-in {owner}: device type {device_type.name!r}: {error}") from error

    def try_out(self, device_type: DeviceType, nameplate: Nameplate) -> None:
        """Make and call once what plug-ins gave for the DERs of this run; PluginError names the plug-in."""
        if (owner := self.device_types.owners[device_type.name]) not in self.own:
            try_device_type(owner, device_type, nameplate)
        for name, kind in self.functions.items():
            if (owner := self.functions.owners[name]) not in self.own:
                try_function(owner, kind, nameplate)

    def select(self, selection: Selection, plugins: Iterable[str], *, also: Iterable[str] = ()) -> None:
        """Drop what is not selected; ConfigError for an unknown name in the selection.

        plugins: the names of all plug-ins. also: front-ends that --plugins does not drop.
        """
        selection.check((*plugins, *self.frontends, *self.functions))
        kept = {name for name in also if name in self.frontends and name not in selection.without}
        self.frontends.keep(selection.keep(self.frontends.owners) | kept)
        self.functions.keep(selection.keep(self.functions.owners))

    def activate(self) -> None:
        """Make the sources of setpoints known, the schema extensions to the codec, their modes to `MODES`.

        PluginError names the plug-in of an extension that xmlschema or the codec refuses.
        """
        for source in self.setpoint_sources.values():
            register_source(source)
        if not self.schema_extensions:
            return
        from dersim.ieee2030_5 import Edition, extensions, schema  # noqa: PLC0415 - only where it is needed

        for name, extension in self.schema_extensions.items():
            self._check_extension(name, extension)
            with _named(self.schema_extensions.owners[name]):
                extensions.register(extension, self.schema_extensions.owners[name])
        try:
            # The 2018 schemas are the stricter ones: every element has its place.
            schema.check_extensions(Edition.E2018)
        except PluginError:
            self._find_refused()
            raise

    def _check_extension(self, name: str, extension: SchemaExtension) -> None:
        """Add its mode; PluginError where it has more than one meaning, or none where it needs one."""
        plugin, mode = self.schema_extensions.owners[name], extension.mode
        means = [each for each in (mode, extension.tell, extension.report) if each is not None]
        if len(means) > 1 or (not means and set(extension.parents) & _OF_A_DER):
            raise PluginError(
                f"plug-in {plugin}: {name} needs either a mode, where it commands, "
                f"or tell or report, where the DER reports it"
            )
        if mode is not None and MODES.setdefault(mode.name, mode) != mode:
            raise PluginError(
                f"plug-in {plugin}: the mode {mode.name} of {name} is there already; give it another name"
            )

    def _find_refused(self) -> None:
        """Register them one by one; PluginError names the plug-in of the first that xmlschema refuses."""
        from dersim.ieee2030_5 import Edition, extensions, schema  # noqa: PLC0415 - only after a mistake

        for extension in self.schema_extensions.values():
            extensions.unregister(extension)
        for name, extension in self.schema_extensions.items():
            with _named(self.schema_extensions.owners[name]):
                extensions.register(extension, self.schema_extensions.owners[name])
                schema.check_extensions(Edition.E2018)

    def server_parts(self) -> ServerParts:
        """What was registered for the companion server; PluginError for profiles that disagree."""
        resources = list(self.server_resources.values())
        parts = ServerParts(
            list(self.server_profiles.values()),
            [each for each in resources if isinstance(each, DeviceResource)],
            [each for each in resources if isinstance(each, ServerDocument)],
            list(self.server_routes.values()),
            list(self.server_panels.values()),
            dict(self.server_resources.owners),
        )
        for each in parts.resources:
            _check_declared(self.server_resources.owners[each.name], each)
        parts.one_profile()
        return parts

    def csip_profile(self) -> CsipProfile | None:
        """That of the run; PluginError names two that exclude each other."""
        names = list(self.csip_profiles)
        if len(names) > 1:
            owner = self.csip_profiles.owners[names[1]]
            raise PluginError(
                f"plug-in {owner}: its CSIP profile {names[1]!r} and {names[0]!r} exclude each other; "
                f"leave one out with --without {owner}"
            )
        return self.csip_profiles[names[0]] if names else None

    def ordered_grids(self) -> list[GridType]:
        """In the order in which they are made and settled: by `order`, then by name."""
        return sorted(self.grids.values(), key=lambda kind: (kind.order, kind.name))

    def ordered_frontends(self) -> list[FrontendType]:
        """In the order in which they are made, bound and started: by `order`, then by name."""
        return sorted(self.frontends.values(), key=lambda kind: (kind.order, kind.name))


def _check_declared(plugin: str, resource: DeviceResource) -> None:
    """PluginError where the document, or the link to it, is no element that the codec knows."""
    from dersim.ieee2030_5 import extensions  # noqa: PLC0415 - only where it is needed

    what = f"plug-in {plugin}: device resource {resource.name!r}"
    found = extensions.find(resource.namespace, resource.element)
    if found is None or not found.members or not found.declared.document:
        raise PluginError(
            f"{what}: {resource.element!r} is no document; register a SchemaExtension of it with members and "
            f"document=True"
        )
    if resource.link:
        link = extensions.find(resource.namespace, resource.link)
        if link is None or "EndDevice" not in link.declared.parents or link.declared.wire_type != "Link":
            raise PluginError(
                f"{what}: {resource.link!r} is no link; register a SchemaExtension of it with parents "
                f'("EndDevice",) and the wire type "Link"'
            )
