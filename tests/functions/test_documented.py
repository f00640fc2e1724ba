"""docs/control-functions.md and docs/inputs.md say what the code declares."""

from __future__ import annotations

from pathlib import Path

from dersim import grid
from dersim.grid.profiles import GRID, WEATHER
from dersim.hardware.nameplate import PROFILES, nameplate_from_json
from dersim.hardware.nameplate_points import POINTS
from dersim.plugin.builtin import DEVICE_TYPES, FUNCTION_TYPES

DOCS = Path(__file__).parents[2] / "docs"


def test_every_function_mode_and_range() -> None:
    page = (DOCS / "control-functions.md").read_text(encoding="utf-8")
    for kind in FUNCTION_TYPES:
        assert f"| `{kind.name}` | {kind.stage} | {kind.doc} |" in page
        for mode in kind.modes:
            assert f"| `{mode}` | `{kind.name}` |" in page
            for p in kind.parameters.get(mode, ()):
                path = f"`{p.path}`" if p.path else ""
                row = f"| `{mode}` | `{kind.name}` | {path} | {p.low:g} to {p.high:g} {p.unit} | {p.clause} |"
                assert row in page


def test_every_point_column_type_and_profile() -> None:
    page = (DOCS / "inputs.md").read_text(encoding="utf-8")
    for name in (*POINTS, *WEATHER, *GRID):
        assert f"`{name}`" in page, name
    for kind in DEVICE_TYPES:
        assert f"| {kind.name}" in page
    for path in PROFILES.glob("*.json"):
        assert f"`{path.stem}`" in page
    for path in (Path(grid.__file__).parent / "data").glob("*.csv"):
        assert path.name in page


def test_the_nameplate_in_the_page_is_good() -> None:
    import json

    page = (DOCS / "inputs.md").read_text(encoding="utf-8")
    block = page.split("```json\n")[1].split("```")[0]
    assert nameplate_from_json(json.loads(block)).rtgMaxW == 8000
