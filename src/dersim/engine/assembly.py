"""Makes the DERs: nameplate and profiles are read once, inputs and random draws are per DER."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime, timedelta
from pathlib import Path

from dersim.clock import SimClock
from dersim.device import Device
from dersim.engine.simulator import derived_rng
from dersim.fleet import Fleet
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.profiles import Profile, read_profile
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import read_nameplate
from dersim.logbuffer import LogBuffer
from dersim.plugin.registry import Registry


def build_fleet(options: Namespace, registry: Registry, clock: SimClock, log: LogBuffer) -> Fleet:
    """`options.count` DERs of one type, numbered from `options.first`.

    ConfigError: bad nameplate or profile; PluginError: bad plug-in.

    A line of the log says how a profile with TimeUTC is played, a warning if rows are missing in it.
    """
    device_type = find_type(options.device_type, registry.device_types.values())
    given = options.nameplate
    nameplate = read_nameplate(given) if given else registry.nameplate_of(device_type)
    registry.try_out(device_type, nameplate)
    start_s = clock.now_s()
    offset = datetime.fromtimestamp(start_s, options.wall_clock_timezone).utcoffset() or timedelta()
    weather = _profile(options.dc_profile, "weather", start_s, offset, log)
    grid = _profile(options.grid_profile, "grid", start_s, offset, log)
    conditions = Conditions(frequency_hz=nameplate.frequency_hz)
    functions = tuple(registry.functions.values())
    first = options.first or 1
    return Fleet(
        [
            Device(
                number,
                nameplate=nameplate,
                device_type=device_type,
                functions=functions,
                clock=clock,
                inputs=Inputs(conditions, grid=grid, weather=weather, start_s=start_s),
                rng=derived_rng(options.seed, "device", number),
                start=options.start,
            )
            for number in range(first, first + options.count)
        ],
        numbered=options.count > 1 or options.first is not None,
    )


def _profile(
    path: Path | None, kind: str, start_s: float, offset: timedelta, log: LogBuffer
) -> Profile | None:
    if path is None:
        return None
    profile = read_profile(path, kind)
    profile.begin(start_s, offset.total_seconds())
    if said := profile.said():
        module = "DC" if kind == "weather" else "AC"
        log.log("Warning" if profile.filled else "Info", module, f"{path} {said}")
    return profile
