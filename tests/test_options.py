"""Converters of flags that several commands have in common."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from dersim.cli import main
from dersim.options import new_file


def test_a_file_that_can_be_written_is_neither_made_nor_changed(tmp_path: Path) -> None:
    new, old, link = tmp_path / "new", tmp_path / "old", tmp_path / "link"
    old.write_text("kept")
    link.symlink_to(new)
    assert [new_file(str(each)) for each in (new, old, link)] == [new, old, link]
    assert old.read_text() == "kept"
    assert link.is_symlink()
    assert not new.exists()


def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for a reader
    assert new_file(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("path", "why"),
    [("/proc/x", "No such file or directory"), ("/", "Is a directory"), ("/nowhere/x", "there is no folder")],
)
def test_a_file_that_cannot_be_written_is_refused(path: str, why: str) -> None:
    with pytest.raises(ArgumentTypeError, match=f"{path}: {why}.*; give a file that can be written"):
        new_file(path)


@pytest.mark.parametrize(
    "words",
    [
        "sim --json",
        "sim --report",
        "fleet --junit",
        "conformance --json",
        "conformance --junit",
        "replay s.json t.csv --out",
        "nameplate from-modbus 192.0.2.1 --out",
        "bundle --out",
    ],
)
def test_every_command_refuses_it_before_it_begins(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main([*words.split(), "/proc/x"]) == 2
    assert "/proc/x: No such file or directory; give a file that can be written" in capsys.readouterr().err
