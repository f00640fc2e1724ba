"""What a DER costs in memory: resident size of `--demo` with 100 and with 500 DERs, and the slope.

Client, physics and the utility's record of the DER are all in that one process, as a user runs it. The
conversation that is kept for the pages, within one budget for the fleet, is part of what grows here. The
utility is told to ask for a poll every quarter of an hour: this is about room, not about keeping up.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
from tests.bench.measure import Result
from tests.interop.processes import eventually, get_json, program

from dersim import pki

SMALL, LARGE = 100, 500
LIMIT_KB = 1024.0
FLAGS = ("--demo", "--csip_server_port", "0", "--admin_port", "0", "--log_level", "Error")
PORTS = ("--website_port", "0", "--csip_website_port", "0", "--mb_port", "0")


def resident_kb(count: int, certs: Path) -> float:
    """The size of a simulator whose DERs are all connected, kB."""
    with program(
        "dersim", "sim", *FLAGS, *PORTS, "-N", str(count), "--use_test_pki_certs", str(certs)
    ) as demo:
        ready = demo.ready(120)
        api = ready["dashboard"] + "/api/dersim"
        rates = dict.fromkeys(("dcap", "edev", "fsa", "derp", "der", "mup"), 900)
        httpx.put(
            f"{ready['utility_admin']}/api/utility/poll-rates", json=rates, timeout=30, trust_env=False
        ).raise_for_status()

        def all_connected() -> bool:
            entries = get_json(f"{api}/csip-client")["devices"]
            return len(entries) == count and all(each["state"] == "connected" for each in entries)

        eventually(f"{count} DERs connected", all_connected, timeout_s=300, every_s=1)
        status = Path(f"/proc/{demo.process.pid}/status").read_text()
        return float(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:")))


def run() -> Iterator[Result]:
    """Both sizes, and what one more DER costs."""
    with tempfile.TemporaryDirectory() as folder:
        certs = pki.create(Path(folder) / "certs", LARGE)
        small, large = resident_kb(SMALL, certs), resident_kb(LARGE, certs)
    for count, size in ((SMALL, small), (LARGE, large)):
        yield Result(f"resident size of --demo -N {count}", size / 1024, None, "MB", "none", True)
    slope = (large - small) / (LARGE - SMALL)
    yield Result(
        "one more DER in --demo, client and server",
        slope,
        None,
        "kB",
        f"<= {LIMIT_KB:g} kB",
        slope <= LIMIT_KB,
    )
