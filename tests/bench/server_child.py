"""The companion server of `bench_server`: devices with programs of their own, and commands on stdin.

`cpu` answers with the CPU seconds of this process, `publish` with the seconds that a control for every device
took; once with a program that all have, once with one control in each device's own program.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import trio

from dersim.engine.collector import keep_what_is_there, tune_collector
from dersim.ieee2030_5 import identity
from dersim.logbuffer import LogBuffer
from dersim.modes import modes_from_json
from dersim.utility.config import UtilityConfig
from dersim.utility.programs import ControlOrder
from dersim.utility.server import UtilityServer

CONTROLS, SPACING_S, DURATION_S = 24, 3600, 300
DEFAULT = modes_from_json({"opModMaxLimW": 100, "setGradW": 100})


def order(start_s: int, percent: int) -> ControlOrder:
    """A limit."""
    return ControlOrder(modes_from_json({"opModMaxLimW": percent}), start_s, DURATION_S)


def populate(server: UtilityServer, lfdis: list[str]) -> None:
    """Every device has a service point with a program of 24 controls, beside the program of all devices."""
    head_end = server.head_end
    now_s = int(head_end.now_s())
    everyone = next(iter(head_end.programs))
    for number, lfdi in enumerate(lfdis, start=1):
        head_end.provision(lfdi, None)
        group = head_end.groups.create(f"service point {number}", "service_point")
        head_end.groups.set_members(group, {lfdi}, ())
        program = head_end.programs.create(f"program {number}", 4, (group,))
        head_end.programs.set_default(program, DEFAULT, now_s)
    own = [program for program in head_end.programs if program.primacy == 4]
    for hour in range(1, CONTROLS + 1):
        head_end.programs.publish_to(own, order(now_s + hour * SPACING_S, hour), now_s)
    head_end.programs.publish(everyone, order(now_s + 30 * SPACING_S, 50), now_s)


def publish(server: UtilityServer) -> dict[str, float]:
    """Milliseconds of the two ways to publish to every device."""
    head_end = server.head_end
    now_s = int(head_end.now_s())
    everyone = next(iter(head_end.programs))
    own = [program for program in head_end.programs if program.primacy == 4]
    times_ms = []
    for programs in ([everyone], own):
        start = time.thread_time()
        head_end.programs.publish_to(programs, order(now_s + 12 * SPACING_S, 40), now_s)
        times_ms.append((time.thread_time() - start) * 1000)
    return {"one": times_ms[0], "each": times_ms[1]}


async def main(folder: Path, devices: int, connections: int, state: str) -> None:
    """Serve until stdin ends."""
    tune_collector()
    config = UtilityConfig(port=0, admin_port=0, state=Path(state) if state else None, **_files(folder))
    server = UtilityServer(config, time.time, LogBuffer(stream_level="Error"))
    lfdis = [identity.lfdi(_der(folder, number)) for number in range(1, connections + 1)]
    lfdis += [f"{number:040X}" for number in range(devices - connections)]
    populate(server, lfdis)
    await server.bind()
    keep_what_is_there()
    print(json.dumps({"port": server.port}), flush=True)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(server.run)
        async with trio.lowlevel.FdStream(sys.stdin.fileno()) as commands:
            async for line in commands:
                words = line.decode().split()
                for word in words:
                    answer = time.process_time() if word == "cpu" else publish(server)
                    print(json.dumps(answer), flush=True)
        nursery.cancel_scope.cancel()


def _files(folder: Path) -> dict[str, Path]:
    return {
        "certificate": folder / "cert_server.pem",
        "key": folder / "key_server.pem",
        "root": folder / "cert_root.pem",
    }


def _der(folder: Path, number: int) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    pem = (folder / f"cert_{number}.pem").read_bytes()
    return x509.load_pem_x509_certificates(pem)[0].public_bytes(Encoding.DER)


if __name__ == "__main__":
    trio.run(main, Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4])
