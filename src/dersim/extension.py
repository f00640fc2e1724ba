"""The name of 0.1 for what plug-ins import: an alias until 0.3. Import from `dersim.plugin`."""

from __future__ import annotations

import warnings
from typing import Any

from dersim import plugin

warnings.warn(
    "dersim.extension is an alias that 0.3 removes; import from dersim.plugin",
    DeprecationWarning,
    stacklevel=2,
)


def __getattr__(name: str) -> Any:
    """What `dersim.plugin` has under this name."""
    return getattr(plugin, name)
