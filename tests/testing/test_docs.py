"""The examples of docs/testing.md run as they are printed."""

import re

import pytest
from tests.interop.processes import ROOT

from dersim.testing import plugin

pytest_plugins = ("pytester",)

EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)
HEAD_END = ROOT / "examples" / "test_a_head_end" / "head_end.py"
TESTS = [each for each in EXAMPLES if "def test_" in each and "my-" not in each]


def test_the_tests_pass(pytester):
    for number, text in enumerate(TESTS, 1):
        path = pytester.path / f"test_example_{number}.py"
        path.write_text(text.replace('"head_end.py"', repr(str(HEAD_END))))
    found = pytester.runpytest_inprocess("-p", "no:dersim", plugins=[plugin])
    assert set(found.parseoutcomes()) <= {"passed", "warnings"}
    assert found.parseoutcomes()["passed"] >= len(TESTS)


@pytest.mark.parametrize("text", [each for each in EXAMPLES if "my-" in each])
def test_those_about_a_program_of_the_readers_can_be_read(text):
    compile(text, "docs/testing.md", "exec")


def test_the_program_runs():
    [text] = [each for each in EXAMPLES if "run_virtual(main" in each]
    exec(compile(text, "docs/testing.md", "exec"), {})
