"""CSV files from outside: bounds that no other test has."""

from __future__ import annotations

from pathlib import Path

import pytest

from dersim.csv_text import open_csv
from dersim.errors import ConfigError


def test_a_device_without_an_end_is_refused() -> None:
    with (
        pytest.raises(ConfigError, match="/dev/zero: not a CSV file in UTF-8"),
        open_csv(Path("/dev/zero"), "a"),
    ):
        pass


def test_the_line_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n\n"1\n2",3\n4\n')
    with open_csv(path, "ab") as (header, rows):
        assert header == ["a", "b"]
        where, row = next(rows)
        assert (where, row) == (f"{path} line 4", ["1\n2", "3"])
        with pytest.raises(ConfigError, match=r"x\.csv line 5: 1 values under 2 columns"):
            next(rows)
