"""Makes the DERs: nameplate and profiles are read once, inputs and random draws are per DER."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from dersim.clock import SimClock
from dersim.device import Device
from dersim.engine.simulator import derived_rng
from dersim.errors import ConfigError
from dersim.fleet import Fleet
from dersim.fleet_plan import FleetPlan, Group
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs, checked
from dersim.grid.profiles import Profile, read_profile
from dersim.grid.site_load import SiteLoad
from dersim.hardware.device_type import DeviceType, find_type
from dersim.hardware.nameplate import Nameplate, bundled, read_nameplate
from dersim.hardware.rating import Rating, rated_nameplate
from dersim.logbuffer import LogBuffer
from dersim.plugin.registry import Registry


def build_fleet(
    options: Namespace,
    registry: Registry,
    clock: SimClock,
    log: LogBuffer,
    profiles_from_s: float | None = None,
) -> Fleet:
    """The DERs of `options.plan`; what each file holds is read once.

    profiles_from_s: simulated time at which their profiles begin; None: when the run began, or now.

    ConfigError: bad nameplate or profile; PluginError: bad plug-in.

    A line of the log says how a profile with TimeUTC is played, a warning if rows are missing in it.
    """
    plan: FleetPlan = options.plan
    read = Profiles(log)
    if profiles_from_s is None:
        profiles_from_s = clock.now_s() if plan.began_s is None else plan.began_s
    makers: dict[tuple[int, int], _Maker] = {}
    devices = []
    for number, group in plan.members():
        alike = id(group.flags), id(group.constants)
        if alike not in makers:
            makers[alike] = _Maker(group, options, registry, clock, read, profiles_from_s)
        devices.append(makers[alike].make(number, group))
    return Fleet(devices, numbered=plan.numbered, profiles_from_s=profiles_from_s)


class _Maker:
    """Makes the DERs of one group."""

    def __init__(
        self,
        group: Group,
        options: Namespace,
        registry: Registry,
        clock: SimClock,
        read: Profiles,
        start_s: float,
    ) -> None:
        self._read = read
        self._constants = group.constants
        self._options = options = group.options(options)
        self._clock = clock
        self._functions = tuple(registry.functions.values())
        try:
            self._type = find_type(options.device_type, registry.device_types.values())
        except ConfigError as error:
            raise group.placed("device_type", error) from None
        try:
            self._nameplate = _nameplate(options, registry, self._type)
        except ConfigError as error:
            raise group.placed("rating", error) from None
        registry.try_out(self._type, self._nameplate)
        self._held = {name: grid.name for grid in registry.grids.values() for name in grid.holds}
        self._start_s = start_s
        offset = datetime.fromtimestamp(start_s, options.wall_clock_timezone).utcoffset() or timedelta()
        self._weather = read.profile(options.dc_profile, "weather", start_s, offset)
        self._grid = read.profile(options.grid_profile, "grid", start_s, offset)
        read.tell_held(options.grid_profile, self._grid, self._held)
        conditions = Conditions(frequency_hz=self._nameplate.frequency_hz)
        self._conditions = conditions._replace(**checked(group.constants))
        self._load: Profile | None = None
        self._site = self._read_load(start_s, offset)

    def _read_load(self, start_s: float, offset: timedelta) -> SiteLoad | None:
        """The load behind the meter; None without one."""
        given = self._options.site_load
        if given is None:
            return None
        site = SiteLoad(self._nameplate.phases, self._options.site_load_pf)
        if isinstance(given, Path):
            profile = self._read.profile(given, "load", start_s, offset)
            self._load = None if profile is None else site.of_profile(profile)
        else:
            self._conditions = self._conditions._replace(**site.completed({"load_w": given}))
        return site

    def make(self, number: int, group: Group) -> Device:
        """The DER of this number. group: its own, whose DERs are like those of the maker's."""
        shift_s = group.shift_s * group.position(number)
        inputs = Inputs(
            self._conditions,
            grid=_shifted(self._grid, shift_s),
            weather=_shifted(self._weather, shift_s),
            load=_shifted(self._load, shift_s),
            site=self._site,
            start_s=self._start_s,
        )
        inputs.offer_grid(self._held, self._constants)
        device = Device(
            number,
            nameplate=self._nameplate,
            device_type=self._type,
            functions=self._functions,
            clock=self._clock,
            inputs=inputs,
            rng=derived_rng(self._options.seed, "device", number),
            start=self._options.start,
        )
        if group.name:
            device.name = f"{group.name} {number}"
        return device


def _shifted(profile: Profile | None, shift_s: float) -> Profile | None:
    return profile if profile is None or not shift_s else profile.shifted(shift_s)


def _nameplate(options: Namespace, registry: Registry, kind: DeviceType) -> Nameplate:
    """That of the flags, else of the type, at the rating of its row in --nameplates."""
    rating: Rating | None = getattr(options, "rating", None)
    given: Path | None = options.nameplate
    if rating is not None:
        return rated_nameplate(given or bundled(kind.profile), rating)
    return read_nameplate(given) if given else registry.nameplate_of(kind)


class Profiles:
    """Reads each profile once, and tells once how it is played."""

    def __init__(self, log: LogBuffer) -> None:
        self._log = log
        self._read: dict[tuple[Path, str], Profile] = {}
        self._told: set[Path] = set()

    def profile(self, path: Path | None, kind: str, start_s: float, offset: timedelta) -> Profile | None:
        """The profile of a file, None without one. ConfigError."""
        if path is None:
            return None
        if (path, kind) not in self._read:
            self._read[path, kind] = profile = read_profile(path, kind)
            profile.begin(start_s, offset.total_seconds())
            if said := profile.said():
                module = {"weather": "DC", "grid": "AC", "load": "Site"}[kind]
                self._log.log("Warning" if profile.filled else "Info", module, f"{path} {said}")
        return self._read[path, kind]

    def tell_held(self, path: Path | None, profile: Profile | None, held: Mapping[str, str]) -> None:
        """Warn of what a grid gives in place of a profile. held: the grids by input."""
        if path is None or profile is None or path in self._told:
            return
        self._told.add(path)
        for name in held.keys() & profile.columns.keys():
            told = f"{path}: its {name} is not used, grid {held[name]} gives it"
            self._log.log("Warning", "Grid", f"{told} until grid_source of /api/dersim/inputs is set to csv")
