"""Each planted defect fails exactly the procedures that it should, of all."""

import pytest
from tests.conformance.broken_clients import BROKEN
from tests.conformance.expected import EXPECTED
from tests.conformance.recordings import acts, record

from dersim.conformance import virtual
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL

#: Tried in the everyday suite, on what they fail and one id more; the others belong to the slow set.
SAMPLE = {
    "Response 6 is never sent",
    "Notifications are answered 200",
    "primacies are read once",
    "any certificate chain is accepted",
}
#: What no defect of these fails: a client that fails it has not begun.
SOUND = {"COMM-002", "COMM-004G"}


def cases():
    for each in BROKEN:
        marks = [] if each.name in SAMPLE else [pytest.mark.slow, pytest.mark.timeout(600)]
        yield pytest.param(each, id=each.name, marks=marks)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize("broken", list(cases()))
def test_a_broken_client_fails_exactly_what_it_should(broken, kit):
    if broken.name in SAMPLE:
        tried = [name for name in ALL if name in {*broken.fails, "COMM-002"}]
    else:
        tried = [name for name in ALL if acts(broken, record(name, kit))]
    failed = set()
    for name in tried:
        with broken.patch():
            outcome = virtual.run(ALL[name], kit, wire=broken.wire)
        if outcome.conformance is Verdict.FAIL:
            failed.add(name)
    assert failed == broken.fails


def test_every_defect_has_its_ids():
    names = [each.name for each in BROKEN]
    assert sorted(names) == sorted(EXPECTED)
    assert set().union(*EXPECTED.values()) | SOUND == set(ALL)


def test_each_id_of_our_own_is_all_that_some_defect_fails():
    alone = {name for each in EXPECTED.values() if len(each) == 1 for name in each}
    assert alone >= {name for name in ALL if name.startswith("X-")} - {"X-001"}
