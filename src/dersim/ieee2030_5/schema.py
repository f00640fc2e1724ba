"""Stub for milestone."""

from typing import Any

from dersim.ieee2030_5.edition import Edition


def accepts(root: Any, edition: Edition) -> bool:
    return False


def violations(root: Any, edition: Edition) -> tuple[str, ...]:
    return ()
