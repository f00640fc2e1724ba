"""The part of `Device` that tells of its service, without building a state."""

from __future__ import annotations

from dersim.functions.chain import Chain


class DeviceService:
    """Service as `Device` shows it."""

    chain: Chain
    _last_s: float

    @property
    def stepped_s(self) -> float:
        """Until when it was stepped, simulated UTC seconds; NaN before the first step."""
        return self._last_s

    @property
    def permitted(self) -> bool:
        """Whether the operator lets the DER be in service."""
        return self.chain.service.permitted

    @property
    def service_word(self) -> str:
        """In service, entering service, ceased, tripped or out of service."""
        return self.chain.service.word

    @property
    def enter_service_s(self) -> float:
        """Seconds of good grid still needed before service is entered; 0 in service."""
        return self.chain.service.enter_service_s
