"""A process that is forked into one `dersim sim` after the other, because imports take longer than lives.

Arguments: the flags. Each line on stdin begins a life: its process is a line on stdout, followed by the ready
line.
"""

from __future__ import annotations

import importlib
import os
import sys

from dersim.cli import sim

#: What a life would import itself.
MODULES = ("dersim.csip.plugin", "dersim.csip.client", "dersim.sunspec.server", "dersim.ieee2030_5.codec")


def main(flags: list[str]) -> None:
    for name in MODULES:
        importlib.import_module(name)
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            print(os.getpid(), flush=True)
            try:
                code = sim.main(flags)
            except BaseException as error:  # noqa: BLE001 - told, and the parent goes on
                print(f"{error!r}", file=sys.stderr, flush=True)
                code = 1
            os._exit(code)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(sys.argv[1:])
