"""The part of a DER's inputs that a grid behind the fleet gives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dersim.grid.conditions import Conditions
from dersim.grid.frequency_ramp import FrequencyRamp
from dersim.grid.profiles import Profile

Triple = tuple[float, float, float]
#: What a grid gives may differ by so much without being taken over: then a DER at rest stays at rest.
_BAND_PU, _BAND_HZ, _BAND_HZ_S = 1e-6, 6e-5, 1e-4


class FromGrid:
    """Which inputs grids of this run give, and which of them they give now (`held`)."""

    constants: Conditions
    constant: bool
    held: frozenset[str] = frozenset()
    _offered: frozenset[str] = frozenset()
    _profiles: dict[str, Profile]
    _ramp: FrequencyRamp | None

    def _end_ramp(self) -> None:
        raise NotImplementedError

    def offer_grid(self, names: Iterable[str], without: Iterable[str] = ()) -> None:
        """Grids of this run give these inputs, from now on; those in `without` once `set` asks for it."""
        self._offered = frozenset(names)
        self._hold(self._offered - frozenset(without))

    def meet(
        self, voltage_pu: Triple | None, frequency_hz: float | None, rocof_hz_s: float
    ) -> dict[str, Any]:
        """Take over what a grid gives, as far as it holds it and beyond the dead band; what moved."""
        moved: dict[str, Any] = {}
        now = self.constants
        if voltage_pu is not None and "voltage_pu" in self.held:
            (a, b, c), (old_a, old_b, old_c) = voltage_pu, now.voltage_pu
            if abs(a - old_a) > _BAND_PU or abs(b - old_b) > _BAND_PU or abs(c - old_c) > _BAND_PU:
                moved["voltage_pu"] = voltage_pu
        if frequency_hz is not None and "frequency_hz" in self.held:
            rate, old = rocof_hz_s if abs(rocof_hz_s) > _BAND_HZ_S else 0.0, now.rocof_hz_s
            stops = rate == 0.0 != old
            if stops or abs(frequency_hz - now.frequency_hz) > _BAND_HZ or abs(rate - old) > _BAND_HZ_S:
                moved |= {"frequency_hz": frequency_hz, "rocof_hz_s": rate}
        if len(moved) == 1:
            self.constants = Conditions(voltage_pu, *now[1:])  # type: ignore[arg-type]  # half of _replace
        elif moved:
            self.constants = now._replace(**moved)
        return moved

    def _hold(self, names: Iterable[str]) -> None:
        """Let a grid give these inputs, as far as there is one that does."""
        new = self._offered & frozenset(names)
        self.held |= new
        if "frequency_hz" in new:
            self._end_ramp()
            new |= {"rocof_hz_s"}
        self._release_profiles(new)

    def _let_go(self, names: Iterable[str]) -> None:
        """Take these inputs from the grid; they keep their values."""
        gone = self.held & frozenset(names)
        self.held -= gone
        if "frequency_hz" in gone:
            self.constants = self.constants._replace(rocof_hz_s=0.0)

    def _release_profiles(self, names: Iterable[str]) -> None:
        for name in names:
            self._profiles.pop(name, None)
        self.constant = not self._profiles and self._ramp is None
