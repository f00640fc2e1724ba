"""Makes the DERs: nameplate and profiles are read once, inputs and random draws are per DER."""

from __future__ import annotations

from argparse import Namespace
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
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import read_nameplate
from dersim.logbuffer import LogBuffer
from dersim.plugin.registry import Registry


def build_fleet(options: Namespace, registry: Registry, clock: SimClock, log: LogBuffer) -> Fleet:
    """The DERs of `options.plan`; what each file holds is read once.

    ConfigError: bad nameplate or profile; PluginError: bad plug-in.

    A line of the log says how a profile with TimeUTC is played, a warning if rows are missing in it.
    """
    plan: FleetPlan = options.plan
    makers = {group.name: _Maker(group, options, registry, clock, log) for group in plan.groups}
    devices = [makers[group.name].make(number) for number, group in plan.members()]
    return Fleet(devices, numbered=plan.numbered)


class _Maker:
    """Makes the DERs of one group."""

    def __init__(
        self, group: Group, options: Namespace, registry: Registry, clock: SimClock, log: LogBuffer
    ) -> None:
        self._group = group
        self._options = options = group.options(options)
        self._clock = clock
        self._functions = tuple(registry.functions.values())
        try:
            self._type = find_type(options.device_type, registry.device_types.values())
        except ConfigError as error:
            raise group.placed("device_type", error) from None
        given = options.nameplate
        self._nameplate = read_nameplate(given) if given else registry.nameplate_of(self._type)
        registry.try_out(self._type, self._nameplate)
        self._held = {name: grid.name for grid in registry.grids.values() for name in grid.holds}
        began_s = options.plan.began_s
        self._start_s = start_s = clock.now_s() if began_s is None else began_s
        offset = datetime.fromtimestamp(start_s, options.wall_clock_timezone).utcoffset() or timedelta()
        self._weather = _profile(options.dc_profile, "weather", start_s, offset, log)
        self._grid = _profile(options.grid_profile, "grid", start_s, offset, log)
        for name in self._held.keys() & (self._grid.columns.keys() if self._grid else ()):
            told = f"{options.grid_profile}: its {name} is not used, grid {self._held[name]} gives it"
            log.log("Warning", "Grid", f"{told} until grid_source of /api/dersim/inputs is set to csv")
        conditions = Conditions(frequency_hz=self._nameplate.frequency_hz)
        self._conditions = conditions._replace(**checked(group.constants))
        self._load: Profile | None = None
        self._site = self._read_load(start_s, offset, log)

    def _read_load(self, start_s: float, offset: timedelta, log: LogBuffer) -> SiteLoad | None:
        """The load behind the meter; None without one."""
        given = self._options.site_load
        if given is None:
            return None
        site = SiteLoad(self._nameplate.phases, self._options.site_load_pf)
        if isinstance(given, Path):
            profile = _profile(given, "load", start_s, offset, log)
            self._load = None if profile is None else site.of_profile(profile)
        else:
            self._conditions = self._conditions._replace(**site.completed({"load_w": given}))
        return site

    def make(self, number: int) -> Device:
        """The DER of this number."""
        shift_s = self._group.shift_s * self._group.position(number)
        inputs = Inputs(
            self._conditions,
            grid=_shifted(self._grid, shift_s),
            weather=_shifted(self._weather, shift_s),
            load=_shifted(self._load, shift_s),
            site=self._site,
            start_s=self._start_s,
        )
        inputs.offer_grid(self._held, self._group.constants)
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
        if self._group.name:
            device.name = f"{self._group.name} {number}"
        return device


def _shifted(profile: Profile | None, shift_s: float) -> Profile | None:
    return profile if profile is None or not shift_s else profile.shifted(shift_s)


def _profile(
    path: Path | None, kind: str, start_s: float, offset: timedelta, log: LogBuffer
) -> Profile | None:
    if path is None:
        return None
    profile = read_profile(path, kind)
    profile.begin(start_s, offset.total_seconds())
    if said := profile.said():
        module = {"weather": "DC", "grid": "AC", "load": "Site"}[kind]
        log.log("Warning" if profile.filled else "Info", module, f"{path} {said}")
    return profile
