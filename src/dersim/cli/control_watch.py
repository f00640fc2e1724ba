"""What devices answer to published controls, line by line, until each has given its final answer."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from dersim.cli.admin_rest import AdminRest
from dersim.errors import ConfigError

#: How often the server is asked, in seconds.
POLL_S = 0.5
#: Bits of responseRequired: a Response on receipt or on start and end; on the latter.
ANSWERED, _EXECUTION = 3, 2
#: Statuses of a Response after which a device has no more to say.
_FINAL = frozenset({3, 6, 7, 8, 9, 10, 13, 14, 254})
#: Of a control with several modes the device may carry out the others.
_MODE_REFUSED = frozenset({251, 252, 253})
_NOT_DONE = frozenset({4, 8, 10, 13, 14, 254}) | _MODE_REFUSED
_LIVE = ("scheduled", "active")


class Watched:
    """One control: the newest Response of each device, and which of them have not done it.

    expected: how many devices it is for.
    """

    def __init__(self, control: dict[str, Any], expected: int) -> None:
        self.mrid = control["mRID"]
        self.label = f"program {control['program']} "
        self.expected = expected
        self.read_up_to = 0
        self.statuses: dict[str, int] = {}
        self.refused: set[str] = set()
        self.over_since_s: float | None = None
        self._final = _FINAL
        if not control["response_required"] & _EXECUTION:
            self._final |= {1}
        if len(control["modes"]) == 1:
            self._final |= _MODE_REFUSED

    def take(self, response: dict[str, Any]) -> str:
        """Take a Response; the line that tells it."""
        device, status = response["lfdi"] or "a device without LFDI", response["status"] or 0
        self.read_up_to = response["id"]
        self.statuses[device] = status
        if status in _NOT_DONE:
            self.refused.add(device)
        return f"{response['received'][11:19]}Z {device} {response['status_text']}"

    @property
    def answered(self) -> int:
        """How many devices have given their final answer."""
        return sum(status in self._final for status in self.statuses.values())

    @property
    def silent(self) -> int:
        """How many devices have not, as far as they are known; a refusal is told as such."""
        return max(self.expected, len(self.statuses)) - self.answered


def watched(rest: AdminRest, controls: Sequence[dict[str, Any]]) -> list[Watched]:
    """The controls with the number of devices of each."""
    return [Watched(each, _devices(rest, each["program"])) for each in controls]


def _devices(rest: AdminRest, program: int) -> int:
    groups = rest.get(f"/programs/{program}")["groups"]
    return max((int(rest.get(f"/groups/{group}")["devices"]) for group in groups), default=0)


class Watch:
    """Follows controls. grace_s: how long devices may answer after their end. tell: gets each line."""

    def __init__(
        self,
        rest: AdminRest,
        controls: Sequence[Watched],
        grace_s: float,
        tell: Callable[[str], None],
        *,
        as_json: bool = False,
    ) -> None:
        self._rest = rest
        self._controls = controls
        self._grace_s = grace_s
        self._tell = tell
        self._as_json = as_json

    def run(
        self, pause: Callable[[float], None] = time.sleep, now_s: Callable[[], float] = time.monotonic
    ) -> bool:
        """Follow them all to their end; whether every device did what it was told."""
        waiting = list(self._controls)
        while waiting:
            waiting = [each for each in waiting if not self._done(each, now_s())]
            if waiting:
                pause(POLL_S)
        return not any(each.refused or each.silent for each in self._controls)

    def _done(self, control: Watched, now_s: float) -> bool:
        """Tell what is new of one control; whether there is nothing to wait for."""
        over = control.over_since_s is not None or self._is_over(control)  # before the Responses are read
        for response in self._rest.get("/responses", subject=control.mrid, after=control.read_up_to):
            line = control.take(response)
            label = control.label if len(self._controls) > 1 else ""
            self._tell(json.dumps(response) if self._as_json else f"{line[:10]}{label}{line[10:]}")
        if over and control.over_since_s is None:
            control.over_since_s = now_s
        if control.expected and not control.silent:
            return True
        return control.over_since_s is not None and now_s - control.over_since_s >= self._grace_s

    def _is_over(self, control: Watched) -> bool:
        """Whether it has ended, or has left its list, as ended controls do."""
        try:
            return self._rest.get(f"/controls/{control.mrid}")["status_text"] not in _LIVE
        except ConfigError:
            return True


def summary(controls: Sequence[Watched]) -> str:
    """How it ended, in one line."""
    refused = sum(len(each.refused) for each in controls)
    silent = sum(each.silent for each in controls)
    done = sum(each.answered - len(each.refused) for each in controls)
    words = [f"{max(done, 0)} did it"]
    words += [f"{refused} refused it"] if refused else []
    words += [f"{silent} did not answer to the end"] if silent else []
    return ", ".join(words)
