"""A process that is forked into one companion server after the other, because imports take longer than lives.

Each line on stdin begins a life; its process and ports are a line on stdout.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import trio

from dersim.logbuffer import LogBuffer
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer


async def live(path: Path) -> None:
    config = UtilityConfig(port=0, admin_port=0, encrypted=False, state=path, notify_gap_s=0.0)
    server = UtilityServer(config, time.time, LogBuffer(stream_level="Error"))
    await server.bind()
    print(json.dumps([os.getpid(), server.port, server.admin_port]), flush=True)
    await server.run()


def main(path: Path) -> None:
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if child == 0:
            trio.run(live, path)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
