"""Our companion server as a program, and what its admin port says of a client."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from tests.interop.processes import ROOT, Program, get_json, program

SCENARIOS = ROOT / "examples" / "scenarios"


class LabServer:
    """A running server; `names` collects the names of all controls that were ever seen listed, by mRID."""

    def __init__(self, running: Program) -> None:
        self.program = running
        ready = running.ready()
        self.url = ready["utility"]
        self.admin = ready["utility_admin"] + "/api/utility"
        self.names: dict[str, str] = {}

    def get(self, path: str) -> Any:
        """The JSON of an address below /api/utility."""
        return get_json(f"{self.admin}/{path}")

    def operate(self, method: str, path: str, body: Any = None) -> Any:
        """What an operator does; the answer must be 2xx."""
        answer = httpx.request(method, f"{self.admin}/{path}", json=body, trust_env=False)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def controls(self) -> list[dict[str, Any]]:
        """The controls that are listed now."""
        found: list[dict[str, Any]] = self.get("controls?limit=1000")
        self.names |= {each["mRID"]: each.get("description") or each["mRID"] for each in found}
        return found

    def statuses(self) -> dict[str, list[list[int]]]:
        """The Responses to all controls of a name, in the order of arrival: one list for each control."""
        self.controls()
        answered: dict[str, list[int]] = {}
        for each in sorted(self.get("responses?limit=5000"), key=lambda r: int(r["id"])):
            answered.setdefault(each["subject"], []).append(each["status"])
        found: dict[str, list[list[int]]] = {}
        for subject, statuses in answered.items():
            found.setdefault(self.names.get(subject, subject), []).append(statuses)
        return found

    def statuses_of(self, mrid: str) -> list[int]:
        """The Responses to one control, in the order of arrival."""
        found = self.get(f"responses?limit=5000&subject={mrid}")
        return [each["status"] for each in sorted(found, key=lambda r: int(r["id"]))]

    def refused(self, after: int = 0) -> list[tuple[str, str, int]]:
        """The client's requests that were refused with 4xx or 5xx, not by a planted fault.

        after: only those behind this entry of the request log.
        """
        return [
            (each["method"], each["path"], each["status"])
            for each in self.get(f"requests?limit=5000&after={after}")
            if each["status"] >= 400 and not each.get("planted_faults")
        ]

    def asked(self, path: str, after: int = 0) -> int:
        """How often a path was asked for since an entry of the request log."""
        found = self.get(f"requests?limit=5000&after={after}&path={path}")
        return sum(each["path"].partition("?")[0] == path for each in found)

    def newest(self) -> int:
        """The newest entry of the request log."""
        found = self.get("requests?limit=1")
        return int(found[0]["id"]) if found else 0

    def kill(self) -> None:
        """SIGKILL, as when the power fails."""
        self.program.process.send_signal(signal.SIGKILL)
        self.program.process.wait(10)


@contextmanager
def lab_server(*flags: str, port: int = 0) -> Iterator[LabServer]:
    """`dersim server` with these flags for the length of the block."""
    with program("dersim", "server", "--port", str(port), "--admin_port", "0", *flags) as running:
        yield LabServer(running)


def shortened(name: str, factor: float, folder: Path, *, floor_s: float = 1, lfdi: str = "") -> Path:
    """A scenario of examples/scenarios, all of its times multiplied by `factor`; poll rates at least floor_s.

    lfdi: in place of the one device that it names.
    """
    text = (SCENARIOS / f"{name}.yaml").read_text()
    if lfdi:
        text = text.replace("381431F974955A7649CB34B19F705069DFE0DA8C", lfdi.upper())
    value = _shorter(yaml.safe_load(text), factor)
    rates = value.get("poll_rates", {})
    every = ("dcap", "edev", "fsa", "derp", "der")
    value["poll_rates"] = {each: max(round(rates.get(each, 60) * factor), round(floor_s)) for each in every}
    for series in value.get("controls", ()):
        if "profile" in series:
            series["profile"] = str(SCENARIOS / series["profile"])
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(value))
    return path


#: Times of a scenario file; those of controls are whole seconds.
_WHOLE = {"duration_s", "every_s", "start_s"}
_TIMES = {*_WHOLE, "lead_s", "until_s", "at_s", "start_in_s", "retry_after_s"}


def _shorter(value: Any, factor: float) -> Any:
    if isinstance(value, dict):
        return {
            key: _time(key, each, factor) if key in _TIMES else _shorter(each, factor)
            for key, each in value.items()
        }
    return [_shorter(each, factor) for each in value] if isinstance(value, list) else value


def _time(key: str, value: float, factor: float) -> float:
    return round(value * factor) if key in _WHOLE else round(value * factor, 2)


def listed(statuses: Sequence[Sequence[int]]) -> set[tuple[int, ...]]:
    """Distinct sequences of statuses."""
    return {tuple(each) for each in statuses}
