"""A command that is refused, with its reason; each protocol answers it in its own words."""

from __future__ import annotations

from dersim.setpoints import Verdict


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A command that was not carried out, no part of it. The text is the reason."""

    def __init__(self, reason: str, verdict: Verdict = Verdict.OUT_OF_RANGE) -> None:
        super().__init__(reason)
        self.verdict = verdict
