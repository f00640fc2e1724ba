"""What a test may say of its world: the keywords of `@pytest.mark.dersim` and of the factories."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from dersim.errors import ConfigError
from dersim.suggestions import hint
from dersim.testing.plan import WorldPlan

#: More DERs than these share one simulator.
MOST_SEPARATE = 8
#: Steps of a DER in real time, seconds: a test does not wait a second for each.
REAL_TICK_S = 0.1


def live_plan(settings: Mapping[str, Any], folder: Path) -> tuple[WorldPlan, bool]:
    """The world that is meant, and whether its time is virtual. ConfigError for an unknown keyword.

    settings: members of `WorldPlan`, and `time`, "virtual" or "real". folder: of the test PKI.
    """
    known = [each.name for each in fields(WorldPlan)]
    values = dict(settings)
    time = values.pop("time", None)
    for name in values:
        if name not in known:
            raise ConfigError(f"dersim({name}=...): no such keyword; {hint(name, [*known, 'time'])}")
    sockets = values.get("server") is not None or values.get("over") == "loopback"
    if time not in (None, "virtual", "real"):
        raise ConfigError(f"dersim(time={time!r}): it is virtual or real")
    if sockets and time == "virtual":
        raise ConfigError("dersim(time='virtual'): sockets need real time; leave one of the two out")
    if sockets or time == "real":
        values.setdefault("tick_s", REAL_TICK_S)
        values.setdefault("start_s", None)
    values.setdefault("frontends", ("csip", "modbus"))
    values.setdefault("separate", values.get("ders", 1) <= MOST_SEPARATE)
    values.setdefault("pki", folder)
    for name in ("frontends", "flags"):
        values[name] = tuple(values.get(name, ()))
    return WorldPlan(**values), not sockets and time != "real"
