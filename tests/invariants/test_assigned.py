"""I1: what programs publish counts as long as their list is assigned, and may be."""

import pytest
from tests.invariants import published
from tests.invariants.rig import START_S, Rig

from dersim.ieee2030_5 import resources as r
from dersim.invariants.assigned import MOST_LISTS, Assigned
from dersim.invariants.events import Events
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange

EXPECTED = ["opModMaxLimW 70 % by default"]


@pytest.fixture
def rig():
    return obeying()


def obeying():
    """A DER whose FSAs assign /derp, the default of which is in force."""
    rig = Rig(Events())
    read(rig, "/derp")
    rig.exchange(url="/derp", got=published.programs(("/derc", 1, "/dderc")))
    rig.exchange(url="/dderc", got=published.default(70))
    obey(rig, 70.0)
    assert rig.tick(30) == []
    return rig


def read(rig, *lists, url="/fsa?s=0&l=255", total=None):
    rig.exchange(url=url, got=published.assignments(*lists, total=total))


def obey(rig, percent):
    rig.device.setpoints.submit(
        SetpointChange(SetpointSource.CSIP_DEFAULT, "opModMaxLimW", percent, detail="D")
    )


def control(mrid):
    return published.controls(published.control(mrid, int(START_S) + 100, 6000, percent=50))


def missed(rig):
    """What is expected of a DER that obeys nothing any more."""
    obey(rig, None)
    return [each.expected for each in rig.tick(30)]


def test_a_list_that_is_assigned_no_longer_is_not_expected(rig):
    read(rig, "/else")
    assert missed(rig) == []
    read(rig, "/derp")
    assert rig.tick(15) == []
    assert [each.expected for each in rig.tick(15)] == EXPECTED


def test_no_assignments_any_more_count_at_their_second_reading(rig):
    read(rig)
    assert missed(rig) == EXPECTED
    rig = obeying()
    read(rig)
    rig.tick(5)
    read(rig)
    assert missed(rig) == []


def test_no_content_is_an_empty_list(rig):
    for _ in range(2):
        rig.exchange(url="/fsa?s=0&l=255", status=204)
        rig.tick(5)
    assert missed(rig) == []


def test_no_content_elsewhere_is_none(rig):
    for _ in range(2):
        rig.exchange(url="/edev/1/lel?s=0&l=255", status=204)
    assert missed(rig) == EXPECTED


def test_a_control_of_a_list_that_is_assigned_no_longer_is_not_judged(rig):
    rig.exchange(url="/derc", got=control("AA"))
    assert [each.expected for each in rig.tick(30)] == ["AA to be known"]
    read(rig, "/else")
    rig.exchange(url="/derc", got=control("BB"))
    assert rig.tick(30) == []


def test_a_list_of_several_pages_is_taken_as_a_whole(rig):
    read(rig, "/one", url="/fsa?s=0&l=1", total=2)
    read(rig, "/derp", url="/fsa?s=1&l=1", total=2)
    assert missed(rig) == EXPECTED
    rig = obeying()
    read(rig, "/one", url="/fsa?s=0&l=1", total=2)
    read(rig, "/two", url="/fsa?s=1&l=1", total=2)
    assert missed(rig) == []


def test_an_empty_page_behind_the_last_takes_nothing_away(rig):
    for _ in range(2):
        read(rig, "/derp", total=0)
        read(rig, url="/fsa?s=1&l=255")
    assert missed(rig) == EXPECTED


def test_a_page_that_is_not_all_takes_nothing_away(rig):
    read(rig, "/one", total=2)
    assert missed(rig) == EXPECTED


def test_a_link_that_only_the_document_of_its_own_has_counts(rig):
    read(rig, "/else")
    own = r.FunctionSetAssignments(mRID="00", DERProgramListLink=r.ListLink(href="/derp"))
    rig.exchange(url="/fsa/1", got=published.encode(own, published.Edition.E2018))
    assert missed(rig) == EXPECTED


def test_a_relative_link_is_that_of_its_document(rig):
    read(rig, "derp")
    assert missed(rig) == EXPECTED


def test_a_der_that_is_registered_anew_has_another_list(rig):
    read(rig, "/else", url="/edev/2/fsa?s=0&l=255")
    assert missed(rig) == []


def test_a_server_without_assignments_has_its_own_programs():
    rig = Rig(Events())
    rig.exchange(url="/derp", got=published.programs(("/derc", 1, "/dderc")))
    rig.exchange(url="/dderc", got=published.default(70))
    assert missed(rig) == EXPECTED


def test_a_server_that_assigns_ever_new_lists_fills_no_memory():
    assigned = Assigned()
    for number in range(3 * MOST_LISTS):
        item = r.FunctionSetAssignments(mRID="00", DERProgramListLink=r.ListLink(href=f"/derp/{number}"))
        listed = r.FunctionSetAssignmentsList(all=2, results=1, FunctionSetAssignments=(item,))
        assigned.take(listed, f"https://server/fsa?s={number}&l=1")
        listed.all = 1
        assigned.take(listed, "https://server/fsa?s=0&l=1")
    assert len(assigned.dropped) <= MOST_LISTS
    assert len(assigned._lists) <= MOST_LISTS
