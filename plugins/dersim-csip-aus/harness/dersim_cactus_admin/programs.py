"""The assignments, programs and controls of each client, by the admin REST."""

from __future__ import annotations

from typing import Any

from dersim_cactus_admin.admin_rest import AdminRest

_MODES = (
    "opModExpLimW",
    "opModImpLimW",
    "opModGenLimW",
    "opModLoadLimW",
    "opModConnect",
    "opModEnergize",
    "opModFixedW",
)
_HUNDREDTHS = ("setGradW", "rampTms")
#: Where an instruction leaves it open, seconds: long enough for the steps before the start, and for those of
#: an active control.
_START_IN_S, _DURATION_S, _ACTIVE_S = 30, 60, 300
_PRIMACY = 10
#: One for Received, two for Started, Completed, Cancelled and Superseded.
_RESPONSES = 3


class Programs:
    """What this run has made on the server, by the client's LFDI."""

    def __init__(self, rest: AdminRest) -> None:
        self._rest = rest
        self._groups: dict[str, dict[str, int]] = {}
        self._programs: dict[str, dict[int, int]] = {}
        self._scheduled_until_s: dict[str, int] = {}

    def assignment(self, lfdi: str, annotation: str) -> None:
        """A FunctionSetAssignments of this client alone: a group."""
        known = self._groups.setdefault(lfdi, {})
        if annotation not in known:
            name = f"{annotation} of {lfdi[:8]}"
            body = {"name": name, "level": "non_topology", "lfdis": [lfdi]}
            known[annotation] = int(self._rest.call("POST", "groups", body)["id"])

    def program(self, lfdi: str, given: dict[str, Any]) -> int:
        """A program in one of the client's assignments."""
        primacy = given.get("primacy", _PRIMACY)
        annotation = given.get("fsa_annotation")
        if annotation is None:
            annotation = next(iter(self._groups.get(lfdi, {})), None)
        if annotation is None:
            annotation = "fsa"
            self.assignment(lfdi, annotation)
        group = self._groups[lfdi][annotation]
        body = {"description": f"primacy {primacy}", "primacy": primacy, "groups": [group]}
        number = int(self._rest.call("POST", "programs", body)["id"])
        self._programs.setdefault(lfdi, {})[primacy] = number
        return number

    def any_program(self, lfdi: str, primacy: int | None = None) -> int:
        """The client's program of this primacy, or any; it is made where missing."""
        known = self._programs.get(lfdi, {})
        if primacy is None and known:
            return next(iter(known.values()))
        if primacy in known:
            return known[primacy]
        return self.program(lfdi, {} if primacy is None else {"primacy": primacy})

    def publish(self, lfdi: str, given: dict[str, Any]) -> None:
        """One control for this client; scheduled ones without a start follow one another."""
        program = self.any_program(lfdi, given.get("primacy"))
        scheduled = given["status"] == "scheduled"
        duration_s = int(given.get("duration_seconds", _DURATION_S if scheduled else _ACTIVE_S))
        order = {"modes": _modes(given), "duration_s": duration_s, "response_required": _RESPONSES}
        if (random_s := given.get("randomizeStart_seconds")) is not None:
            order["randomize_start_s"] = int(random_s)
        if scheduled:
            start_s = given.get("start_offset_seconds") or self._scheduled_until_s.get(lfdi, _START_IN_S)
            order["start_in_s"] = int(start_s)
            self._scheduled_until_s[lfdi] = int(start_s) + duration_s
        self._rest.call("POST", f"programs/{program}/controls", order)

    def default(self, lfdi: str, given: dict[str, Any]) -> None:
        """The DefaultDERControl of the client's program."""
        program = self.any_program(lfdi, given.get("primacy"))
        self._rest.call("PUT", f"programs/{program}/default-control", {"modes": _modes(given)})

    def cancel(self, lfdi: str, given: dict[str, Any]) -> None:
        """Cancel the client's controls that are not over, or the newest of them."""
        live = [
            control
            for program in self._programs.get(lfdi, {}).values()
            for control in self._rest.call("GET", f"programs/{program}/controls")
            if control["status"] in (0, 1)
        ]
        live.sort(key=lambda control: control["id"])
        for control in live if given.get("all") else live[-1:]:
            self._rest.call("DELETE", f"controls/{control['mRID']}")


def _modes(given: dict[str, Any]) -> dict[str, Any]:
    """The modes by name in plain units; setGradW and rampTms are given as on the wire, in hundredths."""
    modes = {mode: given[mode] for mode in _MODES if given.get(mode) is not None}
    return modes | {mode: given[mode] / 100 for mode in _HUNDREDTHS if given.get(mode) is not None}
