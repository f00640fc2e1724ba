"""The companion server of `bench_notify`: subscribed devices, and commands on stdin.

`subscribe PORT...` subscribes a device for each port to the program of all and to its own, `one` and `each`
publish a control there, `cpu` answers with the CPU seconds of this process, `lag` with the most that its loop
computed between two turns of another task since the last `lag`, CPU seconds.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import trio
from tests.bench.server_child import order

from dersim.descriptors import raise_limit
from dersim.engine.collector import keep_what_is_there, tune_collector
from dersim.http11 import Request
from dersim.ieee2030_5 import MEDIA_TYPE, Edition, encode
from dersim.ieee2030_5 import resources as r
from dersim.logbuffer import LogBuffer
from dersim.utility import certificates
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

PROBE_S = 0.005


class Bench:
    """The server with its devices."""

    def __init__(self, folder: Path) -> None:
        cert, key, root = certificates.of_folder(folder)
        config = UtilityConfig(port=0, admin_port=0, certificate=cert, key=key, root=root, notify_gap_s=0.0)
        self.server = UtilityServer(config, time.time, LogBuffer(stream_level="Error"))
        self.longest_s = 0.0

    def subscribe(self, ports: list[int]) -> None:
        """A device for each port."""
        head_end = self.server.head_end
        everyone = next(iter(head_end.programs))
        for port in ports:
            certificate = b"certificate of %d" % port
            self._ask(certificate, "GET", "/dcap", b"")
            [device] = [each for each in head_end.end_devices if each.number == len(head_end.end_devices)]
            group = head_end.groups.create(f"service point {port}", "service_point")
            head_end.groups.set_members(group, {device.lfdi}, ())
            program = head_end.programs.create(f"program {port}", 4, (group,))
            for path in (everyone.href, program.href):
                wanted = r.Subscription(
                    subscribedResource=f"{path}/derc",
                    encoding=0,
                    level="+S1",
                    limit=255,
                    notificationURI=f"https://127.0.0.1:{port}/{port}",
                )
                self._ask(certificate, "POST", f"{device.href}/sub", encode(wanted, Edition.E2018))
        keep_what_is_there()

    def _ask(self, certificate: bytes, method: str, target: str, body: bytes) -> None:
        headers = (("content-type", MEDIA_TYPE),)
        answer: Any = self.server.answer(Request(method, target, headers, body, certificate, "127.0.0.1:9"))
        if answer.status > 201:
            raise AssertionError(answer)

    def publish(self, word: str) -> None:
        """A control in the program of all, or one in each device's own."""
        head_end = self.server.head_end
        programs = [each for each in head_end.programs if (each.primacy == 4) == (word == "each")]
        head_end.publish_to(programs if word == "each" else programs[:1], order(int(time.time()) + 3600, 40))
        self.server._notify()

    async def probe(self) -> None:
        """How long the loop computes at a time, whatever else the machine does."""
        while True:
            before_s = time.thread_time()
            await trio.sleep(PROBE_S)
            self.longest_s = max(self.longest_s, time.thread_time() - before_s)

    def answer(self, words: list[str]) -> Any:
        """The answer to a command."""
        match words[0]:
            case "cpu":
                return time.process_time()
            case "lag":
                longest_s, self.longest_s = self.longest_s, 0.0
                return longest_s
            case "subscribe":
                self.subscribe([int(word) for word in words[1:]])
            case word:
                self.publish(word)
        return None


async def main(folder: Path) -> None:
    """Serve until stdin ends."""
    tune_collector()
    bench = Bench(folder)
    await bench.server.bind()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(bench.server.run)
        nursery.start_soon(bench.probe)
        rest = b""
        async with trio.lowlevel.FdStream(sys.stdin.fileno()) as commands:
            async for data in commands:
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    print(json.dumps(bench.answer(line.decode().split())), flush=True)
        nursery.cancel_scope.cancel()


if __name__ == "__main__":
    raise_limit()
    trio.run(main, Path(sys.argv[1]))
