"""The checkpoint of a run: every DER with its front-ends, to JSON and back."""

import io
import json
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from dersim.device import ManualClock
from dersim.engine.checkpoints import Checkpoints
from dersim.errors import ConfigError
from dersim.fences import Fences
from dersim.fleet import Fleet
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange


class Counting:
    """A front-end that takes part in checkpoints."""

    def __init__(self, count=0):
        self.count = count

    def checkpoint(self):
        return {"count": self.count}

    def restore(self, document):
        self.count = document["count"]


class Broken:
    def checkpoint(self):
        raise RuntimeError("no state today")


def run_of(first, frontends, count=2):
    clock = ManualClock(10.0)
    fleet = Fleet([make_device(number, clock=clock) for number in range(first, first + count)])
    for device in fleet.devices:
        device.step(10.0)
    log = LogBuffer(stream=io.StringIO())
    made = {
        number: [SimpleNamespace(name=name, frontend=each) for name, each in of_it.items()]
        for number, of_it in frontends.items()
    }
    return fleet, Checkpoints(fleet, made, log, Fences(log)), log


def test_setpoints_of_a_source_that_the_run_lacks_are_told_of_in_one_line():
    fleet, checkpoints, _ = run_of(1, {}, count=3)
    gone = SetpointSource("telex-of-another-run")
    for device in fleet.devices:
        device.setpoints.submit(SetpointChange(gone, "opModMaxLimW", 50.0))
    later, others, log = run_of(1, {}, count=3)
    others.give(json.loads(json.dumps(checkpoints.take())))
    assert [device.setpoints.value("opModMaxLimW") for device in later.devices] == [None] * 3
    [line] = [line for line in log.entries() if line.level == "Warning"]
    assert "setpoints by telex-of-another-run are left out" in line.message


def test_a_run_goes_on_from_the_checkpoint_of_another_with_its_front_ends():
    fleet, checkpoints, _ = run_of(4, {4: {"csip": Counting(3)}, 5: {"csip": Counting(9)}})
    for device in fleet.devices:
        device.step(70.0)
    document = json.loads(json.dumps(checkpoints.take()))
    assert list(document) == ["4", "5"]
    second = {4: {"modbus": object()}, 5: {"csip": Counting(), "modbus": object()}}
    later, others, _ = run_of(4, second)
    others.give(document)
    assert second[5]["csip"].count == 0  # front-ends are restored when they are made
    others.give_frontends()
    assert second[5]["csip"].count == 9
    exported = [sum(device.state.exported_wh) for device in fleet.devices]
    assert [sum(device.state.exported_wh) for device in later.devices] == exported
    assert exported[0] > 0


async def test_in_slices_it_is_the_same_and_who_waits_then_waits_for_the_next():
    fleet, checkpoints, _ = run_of(1, {1: {"csip": Counting(3)}}, count=5)
    fleet.slice_s = 0.0
    states = checkpoints.states
    states.keeps = True
    passed, taken = [], []

    async def wait():
        await states.barrier()
        passed.append(True)

    async def take():
        taken.append(await checkpoints.take_in_slices())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(take)
        await trio.lowlevel.checkpoint()  # the first slice is taken
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        assert taken == [checkpoints.take([1, 2, 3, 4, 5])]
        states.saved()
        await trio.testing.wait_all_tasks_blocked()
        assert not passed
        checkpoints.take()
        states.saved()
    assert passed


def test_some_ders_are_taken_by_number():
    _, checkpoints, _ = run_of(1, {}, count=3)
    assert list(checkpoints.take([2])) == ["2"]


def test_a_der_whose_front_end_fails_at_it_is_left_out_and_logged():
    _, checkpoints, log = run_of(1, {1: {"csip": Broken()}})
    assert list(checkpoints.take()) == ["2"]
    assert "its checkpoint failed: unexpected RuntimeError('no state today')" in log.entries()[0].message


def test_a_checkpoint_of_a_der_that_this_run_does_not_have_is_refused_in_one_line():
    _, checkpoints, _ = run_of(4, {})
    with pytest.raises(ConfigError, match=r"checkpoint of DER 9: this run has the DERs 4 to 5; choose") as e:
        checkpoints.give({"9": {}})
    assert "\n" not in str(e.value)


def test_the_state_of_a_grid_is_kept_with_the_first_der():
    class Machine:
        KEPT = ("w",)
        w = 0.0

    _, checkpoints, _ = run_of(1, {})
    checkpoints.grids = {"island": Machine(), "feeder": object()}
    checkpoints.grids["island"].w = 0.25
    document = json.loads(json.dumps(checkpoints.take()))
    assert document["1"]["grids"] == {"island": {"w": 0.25}}
    assert "grids" not in document["2"]
    _, others, _ = run_of(1, {})
    others.give(document)
    others.grids = {"island": Machine()}
    others.give_frontends()
    assert others.grids["island"].w == 0.25


class Marked(Counting):
    """A front-end that says when its checkpoint may have changed."""

    mark = 0

    def checkpoint_mark(self):
        return self.mark


def test_a_mark_stays_as_long_as_nothing_but_time_and_registers_moves():
    written, marked = Counting(1), Marked(1)
    fleet, checkpoints, _ = run_of(1, {1: {"modbus": written, "csip": marked, "web": object()}}, count=1)
    (device,) = fleet.devices
    assert checkpoints.mark(device) is None  # it has just begun
    device.step(20.0)
    device.step(25.0)
    mark, before = checkpoints.mark(device), checkpoints.take()["1"]
    device.step(30.0)
    assert checkpoints.mark(device) == mark is not None
    now = checkpoints.take()["1"]
    assert now != before
    assert now == {**before, "device": {**before["device"], **device.counted()}}
    written.count = 2
    assert checkpoints.mark(device) != mark
    written.count = 1
    marked.mark = 1
    assert checkpoints.mark(device) != mark
    marked.mark = 0
    assert checkpoints.mark(device) == mark
    device.inputs.set(irradiance_w_m2=500.0)
    assert checkpoints.mark(device) is None
    device.step(40.0)
    device.step(50.0)
    assert checkpoints.mark(device) not in (None, mark)
    device.fail("broken")
    assert checkpoints.mark(device) is None
