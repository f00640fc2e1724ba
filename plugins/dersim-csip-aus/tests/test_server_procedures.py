"""The public procedures for a CSIP-AUS server, run by cactus-client against `dersim server`.

Each has a fresh server on free ports with the test PKI, and cactus-client in a process of its own. The list
of procedures comes from its package. `tox -e aus-server` installs it; elsewhere these tests are skipped.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("cactus_client", reason="cactus-client runs on Python 3.12 and later: tox -e aus-server")
pytest.importorskip(
    "dersim_cactus_admin", reason="harness/ of this plug-in is not installed: tox -e aus-server"
)

import yaml
from cactus_client.sep2 import convert_lfdi_to_sfdi, lfdi_from_cert_file
from cactus_test_definitions.server.test_procedures import (
    ClientType,
    TestProcedure,
    TestProcedureId,
    get_all_test_procedures,
)

#: Steps are repeated until they pass, so a procedure that fails takes all of its time; s.
TIMEOUT_S, LONG_TIMEOUT_S = 240, 1500
PEN = 40732
PIN = 111115
_CERTS = Path(os.environ.get("DERSIM_TEST_PKI") or Path(__file__).parents[3] / "certs")
#: What takes minutes of waiting begins first, so that the others run beside it.
_LONG = ("S-ALL-41", "S-ALL-04", "S-ALL-06", "S-ALL-42", "S-ALL-44")
_LEFT_OUT = {"S-ALL-50": "takes 72 hours"}
#: cactus-client warns of each program that is not the one a check looks for, and this procedure has two.
_ALWAYS_WARNS = ("S-ALL-49",)

#: Of an aggregator whose DER the operator has registered, without subscriptions.
_OF_AGGREGATORS = ("S-ALL-57",)


def _procedures() -> list[Any]:
    """Those that a client with a certificate of its own can run, and some of aggregators."""
    found: dict[TestProcedureId, TestProcedure] = get_all_test_procedures()
    mine = [
        (str(name), len(procedure.preconditions.required_clients))
        for name, procedure in found.items()
        if str(name) in _OF_AGGREGATORS
        or all(c.client_type is not ClientType.AGGREGATOR for c in procedure.preconditions.required_clients)
    ]
    mine.sort(key=lambda each: (_LONG.index(each[0]) if each[0] in _LONG else len(_LONG), each[0]))
    return [pytest.param(*each, id=each[0], marks=_marks(each[0])) for each in mine]


def _marks(name: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.skip(reason=_LEFT_OUT[name])] if name in _LEFT_OUT else []


class Server(NamedTuple):
    """Where a server listens."""

    url: str
    admin_url: str


@contextmanager
def run_server(log: Path, *flags: str) -> Iterator[Server]:
    """`dersim server` as the README starts it, on free ports."""
    argv = [sys.executable, "-m", "dersim", "server", "--plugins", "csip-aus", "--registration", "inband"]
    argv += ["--port", "0", "--admin_port", "0", "--use_test_pki_certs", str(_CERTS), *flags]
    with log.open("w") as errors:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("dersim ready"), log.read_text()
            urls = dict(pair.split("=", 1) for pair in line.split()[2:])
            yield Server(urls["utility"], urls["utility_admin"])
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0, log.read_text()
        finally:
            process.kill()
            process.communicate()


def configuration(server: Server, output: Path) -> dict[str, Any]:
    """cactus-client's .cactus.yaml."""
    return {
        "output_dir": str(output),
        "server": {
            "device_capability_uri": f"{server.url}/dcap",
            "verify_ssl": True,
            "verify_host_name": False,
            "serca_pem_file": str(_CERTS / "cert_root.pem"),
            "pen": PEN,
        },
        "clients": [_client(1), _client(2), _client(3, aggregator=True)],
    }


def _client(number: int, *, aggregator: bool = False) -> dict[str, Any]:
    """Of the test PKI; an aggregator's DER has an LFDI that no certificate gives it."""
    certificate = _CERTS / f"cert_{number}.pem"
    lfdi = f"{'3E4F45AB' * 4}{PEN:08d}" if aggregator else lfdi_from_cert_file(certificate)
    return {
        "id": f"c{number}",
        "type": "aggregator" if aggregator else "device",
        "certificate_file": str(certificate),
        "key_file": str(_CERTS / f"key_{number}.pem"),
        "lfdi": lfdi,
        "sfdi": convert_lfdi_to_sfdi(lfdi),
        "pen": PEN,
        "pin": PIN,
        "max_watts": 10_000,
    }


@pytest.mark.timeout(LONG_TIMEOUT_S + 60)
@pytest.mark.parametrize(("procedure", "clients"), _procedures())
def test_procedure(procedure: str, clients: int, tmp_path: Path) -> None:
    output = tmp_path / "output"
    output.mkdir()
    with run_server(tmp_path / "server.log") as server:
        (tmp_path / ".cactus.yaml").write_text(yaml.safe_dump(configuration(server, output)))
        argv = [str(Path(sys.executable).with_name("cactus")), "run", "--headless"]
        limit_s = LONG_TIMEOUT_S if procedure in _LONG else TIMEOUT_S
        argv += ["--timeout", str(limit_s), *_strict(procedure), procedure, *_clients(procedure, clients)]
        done = subprocess.run(
            argv,
            cwd=tmp_path,
            env={**os.environ, "DERSIM_ADMIN_URL": server.admin_url, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"{done.stderr[-6000:]}\n{done.stdout[-6000:]}"


def _clients(procedure: str, count: int) -> tuple[str, ...]:
    return ("c3",) if procedure in _OF_AGGREGATORS else ("c1", "c2")[:count]


def _strict(procedure: str) -> list[str]:
    """CACTUS_STRICT=no: what cactus-client warns of is no failure."""
    lenient = os.environ.get("CACTUS_STRICT") == "no" or procedure in _ALWAYS_WARNS
    return [] if lenient else ["--strict"]
