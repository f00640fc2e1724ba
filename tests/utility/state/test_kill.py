"""SIGKILL at any moment: nothing that was answered is lost or doubled, and no control changes its mRID."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from typing import Any

import pytest

from dersim.ieee2030_5 import Edition, decode, encode, identity
from dersim.ieee2030_5 import resources as r

SEP = "application/sep+xml"
LFDI = "AB" * 20


class Lives:
    """One server with `--state` after the other, in a process that has imported everything."""

    def __init__(self, path: Any) -> None:
        argv = [sys.executable, "-m", "tests.utility.state.lives", str(path)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def begin(self) -> Server:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("live\n")
        self.process.stdin.flush()
        return Server(*json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()


class Server:
    """One life."""

    def __init__(self, pid: int, *ports: int) -> None:
        self.pid = pid
        self.utility, self.admin = (
            http.client.HTTPConnection("127.0.0.1", port, timeout=20) for port in ports
        )

    def close(self) -> None:
        for connection in (self.utility, self.admin):
            connection.close()

    def publish(self, number: int) -> str:
        """A control for long from now on; its mRID, once it was answered."""
        order = {"modes": {"opModMaxLimW": number % 100}, "start_in_s": 3600 + number, "duration_s": 60}
        headers = {"content-type": "application/json"}
        self.admin.request("POST", "/api/utility/programs/2/controls", json.dumps(order), headers)
        answer = self.admin.getresponse()
        body = json.loads(answer.read())
        assert answer.status == 201, body
        return str(body["mRID"])

    def send(self, target: str, resource: Any) -> None:
        self.utility.request("POST", target, encode(resource, Edition.E2018), {"content-type": SEP})
        answer = self.utility.getresponse()
        answer.read()
        assert answer.status == 201

    def get(self, target: str) -> Any:
        self.utility.request("GET", target)
        answer = self.utility.getresponse()
        body = answer.read()
        assert answer.status == 200, body
        return decode(body).resource

    def admin_get(self, target: str) -> Any:
        self.admin.request("GET", target)
        answer = self.admin.getresponse()
        return json.loads(answer.read())


class Told:
    """What was asked for, and what was answered, over all lives of the server."""

    def __init__(self) -> None:
        self.number = 0
        self.controls: set[str] = set()
        self.seen: set[str] = set()
        self.responses: Counter[str] = Counter()
        self.asked: set[str] = set()
        self.events: set[int] = set()

    def live(self, server: Server) -> None:
        """Publish, answer, report and read until the server dies."""
        while True:
            self.number += 1
            self.controls.add(server.publish(self.number))
            subject = f"{self.number:032X}"
            self.asked.add(subject)
            server.send(
                "/rsps/1/rsp",
                r.DERControlResponse(createdDateTime=5, endDeviceLFDI=LFDI, status=1, subject=subject),
            )
            self.responses[subject] += 1
            server.send(
                "/edev/1/lel",
                r.LogEvent(
                    createdDateTime=self.number,
                    functionSet=11,
                    logEventCode=2,
                    logEventID=self.number % 65536,
                    logEventPEN=40732,
                    profileID=2,
                ),
            )
            self.events.add(self.number)
            listed = server.get("/derp/2/derc?s=0&l=255").DERControl
            self.seen |= {control.mRID for control in listed}

    def check(self, server: Server) -> None:
        """Everything that was answered is there once; what was seen is there under the same mRID."""
        listed = [each["mRID"] for each in server.admin_get("/api/utility/controls?limit=10000")]
        assert len(listed) == len(set(listed))
        assert self.controls | self.seen <= set(listed)
        answered = Counter(each["subject"] for each in server.admin_get("/api/utility/responses?limit=10000"))
        assert set(self.responses) <= set(answered) <= self.asked
        assert max(answered.values(), default=1) == 1
        events = [event.createdDateTime for event in server.get("/edev/1/lel?s=0&l=255").LogEvent]
        assert len(events) == len(set(events))
        kept = sorted(self.events)[-50:]  # the server keeps the last hundred
        assert set(kept) <= set(events)


def killed(path: Any, kills: int, seed: int) -> Told:
    rng, told, lives = random.Random(seed), Told(), Lives(path)
    server = lives.begin()
    server.send("/edev", r.EndDevice(lFDI=LFDI, sFDI=identity.sfdi(LFDI), changedTime=0))
    for _ in range(kills):
        killer = threading.Timer(rng.uniform(0.02, 0.4), os.kill, (server.pid, signal.SIGKILL))
        killer.start()
        with pytest.raises((OSError, http.client.HTTPException)):
            told.live(server)
        killer.join()
        server.close()
        server = lives.begin()
        told.check(server)
    os.kill(server.pid, signal.SIGKILL)
    server.close()
    lives.end()
    return told


def test_five_kills_at_random_moments(tmp_path):
    told = killed(tmp_path / "state.db", 5, seed=1)
    assert told.controls


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_two_hundred_kills_at_random_moments(tmp_path, seed):
    told = killed(tmp_path / "state.db", 50, seed)
    assert len(told.controls) > 50
