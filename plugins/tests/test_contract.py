"""Every plug-in of this folder passes the contract test where it is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("name", "flags"),
    [
        ("csip-aus", []),
        ("dnp3", ["--", "--dnp3_enable", "yes"]),
        ("feeder", ["--", "--feeder", "bundled-30"]),
        ("fuel-cell", []),
        ("mean-voltage", []),
        ("site-meter", []),
    ],
)
def test_it_passes(name: str, flags: list[str]) -> None:
    command = [sys.executable, "-m", "dersim", "plugins", "check", f"dersim-{name}", *flags]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
