"""For tests: a utility and its DERs in one process, and the pytest plug-in (docs/testing.md).

What is named here is loaded when it is first asked for: pytest imports this package at every start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.testing.certificates import TestCertificates
    from dersim.testing.conforming import AssertConforms, ClientUnderTest, ServerUnderTest
    from dersim.testing.handles.clock import Clock
    from dersim.testing.handles.conversation import Conversation, Seen
    from dersim.testing.handles.der import Der, DerFleet
    from dersim.testing.handles.faults import Faults
    from dersim.testing.handles.modbus import Modbus, ModbusRefused
    from dersim.testing.handles.utility import UtilityHandle
    from dersim.testing.handles.world import Handles
    from dersim.testing.plan import WorldPlan
    from dersim.testing.processes import Program
    from dersim.testing.world import World, open_world
    from dersim.virtual_time import run_virtual

__all__ = [
    "AssertConforms",
    "ClientUnderTest",
    "Clock",
    "Conversation",
    "Der",
    "DerFleet",
    "Faults",
    "Handles",
    "Modbus",
    "ModbusRefused",
    "Program",
    "Seen",
    "ServerUnderTest",
    "TestCertificates",
    "UtilityHandle",
    "World",
    "WorldPlan",
    "open_world",
    "run_virtual",
]

_PLACES = {
    "dersim.testing.certificates": ("TestCertificates",),
    "dersim.testing.conforming": ("AssertConforms", "ClientUnderTest", "ServerUnderTest"),
    "dersim.testing.handles.clock": ("Clock",),
    "dersim.testing.handles.conversation": ("Conversation", "Seen"),
    "dersim.testing.handles.der": ("Der", "DerFleet"),
    "dersim.testing.handles.faults": ("Faults",),
    "dersim.testing.handles.modbus": ("Modbus", "ModbusRefused"),
    "dersim.testing.handles.utility": ("UtilityHandle",),
    "dersim.testing.handles.world": ("Handles",),
    "dersim.testing.plan": ("WorldPlan",),
    "dersim.testing.processes": ("Program",),
    "dersim.testing.world": ("World", "open_world"),
    "dersim.virtual_time": ("run_virtual",),
}


def __getattr__(name: str) -> Any:
    """What `__all__` names, from its module."""
    from importlib import import_module  # noqa: PLC0415 - see the head

    for module, names in _PLACES.items():
        if name in names:
            return getattr(import_module(module), name)
    raise AttributeError(f"module 'dersim.testing' has no attribute {name!r}")
