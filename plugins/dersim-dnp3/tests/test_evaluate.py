"""`py1815-master evaluate`: the procedures of EPRI's report 3002016144, by py1815's author."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from one_der import OneDer
from processes import run_dersim
from py1815.master.checks import CATALOG

pytest.importorskip("dnp3", reason="dnp3py is not installed: pip install 'dersim-dnp3[test]'")
import profile_tables

#: Needs a document that we do not have.
_NOT_APPLICABLE = {"PROFILE-001"}
#: They stop and start the DER, which then waits for the delay that they have written, 200 s.
_SERVICE = ("SERV-001", "SERV-001.2", "SERV-001.3")


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> Path:
    outputs = OneDer().station.outputs
    ranges = {
        f"AO{each.index}": (int(each.low), int(each.high)) for each in outputs if each.kind.value == "AO"
    }
    return profile_tables.write(tmp_path_factory.mktemp("tables") / "tables.json", ranges)


def evaluate(running, tables: Path, *checks: str) -> dict[str, dict]:
    """Run checks, or all; the results by name."""
    report = tables.with_name("report.json")
    named = [word for each in checks for word in ("--check", each)]
    argv = [
        *(sys.executable, "-m", "py1815.master", "evaluate", "--outstation", f"der={running.dnp3}"),
        *("--outstation-address", "1", "--master-address", "4", "--profile", "--tables", str(tables)),
        *("--allow-control", "--allow-deviations", "--settle", "10", "--report", str(report), *named),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return {each["id"]: each for each in json.loads(report.read_text("utf-8"))["results"]}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_check_that_applies_passes(tables):
    with run_dersim() as running:
        done = threading.Event()

        def wobble() -> None:
            """Make events: after the check of the switch the DER waits for service, but has a voltage."""
            voltage_pu = 0.99
            while not done.wait(1):
                voltage_pu = 2 - voltage_pu
                running.post("dersim/inputs", {"voltage_pu": voltage_pu})

        grid = threading.Thread(target=wobble)
        grid.start()
        try:
            results = evaluate(running, tables, *(each.id for each in CATALOG if each.id not in _SERVICE))
        finally:
            done.set()
            grid.join()
    with run_dersim("--rate", "100", "--rate_override", "yes") as running:
        results |= evaluate(running, tables, *_SERVICE)
    assert len(results) == 44
    failed = {name: each for name, each in results.items() if each["verdict"] == "failed"}
    assert not failed
    assert {name for name, each in results.items() if each["verdict"] != "passed"} == _NOT_APPLICABLE
