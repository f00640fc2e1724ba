"""I3: two controls on a mode, the worse of two, and a setpoint of no control are found."""

import pytest
from tests.invariants.rig import START_S, Rig, published, view

from dersim.ieee2030_5.event_types import Phase
from dersim.invariants.conflicts import Conflicts
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

MODE = "opModMaxLimW"


def obey(rig, mrid, percent=50.0):
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, percent, detail=mrid))


def test_one_control_that_is_obeyed_is_right():
    rig = Rig(Conflicts())
    obey(rig, "AA")
    rig.client.views = [view("AA", {MODE: 50.0}), view("BB", {MODE: 40.0}, phase=Phase.SUPERSEDED)]
    assert rig.tick(3) == []


def test_two_active_controls_of_a_mode_are_found():
    rig = Rig(Conflicts())
    obey(rig, "BB")
    rig.client.views = [view("AA", {MODE: 50.0}), view("BB", {MODE: 40.0})]
    assert [each.seen for each in rig.tick()] == ["AA and BB"]


def test_a_better_control_that_waits_is_found():
    rig = Rig(Conflicts())
    obey(rig, "AA")
    rig.client.views = [
        view("AA", {MODE: 50.0}, primacy=5),
        view("BB", {MODE: 40.0}, primacy=1, phase=Phase.SCHEDULED, start=START_S - 10),
    ]
    assert rig.tick()[0].expected == "BB (primacy 1) to rule opModMaxLimW"


def test_the_newer_of_equal_primacy_wins():
    rig = Rig(Conflicts())
    obey(rig, "AA")
    rig.client.views = [
        view("AA", {MODE: 50.0}, created=10),
        view("BB", {MODE: 40.0}, created=20, phase=Phase.SCHEDULED, start=START_S - 10),
    ]
    assert len(rig.tick()) == 1
    rig.client.views = [rig.client.views[0], rig.client.views[1]._replace(creation_s=5)]
    assert rig.tick() == []


def superseded(*others, status=0):
    """What is found where AA, of primacy 5 and published with this status, is superseded; others: views."""
    rig = Rig(Conflicts())
    obey(rig, "AA")
    rig.client.views = [view("AA", {MODE: 50.0}, primacy=5)]
    rig.exchange(
        url="/derc",
        got=published.controls(published.control("AA", int(START_S), 600, percent=50, status=status)),
    )
    assert rig.tick() == []
    rig.device.setpoints.submit(SetpointChange(SetpointSource.CSIP, MODE, None))
    for each in others:
        if each.phase is Phase.ACTIVE:
            obey(rig, each.mrid)
    rig.client.views = [view("AA", {MODE: 50.0}, primacy=5, phase=Phase.SUPERSEDED), *others]
    return [(each.expected, each.seen) for each in rig.tick(3)]


@pytest.mark.parametrize("primacy", [6, 5])
def test_a_better_control_that_is_superseded_is_found_once(primacy):
    worse = view("BB", {MODE: 40.0}, primacy=primacy, created=-1)
    found = [("AA (primacy 5) to go before BB", f"superseded (primacy {primacy})")]
    assert superseded(worse) == found
    assert superseded(worse._replace(phase=Phase.SCHEDULED)) == found


def test_a_control_that_a_better_one_or_the_server_supersedes_is_right():
    worse = view("BB", {MODE: 40.0}, primacy=6)
    assert superseded(view("BB", {MODE: 40.0}, primacy=4)) == []
    assert superseded(worse, status=4) == []
    assert superseded(worse, view("CC", {MODE: 30.0}, primacy=1, phase=Phase.COMPLETED)) == []


def test_a_setpoint_of_another_control_is_found():
    rig = Rig(Conflicts())
    obey(rig, "CC")
    rig.client.views = [view("AA", {MODE: 50.0})]
    assert [(each.expected, each.seen) for each in rig.tick()] == [(f"{MODE} from AA", "CC")]


def test_a_setpoint_that_outlives_its_control_is_found():
    rig = Rig(Conflicts())
    obey(rig, "AA")
    assert [each.seen for each in rig.tick()] == ["AA"]


def test_two_setpoints_of_a_mode_are_found():
    rig = Rig(Conflicts())
    obey(rig, "AA")
    rig.client.views = [view("AA", {MODE: 50.0})]
    rig.device.setpoints._in_force *= 2
    assert [each.seen for each in rig.tick()] == ["2"]
