"""From spawning the process to the end of discovery: one device, mutual TLS, CSIP front-end alone.

Both run from compiled byte code, as everybody does from the second start on, whatever the environment says:
without it a start measures Python's compiler. The code is kept in the bench's own folder.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.bench.measure import Result
from tests.interop.processes import CERTS, program
from tests.interop.test_py20305_client import client_config

ROUNDS = 7


def environment(folder: Path) -> dict[str, str]:
    """Ours, with byte code kept in `folder`."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPYCACHEPREFIX": str(folder / "byte-code")}


def seconds_until(argv: tuple[str, ...], cwd: Path, wanted: Callable[[str], bool]) -> float:
    """Wall seconds from spawn until the process prints the line."""
    env = environment(cwd)
    start = time.perf_counter()
    with program(*argv, cwd=cwd, env=env) as child:
        child.wait_line(wanted)
        return time.perf_counter() - start


def run() -> Iterator[Result]:
    """Both clients in turn against the same server."""
    with (
        tempfile.TemporaryDirectory() as folder,
        program("dersim", "server", "--port", "0", "--admin_port", "0", "--cycle", "yes") as server,
    ):
        url = server.ready()["utility"]
        config = client_config(Path(folder), url)
        port = url.rsplit(":", 1)[1].strip("/")
        ours_argv = ("dersim", "sim", "--plugins", "csip", "--csip_server_port", port, "--csip_pin", "111115")
        ours_argv += ("--use_test_pki_certs", str(CERTS))
        peer_argv = ("py20305", "--config", str(config))

        def complete(line: str) -> bool:
            return "Discovery complete" in line or ("discovery of " in line and " is complete:" in line)

        pairs = []
        for index in range(ROUNDS + 1):
            ours = seconds_until(ours_argv, Path(folder), complete)
            peer = seconds_until(peer_argv, Path(folder), complete)
            if index:  # the first round warms the caches of the file system
                pairs.append((ours, peer))
    ours = statistics.median(p[0] for p in pairs)
    peer = statistics.median(p[1] for p in pairs)
    yield Result(
        "spawn to discovery complete, mTLS", ours, peer, "s", "<= 0.5 of the peer", ours <= 0.5 * peer
    )
