"""`python -m tests.interop.conformance_py20305`: py20305 as the client under test of `dersim conformance`.

Each procedure gets a py20305 of its own, which drives an inverter of ours over SunSpec Modbus, so that the
power at the terminals is what it has made of the controls. docs/conformance.md has the table of a whole run.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
from tests.interop.peer import Identity, listening, peer, write_config
from tests.interop.processes import ROOT, program

from dersim.conformance.campaign import chosen
from dersim.conformance.kit import CLIENT, Kit, make_kit
from dersim.conformance.own_client import FULL_SUN_W_M2

#: For the start of three programs on a busy machine, and beside what a procedure lasts.
_SLACK_S = 120

#: The procedures that are run with its subscriptions on.
_SUBSCRIBES = ("CORE-018", "CORE-019")


def run_one(procedure: str, kit: Kit, folder: Path, scale: float) -> dict[str, Any]:
    """One procedure; its record in the suite's JSON report."""
    report = folder / f"{procedure.replace('/', '-')}.json"
    suite = ("dersim", "conformance", "--client-under-test", "--kit", str(kit.folder), "--port", "0")
    how = ("--only", procedure, "--scale", f"{scale:g}", "--json", str(report), "--wait", "90")
    sim = ("dersim", "sim", "--without", "csip,csip_ui", "--website_port", "0", "--mb_port", "0")
    with program(*sim, cwd=folder) as inverter, program(*suite, *how, cwd=folder) as judge:
        ready = inverter.ready(_SLACK_S)
        full_sun(ready["dashboard"])
        modbus = int(ready["modbus"].rpartition(":")[2])
        url = judge.wait_line(lambda line: line.startswith("listening on "), _SLACK_S)[len("listening on ") :]
        config = write_config(
            folder,
            url.removesuffix("/dcap"),
            identity=Identity(kit.cert(CLIENT), kit.key(CLIENT), kit.root),
            modbus_port=modbus,
            post_rate_s=max(2, round(30 * scale)),
            telemetry={"power_direction": "net"},  # else vars keep the sign of the first one
            subscription=listening() if procedure in _SUBSCRIBES else {},
        )
        judge.wait_line(lambda line: line.startswith(f"{procedure}: "), _SLACK_S)
        with peer(config, floor_s=max(1, round(10 * scale))) as client:
            judge.process.wait(procedure_s(procedure, scale) + _SLACK_S)
        (folder / f"{procedure.replace('/', '-')}.log").write_text("\n".join(client.err))
    return dict(json.loads(report.read_text())["procedures"][0])


def full_sun(dashboard: str) -> None:
    """As much sun as our own client has in these procedures, so that a limit is what binds."""
    answer = httpx.post(
        f"{dashboard}/api/dersim/inputs", json={"irradiance_w_m2": FULL_SUN_W_M2}, trust_env=False
    )
    assert answer.status_code == 200, answer.text


def procedure_s(name: str, scale: float) -> float:
    """How long it lasts, s."""
    procedure = chosen([name])[0]
    return procedure.lasts_s * max(scale, procedure.least_scale)


def main(args: Sequence[str] | None = None) -> int:
    """Run what was chosen and print each verdict; 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop.conformance_py20305", description=__doc__)
    parser.add_argument("--only", action="append", default=[], metavar="GLOB")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--folder", type=Path, default=None, help="keep kit, reports and py20305's logs here")
    options = parser.parse_args(args)
    with tempfile.TemporaryDirectory() as scratch:
        folder = (options.folder or Path(scratch)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        kit = make_kit(folder / "kit")
        for procedure in chosen(options.only):
            began_s = time.monotonic()
            try:
                print(told(run_one(procedure.id, kit, folder, options.scale)), flush=True)
            except (AssertionError, OSError, subprocess.TimeoutExpired) as error:
                print(f"{procedure.id:12}not run: {error}", flush=True)
            print(f"  {time.monotonic() - began_s:.0f} s", file=sys.stderr)
    return 0


def told(found: dict[str, Any]) -> str:
    """Verdicts, and what was not passed with the requests that decided."""
    lines = [f"{found['id']:12}{found['conformance']:10}{found['compatibility']:10}{found['title']}"]
    if found["error"]:
        lines.append(f"    {found['error']}")
    exchanges = {each["number"]: each for each in found["exchanges"]}
    for criterion in found["criteria"]:
        if criterion["verdict"] == "pass":
            continue
        lines.append(f"    {criterion['verdict']}: {criterion['text']}: {criterion['found']}")
        decided = (exchanges[number] for number in criterion["decided_by"][:4] if number in exchanges)
        lines += [
            f"        {one['at_s']:g} s {one['method']} {one['target']} {one['status']}" for one in decided
        ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    raise SystemExit(main())
