"""The refusal of a command, with the status that answers it."""

from __future__ import annotations

from py1815.control import CommandStatus


class RefusalError(Exception):
    """A command that is not carried out: the status that answers it, and why."""

    def __init__(self, status: CommandStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
