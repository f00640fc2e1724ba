"""Which programs may meet in a device: as the tree and the devices say, in random trees."""

import random

import pytest

from dersim.utility.groups import LEVELS
from dersim.utility.programs import ControlOrder, Programs

T = 1_700_000_000
TREE = [level for level in LEVELS if level not in ("system", "non_topology")]


def a_server(seed):
    draw = random.Random(seed)
    store = Programs()
    lfdis = [f"{number:040X}" for number in range(6)]
    for number in range(8):
        above = draw.choice([group for group in store.groups if group.parent is not None] or [None])
        level = draw.choice([*TREE, "non_topology"])
        below = above if above and LEVELS[above.level] > LEVELS[level] and level != "non_topology" else None
        group = store.groups.create(f"g{number}", level, below)
        if level == "non_topology" and draw.random() < 0.3:
            store.groups.set_members(group, (), ["*1"])
        else:
            store.groups.set_members(group, draw.sample(lfdis, draw.randrange(3)), ())
    every = list(store.groups)
    for number in range(10):
        store.create(f"p{number}", draw.randrange(9), draw.sample(every, draw.choice([1, 1, 2])))
    return store


def may_meet(store, one, other):
    def shared(mine, its):
        if mine is its or mine.covers(its) or its.covers(mine):
            return True
        if "non_topology" not in (mine.level, its.level):
            return False
        outside = [group for group in (mine, its) if group.level == "non_topology"]
        if any(group.patterns for group in outside):
            return True
        # One outside the topology that names its devices shares those.
        return any(
            (its if group is mine else mine) in store.groups.of(lfdi)
            for group in outside
            for lfdi in group.lfdis
        )

    return one is other or any(shared(mine, its) for mine in one.groups for its in other.groups)


@pytest.mark.parametrize("seed", range(60))
def test_a_control_is_compared_with_those_that_a_device_may_have_beside_it(seed):
    store = a_server(seed)
    programs = list(store)
    controls = {
        program: store.publish(program, ControlOrder({"opModMaxLimW": 50.0}, T + 1000, 60), T)
        for program in programs
    }
    for program, control in controls.items():
        wins = [
            other
            for other in programs
            if other is not program
            and may_meet(store, program, other)
            and (other.primacy, -controls[other].creation_s) < (program.primacy, -control.creation_s)
        ]
        assert control.potentially_superseded is bool(wins)


def test_the_neighbours_follow_a_change_of_groups():
    store = Programs()
    one = store.groups.create("one", "non_topology")
    two = store.groups.create("two", "non_topology")
    first, second = store.create("first", 1, [one]), store.create("second", 2, [two])
    store.publish(first, ControlOrder({"opModMaxLimW": 50.0}, T + 1000, 60), T)
    control = store.publish(second, ControlOrder({"opModMaxLimW": 50.0}, T + 1000, 60), T)
    assert not control.potentially_superseded
    for group in (one, two):
        store.groups.set_members(group, ["AB" * 20], ())
    store.review(T)
    assert control.potentially_superseded
