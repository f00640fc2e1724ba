"""Each mode, from the operator's REST to the power at the terminals, and beside it the same device offline.

For each: it is ordered at the companion server, read by the client, in force in `setpoints`, and what the
overview then shows after each tick is what a twin of the DER shows that is stepped by hand, without server,
client and clock, with the same setting at the same time. Both must meet the corner values of `cases.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import trio
from tests.whole.cases import BASE, BASE_W, CASES, STORAGE, Act, Case

from dersim.device import ManualClock
from dersim.modes import MODES, modes_from_json, modes_to_json
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict

#: setGradW is seen in how a limit is approached, which is a control of its own.
GRADIENT = "setGradW"


def test_the_cases_are_all_modes_and_the_device_has_them_all():
    # The modes that no control carries are those of tests/sunspec/test_storage_controls.py.
    supported = {mode for kind in FUNCTION_TYPES for mode in kind.modes if not MODES[mode].local}
    assert supported <= MODES.keys()
    assert {*CASES, GRADIENT} == supported
    extensions = {name for name, spec in MODES.items() if name not in supported and not spec.local}
    assert all(MODES[name].bit is None for name in extensions), (
        "a mode of the standard that no function obeys"
    )


CONTROLS = [mode for mode in CASES if not MODES[mode].default_only]
#: How fast a change is made goes with the change, so rampTms alone in a default changes nothing.
DEFAULTS = [mode for mode in CASES if mode != "rampTms"]


EDITIONS = {"2023": (), "2018": ("--csip-2018-compat",)}


def in_turn():
    """Each mode in both editions; what is not `slow` in one of them, in turn."""
    for number, mode in enumerate(CONTROLS):
        for place, (name, flags) in enumerate(EDITIONS.items()):
            marks = [] if number % 2 == place else [pytest.mark.slow]
            yield pytest.param(mode, flags, id=f"{mode}-{name}", marks=marks)


@pytest.mark.parametrize(("mode", "flags"), list(in_turn()))
async def test_a_mode_of_a_control(autojump_clock, open_house, mode, flags):
    case = CASES[mode]
    default = BASE | dict(case.default)
    house = await open_house(case.device_type, default, *flags)
    ordered = {mode: case.value, **case.also}
    mrid = house.publish(ordered)
    line = await house.await_mode(mode, "csip")
    assert (line["value"], line["detail"]) == (as_shown(ordered)[mode], mrid)
    since_s = asked_at(house, SetpointSource.CSIP, mode)
    assert abs(since_s - house.client.explain()[0].effective_start_s) <= 1
    await perform(house, case, since_s)
    compare(house, case.device_type, default, (SetpointSource.CSIP, ordered))
    assert house.responses(mrid) == [1, 2]
    assert not house.operate("GET", "violations")


@pytest.mark.parametrize("mode", STORAGE)
async def test_a_mode_of_a_control_for_a_battery(autojump_clock, open_house, mode):
    case = STORAGE[mode]
    default = {"opModMaxLimW": 100}
    house = await open_house(case.device_type, default)
    ordered = {mode: case.value, **case.also}
    house.publish(ordered)
    line = await house.await_mode(mode, "csip")
    assert line["value"] == as_shown(ordered)[mode]
    await perform(house, case, asked_at(house, SetpointSource.CSIP, mode))
    compare(house, case.device_type, default, (SetpointSource.CSIP, ordered))


# The way of a default is one for all modes: every day half of them go it.
@pytest.mark.parametrize(
    "mode", [*DEFAULTS[::2], *(pytest.param(mode, marks=pytest.mark.slow) for mode in DEFAULTS[1::2])]
)
async def test_a_mode_of_a_default(autojump_clock, open_house, mode):
    case = CASES[mode]
    before = BASE | dict(case.default)
    house = await open_house(case.device_type, before)
    await house.await_mode("opModMaxLimW", "csip-default")
    await trio.sleep(3)
    after = before | {mode: case.value, **case.also}
    house.set_default(after)
    shown = as_shown(after)
    line = await house.await_mode(mode, "csip-default", shown[mode])
    assert line["value"] == shown[mode]
    since_s = asked_at(house, SetpointSource.CSIP_DEFAULT, mode)
    if MODES[mode].default_only:
        assert house.device.settings[mode] == case.value
    await perform(house, case, since_s)
    compare(house, case.device_type, before, (SetpointSource.CSIP_DEFAULT, after))


async def test_the_gradient_of_a_default(autojump_clock, open_house):
    default = BASE | {GRADIENT: 5}
    house = await open_house("PV-3Phase", default)
    await house.await_mode(GRADIENT, "csip-default")
    await trio.sleep(3)
    assert house.device.settings.setGradW == 5
    ordered = {"opModMaxLimW": 20}
    house.publish(ordered)
    await house.await_mode("opModMaxLimW", "csip")
    since_s = asked_at(house, SetpointSource.CSIP, "opModMaxLimW")
    case = Case(None, (Act(4, lambda t: BASE_W - 500 * t), Act(6, 2000)))
    await perform(house, case, since_s)
    compare(house, case.device_type, default, (SetpointSource.CSIP, ordered))


# ---- what is done and seen online


async def perform(house: Any, case: Case, since_s: float) -> None:
    """Act, and hold what the overview shows against the corner values."""
    done_s = since_s
    for act in case.acts:
        if act.do:
            await house.do(*act.do)
            done_s = next(e.time_s for e in reversed(house.story) if hasattr(e, "what"))
        await trio.sleep(act.after_s)
        await house.fleet.wait_step()
        seen = await house.see("overview")
        elapsed_s = house.device.state.time_s - done_s
        wanted = [power(elapsed_s) if callable(power) else power for power in (act.p_w, act.q_var)]
        shown = [seen["metrics"][name] * 1000 for name in ("power_kw", "reactive_power_kvar")]
        assert shown == pytest.approx(wanted, abs=1), act
        assert seen["status"]["tripped"] is act.tripped
        assert act.connect in ("", seen["status"]["connect"])


def as_shown(modes: Mapping[str, Any]) -> dict[str, Any]:
    """The values in the full form in which the API shows them."""
    return modes_to_json(modes_from_json(dict(modes)))


def asked_at(house: Any, source: SetpointSource, mode: str) -> float:
    """When the client last changed that mode."""
    entries = [e for e in house.device.setpoints.journal if (e.source, e.mode) == (source, mode)]
    assert all(e.outcome.verdict is Verdict.ACCEPTED for e in entries)
    return entries[-1].time_s


# ---- the twin

Order = tuple[SetpointSource, Mapping[str, Any]]


def compare(house: Any, device_type: str, default: Mapping[str, Any], *orders: Order) -> None:
    """Step a twin through the same moments; after every tick it stands where the overview stood.

    orders: what was asked besides the first default. When, tells the DER's journal; what, the test.
    """
    journal = list(house.device.setpoints.journal)
    waiting = [(SetpointSource.CSIP_DEFAULT, default), *orders]
    twin, heard = Twin(device_type), 0
    for event in house.story:
        for asked in journal[heard : event.asked]:
            source, modes = waiting[0] if waiting else (None, {"": None})
            # The last mode stands for all: they were submitted together.
            if (asked.source, asked.mode) == (source, [*modes][-1]):
                twin.ask(asked.time_s, *waiting.pop(0))
        heard = event.asked
        twin.go(event.time_s)
        if hasattr(event, "what"):
            twin.meet(event.what, event.body)
            continue
        state = twin.device.state
        assert (state.p_w, state.q_var) == pytest.approx(event[2:], abs=0.01), event.time_s
    assert not waiting
    assert len(house.story) > 10


class Twin:
    """The same device, alone, with time by hand."""

    def __init__(self, device_type: str) -> None:
        self.clock = ManualClock(1_800_000_000.0)
        self.device = make_device(1, device_type=device_type, clock=self.clock)
        self.device.step(self.clock.time_s)

    def go(self, time_s: float) -> None:
        self.clock.time_s = time_s
        self.device.step(time_s)

    def ask(self, time_s: float, source: SetpointSource, values: Mapping[str, Any]) -> None:
        self.clock.time_s = time_s
        changes = [SetpointChange(source, m, v, "twin") for m, v in modes_from_json(dict(values)).items()]
        assert all(o.verdict is Verdict.ACCEPTED for o in self.device.setpoints.submit(*changes))

    def meet(self, what: str, body: Mapping[str, Any]) -> None:
        if what == "inputs":
            self.device.inputs.set(**body)
        else:
            self.device.command(body["command"])
