"""What the outstations of the DERs offer the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from dersim_dnp3.masters import Masters
    from dersim_dnp3.station import Station


class Dnp3Service(Protocol):
    """The outstation of one DER."""

    #: How often a frame, fragment or exchange was dropped, by py1815's name of the reason.
    anomalies: Mapping[str, int]
    masters: Masters

    @property
    def station(self) -> Station:
        """Its points."""
        ...
