"""The planted defects still fit the sources, and a sample of them is noticed; `tox -e mutants` plants all."""

import ast

import pytest
from tests.mutants.planting import MUTANTS, ROOT, noticed

#: One for each kind of room, whose tests take a second or two; the first of them every day.
SAMPLE = [each for each in MUTANTS if each.file in ("hardware/registers.py", "options.py")]


def misfit(mutant):
    """What does not fit, None where all does."""
    try:
        ast.parse(mutant.planted((ROOT / mutant.path).read_text(encoding="utf-8")))
    except (OSError, AssertionError, SyntaxError, ValueError) as error:
        return f"{mutant.file}: {error}"
    missing = [path for path in mutant.tests.split() if not (ROOT / "tests" / path).exists()]
    return f"{mutant.file}: no {missing}" if missing else None


def test_each_defect_fits_the_sources():
    assert [told for told in map(misfit, MUTANTS) if told] == []


def test_the_defects_are_over_all_rooms():
    rooms = {path.name for path in (ROOT / "src/dersim").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert rooms <= {each.file.split("/")[0] for each in MUTANTS}


@pytest.mark.parametrize(
    "mutant",
    [SAMPLE[0], *(pytest.param(each, marks=pytest.mark.slow) for each in SAMPLE[1:])],
    ids=lambda each: each.file,
)
def test_a_sample_is_noticed(mutant, tmp_path):
    assert noticed(mutant, tmp_path / "copy")
