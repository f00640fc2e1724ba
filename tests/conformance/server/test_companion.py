"""Our companion server passes each procedure for a server, in virtual time."""

from pathlib import Path

import pytest

from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.server.procedures import ALL
from dersim.conformance.server.purposes import PURPOSES
from dersim.conformance.server.runs import run_on_companion

#: Those that last longer belong to the slow set, apart from this sample.
QUICK_S = 10
SAMPLE = {"BASIC-017", "CORE-010"}
#: Short, but with hundreds of requests.
LARGE = {"UTIL-001", "UTIL-003", "MAINT-003", "MAINT-005"}


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("server"))


def cases():
    for name, procedure in ALL.items():
        is_quick = name in SAMPLE or (procedure.lasts_s <= QUICK_S and name not in LARGE)
        yield pytest.param(name, marks=[] if is_quick else [pytest.mark.slow])


@pytest.mark.parametrize("name", list(cases()))
def test_our_server_passes(name, kit):
    outcome = run_on_companion(ALL[name], kit)
    said = "\n".join(f"{each.criterion.text}: {each.finding.text}" for each in outcome.judged)
    assert (outcome.conformance, outcome.compatibility) == (Verdict.PASS, Verdict.PASS), said
    assert outcome.error is None
    assert outcome.judged


def test_every_procedure_has_a_purpose():
    assert list(PURPOSES) == list(ALL)


def test_every_procedure_is_in_the_docs():
    text = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| S | ")]
    assert [row.split(" | ")[1] for row in rows] == list(ALL)
    assert all(
        each.title in row and each.reading in row for each, row in zip(ALL.values(), rows, strict=True)
    )
