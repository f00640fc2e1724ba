"""A distribution feeder behind the fleet, solved by OpenDSS: `dersim sim --feeder bundled-30 -N 30`."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable

from dersim.plugin import ConfigError, GridType, OptionParser, hookimpl, readable_file


@hookimpl
def add_options(parser: OptionParser) -> None:
    """The feeder, and where the DERs are connected."""
    group = parser.add_argument_group("feeder")
    group.add_argument(
        "--feeder",
        metavar="FILE",
        help="put the DERs on a feeder: bundled-30, bundled-1000, a .yaml file, or a master .dss file, "
        "which is a script that may read and write files",
    )
    group.add_argument(
        "--feeder_map",
        metavar="FILE",
        type=readable_file,
        help="CSV with der, bus and perhaps phases; without it the DERs are spread by their ratings",
    )


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
