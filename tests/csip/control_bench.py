"""A device and its controls on a simulated clock, with the log of both."""

from __future__ import annotations

import random
from typing import Any

from dersim.clock import SimClock
from dersim.csip.controls import Controls
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.event_types import EventResponse, Reread
from dersim.plugin.builtin import make_device
from dersim.setpoints import InForce, Outcome, SetpointChange

START = 1_700_000_000.25


def mrid(name: str) -> str:
    return name.encode().hex().upper().ljust(32, "0")


def control(name: str, start: float, duration: int, base: r.DERControlBase, **more: Any) -> r.DERControl:
    return r.DERControl(
        **{
            "mRID": mrid(name),
            "href": f"/derc/{name}",
            "replyTo": "/rsp",
            "responseRequired": 7,
            "creationTime": int(START),
            "EventStatus": r.EventStatus(currentStatus=0, dateTime=0, potentiallySuperseded=False),
            "interval": r.DateTimeInterval(start=int(start), duration=duration),
            "DERControlBase": base,
            **more,
        }
    )


def max_w(percent: float, **more: Any) -> r.DERControlBase:
    return r.DERControlBase(opModMaxLimW=int(percent * 100), **more)


def program(name: str = "P", primacy: int = 5) -> r.DERProgram:
    return r.DERProgram(mRID=mrid(name), href=f"/derp/{name}", primacy=primacy, description=name)


def volt_var(*points: tuple[int, int]) -> r.DERCurve:
    return r.DERCurve(
        mRID=mrid("VV"),
        creationTime=0,
        CurveData=tuple(r.CurveData(xvalue=x, yvalue=y) for x, y in points),
        curveType=11,
        xMultiplier=-2,
        yMultiplier=-2,
        yRefType=2,
    )


def default(base: r.DERControlBase, **more: Any) -> r.DefaultDERControl:
    return r.DefaultDERControl(mRID=mrid("DEFAULT"), DERControlBase=base, **more)


class Bench:
    """A device, its controls, and what both did, with the time of the server."""

    def __init__(self, clock: SimClock) -> None:
        self.clock = clock
        self.device = make_device(clock=clock)
        self.mismatches: list[str] = []
        self.broken: set[str] = set()
        self.said: list[tuple[str, int, float, float]] = []
        self.rereads: list[Reread] = []
        self.submits: list[tuple[SetpointChange, ...]] = []
        self.history: list[tuple[float, Any, str]] = []
        self.log: list[tuple[str, str]] = []
        self.controls = self.make()

    def make(self, **more: Any) -> Controls:
        """The controls, or their successor after the client was started again."""
        return Controls(
            self,
            self.clock,
            rng=random.Random(1),
            on_response=self.respond,
            on_reread=self.rereads.append,
            log=lambda level, message: self.log.append((level, message)),
            on_clock_mismatch=self.mismatches.append,
            **more,
        )

    def check(self, mode: str, value: Any) -> Outcome:
        if mode in self.broken:
            raise ZeroDivisionError(mode)
        return self.device.setpoints.check(mode, value)

    def in_force(self) -> list[InForce]:
        return self.device.setpoints.in_force()

    def overridden(self) -> list[InForce]:
        return self.device.setpoints.overridden()

    def submit(self, *changes: SetpointChange) -> list[Outcome]:
        self.submits.append(changes)
        outcomes = self.device.setpoints.submit(*changes)
        lines = [line for line in self.device.setpoints.in_force() if line.mode == "opModMaxLimW"]
        shown = (lines[0].value, lines[0].source.label) if lines else (None, "")
        self.history.append((self.controls.server_now_s(), *shown))
        return outcomes

    def respond(self, response: EventResponse) -> None:
        limit = self.device.setpoints.value("opModMaxLimW")
        name = bytes.fromhex(response.mrid).rstrip(b"\0").decode()
        self.said.append((name, response.status, response.time_s, limit))  # type: ignore[arg-type]

    def statuses(self, name: str) -> list[int]:
        return [status for who, status, _, _ in self.said if who == name]
