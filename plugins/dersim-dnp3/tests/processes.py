"""dersim in a process of its own, with an outstation."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

_FLAGS = ("--dnp3_enable", "yes", "--dnp3_port", "0", "--mb_port", "0", "--website_port", "0")


class Running:
    """`dersim sim`; urls: where all listens, by the keys of the ready line."""

    def __init__(self, line: str) -> None:
        self.urls = dict(pair.split("=", 1) for pair in line.split()[2:])
        self.dnp3 = self.urls["dnp3"]

    def get(self, path: str) -> Any:
        """GET below /api."""
        answer = httpx.get(f"{self.urls['dashboard']}/api/{path}", timeout=10, trust_env=False)
        return answer.raise_for_status().json()

    def post(self, path: str, body: Any) -> Any:
        """POST below /api."""
        answer = httpx.post(f"{self.urls['dashboard']}/api/{path}", json=body, timeout=10, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def power_w(self) -> float:
        """The DER's active power, as the dashboard shows it."""
        return float(self.get("dersim/overview")["metrics"]["power_kw"]) * 1000


@contextmanager
def run_process(*words: str) -> Iterator[str]:
    """`dersim ...` in a process of its own: its ready line."""
    argv = [sys.executable, "-m", "dersim", *words]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("dersim ready"), errors.seek(0) or errors.read()
            yield line
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0, errors.seek(0) or errors.read()
        finally:
            process.kill()
            process.communicate()


@contextmanager
def run_dersim(*flags: str, plugins: str = "rest,modbus,dnp3") -> Iterator[Running]:
    """A DER with its outstation in a process of its own."""
    with run_process("sim", "--plugins", plugins, *_FLAGS, *flags) as line:
        yield Running(line)
