"""What a world has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dersim.http11.endpoint import OpenTcp
from dersim.plugin.services import CertificateFiles

#: The first instant of a world in virtual time, UTC seconds: any, but the same in every run.
START_S = 1_800_000_000.0

#: Makes the way to the server for one simulator out of the plain one. number: of its first DER.
Wire = Callable[[OpenTcp, int], OpenTcp]


@dataclass(frozen=True, slots=True)
class WorldPlan:
    """A utility and its DERs.

    seed: of all random draws. ders: how many. separate: each DER in a simulator of its own, so that each can
    be restarted alone. frontends: of the simulators; over memory modbus has its registers and no port.
    flags: of `dersim sim`, for all simulators. over: how they are connected; memory needs no port and no
    socket. encrypted: mutual TLS. tick_s: between two steps, simulated seconds. rate: simulated seconds per
    second of trio's clock; with another than 1, time-outs and pauses of the network are as much longer in
    simulated time. start_s: the first instant, UTC seconds; None: the computer's clock. poll_s: all poll
    rates of the server; None: those of `UtilityConfig`. utility: other values for its `UtilityConfig`.
    pki: folder of a test PKI, which gives a pair to each DER; None: the bundled one. wire: what is between
    the DERs and the server. fail_fast: an unexpected error of a front-end ends the world. server: the URL of
    one that is not ours; then the world has no utility. files: of a single DER, in place of those of `pki`.
    watch: the invariants of docs/invariants.md after each step, of every DER. state: a folder; each simulator
    keeps its state in a file there (`--state`), and goes on from it when it is started again.
    """

    seed: int = 1
    ders: int = 1
    separate: bool = False
    frontends: tuple[str, ...] = ("csip",)
    flags: tuple[str, ...] = ()
    over: Literal["memory", "loopback"] = "memory"
    encrypted: bool = True
    tick_s: float = 1.0
    rate: float = 1.0
    start_s: float | None = START_S
    poll_s: int | None = None
    utility: Mapping[str, Any] = field(default_factory=dict)
    pki: Path | None = None
    wire: Wire | None = None
    fail_fast: bool = True
    server: str | None = None
    files: CertificateFiles | None = None
    watch: bool = False
    state: Path | None = None
