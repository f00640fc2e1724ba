"""dersim: simulated distributed energy resources that talk IEEE 2030.5, SunSpec Modbus and REST."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dersim.replayer import replay

__version__ = "0.2.0.dev0"
__all__ = ["__version__", "replay"]


def __getattr__(name: str) -> Any:
    """`dersim.replay`, loaded when it is first asked for: the command line does not pay for it."""
    if name == "replay":
        from dersim.replayer import replay  # noqa: PLC0415 - on purpose, see above

        return replay
    raise AttributeError(f"module 'dersim' has no attribute {name!r}")
