"""A whole utility with its DERs in virtual time: where all is well nothing is found, planted defects are."""

import pytest
import trio

from dersim import pki
from dersim.csip.responses import Outbox
from dersim.hardware.registers import Registers
from dersim.ieee2030_5.events import EventScheduler
from dersim.invariants import Watcher
from dersim.invariants.leaks import Leaks
from dersim.setpoints import Setpoints
from dersim.testing import WorldPlan, open_world, run_virtual

pytestmark = pytest.mark.slow  # the fault matrix of the CSIP client is watched in the everyday suite
LIMIT = "opModMaxLimW"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("world") / "certs", 3)


@pytest.fixture
def watched(folder):
    """Runs `act(world)` and then so many seconds; the ids of what was found."""

    def run(act, seconds=200, **plan):
        async def main():
            async with open_world(WorldPlan(pki=folder, watch=True, poll_s=10, **plan)) as world:
                await world.connected()
                await act(world)
                await world.sleep(seconds)
                return world.violations

        return run_virtual(main)

    return run


async def controls(world):
    """Limits one after the other, one within another, one cancelled."""
    utility = world.utility
    utility.publish({LIMIT: 60}, start_in_s=20, duration_s=40)
    utility.publish({LIMIT: 40}, start_in_s=60, duration_s=30)
    cancelled = utility.publish({"opModFixedW": 30}, start_in_s=40, duration_s=100)
    await world.sleep(70)
    utility.cancel(cancelled)


def test_nothing_is_found_where_all_is_well(watched):
    async def act(world):
        world.utility.publish({LIMIT: 60}, start_in_s=15, duration_s=20)

    assert watched(act, 45, encrypted=False) == []


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 503}, {"kind": "reset", "at": "body"}])
def test_nothing_is_found_while_the_server_is_faulty(watched, fault):
    async def act(world):
        await controls(world)
        world.utility.plant(**fault, duration_s=30)

    assert watched(act, 150) == []


@pytest.mark.parametrize("kind", ["PV-3Phase", "Batt-3Phase", "HybridDC-3Phase"])
def test_nothing_is_found_in_some_hours(watched, kind):
    async def act(world):
        for _ in range(60):
            await controls(world)
            await world.sleep(100)
            world.device().inputs.set(irradiance_w_m2=200.0 + 13 * (world.now_s() % 60))

    assert watched(act, flags=("-d", kind), frontends=("csip", "modbus")) == []


def doubled_response(monkeypatch):
    done = Outbox._done

    def twice(self, response, *, delivered):
        if not getattr(self, "once", False):
            self.once = True
            return  # it stays in the queue
        done(self, response, delivered=delivered)

    monkeypatch.setattr(Outbox, "_done", twice)


def skipped_response(monkeypatch):
    put = Outbox.put
    monkeypatch.setattr(Outbox, "put", lambda self, each: None if each.status == 2 else put(self, each))


def register_reset(monkeypatch):
    count = Registers.count

    def count_and_reset(self, p_w, q_var, dt_s):
        self.ticks = getattr(self, "ticks", 0) + 1
        if self.ticks == 60:
            self._exported[:], self._out_ws = [0.0] * 3, 0.0
        count(self, p_w, q_var, dt_s)

    monkeypatch.setattr(Registers, "count", count_and_reset)


def wrong_sign_in_a_reading(monkeypatch):
    from dersim.csip import mirror

    quantities = mirror.quantities

    def negated(phases):
        first, *rest = quantities(phases)
        return (first._replace(value=lambda s: -s.p_w), *rest)

    monkeypatch.setattr("dersim.csip.parts.OF_DER", mirror.OF_DER._replace(quantities=negated))


def control_that_never_ends(monkeypatch):
    submit = Setpoints.submit

    def only_new(self, *changes):
        return submit(self, *(each for each in changes if each.value is not None))

    monkeypatch.setattr(Setpoints, "submit", only_new)


def late_start(monkeypatch):
    step = EventScheduler.step

    def later(self, now_s):
        made = step(self, now_s - 20)
        return made._replace(wake_s=None if made.wake_s is None else made.wake_s + 20)

    monkeypatch.setattr(EventScheduler, "step", later)


@pytest.mark.parametrize(
    ("plant", "ids"),
    [
        (doubled_response, {"I2"}),
        (skipped_response, {"I2"}),
        (register_reset, {"I5"}),
        (wrong_sign_in_a_reading, {"I6"}),
        (control_that_never_ends, {"I3"}),
        (late_start, {"I1"}),
    ],
)
def test_a_planted_defect_is_found(watched, monkeypatch, plant, ids):
    plant(monkeypatch)
    found = {each.id for each in watched(controls, 250, frontends=("csip", "modbus"))}
    assert ids <= found


def test_a_task_that_is_left_is_found(watched):
    async def act(world):
        made = world.simulators[0]
        parts = made.fleet, made.services, made.clock, made.log
        watcher = Watcher(*parts, invariants=[Leaks()])
        world.on_step(lambda _: made.violations.extend(watcher.step()))
        await world.sleep(150)
        world.utility.plant("status", status=503, duration_s=20)
        world._nursery.start_soon(trio.sleep_forever)

    assert {each.id for each in watched(act, 250)} == {"I7"}
