"""For tests: a utility and its DERs in one process, and the pytest plug-in (docs/testing.md).

`World` is loaded when it is first asked for: pytest imports this package at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.testing.plan import WorldPlan
    from dersim.testing.virtual_time import run_virtual
    from dersim.testing.world import World, open_world

__all__ = ["World", "WorldPlan", "open_world", "run_virtual"]

_PLACES = {"World": "world", "open_world": "world", "WorldPlan": "plan", "run_virtual": "virtual_time"}


def __getattr__(name: str) -> Any:
    """What `__all__` names, from its module."""
    if name not in _PLACES:
        raise AttributeError(f"module 'dersim.testing' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see the head

    return getattr(import_module(f"dersim.testing.{_PLACES[name]}"), name)
