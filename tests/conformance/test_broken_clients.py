"""Each planted defect fails exactly the procedures that it should."""

import pytest
from tests.conformance.broken_clients import BROKEN, PROBE

from dersim.conformance import virtual
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL

#: Tried in the everyday suite; the others belong to the slow set.
SAMPLE = {"Response 6 is never sent", "Time is never fetched", "any certificate chain is accepted"}


def cases():
    for each in BROKEN:
        marks = [] if each.name in SAMPLE else [pytest.mark.slow, pytest.mark.timeout(300)]
        yield pytest.param(each, id=each.name, marks=marks)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize("broken", list(cases()))
def test_a_broken_client_fails_exactly_what_it_should(broken, kit):
    tried = [name for name in PROBE if broken.name not in SAMPLE or name in {*broken.fails, "COMM-002"}]
    failed = set()
    for name in tried:
        with broken.patch():
            outcome = virtual.run(ALL[name], kit, wire=broken.wire)
        if outcome.conformance is Verdict.FAIL:
            failed.add(name)
    assert failed == broken.fails


def test_at_least_forty_defects_are_planted():
    assert len({each.name for each in BROKEN}) >= 40
