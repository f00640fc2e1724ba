"""`python -m tests.bench [NAME...]` runs the benchmarks, a line each; exit 1 where a target is missed.

`python -m tests.bench fleet --n 100,300` has flags of its own and prints a table; see its `--help`.
"""

from __future__ import annotations

import importlib
import sys

BENCHES = (
    "xml_codec",
    "requests",
    "server",
    "state",
    "notify",
    "modbus",
    "websockets",
    "startup",
    "scheduler",
    "start_accuracy",
    "day",
    "memory",
    "device",
    "grid",
    "feeder",
    "fleet",
)


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    if len(names) > 1 and names[1].startswith("-"):
        return int(importlib.import_module(f"tests.bench.bench_{names[0]}").main(names[1:]))
    missed = 0
    for name in names or BENCHES:
        module = importlib.import_module(f"tests.bench.bench_{name}")
        for result in module.run():
            print(result.line(), flush=True)
            missed += not result.met
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
