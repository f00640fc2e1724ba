"""Each planted defect of a server fails exactly the procedures that it should."""

from pathlib import Path

import pytest
from tests.conformance.server.broken_servers import (
    BROKEN,
    EVENTS,
    IDENTITY,
    PROBE,
    PROGRAMS,
    READING,
    SUBSCRIBING,
)

from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Verdict
from dersim.conformance.server.procedures import ALL
from dersim.conformance.server.runs import run_on_companion

#: Tried in the everyday suite; the others belong to the slow set.
SAMPLE = {"LogEvents are listed the oldest first", "405 comes without Allow", "clients need no certificate"}
#: How the docs name the large sets.
NAMES = {
    EVENTS: "every id with a control",
    IDENTITY: "every id that compares LFDI and PIN",
    PROGRAMS: "every id that reads DERPrograms",
    SUBSCRIBING: "every id with a Subscription",
    READING | {"COMM-003"}: "every id but COMM-004D",
    READING: "every id but COMM-003, COMM-004D",
    READING - {"COMM-002"}: "every id that reads its EndDevice",
}


def cases():
    for each in BROKEN:
        marks = [] if each.name in SAMPLE else [pytest.mark.slow, pytest.mark.timeout(300)]
        yield pytest.param(each, id=each.name, marks=marks)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("broken"))


@pytest.mark.parametrize("broken", list(cases()))
def test_a_broken_server_fails_exactly_what_it_should(broken, kit):
    tried = [name for name in PROBE if broken.name not in SAMPLE or name in {*broken.fails, "COMM-002"}]
    failed = set()
    for name in tried:
        with broken.patch():
            outcome = run_on_companion(ALL[name], kit, broken.make)
        if outcome.conformance is Verdict.FAIL:
            failed.add(name)
    assert failed == broken.fails


def test_the_docs_have_every_defect_with_what_it_fails():
    text = (Path(__file__).parents[3] / "docs" / "conformance.md").read_text()
    table = text[text.index("| Defect of a server | Fails |") :].split("\n\n")[0]
    assert table.splitlines()[2:] == [f"| {each.name} | {_fails(each.fails)} |" for each in BROKEN]
    assert (
        f"{len(BROKEN)} servers with one planted defect each must fail exactly these of {len(PROBE)} ids"
        in text
    )


def _fails(ids):
    for known, name in NAMES.items():
        if known <= ids and len(ids - known) <= 2:
            return ", ".join([name, *sorted(ids - known)])
    return ", ".join(name for name in PROBE if name in ids)
