"""Our own client passes each procedure in virtual time."""

import pytest
from tests.conformance.tables import PAGE, with_tables

from dersim.conformance import virtual
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.procedures import ALL

#: The ids that CSIP's matrix requires of a client, and the two optional ones of active power.
REQUIRED = {
    *("COMM-002", "COMM-003", *(f"COMM-004{letter}" for letter in "ABCDEFG")),
    *(f"CORE-{number:03}" for number in (3, 5, 9, 10, 11, 12, 13, 14, 21, 22, 23)),
    *(f"BASIC-{number:03}" for number in range(1, 30)),
    *("CORE-018", "CORE-019", "ERR-001", "ERR-002"),
}

#: The X- ids that are run in the everyday suite.
EVERYDAY = {"X-001", "X-002", "X-005", "X-009", "X-013", "X-019"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("conformance"))


def test_every_id_of_a_direct_client_is_there():
    assert set(ALL) >= REQUIRED


def cases():
    """All ids; those of more than four minutes, and most of the X- ids, belong to the slow set."""
    for name, procedure in sorted(ALL.items()):
        is_slow = procedure.lasts_s > 240 or (name.startswith("X-") and name not in EVERYDAY)
        yield pytest.param(name, marks=[pytest.mark.slow] if is_slow else [])


@pytest.mark.parametrize("name", list(cases()))
def test_our_client_passes(name, kit):
    outcome = virtual.run(ALL[name], kit)
    said = "\n".join(f"{each.criterion.text}: {each.finding.text}" for each in outcome.judged)
    assert (outcome.conformance, outcome.compatibility) == (Verdict.PASS, Verdict.PASS), said


def test_the_tables_of_the_docs_are_those_of_the_code():
    text = PAGE.read_text()
    assert with_tables(text) == text, "python -m tests.conformance.tables writes them"
