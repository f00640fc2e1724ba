"""The DC side of a plug-in, with every value checked when it is read.

A NaN or a None would become the power of the DER, and no view could show it. PluginError names the value.
"""

from __future__ import annotations

import math
from typing import Any, NoReturn, cast

from dersim.errors import PluginError
from dersim.hardware.source import DcPoint, Part, Source
from dersim.numeric import finite, shown

_OWN = frozenset({"_kind", "source", "see", "drew"})


class CheckedSource:
    """A `Source` of a plug-in; its other attributes are read from and written to the source itself."""

    def __init__(self, kind: str, source: Source) -> None:
        self._kind = kind
        self.source: Any = source  # what it answers is not trusted
        self.see = source.see
        self.drew = source.drew

    def __getattr__(self, name: str) -> Any:
        """What is not checked, such as `settled`."""
        return getattr(self.source, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """Write an attribute of the source, as a test bench does."""
        if name in _OWN:
            super().__setattr__(name, value)
        else:
            setattr(self.source, name, value)

    @property
    def available_w(self) -> float:
        """As `Source`; PluginError if it is no finite number."""
        return self._finite("available_w", self.source.available_w)

    @property
    def charge_w(self) -> float:
        """As `Source`; PluginError if it is no finite number."""
        return self._finite("charge_w", self.source.charge_w)

    @property
    def rest_w(self) -> float:
        """As `Source`; PluginError if it is no number. It may be infinite."""
        value = self.source.rest_w
        if isinstance(value, float) and math.isinf(value):
            return value
        return self._finite("rest_w", value)

    @property
    def soc_pct(self) -> float | None:
        """As `Source`; PluginError if it is neither None nor from 0 to 100."""
        value = self.source.soc_pct
        if value is None:
            return None
        percent = self._finite("soc_pct", value)
        if not 0 <= percent <= 100:
            self._refuse("soc_pct", value, "return percent from 0 to 100, or None without a battery")
        return percent

    @property
    def cell_temperature_c(self) -> float:
        """As `Source`; PluginError if it is no finite number."""
        return self._finite("cell_temperature_c", self.source.cell_temperature_c)

    @property
    def parts(self) -> tuple[Part, ...]:
        """As `Combined`, each part checked; AttributeError if the source has none."""
        return tuple(Part(part.kind, checked_source(self._kind, part.source)) for part in self.source.parts)

    def shares(self, p_w: float) -> tuple[float, ...]:
        """As `Combined`; PluginError if it is not one finite number for each part."""
        values = self.source.shares(p_w)
        if not isinstance(values, tuple) or len(values) != len(self.source.parts):
            self._refuse("shares()", values, "return the power of each part, W")
        return tuple(self._finite("shares()", value) for value in values)

    def dc(self, p_w: float) -> DcPoint:
        """As `Source`; PluginError if it is no DcPoint of finite numbers."""
        point = self.source.dc(p_w)
        if not isinstance(point, tuple) or len(point) != 3 or None in map(finite, point):
            self._refuse("dc()", point, "return a DcPoint of three finite numbers: V, A, W")
        return DcPoint(*point)

    def _finite(self, name: str, value: object) -> float:
        number = finite(value)
        if number is None:
            self._refuse(name, value, "give a finite number")
        return number

    def _refuse(self, name: str, value: object, advice: str) -> NoReturn:
        raise PluginError(f"device type {self._kind}: {name} of its DC side is {shown(value)}; {advice}")


def checked_source(kind: str, source: Source) -> Source:
    """The source itself if it comes with dersim, else with its values checked."""
    own = type(source).__module__.startswith("dersim.")
    return source if own else cast("Source", CheckedSource(kind, source))
