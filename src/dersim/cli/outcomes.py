"""Results of checks in a terminal or as JSON, for `dersim doctor` and `dersim plugins check`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence

from dersim.cli.terminal import Terminal, look_of
from dersim.outcomes import FAILED, Result

_STYLES = {"ok": "green", "failed": "bold red", "skipped": "dim"}
#: The exit code of a run in which a check failed.
CHECK_FAILED = 3


def tell(result: Result) -> None:
    """One line, in colour where that can be seen."""
    look = look_of(sys.stdout, os.environ)
    if look.colour:
        Terminal(sys.stdout, look).line(result.line, _STYLES[result.result])
    else:
        print(result.line, flush=True)


def failed(results: Sequence[Result]) -> bool:
    """Whether a check failed."""
    return any(result.result == FAILED for result in results)


def print_json(results: Sequence[Result]) -> None:
    """All results as one document."""
    document = {"ok": not failed(results), "checks": [result._asdict() for result in results]}
    print(json.dumps(document, indent=2))
