"""schemathesis against a live `dersim sim --demo`: a thousand and more requests made from /openapi.json.

Well-formed and malformed ones, for every address and method of both web sites. Every answer must be one that
the document announces, in the shape that it announces, and never a 5xx; the simulator must say nothing of a
failure in its log, and must still tick, and stop, when it is over. Runs in `tox -e api-fuzz`; the everyday
suite has a small relative of it in tests/web/test_random_requests.py.

Two addresses are destructive. `POST /api/dersim/stop` is left out, and asked once at the end. `POST
/api/dersim/commands` may stop the inverter as often as it likes.

`--max-examples` of DERSIM_FUZZ_EXAMPLES (20) per address; DERSIM_FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx
import pytest
from tests.interop.processes import eventually, get_json, program

pytest.importorskip("schemathesis", reason="schemathesis is not installed: tox -e api-fuzz")

FREE_PORTS = [
    word
    for flag in ("--csip_server_port", "--admin_port", "--website_port", "--csip_website_port", "--mb_port")
    for word in (flag, "0")
]
#: What no answer may do. Left out: that every request which fits the schema is accepted. A schema cannot say
#: which models a device has, or that a curve's points must rise; such requests get a 400 that says why.
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance,negative_data_rejection,unsupported_method,allow_header_conformance"
)
#: In all, over both sites.
LEAST_CASES = 1_000


def schemathesis(url, report):
    words = [
        "run", f"{url}/openapi.json", "--url", url, "--exclude-path", "/api/dersim/stop", "--checks", CHECKS,
        "--phases", "examples,coverage,fuzzing", "--seed", os.environ.get("DERSIM_FUZZ_SEED", "2030"),
        "--max-examples", os.environ.get("DERSIM_FUZZ_EXAMPLES", "20"), "--continue-on-failure", "--no-color",
        "--request-timeout", "20", "--suppress-health-check", "all",
        "--report", "ndjson", "--report-ndjson-path", str(report),
    ]  # fmt: skip
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", *words]
    return subprocess.run(
        command, cwd=report.parent, capture_output=True, text=True, timeout=1200, check=False
    )


@pytest.fixture(scope="module")
def demo():
    # A thousand odd requests at full speed, which change inputs and walk anew, are no steady state: the
    # event loop's lag and the polls are not to be judged by it.
    with program("dersim", "sim", "--demo", *FREE_PORTS, "--watch_invariants", "no") as child:
        child.facts = child.ready()
        yield child


def cases_of(report):
    """How many requests the report tells of."""
    count = 0
    for line in report.read_text().splitlines():
        told = json.loads(line)
        scenario = told.get("ScenarioFinished", {})
        count += len(scenario.get("recorder", {}).get("interactions", {}))
    return count


def test_no_request_made_from_the_documents_breaks_anything(demo, tmp_path):
    cases = 0
    for site in ("dashboard", "csip_ui"):
        report = tmp_path / f"{site}.ndjson"
        ran = schemathesis(demo.facts[site], report)
        assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-5_000:]
        cases += cases_of(report)
    assert cases >= LEAST_CASES

    base = f"{demo.facts['dashboard']}/api/dersim"
    assert demo.process.poll() is None
    printed = "\n".join(demo.err)
    assert "Traceback" not in printed
    # What the fuzzer did to the grid and to the client is no error; a front-end that fails is.
    failed = [line for line in demo.err if " Error " in line]
    assert failed == []
    standings = get_json(f"{base}/overview")["comm"]
    assert not [name for name, each in standings.items() if each["state"] == "failed"]
    before = get_json(f"{base}/overview")["time"]
    eventually("the tick", lambda: get_json(f"{base}/overview")["time"] > before)
    assert httpx.post(f"{base}/stop", timeout=20, trust_env=False).status_code == 202
    assert demo.process.wait(10) == 0
