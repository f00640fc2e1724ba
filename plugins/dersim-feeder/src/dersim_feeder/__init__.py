"""A distribution feeder behind the fleet, solved by OpenDSS: `dersim sim --feeder bundled-30 -N 30`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable
from datetime import time
from pathlib import Path

from dersim.plugin import CLEAR_DAY, ConfigError, GridType, OptionParser, Panel, hookimpl, readable_file

DATA = Path(__file__).parent / "data"


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The feeder, and where the DERs are connected."""
    group = parser.add_argument_group("feeder")
    group.add_argument(
        "--feeder",
        metavar="FILE",
        help="put the DERs on a feeder: bundled-30, bundled-1000, a .yaml file, or a master .dss file, "
        "which is a script that may read and write files; with --demo from 10:30 of a clear day, and with "
        "the feeder's scenario, unless you give others",
    )
    group.add_argument(
        "--feeder_map",
        metavar="FILE",
        type=readable_file,
        help="CSV with der, bus and perhaps phases; without it the DERs are spread by their ratings",
    )


@hookimpl
def adapt_options(options: Namespace, given: frozenset[str]) -> None:
    """The demo of a feeder: a clear day from 10:30 on, with the scenario that tells its story."""
    if options.feeder is None or not options.demo:
        return
    street = options.feeder == "bundled-30" and options.count == 30 and "fleet" not in given
    for name, value in {
        "scenario": DATA / ("story-street.yaml" if street else "story.yaml"),
        "start_clock_time": time(10, 30),
        "dc_profile": CLEAR_DAY,
    }.items():
        if name not in given:
            setattr(options, name, value)


@hookimpl
def register_grids(options: Namespace) -> Iterable[GridType]:
    """The feeder, where a flag asks for one."""
    if options.feeder is None:
        if options.feeder_map is not None:
            raise ConfigError("--feeder_map: there is no feeder; add --feeder")
        return []
    # OpenDSS and numpy are loaded only for a run with a feeder.
    from dersim_feeder.grid import FeederGrid  # noqa: PLC0415 - see above

    return [GridType("feeder", FeederGrid, doc="a distribution feeder, solved by OpenDSS")]


@hookimpl
def register_ui_panels(options: Namespace) -> Iterable[Panel]:
    """The page of the feeder."""
    if options.feeder is None:
        return []
    page = Path(__file__).parent / "page"
    return [
        Panel(
            "feeder",
            "Feeder",
            str(page / "feeder.js"),
            "voltages, losses, loading and curtailed energy",
            folder=str(page),
        )
    ]
