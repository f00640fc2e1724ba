"""A simulator with `--state` that is killed again and again beside a real server, and what was seen of it."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from tests.interop.lab_server import LabServer
from tests.interop.processes import ROOT, eventually
from tests.sunspec.conftest import Bench

DERS = 3
#: Received, started, completed.
FINAL = {3, 5, 6, 7, 8, 9, 10, 13, 14, 252, 253, 254}
LONGEST_CONNECT_S = 10.0


def following(value: int) -> int:
    """The next value of WMax that is written."""
    return 1000 + (value - 999) % 9000


class Registers:
    """The energy register and a setting of one DER over Modbus. Every request is one connection."""

    def __init__(self) -> None:
        bench = Bench()
        _, self._energy, self._energy_at = bench.at(701, "TotWhInj")
        _, self._power, self._power_at = bench.at(702, "WMax")

    def energy(self, port: int) -> int:
        """The energy register as it is, in Wh by its scale factor."""
        answer = self._ask(port, struct.pack(">BHH", 3, self._energy_at, 4))
        return int.from_bytes(answer[1:9], "big")

    def power(self, port: int) -> int:
        """The setting WMax as it is."""
        return int.from_bytes(self._ask(port, struct.pack(">BHH", 3, self._power_at, 1))[1:3], "big")

    def set_power(self, port: int, value: int) -> None:
        """Write it; OSError where that was not answered."""
        self._ask(port, struct.pack(">BHH", 6, self._power_at, value))

    @staticmethod
    def _ask(port: int, pdu: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as stream:
            stream.sendall(struct.pack(">HHHB", 1, 0, len(pdu) + 1, 255) + pdu)
            answer = b""
            while len(answer) < 6 or len(answer) < 6 + answer[5]:
                got = stream.recv(300)
                if not got:
                    raise ConnectionResetError("closed")
                answer += got
        assert answer[7] == pdu[0], f"refused: {answer!r}"
        return answer[8:]


class Lives:
    """One `dersim sim` after the other; `connected` counts the DERs of the present one that are."""

    def __init__(self, *flags: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.sim_state.lives", *flags],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.connected = 0
        self.pid = 0
        self.ports: list[int] = []
        self._listening = threading.Thread(target=self._listen, daemon=True)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.lines.append(line.rstrip())
            self.connected += "is complete" in line

    def begin(self) -> None:
        """A new life, up to its ready line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self.connected = 0
        stdin.write("live\n")
        stdin.flush()
        self.pid = int(stdout.readline())
        words = stdout.readline().split()
        assert words, self.lines[-5:]
        ready = dict(word.split("=", 1) for word in words if "=" in word)
        keys = ["modbus", *(f"modbus_{number}" for number in range(2, DERS + 1))]
        self.ports = [int(ready[key].rpartition(":")[2]) for key in keys]

    def about(self, word: str) -> list[str]:
        """The lines of the log with this word."""
        return [line for line in self.lines if word in line]

    def kill(self) -> None:
        """SIGKILL."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """End it all."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        if self._process.poll() is None and self.pid:
            self.kill()
        self._process.wait(20)
        self._listening.join(5)
        for stream in (self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()


class Seen:
    """What was seen over all lives, and what is wrong with it."""

    def __init__(self, server: LabServer, lives: Lives, seed: int) -> None:
        self.server, self.lives = server, lives
        self.rng = random.Random(seed)
        self.registers = Registers()
        self.wrong: list[str] = []
        self.readings = self.writes = 0
        self.slowest_s = 0.0
        self.controls: list[str] = []
        self._energy: dict[Any, float] = {}
        self._power: list[int | None] = [None] * DERS

    def live(self, for_s: float) -> None:
        """Look at everything for a while, with a control now and then."""
        begun = time.monotonic()
        self.publish()
        while time.monotonic() - begun < for_s:
            for index, port in enumerate(self.lives.ports):
                self.note(("modbus", index), self.registers.energy(port))
                self.write(index, port)
            time.sleep(0.02)

    def write(self, index: int, port: int) -> None:
        """Set WMax one higher: what is answered stays."""
        value = following(self._power[index] or 5000)
        self.registers.set_power(port, value)
        self._power[index] = value
        self.writes += 1

    def note(self, key: Any, value: float) -> None:
        """An energy register: it must not decrease."""
        self.readings += 1
        if value < self._energy.get(key, 0):
            self.wrong.append(f"{key}: {self._energy[key]} then {value}")
        self._energy[key] = value

    def publish(self) -> None:
        """A control that begins and ends within seconds."""
        order = {
            "modes": {"opModMaxLimW": self.rng.choice((0, 20, 60))},
            "start_in_s": self.rng.randint(1, 3),
            "duration_s": self.rng.randint(2, 6),
            "response_required": 7,
        }
        self.controls.append(str(self.server.operate("POST", "programs/2/controls", order)["mRID"]))

    def begin(self, *, again: bool) -> None:
        """The settings that were acknowledged are there; all are connected in time.

        again: the first life does not count, because it waits for the imports.
        """
        begun = time.monotonic()
        self.lives.begin()
        for index, port in enumerate(self.lives.ports):
            found, sent = self.registers.power(port), self._power[index]
            if sent is not None:
                if found not in (sent, following(sent)):  # what was under way may have come through
                    self.wrong.append(f"DER {index + 1}: WMax {found} instead of {sent}")
                self._power[index] = found
        eventually("connected", lambda: self.lives.connected >= DERS, 30, every_s=0.02)
        took_s = time.monotonic() - begun
        self.slowest_s = max(self.slowest_s, took_s if again else 0.0)
        if again and took_s > LONGEST_CONNECT_S:
            print(f"connected after {took_s:.1f} s", *self.lives.lines[-40:], sep="\n")
        self.look_at_server()

    def look_at_server(self) -> None:
        """The energies that were posted, and one mirror for each DER."""
        points = self.server.get("mirror-usage-points")
        if len({each["lfdi"] for each in points}) != len(points):
            self.wrong.append(f"{len(points)} mirrors of {DERS} DERs")
        for point in points:
            for reading in point["readings"]:
                if reading["uom"] == 72 and reading["value"] is not None:
                    self.note((point["lfdi"], reading["mRID"]), reading["value"])

    def responses(self) -> dict[tuple[str, str], list[tuple[int, str]]]:
        """By device and control: status and time, in the order of arrival."""
        found: dict[tuple[str, str], list[tuple[int, str]]] = {}
        for each in sorted(self.server.get("responses?limit=10000"), key=lambda r: int(r["id"])):
            key = each["lfdi"], each["subject"]
            found.setdefault(key, []).append((each["status"], each["time"]))
        return found

    def judge(self, kills: int) -> int:
        """The Responses of all lives: in order, and doubled at most once a kill and DER; how many were."""
        doubled: Counter[str] = Counter()
        for key, told in self.responses().items():
            for before, after in itertools.pairwise(told):
                if before == after:
                    doubled[key[0]] += 1
                elif before[0] >= after[0]:
                    self.wrong.append(f"{key}: {told}")
        if any(count > kills for count in doubled.values()):
            self.wrong.append(f"doubled: {doubled}")
        return sum(doubled.values())

    def unanswered(self) -> list[Any]:
        """The controls of which a DER has told the beginning and not the end, with what it has told.

        Of one that was no longer listed when a DER came to read it nothing is told.
        """
        found = self.responses().items()
        return [(key, told) for key, told in found if not FINAL & {status for status, _ in told}]


def killed(folder: Path, server: LabServer, kills: int, seed: int, longest_s: float = 3.0) -> Seen:
    """Kill a simulator so many times at random moments; what was seen."""
    rng = random.Random(seed)
    rates = {"dcap": 300, "edev": 300, "fsa": 300, "derp": 5, "der": 300, "mup": 5}
    server.operate("PUT", "poll-rates", rates)
    port = server.url.rpartition(":")[2]
    lives = Lives(
        *(
            "-N",
            str(DERS),
            "--state",
            str(folder / "sim.db"),
            "--csip_server_port",
            port,
            "--seed",
            str(seed),
        ),
        *("--mb_port", "0", "--without", "rest,csip_ui", "--log_level", "info", "--fail_fast", "no"),
    )
    seen = Seen(server, lives, seed)
    try:
        for number in range(kills + 1):
            seen.begin(again=number > 0)
            if number == kills:
                break
            killer = threading.Timer(rng.uniform(0.02, longest_s), lives.kill)
            killer.start()
            try:
                seen.live(2 * longest_s)
                raise AssertionError("it lives")
            except OSError:
                killer.join()
        for _ in range(40):
            if not (unanswered := seen.unanswered()):
                break
            time.sleep(1)
        else:
            seen.wrong += [f"{key}: {told} {lives.about(key[1])}" for key, told in unanswered]
        seen.look_at_server()
    finally:
        lives.close()
    return seen
