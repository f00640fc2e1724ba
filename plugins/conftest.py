"""Runs dersim in its own process, for the tests of the installed plug-ins."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

_FLAGS = ("--csip_server_port", "0", "--admin_port", "0", "--website_port", "0")


class Demo:
    """`dersim sim --demo`: a DER, its CSIP client and the companion server. `api`, `admin`: their REST.

    urls: where all listens, by the keys of the ready line.
    """

    def __init__(self, line: str) -> None:
        self.urls = dict(pair.split("=", 1) for pair in line.split()[2:])
        self.api = self.urls["dashboard"] + "/api/dersim"
        self.admin = self.urls["utility_admin"] + "/api/utility"

    def see(self, what: str) -> Any:
        """GET of the DER's API."""
        return httpx.get(f"{self.api}/{what}", timeout=10, trust_env=False).raise_for_status().json()

    def power_w(self) -> float:
        """The DER's active power."""
        return float(self.see("overview")["metrics"]["power_kw"]) * 1000

    def operate(self, method: str, path: str, data: Any = None) -> httpx.Response:
        """A request of the utility's operator."""
        return httpx.request(method, f"{self.admin}/{path}", json=data, timeout=10, trust_env=False)

    def publish(self, **modes: Any) -> str:
        """Publish a control that starts in a second and outlasts the test, at rate 10 too; its mRID."""
        self.operate("PUT", "poll-rates", {"derp": 1})
        order = {"modes": modes, "start_in_s": 1, "duration_s": 3600}
        answer = self.operate("POST", "programs/2/controls", order)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["mRID"])

    def responses(self, mrid: str) -> list[int]:
        """What the DER answered to a control."""
        listed = self.operate("GET", "responses").json()
        return [each["status"] for each in listed if each["subject"] == mrid]

    @staticmethod
    def until(what: str, look: Callable[[], Any], within_s: float = 30) -> Any:
        """Call `look` until its result is true: the other side is another process."""
        deadline = time.monotonic() + within_s
        while not (seen := look()):
            assert time.monotonic() < deadline, what
            time.sleep(0.1)
        return seen


@contextmanager
def run_demo(*flags: str) -> Iterator[Demo]:
    """A running demo at rate 10 with the front-ends that these tests need."""
    argv = [
        sys.executable,
        "-m",
        "dersim",
        "sim",
        "--demo",
        "--plugins",
        "csip,rest",
        "--rate",
        "10",
        *_FLAGS,
        *flags,
    ]
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("dersim ready"), errors.seek(0) or errors.read()
            yield Demo(line)
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def demo() -> Callable[..., Any]:
    """`with demo(*flags) as running: ...`."""
    return run_demo
