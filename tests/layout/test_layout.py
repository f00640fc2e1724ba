"""The layout of the source tree: no import circle, no module, class or function that is too long."""

from pathlib import Path

import pytest
from tests.layout.imports import circles, imports_of
from tests.layout.shape import FUNCTION_LINES, MODULE_LINES, too_long

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [ROOT / "src", *sorted(ROOT.glob("plugins/*/src"))]


@pytest.mark.timeout(300)  # seconds of parsing, a minute and more where the machine is busy
@pytest.mark.parametrize("root", SOURCES, ids=lambda root: root.parent.name)
def test_no_module_imports_itself_by_a_detour_and_nothing_is_too_long(root):
    graph = imports_of(root)
    assert len(graph) > 1
    assert circles(graph) == []
    assert [line for path in root.rglob("*.py") for line in too_long(path)] == []


@pytest.mark.parametrize(
    "text",
    [
        "from pack import a\n",
        "from pack.a import thing\n",
        "def late():\n    import pack.a\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pack.a import Thing\n",
    ],
)
def test_a_planted_circle_is_found_type_only_and_late_imports_too(tmp_path, text):
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "__init__.py").touch()
    (tmp_path / "pack" / "a.py").write_text("from pack.b import other\n")
    (tmp_path / "pack" / "b.py").write_text(text)
    assert circles(imports_of(tmp_path)) == [["pack.a", "pack.b"]]


def test_what_is_planted_too_long_is_found(tmp_path):
    path = tmp_path / "long.py"
    path.write_text("def long():\n" + "    x = 1\n" * FUNCTION_LINES)
    assert too_long(path) == [
        f"{path}:1: function long has {FUNCTION_LINES + 1} lines, at most {FUNCTION_LINES}"
    ]
    path.write_text("class Long:\n" + "    x = 1\n" * MODULE_LINES)
    assert len(too_long(path)) == 2  # the module and the class
