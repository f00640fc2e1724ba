"""What a fleet costs: memory and CPU of a DER, lag of the event loop, join and stop, for one or more sizes.

    python -m tests.bench fleet --n 1,10,100,1000,3000 --settle 60 --window 120

The server is a process of its own; mutual TLS, a certificate of its own for each DER, physics on, no Modbus,
no pages. CPU and bytes depend little on what else the machine does; join, stop and lag do. The window should
hold a whole poll interval.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil
from tests.bench.fleet_child import unique_set_bytes
from tests.bench.measure import Result
from tests.interop.processes import Program, program

from dersim import pki

KEYS = ("dcap", "edev", "fsa", "derp", "der", "mup")
LIMIT_KIB, LIMIT_CPU_MS = 150.0, 8.0
#: The sizes between which the cost of one more DER is read.
SLOPE = (100, 300)


class Row(NamedTuple):
    """One size. kib: of memory (USS), first the client's at the begin and the end of the window."""

    count: int
    found: dict[str, Any]
    join: dict[str, Any]
    server_cpu_s: float
    server_bytes: int
    stop_s: float
    exit_code: int

    @property
    def der_minutes(self) -> float:
        """How many DER-minutes the window held."""
        return float(self.count * self.found["window_s"] / 60)

    @property
    def cpu_ms(self) -> float:
        """CPU of the client process per DER-minute, ms."""
        return float(1000 * self.found["cpu_s"] / self.der_minutes)

    def cells(self) -> tuple[str, ...]:
        """As in the table."""
        found, lag = self.found, self.found["lag"]
        return (
            f"{self.count}",
            f"{self.join['join_s']:.1f}",
            f"{self.join['join_cpu_s']:.1f}",
            f"{found['requests'] / self.der_minutes:.1f}",
            f"{self.cpu_ms:.1f}",
            f"{1000 * self.server_cpu_s / self.der_minutes:.1f}",
            f"{found['uss_bytes'][1] / (1 << 20):.0f}",
            f"{self.server_bytes / (1 << 20):.0f}",
            f"{lag['p50']:.1f}",
            f"{lag['p99']:.1f}",
            f"{lag['max']:.0f}",
            f"{self.join['lag']['max']:.0f}",
            f"{self.stop_s:.1f}",
            f"{found['errors']}",
            f"{found['connected']}",
        )


HEAD = (
    *("N", "join s", "join CPU s", "req/DER/min", "CPU ms/DER-min", "server's", "USS MiB", "server's"),
    *("lag p50 ms", "p99", "max", "max at join", "stop s", "errors", "connected"),
)


def certificates(count: int) -> Path:
    """A folder with `count` pairs, made once for all runs on this machine."""
    folder = Path(tempfile.gettempdir()) / f"dersim-bench-certs-{os.getuid()}"
    if not (folder / "cert_root.pem").is_file():
        pki.create(folder, 0)
    for number in range(1, count + 1):
        pki.ensure_device(folder, number)
    return folder


def measured(count: int, settings: argparse.Namespace, extra: Sequence[str] = ()) -> Row:
    """Run `count` DERs against a fresh server. extra: flags for `dersim sim`."""
    certs = certificates(count)
    where = ("--use_test_pki_certs", str(certs))
    with program("dersim", "server", "--port", "0", "--admin_port", "0", *where) as server:
        ready = server.ready()
        rates = dict.fromkeys(KEYS, settings.rates)
        answer = httpx.put(f"{ready['utility_admin']}/api/utility/poll-rates", json=rates, trust_env=False)
        answer.raise_for_status()
        port = ready["utility"].rsplit(":", 1)[1].strip("/")
        flags = ("--plugins", "csip", "--conversation", "0", "--log_level", "Error", "--ramp", settings.ramp)
        flags += ("--csip_server_port", port, "-N", str(count), *where, *extra)
        phases = (str(settings.settle), str(settings.window), settings.profile or "-")
        with program("tests.bench.fleet_child", *phases, *flags) as client:
            join = _phase(client, "joined", 400 + count)
            time.sleep(settings.settle)
            process = psutil.Process(server.process.pid)
            before = process.cpu_times()
            found = _phase(client, "measured", 2 * settings.window + 60)
            after = process.cpu_times()
            spent = after.user + after.system - before.user - before.system
            begun = time.perf_counter()
            client.process.send_signal(signal.SIGINT)
            code = client.process.wait(60)
            stop_s = time.perf_counter() - begun
        return Row(count, found, join, spent, unique_set_bytes(server.process.pid), stop_s, code)


def _phase(child: Program, name: str, timeout_s: float) -> dict[str, Any]:
    line = child.wait_line(lambda text: text.startswith(f'{{"phase": "{name}"'), timeout_s)
    return dict(json.loads(line))


def slope_kib(first: Row, last: Row) -> float:
    """What one more DER takes on the client's side at the end of the window, KiB."""
    more = last.found["uss_bytes"][1] - first.found["uss_bytes"][1]
    return float(more / (last.count - first.count) / 1024)


def main(arguments: Sequence[str]) -> int:
    """Print the table of the sizes asked for, a row as it comes."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench fleet", description=__doc__)
    parser.add_argument("--n", default="100,300", help="numbers of DERs (default: 100,300)")
    parser.add_argument("--rates", type=int, default=150, help="all poll rates, s; 150: 7 requests a minute")
    parser.add_argument("--settle", type=float, default=20, help="between join and window, s")
    parser.add_argument("--window", type=float, default=60, help="what is measured, s")
    parser.add_argument("--ramp", default="50", help="DERs that start each second")
    parser.add_argument("--profile", help="file for cProfile's statistics of the window; slows it")
    parser.add_argument("--flags", default="", help="more flags of dersim sim, in one argument")
    settings = parser.parse_args(arguments)
    print(_line(HEAD), flush=True)
    rows = []
    for text in settings.n.split(","):
        row = measured(int(text), settings, settings.flags.split())
        rows.append(row)
        print(_line(row.cells()), flush=True)
    if rows[-1].count > rows[0].count:
        first, last = rows[0], rows[-1]
        print(f"one more DER, from {first.count} to {last.count}: {slope_kib(first, last):.0f} KiB of USS")
    return 0 if all(row.exit_code == 0 and not row.found["errors"] for row in rows) else 1


def _line(cells: Sequence[str]) -> str:
    return "  ".join(cell.rjust(max(len(name), 5)) for name, cell in zip(HEAD, cells, strict=True))


def run() -> Iterator[Result]:
    """Memory of one more DER and CPU of a DER-minute, at about 7 requests a minute."""
    settings = argparse.Namespace(rates=150, settle=20.0, window=60.0, ramp="50", profile=None)
    first, last = (measured(count, settings) for count in SLOPE)
    kib, cpu_ms = slope_kib(first, last), last.cpu_ms
    name = f"{SLOPE[0]} to {SLOPE[1]} DERs"
    yield Result(
        f"one more DER, client's side, {name}", kib, None, "KiB", f"<= {LIMIT_KIB:g}", kib <= LIMIT_KIB
    )
    yield Result(
        f"a DER-minute of {last.found['requests'] / last.der_minutes:.1f} requests, client's CPU",
        cpu_ms,
        None,
        "ms",
        f"<= {LIMIT_CPU_MS:g}",
        cpu_ms <= LIMIT_CPU_MS,
    )
