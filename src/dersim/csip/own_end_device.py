"""Which EndDevice of a server's list is ours: by LFDI, and by SFDI only where it has no LFDI."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r


@dataclass(frozen=True, slots=True)
class ExpectedEndDevice:
    """Our LFDI, and the PIN of our Registration on the server (None: not checked)."""

    lfdi: str
    pin: int | None

    @property
    def sfdi(self) -> int:
        """The SFDI with its check digit."""
        return identity.sfdi(self.lfdi)


def find_own(
    devices: Iterable[r.EndDevice], expected: ExpectedEndDevice, warn: Callable[[str], None]
) -> r.EndDevice | None:
    """Our EndDevice, or None. warn: called where it is ours although its numbers are not quite right."""
    devices = tuple(devices)
    for device in devices:
        if device.lFDI is not None and identity.same_lfdi(device.lFDI, expected.lfdi):
            if device.sFDI != expected.sfdi:
                warn(f"our EndDevice {device.href} has our lFDI but sFDI {device.sFDI}, not {expected.sfdi}")
            return device
    for sfdi, how in (
        (expected.sfdi, "by its SFDI alone"),
        (expected.sfdi // 10, "by its SFDI without check digit"),
    ):
        for device in devices:
            if device.lFDI is None and device.sFDI == sfdi:
                warn(f"our EndDevice {device.href} is found {how}: it has no lFDI")
                return device
    return None
