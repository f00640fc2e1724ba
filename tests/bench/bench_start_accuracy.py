"""How long after its start a DERControl is in force, by the client's estimate of the server's time.

A real `--demo` with ticks of a second: controls are published over the utility's REST, and the journal of the
DER's setpoints tells when each came into force.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import httpx
from tests.bench.measure import Result
from tests.interop.processes import eventually, get_json, program

CONTROLS = 8
FIRST_S, SPACING_S = 20, 3
LIMIT_S = 0.1
FLAGS = ("--demo", "--tick", "1", "--csip_server_port", "0", "--admin_port", "0")
PORTS = ("--website_port", "0", "--csip_website_port", "0", "--mb_port", "0")


def seconds(text: str) -> float:
    """From RFC 3339 to seconds since 1970."""
    return datetime.fromisoformat(text).timestamp()


def publish(admin: str) -> list[str]:
    """A row of controls into the program of better primacy; their mRIDs."""
    programs = get_json(f"{admin}/api/utility/programs")
    best = min(programs, key=lambda each: each["primacy"])
    mrids = []
    for index in range(CONTROLS):
        control = {"modes": {"opModMaxLimW": 50.0 + index}, "duration_s": SPACING_S}
        control["start_in_s"] = FIRST_S + index * SPACING_S
        answer = httpx.post(
            f"{admin}/api/utility/programs/{best['id']}/controls", json=control, timeout=10, trust_env=False
        )
        mrids.append(answer.raise_for_status().json()["mRID"])
    return mrids


def late_s(api: str, mrid: str) -> float:
    """Wait until the control is in force; by how much it was late (early: negative)."""
    offsets_s = [0.0, 0.0]

    def active() -> Any:
        client = get_json(f"{api}/csip-client")
        offsets_s[:] = offsets_s[1], client["clock"]["offset_s"]
        return next((each for each in client["active_controls"] if each["mRID"] == mrid), None)

    control = eventually(f"control {mrid} active", active, timeout_s=FIRST_S + 40, every_s=0.05)
    journal = get_json(f"{api}/setpoints")["journal"]
    in_force = next(line for line in journal if line["detail"] == mrid and line["value"] is not None)
    # The server is asked for its time as its second rolls over, which is when controls start: the estimate
    # that held at that instant may be the one seen before or the one seen after it.
    local_s = seconds(in_force["time"]) - seconds(control["effective_start"])
    return min((local_s + offset_s for offset_s in offsets_s), key=abs)


def run() -> Iterator[Result]:
    """The worst of several starts."""
    with program("dersim", "sim", *FLAGS, *PORTS) as demo:
        ready = demo.ready()
        api = ready["dashboard"] + "/api/dersim"
        eventually("connected", lambda: get_json(f"{api}/csip-client")["state"] == "connected")
        late = [late_s(api, mrid) for mrid in publish(ready["utility_admin"])]
    worst = max(late, key=abs)
    name = f"start of a control, tick 1 s, worst of {CONTROLS}, late by"
    yield Result(name, worst, None, "s", f"<= {LIMIT_S:g} s either way", abs(worst) <= LIMIT_S)
