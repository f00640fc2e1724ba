"""I6: what is told in several places is the same: REST and WebSocket, SunSpec, DERStatus, meter readings.

The state of the DER is the measure. Readings are on their way for a moment, so a posted value must lie
between those of the ticks around the time of the post. Where a setpoint changed between the ticks next to it,
it may be that of the instant after the change, which no tick has seen, and is not compared: a Volt-VAr curve
acts at once, and a limit that begins with it takes away the Q a few seconds later (1547-2018 5.2).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5.resources import MirrorMeterReading, MirrorMeterReadingList, MirrorUsagePoint
from dersim.invariants.base import Invariant, Look, Violation

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.hardware.state import DeviceState
    from dersim.plugin.services import HttpExchange

#: Rounding: of a register or document, of the rating, and W beside it.
SLACK, SLACK_W = 2e-4, 1.0
#: Ticks that are remembered, and how long before and after a post counts, simulated s beside two ticks.
MOST_TICKS, AROUND_S = 600, 2.0
#: What is remembered of a tick, bytes.
_TICK_BYTES = 230
_W, _VAR = 38, 63
#: A reading that is older when it is sent is wrong, real s.
MOST_WAIT_S = 30.0
#: roleFlags of a mirror: bits of a premises and of a DER.
_PREMISES, _DER = 1 << 1, 1 << 3
#: By whether a reading is of a site, and its unit: its column of the past.
_COLUMNS = {(False, _W): 1, (False, _VAR): 2, (True, _W): 3, (True, _VAR): 4}


class Agreement(Invariant):
    """All places tell the same."""

    id = "I6"
    statement = "REST, WebSocket, SunSpec, readings and DERStatus agree for the same tick."

    def __init__(self) -> None:
        #: Time, P and Q of the DER, what its site imports, NaN without a load behind its meter, and the
        #: count of changed setpoints.
        self._past: dict[int, deque[tuple[float, float, float, float, float, int]]] = {}
        #: By mRID: whether it is of a site, unit, power of ten.
        self._types: dict[str, tuple[bool, int, int]] = {}
        #: Posts that wait for the tick after them.
        self._posted: dict[int, list[HttpExchange]] = {}

    def tick(self, device: Device, now_s: float) -> Iterable[Violation]:
        """Remember P and Q of this tick."""
        past = self._past.get(device.number)
        if past is None:
            past = self._past[device.number] = deque(maxlen=MOST_TICKS)
        seen = device.seen
        has_site = device.inputs.site is not None
        site = (seen.load_w - seen.p_w, seen.load_var - seen.q_var) if has_site else (math.nan, math.nan)
        past.append((now_s, seen.p_w, seen.q_var, *site, device.setpoints.changes))
        return ()

    def check(self, look: Look) -> Iterator[Violation]:
        """Compare every place with the state."""
        state = look.device.state
        if not state.failed:
            yield from _rest(look, state)
            yield from _sunspec(look, state)
            yield from _der_status(look, state)
        posted = self._posted.setdefault(look.device.number, [])
        posted += (
            each for each in look.exchanges if each.method == "POST" and b"Mirror" in each.request_body[:400]
        )
        while posted and look.now_s >= look.ended_s(posted[0]) + 2 * look.tick_s:
            yield from self._readings(look, posted.pop(0))

    def held_bytes(self) -> int:
        """What is remembered of the past."""
        return _TICK_BYTES * sum(map(len, self._past.values()))

    def _readings(self, look: Look, exchange: HttpExchange) -> Iterator[Violation]:
        """Total P and Q in what was posted."""
        for said_of_site, reading in _meter_readings(exchange.request_body):
            if (kind := reading.ReadingType) is not None and kind.phase in (None, 0):
                self._types[reading.mRID] = (
                    said_of_site,
                    int(kind.uom or 0),
                    int(kind.powerOfTenMultiplier or 0),
                )
            of_site, uom, power = self._types.get(reading.mRID, (False, 0, 0))
            if uom not in (_W, _VAR) or reading.Reading is None or reading.Reading.value is None:
                continue
            value = float(reading.Reading.value) * 10.0**power
            values = self._around(look, _since_taken(look, exchange, reading), _COLUMNS[of_site, uom])
            slack = SLACK_W + 10.0**power
            if values and not min(values) - slack <= value <= max(values) + slack:
                name = "W" if uom == _W else "var"
                wanted = f"a reading of {min(values):.1f} to {max(values):.1f} {name}"
                yield look.violation(Agreement, wanted, f"{value:g} {name} in POST {exchange.url}")

    def _around(self, look: Look, exchange: HttpExchange, column: int) -> list[float]:
        """The values of the ticks around an exchange.

        None where the first of them is not known, or a setpoint changed next to it.
        """
        past = self._past.get(look.device.number, ())
        around_s = 2 * look.tick_s + AROUND_S * look.rate
        begun_s, ended_s = exchange.time_s, look.ended_s(exchange)
        if not past or past[0][0] > begun_s - around_s:
            return []
        ticks = [each for each in past if begun_s - around_s <= each[0] <= ended_s + around_s]
        next_to = [each for each in ticks if begun_s - look.tick_s <= each[0] <= ended_s + look.tick_s]
        if len({changes for *_, changes in next_to}) > 1:
            return []
        return [each[column] for each in ticks if not math.isnan(each[column])]


def _since_taken(look: Look, exchange: HttpExchange, reading: MirrorMeterReading) -> HttpExchange:
    """The exchange as if it had begun when the reading was taken, which then waited for its turn."""
    period = None if reading.Reading is None else reading.Reading.timePeriod
    if look.client is None or period is None:
        return exchange
    taken_s = period.start - (look.client.server_now_s() - look.now_s)
    waited_s = min(max(exchange.time_s - taken_s, 0.0), MOST_WAIT_S * look.rate)
    whole_s = exchange.elapsed_s + waited_s / look.rate
    return exchange._replace(time_s=exchange.time_s - waited_s, elapsed_s=whole_s)


def _rest(look: Look, state: DeviceState) -> Iterator[Violation]:
    if look.overview is None:
        return
    overview = look.overview()
    told = overview["metrics"] | {f"site {name}": each for name, each in (overview["site"] or {}).items()}
    for name, value, slack in (
        ("power_kw", state.p_w / 1e3, 1e-3),
        ("reactive_power_kvar", state.q_var / 1e3, 1e-3),
        ("frequency_hz", state.frequency_hz, 1e-3),
        ("energy_exported_kwh", sum(state.exported_wh) / 1e3, 1e-3),
        ("energy_imported_kwh", sum(state.imported_wh) / 1e3, 1e-3),
        *_site_rest(state),
    ):
        if not _near(told[name], value, slack):
            yield look.violation(Agreement, f"{name} {value:.6g} in REST and WebSocket", f"{told[name]}")


def _site_rest(state: DeviceState) -> Iterator[tuple[str, float, float]]:
    if (site := state.site) is not None:
        yield "site power_kw", site.p_w / 1e3, 1e-3
        yield "site reactive_power_kvar", site.q_var / 1e3, 1e-3
        yield "site energy_exported_kwh", site.energy.exported_wh / 1e3, 1e-3
        yield "site energy_imported_kwh", site.energy.imported_wh / 1e3, 1e-3


def _sunspec(look: Look, state: DeviceState) -> Iterator[Violation]:
    if look.sunspec is None:
        return
    told = look.sunspec.shown_points(701)["points"]
    rated = look.device.nameplate.rtgMaxVA
    for name, value, slack in (
        ("W", state.p_w, SLACK * rated + SLACK_W),
        ("Var", state.q_var, SLACK * rated + SLACK_W),
        ("Hz", state.frequency_hz, 0.01),
        ("TotWhInj", sum(state.exported_wh), 1.0),
        ("TotWhAbs", sum(state.imported_wh), 1.0),
    ):
        if not _near(told.get(name), value, slack + abs(value) * 1e-6):
            yield look.violation(Agreement, f"701.{name} {value:.6g}", f"{told.get(name)}")


def _der_status(look: Look, state: DeviceState) -> Iterator[Violation]:
    body: Any = None if look.client is None else look.client.body("DERStatus")
    if body is None:
        return
    if body.operationalModeStatus is not None:
        told = int(body.operationalModeStatus.value)
        if told != int(state.operational_mode):
            wanted = f"operationalModeStatus {int(state.operational_mode)}"
            yield look.violation(Agreement, wanted, f"{told} in DERStatus")
    if body.stateOfChargeStatus is not None and state.soc_pct is not None:
        percent = float(body.stateOfChargeStatus.value) / 100
        if not _near(percent, state.soc_pct, 0.01):
            yield look.violation(Agreement, f"stateOfChargeStatus {state.soc_pct:.2f} %", f"{percent:g} %")


def _near(told: object, value: float, slack: float) -> bool:
    return isinstance(told, float | int) and math.isfinite(told) and abs(told - value) <= slack


@lru_cache(maxsize=64)
def _meter_readings(body: bytes) -> tuple[tuple[bool, MirrorMeterReading], ...]:
    """The readings in a body, each with whether its mirror is said to be that of a site."""
    try:
        resource = decode(body).resource
    except RemoteProtocolError:
        return ()
    match resource:
        case MirrorUsagePoint():
            flags = int(resource.roleFlags or 0)
            of_site = bool(flags & _PREMISES and not flags & _DER)
            return tuple((of_site, each) for each in resource.MirrorMeterReading)
        case MirrorMeterReadingList():
            return tuple((False, each) for each in resource.MirrorMeterReading)
        case MirrorMeterReading():
            return ((False, resource),)
    return ()
