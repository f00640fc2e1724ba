"""Lets the tests import what they share, and a running dersim."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from processes import Running

# pytest's importlib mode leaves the path as it is.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    """One for all tests that leave it as they found it."""
    from processes import run_dersim

    with run_dersim("--dnp3_remote_addr", "4,5") as started:
        yield started
