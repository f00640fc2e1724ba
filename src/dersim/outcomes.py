"""The outcome of a check that people run: ok, failed, or skipped, each in one line."""

from __future__ import annotations

from typing import Literal, NamedTuple

from dersim.errors import DersimError

OK: Literal["ok"] = "ok"
FAILED: Literal["failed"] = "failed"
SKIPPED: Literal["skipped"] = "skipped"


class Failed(DersimError):  # noqa: N818 - an outcome
    """What is wrong, where, and what to do, in one line."""


class Skipped(DersimError):  # noqa: N818 - an outcome
    """Why a check cannot be done."""


class Result(NamedTuple):
    """The outcome of one check."""

    name: str
    result: Literal["ok", "failed", "skipped"]
    text: str

    @property
    def line(self) -> str:
        """The result as a line for people."""
        if self.result == SKIPPED:
            return f"skipped {self.name} because {self.text}"
        return f"{'FAILED' if self.result == FAILED else 'ok':7} {self.name}: {self.text}"
