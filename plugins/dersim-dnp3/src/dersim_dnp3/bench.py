"""What masters cost: `python -m dersim_dnp3.bench` polls many DERs once a second, as SCADA does.

Each master reads class 1, 2 and 3, confirms what it is asked to, and every 60th time reads class 0 too. The
figure is the CPU of the process of the DERs, with and without masters, as a part of one core, in the morning.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import trio
from py1815.application import AppControl, FunctionCode, build_confirm, build_request, class_header
from py1815.link import FrameReader, build
from py1815.transport import Reassembler

from dersim.plugin import CLEAR_DAY

_FROM_MASTER = 0xC4
_EVENTS = b"".join(class_header(each) for each in (1, 2, 3))
_TICKS_S = 100  # of /proc: Linux tells CPU in hundredths of a second


class _Master:
    """One master over TCP: a request at a time."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self._frames, self._fragments = FrameReader(), Reassembler()
        self._sequence = 0
        self.octets = 0

    async def _send(self, fragment: bytes) -> None:
        await self._stream.send_all(build(_FROM_MASTER, 1, 4, b"\xc0" + fragment))

    async def _fragment(self) -> bytes:
        while True:
            data = bytes(await self._stream.receive_some(4096))
            if not data:
                raise EOFError("the outstation has closed the connection")
            self.octets += len(data)
            for frame in self._frames.feed(data):
                fragment = self._fragments.add(frame.payload) if frame.payload else None
                if fragment is not None:
                    return fragment

    async def poll(self, *, whole: bool) -> float:
        """Read; seconds until the last fragment."""
        begun = time.perf_counter()
        body = _EVENTS + (class_header(0) if whole else b"")
        await self._send(build_request(FunctionCode.READ, sequence=self._sequence, body=body))
        while True:
            control = AppControl.from_byte((await self._fragment())[0])
            if control.con:
                await self._send(build_confirm(sequence=control.sequence))
            if control.fin:
                self._sequence = (self._sequence + 1) % 16
                return time.perf_counter() - begun


def _cpu_s(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS_S


async def _masters(first_port: int, count: int, seconds: float, process: int) -> tuple[float, list[float]]:
    latencies_s: list[float] = []
    cpu_s = 0.0

    async def run(number: int, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        master = _Master(await trio.open_tcp_stream("127.0.0.1", first_port + number))
        await master.poll(whole=True)
        task_status.started()
        await ready.wait()
        due_s = trio.current_time() + number / count
        for turn in range(1, 1_000_000):
            await trio.sleep_until(due_s + turn)
            latencies_s.append(await master.poll(whole=turn % 60 == 0))

    ready = trio.Event()
    async with trio.open_nursery() as nursery:
        for number in range(count):
            await nursery.start(run, number)
        ready.set()
        await trio.sleep(2)  # each has its own moment of the second
        latencies_s.clear()
        before_s = _cpu_s(process)
        await trio.sleep(seconds)
        cpu_s = _cpu_s(process) - before_s
        nursery.cancel_scope.cancel()
    return cpu_s / seconds, latencies_s


def main(arguments: Sequence[str] | None = None) -> None:
    """Run it and print the figures."""
    parser = argparse.ArgumentParser(prog="python -m dersim_dnp3.bench", description=__doc__)
    parser.add_argument("--masters", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--port", type=int, default=31000, help="of the first DER")
    options = parser.parse_args(arguments)
    ports = ("--dnp3_port", str(options.port), "--website_port", "0")
    sun = ("--dc_profile", str(CLEAR_DAY), "--start_clock_time", "09:00")
    argv = [sys.executable, "-m", "dersim", "sim", "-N", str(options.masters), "--plugins", "rest,dnp3"]
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*argv, "--dnp3_enable", "yes", *ports, *sun],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        if not process.stdout.readline().startswith("dersim ready"):
            taken = f"{options.port} to {options.port + options.masters - 1}"
            raise SystemExit(f"dersim did not start: is one of the ports {taken} taken? Give another --port")
        time.sleep(2)
        before_s = _cpu_s(process.pid)
        time.sleep(options.seconds)
        alone = (_cpu_s(process.pid) - before_s) / options.seconds
        loaded, latencies_s = trio.run(_masters, options.port, options.masters, options.seconds, process.pid)
    finally:
        process.terminate()
        process.wait(10)
    own_s = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    print(f"{options.masters} masters, one a DER, once a second, {options.seconds:g} s")
    print(f"without masters {100 * alone:.1f} % of a core, with them {100 * loaded:.1f} %")
    print(f"masters: {100 * (loaded - alone):.1f} % of a core; {len(latencies_s)} polls")
    print(
        f"an answer after {1000 * statistics.median(latencies_s):.1f} ms (median); bench itself {own_s:.1f} s"
    )


if __name__ == "__main__":
    main()
