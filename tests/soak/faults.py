"""What goes wrong during a soak: a fault of the server every five to fifteen minutes, drawn by a seed."""

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

#: Between the beginnings of two faults, s.
GAP_S = (300.0, 900.0)
LASTS_S = (20.0, 120.0)
#: After the end of a fault everything is back to normal, s.
CALM_AFTER_S = 150.0
#: A restart of the server, by SIGTERM or SIGKILL; the others are what the operator's REST plants.
RESTARTS = ("stopped", "killed")
PLANTED: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 503},
    {"kind": "status", "status": 500, "probability": 0.5},
    {"kind": "status", "status": 503, "retry_after_s": 20},
    {"kind": "hang", "at": "answer"},
    {"kind": "hang", "at": "body"},
    {"kind": "delay", "seconds": 12},
    {"kind": "slow_body", "bytes_per_s": 20},
    {"kind": "reset", "at": "request", "how": "reset"},
    {"kind": "reset", "at": "headers", "how": "close"},
    {"kind": "reset", "at": "body", "how": "reset", "probability": 0.5},
    {"kind": "content_length", "by": -20},
    {"kind": "redirect_loop", "status": 302},
    {"kind": "xml", "flaw": "truncated"},
    {"kind": "xml", "flaw": "bad_number"},
    {"kind": "xml", "flaw": "too_deep"},
    {"kind": "list", "lie": "endless"},
    {"kind": "list", "lie": "all_too_high"},
    {"kind": "no_handshake"},
    {"kind": "tls_alert", "alert": "internal_error"},
    {"kind": "certificate", "which": "other_ca"},
)


class Fault(NamedTuple):
    """start_s, lasts_s: of the run. planted: the body for the operator's REST; None: a restart, named."""

    start_s: float
    lasts_s: float
    name: str
    planted: dict[str, Any] | None

    def disturbs(self, at_s: float) -> bool:
        """Whether a sample at this time may show the fault."""
        return self.start_s <= at_s < self.start_s + self.lasts_s + CALM_AFTER_S


def drawn(seed: int, until_s: float) -> Iterator[Fault]:
    """The faults of a run, in their order; the last one begins early enough to be over at its end."""
    rng = random.Random(seed)
    at_s = rng.uniform(*GAP_S)
    while at_s + LASTS_S[1] + CALM_AFTER_S < until_s:
        lasts_s = round(rng.uniform(*LASTS_S))
        choice = rng.choice((*PLANTED, *RESTARTS, *RESTARTS))
        if isinstance(choice, str):
            yield Fault(at_s, 0.0, choice, None)
        else:
            name = " ".join(str(value) for value in choice.values())
            yield Fault(at_s, lasts_s, name, {**choice, "duration_s": lasts_s})
        at_s += rng.uniform(*GAP_S)
