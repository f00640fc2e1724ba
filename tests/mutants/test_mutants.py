"""The planted defects still fit the sources, and a sample of them is noticed; `tox -e mutants` plants all."""

import ast

import pytest
from tests.mutants.planting import MUTANTS, ROOT, noticed

#: One for each kind of room, whose tests take a second or two; the first of them every day.
SAMPLE = [each for each in MUTANTS if each.file in ("hardware/registers.py", "options.py")]


def test_each_defect_fits_the_sources():
    for mutant in MUTANTS:
        text = mutant.planted((ROOT / mutant.path).read_text(encoding="utf-8"))
        ast.parse(text)
        for path in mutant.tests.split():
            assert (ROOT / "tests" / path).exists(), (mutant, path)


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
