"""Who asks for setpoints."""

from __future__ import annotations

from enum import IntEnum


class SetpointSource(IntEnum):
    """Who asks. The higher wins; between MODBUS, REST and OPERATOR the latest (public contract)."""

    NAMEPLATE = 0
    CSIP_DEFAULT = 10
    OPERATOR = 20
    REST = 21
    MODBUS = 22
    CSIP = 30

    @property
    def rank(self) -> int:
        """Priority; equal for the local sources, among which the latest wins."""
        return self.value // 10

    @property
    def label(self) -> str:
        """The name in documents and logs."""
        return self.name.lower().replace("_", "-")
