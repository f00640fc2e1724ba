"""The command `dersim doctor`: what keeps a DER from its 2030.5 server, check by check."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing

import trio

from dersim.cli.commands import command_parser
from dersim.cli.outcomes import CHECK_FAILED, failed, print_json, tell
from dersim.csip import config as csip_config
from dersim.csip.config import CsipConfig
from dersim.doctor import Result, examine
from dersim.options import OptionParser, number


def main(args: Sequence[str]) -> int:
    """Run the checks; 0, or 3 if one failed. ConfigError for a bad flag."""
    options = make_parser().parse_args(args)
    config = CsipConfig.from_options(options)
    results = trio.run(_run, config, options.timeout, not options.json)
    if options.json:
        print_json(results)
    return CHECK_FAILED if failed(results) else 0


def make_parser() -> OptionParser:
    """The flags of the CSIP client of `dersim sim`, and two of its own."""
    parser = command_parser("doctor", usage="dersim doctor [flags]")
    parser.add_argument("--json", action="store_true", help="print the results as one JSON document")
    parser.add_argument(
        "--timeout",
        type=number(0.05, 300, unit="seconds"),
        default=10.0,
        metavar="S",
        help="longest wait for each step, seconds",
    )
    csip_config.add_options(parser)
    parser.set_defaults(demo=False)
    return parser


async def _run(config: CsipConfig, timeout_s: float, told: bool) -> list[Result]:
    results = []
    async with aclosing(examine(config, timeout_s=timeout_s)) as outcomes:
        async for result in outcomes:
            results.append(result)
            if told:
                tell(result)
    return results
