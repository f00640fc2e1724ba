"""The contract test of a plug-in: `examine` gives one result per check; see docs/plugins.md."""

from __future__ import annotations

from dersim.contract.examining import examine
from dersim.contract.subject import candidates_of
from dersim.outcomes import Result

__all__ = ["Result", "candidates_of", "examine"]
