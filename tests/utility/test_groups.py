"""Groups: which assignments, programs and controls a device sees, and which controls compete."""

import pytest

from dersim.errors import ConfigError
from dersim.ieee2030_5 import resources as r
from dersim.utility import grouping
from dersim.utility.groups import TimeOf
from dersim.utility.program import ACTIVE, SUPERSEDED
from dersim.utility.programs import ControlOrder

T = 1_700_000_000
LIMIT = {"opModMaxLimW": 50.0}
CHAIN = ("subtransmission", "substation", "feeder", "segment", "transformer", "service_point")


def order(start, duration, modes=LIMIT):
    return ControlOrder(modes, T + start, duration)


@pytest.fixture
def head_end(lab):
    return lab.head_end


def chain(head_end, suffix="", below=None, levels=CHAIN):
    """A group of each level, one below the other, each with a program."""
    groups, parent = [], below
    for level in levels:
        parent = grouping.create(head_end, f"{level}{suffix}", level, parent)
        grouping.program_of(head_end, parent)
        groups.append(parent)
    return groups


def programs_of(client):
    """description: primacy of every program that the assignments of the client lead to."""
    device = client.get("/edev?l=1").EndDevice[0]
    return programs_below(client, device)


def programs_below(client, device):
    found = {}
    link = device.FunctionSetAssignmentsListLink
    for assignment in client.get(f"{link.href}?l=255").FunctionSetAssignments:
        assert client.get(assignment.href).mRID == assignment.mRID
        programs = assignment.DERProgramListLink
        if programs is not None:
            listed = client.get(f"{programs.href}?l=255").DERProgram
            assert len(listed) == programs.all
            found |= {program.description: program.primacy for program in listed}
    return found


def test_without_groups_there_is_one_assignment_with_all_programs(client):
    assert programs_of(client) == {"operator": 5, "system": 50}


def test_a_device_at_a_service_point_has_the_programs_of_all_groups_above_it(lab, client, head_end):
    client.get("/dcap")
    *_, transformer, service_point = chain(head_end)
    grouping.create(head_end, "other feeder", "feeder")
    grouping.move(head_end, client.lfdi, service_point)
    assert programs_of(client) == {
        "operator": 5, "system": 50, "subtransmission": 9, "substation": 8, "feeder": 7, "segment": 6,
        "transformer": 5, "service_point": 4,
    }  # fmt: skip
    grouping.move(head_end, client.lfdi, transformer)
    assert "service_point" not in programs_of(client)


def test_assignments_are_listed_by_mrid_descending(lab, client, head_end):
    client.get("/dcap")
    grouping.move(head_end, client.lfdi, chain(head_end)[-1])
    listed = client.get("/edev/1/fsa?l=255")
    assert listed.all == 7
    mrids = [item.mRID for item in listed.FunctionSetAssignments]
    assert mrids == sorted(mrids, reverse=True)


def test_another_devices_groups_and_programs_do_not_exist_for_a_client(lab, client, head_end):
    other = lab.client(b"certificate of another")
    client.get("/dcap"), other.get("/dcap")
    group = grouping.create(head_end, "feeder 7", "feeder")
    program = grouping.program_of(head_end, group)
    control = head_end.publish(program, order(60, 60))
    grouping.set_time(head_end, group, TimeOf(tz_offset_s=3600))
    grouping.move(head_end, client.lfdi, group)
    hrefs = (program.href, f"{program.href}/derc", control.href, f"{program.href}/dc", group.list_href)
    for href in (*hrefs, f"{program.href}/actderc", group.time_href):
        assert client.ask("GET", href).status == 200
        assert other.ask("GET", href).status == 404
    assert other.ask("GET", f"/edev/2/fsa/{group.number}").status == 404


def test_a_move_is_seen_in_the_next_assignment_list(lab, client, head_end):
    client.get("/dcap")
    one, two = (grouping.create(head_end, name, "feeder") for name in ("D1", "D2"))
    grouping.program_of(head_end, one), grouping.program_of(head_end, two)
    grouping.move(head_end, client.lfdi, one)
    assert programs_of(client) == {"operator": 5, "system": 50, "D1": 7}
    grouping.move(head_end, client.lfdi, two)
    assert programs_of(client) == {"operator": 5, "system": 50, "D2": 7}
    assert client.get("/edev/1").FunctionSetAssignmentsListLink.all == 2


def test_devices_are_assigned_by_pattern(lab, client, head_end):
    group = grouping.create(head_end, "first", "feeder")
    grouping.set_members(head_end, group, [], [client.lfdi[:8].lower() + "*"])
    client.get("/dcap"), lab.client(b"another").get("/dcap")
    assert [g.name for g in head_end.groups.of(client.lfdi) if g.number > 1] == ["first"]
    assert [g.number for g in head_end.groups.of(lab.client(b"another").lfdi)] == [1]


def test_devices_are_assigned_by_file(lab, client, head_end, tmp_path):
    feeder = grouping.create(head_end, "F1", "feeder")
    pilot = grouping.create(head_end, "pilot", "non_topology")
    file = tmp_path / "groups.csv"
    file.write_text(f"lfdi,group\n{client.lfdi.lower()},F1\n{client.lfdi},pilot\n")
    assert grouping.assign_from_csv(head_end, file) == 2
    assert {feeder, pilot} < set(head_end.groups.of(client.lfdi))


def test_a_file_with_an_unknown_group_changes_nothing(lab, client, head_end, tmp_path):
    grouping.create(head_end, "F1", "feeder")
    file = tmp_path / "groups.csv"
    file.write_text(f"lfdi,group\n{client.lfdi},F1\n{client.lfdi},F2\n")
    with pytest.raises(
        ConfigError, match=r"groups.csv line 3: there is no group 'F2'; known are all DERs, F1"
    ):
        grouping.assign_from_csv(head_end, file)
    assert len(head_end.groups.of(client.lfdi)) == 1


def test_an_empty_system_leaves_a_device_without_assignments(lab, client, head_end):
    client.get("/dcap")
    grouping.set_members(head_end, head_end.groups.system, [], [])
    listed = client.get("/edev/1/fsa?l=255")
    assert (listed.all, listed.results, listed.FunctionSetAssignments) == (0, 0, ())


def test_several_times(lab, client, head_end):
    client.get("/dcap")
    group = grouping.create(head_end, "west", "feeder")
    grouping.set_time(head_end, group, TimeOf(offset_s=-30, tz_offset_s=-28_800, quality=4))
    grouping.move(head_end, client.lfdi, group)
    links = {
        item.description: item.TimeLink.href for item in client.get("/edev/1/fsa?l=9").FunctionSetAssignments
    }
    assert client.get(links["all DERs"]).currentTime == int(lab.now)
    west = client.get(links["west"])
    assert (west.currentTime, west.localTime, west.tzOffset) == (T - 30, T - 28_830, -28_800)
    assert west.quality == 4


@pytest.mark.parametrize(
    ("name", "level", "parent", "said"),
    [
        ("x", "feder", None, "level: there is no 'feder'; did you mean feeder?"),
        ("x", "system", None, "there is one system"),
        ("x", "feeder", "transformer", "a feeder cannot be below 'transformer', a transformer"),
        ("x", "non_topology", "feeder", "a group of level non_topology has none"),
        ("feeder", "feeder", None, "named 'feeder' already"),
        ("", "feeder", None, "1 to 32 printable characters"),
    ],
)
def test_a_group_that_does_not_fit_is_refused(head_end, name, level, parent, said):
    chain(head_end)
    count = len(head_end.groups)
    with pytest.raises(ConfigError) as refused:
        grouping.create(head_end, name, level, parent and head_end.groups.find(parent))
    assert said in str(refused.value)
    assert len(head_end.groups) == count


def test_a_removed_group_takes_its_program_from_the_device(lab, client, head_end):
    client.get("/dcap")
    *_, transformer, service_point = chain(head_end)
    grouping.move(head_end, client.lfdi, service_point)
    with pytest.raises(ConfigError, match="has groups below it: remove service_point first"):
        grouping.remove(head_end, transformer)
    grouping.remove(head_end, service_point)
    assert programs_of(client) == {"operator": 5, "system": 50}


def test_a_control_for_one_device_is_for_no_other(lab, client, head_end):
    other = lab.client(b"certificate of another")
    client.get("/dcap"), other.get("/dcap")
    first = grouping.publish_for_device(head_end, client.lfdi, order(60, 60))
    second = grouping.publish_for_device(head_end, client.lfdi, order(200, 60))
    assert first.program is second.program
    assert "device 1" in programs_of(client)
    assert "device 1" not in programs_of(other)


def test_the_service_point_of_one_device_is_its_own_group(lab, client, head_end):
    client.get("/dcap")
    service_point = chain(head_end)[-1]
    grouping.move(head_end, client.lfdi, service_point)
    control = grouping.publish_for_device(head_end, client.lfdi, order(60, 60))
    assert control.program.groups == (service_point,)


def test_a_control_of_another_branch_does_not_compete(lab, head_end):
    one, two = (grouping.create(head_end, name, "feeder") for name in ("D1", "D2"))
    a = grouping.publish(head_end, one, order(10, 100))
    b = grouping.publish(head_end, two, order(20, 100))
    assert not a.potentially_superseded
    assert not b.potentially_superseded


def test_a_control_below_threatens_one_above_but_supersedes_it_only_there(lab, client, head_end):
    *_, service_point = chain(head_end)
    feeder = head_end.groups.find("feeder")
    above = grouping.publish(head_end, feeder, order(10, 100))
    below = grouping.publish(head_end, service_point, order(20, 50))
    assert above.potentially_superseded
    assert not below.potentially_superseded
    lab.now = T + 30
    head_end.advance()
    assert (above.status, below.status) == (ACTIVE, ACTIVE)


def test_a_control_above_of_better_primacy_supersedes_those_below(lab, head_end):
    *_, service_point = chain(head_end)
    below = grouping.publish(head_end, service_point, order(10, 100))
    urgent = head_end.create_program("urgent", 1, (head_end.groups.find("feeder"),))
    head_end.publish(urgent, order(20, 50))
    assert below.potentially_superseded
    lab.now = T + 20
    head_end.advance()
    assert below.status == SUPERSEDED


def test_a_program_that_moves_to_another_group_competes_there(lab, head_end):
    one, two = (grouping.create(head_end, name, "feeder") for name in ("D1", "D2"))
    a = grouping.publish(head_end, one, order(10, 100))
    urgent = head_end.create_program("urgent", 1, (two,))
    head_end.publish(urgent, order(20, 50))
    assert not a.potentially_superseded
    head_end.programs.assign(urgent, (one,), lab.now)
    assert a.potentially_superseded


# CSIP test procedures, figure 15: UTIL-001


def build_figure_15(head_end):
    _, ss = chain(head_end, levels=("subtransmission", "substation"))
    points = {}
    for side in "AB":
        transformer = chain(head_end, f" {side}", ss, ("feeder", "segment", "transformer"))[-1]
        for number in "12":
            points[f"SP{side}{number}"] = chain(
                head_end, f" {side}{number}", transformer, ("service_point",)
            )[0]
    return points


def test_util_001_an_aggregator_reaches_the_programs_of_each_of_its_devices(lab, head_end):
    aggregator = lab.client(b"certificate of the aggregator")
    points = build_figure_15(head_end)
    aggregator.get("/dcap")
    for number, name in enumerate(("SPA1", "SPA2", "SPB1", "SPB2")):
        lfdi = f"{number:x}" * 40
        head_end.provision(lfdi, 111115, aggregator.lfdi)
        grouping.move(head_end, lfdi, points[name])
    listed = aggregator.get("/edev?l=255").EndDevice
    assert len(listed) == 5
    own = next(device for device in listed if device.lFDI == aggregator.lfdi)
    assert own.FunctionSetAssignmentsListLink is None
    assert own.DERListLink is None
    assert aggregator.get(own.RegistrationLink.href).pIN == 111115
    for number, side in enumerate("AABB"):
        device = next(device for device in listed if device.lFDI == f"{number:x}" * 40)
        found = programs_below(aggregator, device)
        point = f"service_point {side}{number % 2 + 1}"
        assert {name: primacy for name, primacy in found.items() if name not in ("operator", "system")} == {
            "subtransmission": 9, "substation": 8, f"feeder {side}": 7, f"segment {side}": 6,
            f"transformer {side}": 5, point: 4,
        }  # fmt: skip


def test_an_aggregator_sees_the_mirrors_of_its_devices(lab, head_end):
    aggregator = lab.client(b"certificate of the aggregator")
    aggregator.get("/dcap")
    head_end.provision("A" * 40, 111115, aggregator.lfdi)
    point = r.MirrorUsagePoint(
        mRID="0" * 24 + "00009F1C",
        roleFlags=0x49,
        serviceCategoryKind=0,
        status=1,
        deviceLFDI="A" * 40,
    )
    assert aggregator.post("/mup", point).status == 201
    assert aggregator.get("/mup?l=9").all == 1
    assert lab.client(b"another").get("/mup?l=9").all == 0


def test_service_points_with_24_controls_each_go_on_under_a_control_of_their_feeder(lab, head_end):
    feeder = grouping.create(head_end, "F", "feeder")
    for number in range(200):
        point = grouping.create(head_end, f"SP{number}", "service_point", feeder)
        program = grouping.program_of(head_end, point)
        for slot in range(24):
            head_end.programs.publish(program, order(60 * slot, 60), lab.now)
    lab.now = T + 59
    above = grouping.publish(head_end, feeder, order(0, 3600))
    assert above.potentially_superseded
    lab.now = T + 3600
    head_end.advance()
    assert above.status != SUPERSEDED


A, B = "A" * 40, "B" * 40


@pytest.mark.parametrize(
    ("lfdis", "patterns", "competes"),
    [
        ([B], [], False),
        ([A, B], [], True),
        ([], ["A*"], True),
        ([], [], False),
    ],
)
def test_controls_of_groups_outside_the_topology_compete_where_a_device_may_have_both(
    head_end, lfdis, patterns, competes
):
    one, other = (grouping.create(head_end, name, "non_topology") for name in ("one", "other"))
    grouping.set_members(head_end, one, [A], [])
    grouping.set_members(head_end, other, lfdis, patterns)
    now = int(head_end.now_s())
    first = grouping.publish(head_end, one, ControlOrder(LIMIT, now + 100, 60))
    grouping.publish(head_end, other, ControlOrder(LIMIT, now + 100, 60))
    assert first.potentially_superseded == competes


def test_a_device_that_joins_a_group_makes_its_controls_compete_and_leaving_ends_that(head_end):
    one, other = (grouping.create(head_end, name, "non_topology") for name in ("one", "other"))
    grouping.set_members(head_end, one, [A], [])
    now = int(head_end.now_s())
    first, _ = (
        grouping.publish(head_end, group, ControlOrder(LIMIT, now + 100, 60)) for group in (one, other)
    )
    assert not first.potentially_superseded
    grouping.set_members(head_end, other, [A], [])
    assert first.potentially_superseded
    grouping.set_members(head_end, other, [B], [])
    assert not first.potentially_superseded


def test_moving_a_device_looks_at_no_controls_that_it_does_not_change(head_end, monkeypatch):
    points = [grouping.create(head_end, f"point {n}", "service_point") for n in range(50)]
    now = int(head_end.now_s())
    for point in points:
        grouping.publish(head_end, point, ControlOrder(LIMIT, now + 100, 60))
    grouping.move(head_end, A, points[0])
    looked_at, near = [], head_end.programs._timeline._near
    monkeypatch.setattr(head_end.programs._timeline, "_near", lambda c: looked_at.append(c) or near(c))
    grouping.move(head_end, A, points[1])
    assert not looked_at
    single = grouping.create(head_end, "single", "non_topology")
    grouping.publish(head_end, single, ControlOrder(LIMIT, now + 100, 60))
    looked_at.clear()
    grouping.set_members(head_end, single, [A], [])
    assert 0 < len(looked_at) < 10
