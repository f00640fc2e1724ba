"""What a seed draws: a world, and all that is done to it, each at its time.

Storms of faults alternate with calm, long enough for every client to recover: then its state is compared with
the server's. The utility's own day goes on all the time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.chaos.situations import situations

from dersim.utility.faults.alerts import ALERTS
from dersim.utility.faults.forms import ListLie, XmlFlaw

DAY_S = 86_400.0
#: What a client may need to recover after a fault, beside two polls: a walk's pause and deadlines, s.
RECOVERY_S = 660.0
DEVICE_TYPES = ("PV-3Phase", "PV-3Phase", "Batt-3Phase", "HybridDC-3Phase")
PROGRAMS = 3


class Act(NamedTuple):
    """One thing that is done. at_s: after the start, s; kind: a method of `Acts`; data: its arguments."""

    at_s: float
    kind: str
    data: dict[str, Any]

    def __str__(self) -> str:
        days, rest = divmod(int(self.at_s), int(DAY_S))
        at = f"{days}d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}"
        return f"{at}  {self.kind:<9} " + " ".join(f"{name}={value}" for name, value in self.data.items())


class Drawn(NamedTuple):
    """All that a seed draws. storms: from when to when faults act, s after the start."""

    seed: int
    days: float
    ders: int
    device_type: str
    tick_s: float
    poll_s: int
    encrypted: bool
    acts: tuple[Act, ...]
    storms: tuple[tuple[float, float], ...]

    def __str__(self) -> str:
        head = (
            f"seed {self.seed}, {self.days:g} days: {self.ders} x {self.device_type}, "
            f"tick {self.tick_s:g} s, polls {self.poll_s} s, {'mTLS' if self.encrypted else 'plain'}"
        )
        return "\n".join([head, *map(str, self.acts)])


def draw(seed: int, days: float) -> Drawn:
    """What this seed draws for so many days."""
    rng = random.Random(f"chaos {seed}")
    ders = rng.choices((1, 2, 3, 4), (60, 25, 10, 5))[0]
    tick_s = rng.choice((10.0, 20.0, 20.0, 20.0))
    # About as many requests an hour, whatever the number of DERs.
    poll_s = int(ders * rng.uniform(300, 600)) if rng.random() > 0.1 else 90 * ders
    end_s = days * DAY_S
    # Draws of their own, so that fewer days begin with the same acts.
    weather, operator, trouble = (Dealer(f"{name} {seed}", ders, poll_s) for name in ("sun", "day", "storm"))
    storms: list[tuple[float, float]] = []
    acts = [*operator.utility(end_s), *weather.grid(end_s)]
    for begin_s, over_s in trouble.storms(end_s):
        storms.append((begin_s, over_s))
        acts += trouble.storm(begin_s, over_s)
    acts += [Act(*each) for each in situations(seed, poll_s, end_s)]
    return Drawn(
        seed,
        days,
        ders,
        rng.choice(DEVICE_TYPES),
        tick_s,
        poll_s,
        rng.random() < 0.8,
        tuple(sorted(acts, key=lambda act: act.at_s)),
        tuple(storms),
    )


class Dealer:
    """Draws the acts."""

    def __init__(self, seed: str, ders: int, poll_s: int) -> None:
        self.rng = random.Random(seed)
        self._ders = ders
        self._poll_s = poll_s
        self._control = 0

    # ---- the utility's days

    def utility(self, end_s: float) -> Iterator[Act]:
        """Programs, defaults, controls and what becomes of them."""
        rng = self.rng
        yield Act(0.0, "default", {"program": 1, "modes": {"opModMaxLimW": 90}})
        at_s = 120.0
        while at_s < end_s:
            kind = rng.choices(("control", "default", "primacy", "twins", "storm"), (70, 12, 6, 10, 2))[0]
            match kind:
                case "control":
                    yield from self._one(at_s, self._start())
                case "twins":  # they overlap: one is superseded
                    start_s = self._start()
                    yield from self._one(at_s, start_s)
                    later_s = start_s + rng.choice((-60, 0, 60, 900))
                    yield from self._one(at_s + rng.choice((0, 1, 30)), later_s)
                case "storm":
                    for _ in range(rng.randrange(10, 40)):
                        yield from self._one(at_s, self._start())
                case "default":
                    modes = {"opModMaxLimW": rng.randrange(20, 101)} if rng.random() < 0.8 else {}
                    yield Act(at_s, "default", {"program": rng.randrange(1, PROGRAMS + 1), "modes": modes})
                case "primacy":
                    yield Act(
                        at_s,
                        "primacy",
                        {"program": rng.randrange(1, PROGRAMS + 1), "to": rng.randrange(1, 60)},
                    )
            at_s += rng.expovariate(1 / 4500.0) + 30

    def _start(self) -> int:
        return int(self.rng.choice((-600, -30, 0, 5, 60, 300, 900, 3600, 7200)))

    def _one(self, at_s: float, start_in_s: int) -> Iterator[Act]:
        rng = self.rng
        self._control += 1
        number = self._control
        duration_s = int(rng.choice((1, 60, 300, 900, 1800, 3600, 7200)))
        data: dict[str, Any] = {
            "number": number,
            "program": rng.choice((1, 2, 2, 3)),
            "modes": self._modes(),
            "start_in_s": start_in_s,
            "duration_s": duration_s,
        }
        if rng.random() < 0.3:
            data["randomize_start_s"] = rng.choice((-300, -60, 60, 300, 900))
        if rng.random() < 0.2:
            data["randomize_duration_s"] = rng.choice((-60, 60, 300))
        yield Act(at_s, "publish", data)
        if rng.random() < 0.25:
            cancel_s = at_s + rng.uniform(1, max(60, start_in_s + duration_s))
            yield Act(cancel_s, "cancel", {"number": number, "status": rng.choice((2, 2, 3))})

    def _modes(self) -> dict[str, Any]:
        rng = self.rng
        match rng.choices(_KINDS_OF_CONTROLS, _THEIR_WEIGHTS)[0]:
            case "limit":
                return {"opModMaxLimW": rng.randrange(0, 101)}
            case "power":
                return {"opModFixedW": rng.randrange(0, 101)}
            case "var":
                return {"opModFixedVar": {"percent": rng.randrange(-60, 61), "ref": "setMaxVar"}}
            case "pf":
                return {"opModFixedPFInjectW": {"pf": 0.95, "excitation": rng.choice(("inject", "absorb"))}}
            case "connect":
                return {rng.choice(("opModConnect", "opModEnergize")): False}
            case "curve":
                low = rng.randrange(90, 96)
                curve = [[low, 30], [98, 0], [102, 0], [106, -30]]
                return {"opModVoltVar": {"curve": curve}}
        return {"opModMaxLimW": rng.randrange(10, 90), "opModFixedVar": {"percent": 10, "ref": "setMaxVar"}}

    # ---- grid and sun

    def grid(self, end_s: float) -> Iterator[Act]:
        """Sun and voltage move."""
        at_s = 0.0
        while at_s < end_s:
            values: dict[str, float] = {"irradiance_w_m2": float(self.rng.choice((0, 150, 600, 900, 1000)))}
            if self.rng.random() < 0.3:
                values["voltage_pu"] = self.rng.choice((0.95, 0.98, 1.0, 1.03, 1.05, 1.3))
            if self.rng.random() < 0.15:
                values["frequency_hz"] = self.rng.choice((59.9, 60.0, 60.3, 63.0))
            yield Act(at_s, "grid", values)
            at_s += self.rng.expovariate(1 / 5400.0) + 60

    # ---- faults

    def storms(self, end_s: float) -> Iterator[tuple[float, float]]:
        """From when to when faults act; two polls and the recovery are between them."""
        at_s = self.rng.choice((0.0, 30.0, 1800.0))
        calm_s = RECOVERY_S + 3 * self._poll_s
        while at_s + calm_s + 60 < end_s:
            over_s = min(at_s + self.rng.uniform(60, 2700), end_s - calm_s)
            yield at_s, over_s
            at_s = over_s + calm_s + self.rng.expovariate(1 / 1800.0)

    def storm(self, begin_s: float, over_s: float) -> Iterator[Act]:
        """The faults of one storm, all over at its end."""
        rng = self.rng
        if not begin_s:  # nobody answers when the clients begin
            yield Act(0.0, "server", {"away_s": round(rng.uniform(30, over_s)), "keeps_state": True})
        for _ in range(rng.choice((1, 1, 2, 3, 4))):
            at_s = rng.uniform(begin_s, over_s - 30)
            lasts_s = min(over_s - at_s, rng.choice((10, 40, 120, 600, 3000)))
            kind = rng.choices(
                ("fault", "stream", "server", "clock", "sim", "device"), (42, 30, 8, 5, 12, 3)
            )[0]
            yield from getattr(self, f"_{kind}")(at_s, round(lasts_s))
        yield Act(over_s, "clear", {})

    def _fault(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        """One of the head-end's kinds."""
        rng = self.rng
        kind, more = rng.choice(_FAULTS)
        data = {name: rng.choice(values) for name, values in more.items()}
        if kind not in ("moved", "no_handshake", "tls_alert", "certificate") and rng.random() < 0.5:
            data["path"] = rng.choice(_PATHS)
        if rng.random() < 0.4 and kind != "moved":
            data |= {"probability": rng.choice((0.1, 0.5)), "seed": rng.randrange(1000)}
        yield Act(at_s, "plant", {"kind": kind, "duration_s": lasts_s, **data})

    def _stream(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        """A fault of the network, or of the name service."""
        rng = self.rng
        kind = rng.choice(
            ("unknown_name", "slow_name", "refused", "no_connection", "silence", "silence", "reset", "reset",
             "close", "close", "slow", "split", "latency", "loss", "bandwidth")
        )  # fmt: skip
        data: dict[str, Any] = {"kind": kind, "duration_s": lasts_s}
        if kind in ("silence", "reset", "close"):
            data["at"] = rng.choice(("status", "headers", "body", "after"))
        if kind in _AMOUNTS:
            data["amount"] = rng.choice(_AMOUNTS[kind])
        if rng.random() < 0.4:
            data["probability"] = rng.choice((0.1, 0.5))
        if rng.random() < 0.3:
            data["client"] = rng.randrange(1, self._ders + 1)
        yield Act(at_s, "network", data)

    def _server(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        keeps = self.rng.random() < 0.7
        yield Act(
            at_s, "server", {"away_s": min(lasts_s, self.rng.choice((0, 20, 600))), "keeps_state": keeps}
        )

    def _clock(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        by_s = self.rng.choice((-86_400, -3600, -90, -5, 5, 90, 3600, 86_400))
        yield Act(at_s, "clock", {"ahead_s": by_s})
        yield Act(at_s + lasts_s, "clock", {"ahead_s": 0})

    def _sim(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        how = self.rng.choice(("stop", "stop", "crash", "crash"))
        away_s = min(lasts_s, self.rng.choice((0, 5, 60, 900)))
        yield Act(
            at_s, "restart", {"der": self.rng.randrange(1, self._ders + 1), "how": how, "away_s": away_s}
        )

    def _device(self, at_s: float, lasts_s: int) -> Iterator[Act]:
        yield Act(at_s, "remove", {"der": self.rng.randrange(1, self._ders + 1)})


_KINDS_OF_CONTROLS = ("limit", "power", "var", "pf", "connect", "curve", "several")
_THEIR_WEIGHTS = (40, 10, 10, 10, 8, 12, 10)
_AMOUNTS = {"loss": (0.01, 0.2), "latency": (0.5, 2.0), "bandwidth": (1250.0, 10_000.0)}
_PATHS = ("/dcap", "/tm", "/edev*", "/derp*", "/derp/*/derc", "/mup*", "/rsps*", "/edev/*/der/*", "*")
_FAULTS: tuple[tuple[str, dict[str, tuple[Any, ...]]], ...] = (
    ("status", {"status": (400, 403, 500, 502, 503), "method": ("GET", "PUT", "POST")}),
    ("status", {"status": (500, 503)}),
    ("status", {"status": (503,), "retry_after_s": (5, 30, 300), "retry_after": ("seconds", "date")}),
    ("hang", {"at": ("answer", "headers", "body")}),
    ("delay", {"seconds": (2, 9, 15)}),
    ("slow_body", {"bytes_per_s": (1, 200)}),
    ("reset", {"at": ("request", "answer", "status", "headers", "body"), "how": ("reset", "close")}),
    ("content_length", {"by": (100, -20)}),
    ("gone", {"status": (404, 410)}),
    ("redirect", {"hops": (1, 3, 20)}),
    ("redirect_loop", {}),
    ("moved", {"path": ("/derp*", "/edev*", "/dcap", "*")}),
    ("list", {"lie": ListLie.__args__}),
    ("xml", {"flaw": XmlFlaw.__args__}),
    ("time", {"how": ("offset", "frozen", "jumping"), "offset_s": (-86_400, -90, 90, 3600, 380_000_000)}),
    ("mrid", {"how": ("duplicate", "reused")}),
    ("no_handshake", {}),
    ("tls_alert", {"alert": tuple(ALERTS)}),
    ("certificate", {"which": ("other_ca", "expired")}),
)
