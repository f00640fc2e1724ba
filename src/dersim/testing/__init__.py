"""For tests: a utility and its DERs in one process, and the pytest plug-in (docs/testing.md).

`World` is loaded when it is first asked for: pytest imports this package at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.testing.plan import WorldPlan
    from dersim.testing.world import World, open_world
    from dersim.virtual_time import run_virtual

__all__ = ["World", "WorldPlan", "open_world", "run_virtual"]

_PLACES = {
    "World": "dersim.testing.world",
    "open_world": "dersim.testing.world",
    "WorldPlan": "dersim.testing.plan",
    "run_virtual": "dersim.virtual_time",
}


def __getattr__(name: str) -> Any:
    """What `__all__` names, from its module."""
    if name not in _PLACES:
        raise AttributeError(f"module 'dersim.testing' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see the head

    return getattr(import_module(_PLACES[name]), name)
