"""The flags of `dersim sim` without those of front-ends: DERs, time, inputs, plug-ins, log."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from dersim.cli import load_flags, watching
from dersim.cli.commands import command_parser
from dersim.errors import ConfigError
from dersim.fleet_file import read_fleet
from dersim.fleet_plan import FleetPlan, plan_of_flags
from dersim.grid.site_load import LEAST_POWER_FACTOR
from dersim.logbuffer import LEVELS, Level
from dersim.nameplates_file import read_nameplates
from dersim.numeric import shown
from dersim.options import (
    LooseParser,
    OptionParser,
    count,
    names,
    new_file,
    number,
    readable_file,
    time_of_day,
    watts_or_file,
    yes_no,
    zone,
)
from dersim.plugin.candidates import find
from dersim.plugin.loader import COMPANION, PluginSet
from dersim.plugin.registry import Selection

#: The most DERs of one process.
MOST_DERS = 10_000

#: Set to ``yes``, as in our tests, it makes --fail_fast the default.
FAIL_FAST_VARIABLE = "DERSIM_FAIL_FAST"


def make_parser(
    args: Sequence[str], command: str = "sim", leave_out: Sequence[str] = (), usage: str = "[flags]"
) -> tuple[OptionParser, PluginSet]:
    """The parser with the flags of the plug-ins that `args` selects, and those plug-ins.

    command: whose parser it is. leave_out: plug-ins and front-ends that this command never has.
    """
    only, without = read_selection(list(args))
    plugins = PluginSet(find(), Selection(only, (*without, *leave_out)))
    parser = command_parser(
        command,
        usage=f"dersim {command} {usage}",
        more=lambda: _device_types_told(plugins.device_types()),
    )
    parser.suggestions["device_type"] = plugins.device_types
    add_general(parser)
    if command == "sim":
        _add_nameplates(parser)
        _add_state(parser)
    load_flags.add_load(parser)
    if command == "sim":
        _add_record(parser)
        watching.add_flag(parser)
    add_selection(parser)
    plugins.add_options(parser)
    return parser, plugins


def _device_types_told(names_of_types: Sequence[str]) -> list[str]:
    return ["device types (-d TYPE):", *(f"  {name}" for name in names_of_types), ""]


def add_selection(parser: OptionParser) -> None:
    """--plugins and --without, which decide which other flags exist."""
    group = parser.add_argument_group("plug-ins")
    group.add_argument(
        "--plugins",
        type=names,
        default=(),
        metavar="NAME,...",
        help="run only these front-ends and control functions; a kind of which none is named stays whole",
    )
    group.add_argument(
        "--without", type=names, default=(), metavar="NAME,...", help="leave out these, by the same names"
    )


def read_selection(args: list[str]) -> Selection:
    """The selection of plug-ins in `args` and in the fleet file. The companion server needs --demo.

    FileError for a mistake in the fleet file.
    """
    parser = LooseParser(prog="dersim sim", add_help=False)
    add_selection(parser)
    parser.add_argument("--demo", action="store_true")
    parser.add_argument("--fleet", type=Path)
    found, _ = parser.parse_known_args(args)
    named, without = found.plugins, found.without
    if found.fleet is not None:
        plan = read_fleet(found.fleet)
        named, without = named or plan.plugins, (*without, *plan.without)
    return Selection(named, without if found.demo else (*without, COMPANION))


def read_plan(options: argparse.Namespace) -> FleetPlan:
    """The DERs of -N or --fleet. ConfigError where both are given, or for a mistake in the file."""
    if options.nameplates is not None:
        if options.fleet is not None:
            raise ConfigError("--nameplates and --fleet: both say which DERs there are; leave out one")
        return read_nameplates(options.nameplates, options.first or 1, options.count)
    if options.fleet is None:
        return plan_of_flags(options)
    if options.count is not None:
        raise ConfigError(
            f"-N {options.count} and --fleet: the file says how many DERs there are; leave out -N"
        )
    plan = read_fleet(options.fleet, options.first or 1)
    if plan.count > MOST_DERS:
        raise ConfigError(
            f"{options.fleet}: {plan.count} DERs, but one process runs at most {MOST_DERS}; "
            "make the groups smaller"
        )
    return plan


def add_general(parser: OptionParser) -> None:
    """All flags that do not come from plug-ins."""
    _add_ders(parser)
    _add_time(parser)
    _add_inputs(parser)
    parser.suggestions["log_level"] = lambda: [each.lower() for each in LEVELS]
    group = parser.add_argument_group("this run")
    group.add_argument(
        "--demo",
        action="store_true",
        help="a companion 2030.5 server in this process, with a cycle of controls",
    )
    group.add_argument(
        "--seed",
        type=count(0, 2**63 - 1),
        help="of all random draws; default: a random one, which the log shows",
    )
    group.add_argument(
        "--fail_fast",
        type=yes_no,
        nargs="?",
        const=True,
        default=os.environ.get(FAIL_FAST_VARIABLE) == "yes",
        metavar="yes|no",
        help="let a failing front-end end the program instead of starting it again",
    )
    group.add_argument(
        "--log_level",
        type=level,
        metavar="LEVEL",
        help=f"of what goes to stderr: {_LEVELS}; default: info in a pipe, in a terminal a short form of it",
    )


def _add_nameplates(parser: OptionParser) -> None:
    group = parser.add_argument_group("DERs that differ")
    group.add_argument(
        "--nameplates",
        type=readable_file,
        metavar="FILE.csv",
        help="a row for each DER: device_type, nameplate, rated_w, rated_va, rated_var, name, count; "
        "with -N the rows begin again after the last one (docs/inputs.md)",
    )


def _add_record(parser: OptionParser) -> None:
    group = parser.add_argument_group("record")
    group.add_argument(
        "--record",
        type=new_file,
        metavar="FILE.jsonl",
        help="write every exchange with the 2030.5 servers, and what else changed the DERs, without secrets; "
        "dersim replay-conversation repeats the run (docs/record.md)",
    )


def _add_ders(parser: OptionParser) -> None:
    group = parser.add_argument_group("DERs")
    group.add_argument(
        "--device_type",
        "-d",
        default="PV-3Phase",
        metavar="TYPE",
        help="kind of DER; the types are named below",
    )
    group.add_argument(
        "-f",
        dest="nameplate",
        type=readable_file,
        metavar="PATH",
        help="nameplate, a JSON file; default: that of the type",
    )
    group.add_argument(
        "-N",
        dest="count",
        type=count(1, MOST_DERS),
        metavar="COUNT",
        help="how many DERs, all alike; default: 1",
    )
    group.add_argument(
        "--fleet",
        type=Path,
        metavar="FILE",
        help="fleet file, YAML: groups of DERs with their nameplates, inputs and servers (docs/fleet.md); "
        "what it leaves out is taken from the other flags",
    )
    group.add_argument(
        "--first",
        type=count(1, 1_000_000),
        metavar="K",
        help="number of the first DER, so that several processes share no identity: certificates "
        "(cert_K.pem), serial numbers, Modbus ports and draws go by the number",
    )
    group.add_argument(
        "--ramp",
        type=number(0.1, 10_000, unit="DERs a second"),
        default=50.0,
        metavar="N",
        help="how many DERs start each second; at most 30 connect at once",
    )
    group.add_argument(
        "--start",
        choices=("in_service", "off"),
        default="in_service",
        help="in_service: at steady state; off: waiting to enter service",
    )


def _add_time(parser: OptionParser) -> None:
    group = parser.add_argument_group("time")
    group.add_argument(
        "--tick",
        type=number(0.01, 3600, unit="seconds"),
        default=1.0,
        help="longest step, in simulated seconds",
    )
    group.add_argument(
        "--rate",
        type=number(0, 1e6, above=True),
        default=1.0,
        help="simulated seconds per second; other than 1 only if every peer follows",
    )
    group.add_argument(
        "--rate_override",
        type=yes_no,
        default=False,
        metavar="yes|no",
        help="allow such a --rate even if a peer runs in real time",
    )
    group.add_argument(
        "--wall_clock",
        "-wc",
        type=yes_no,
        default=False,
        metavar="yes|no",
        help="yes: simulated time is the computer's; --start_clock_time is ignored",
    )
    group.add_argument(
        "--wall_clock_timezone",
        "-wc_tz",
        type=zone,
        default="UTC",
        metavar="ZONE",
        help="of --start_clock_time",
    )
    group.add_argument(
        "--start_clock_time",
        "-start_clock_time",
        "--start-clock-time",
        type=time_of_day,
        metavar="HH:MM:SS",
        help="time of day at which simulated time starts; default: now",
    )


def _add_inputs(parser: OptionParser) -> None:
    group = parser.add_argument_group("inputs")
    group.add_argument(
        "--dc_profile", "-dc_p", type=readable_file, metavar="FILE", help="CSV of irradiance and temperature"
    )
    group.add_argument(
        "--grid_profile", type=readable_file, metavar="FILE", help="CSV of the grid's voltage and frequency"
    )
    group.add_argument(
        "--site_load",
        type=watts_or_file,
        metavar="W|FILE",
        help="load behind the meter of each DER: W, or a CSV of load_w (docs/site.md)",
    )
    group.add_argument(
        "--site_load_pf",
        type=_load_pf,
        default=1.0,
        metavar="PF",
        help="power factor of a load without load_var, 0.01 to 1; below 0: capacitive",
    )


def _add_state(parser: OptionParser) -> None:
    group = parser.add_argument_group("state")
    group.add_argument(
        "--state",
        type=Path,
        metavar="FILE",
        help="keep everything there, and go on from it (docs/state.md); default: nothing is kept",
    )
    group.add_argument(
        "--resume",
        choices=("continue", "stand"),
        help="simulated time after a restart: continue, as if the simulator had run on; "
        "stand, from the saved instant; default: continue",
    )


_LEVELS = ", ".join(each.lower() for each in LEVELS)


def _load_pf(text: str) -> float:
    factor = number(-1, 1)(text)
    if abs(factor) < LEAST_POWER_FACTOR:
        raise argparse.ArgumentTypeError(f"0.01 to 1, or -1 to -0.01, is needed, not {shown(text)}")
    return factor


def level(text: str) -> Level:
    """A level of the log, in lower-case too."""
    for known in LEVELS:
        if text.lower() == known.lower():
            return cast("Level", known)
    raise argparse.ArgumentTypeError(f"one of {_LEVELS} is needed, not {shown(text)}")
