"""Notifications of a replay: handed to the DERs without a listener."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from dersim.csip.subscriptions.hub import PATH, NotifyHub, Receive
from dersim.http11 import Request
from dersim.recorded.secrets import TOKEN

if TYPE_CHECKING:
    from dersim.plugin.services import CertificateFiles
    from dersim.recorded.lines import Notification


class ReplayHub(NotifyHub):
    """The hub of a replay. All paths have one token, that of the record, so that the same bytes are sent."""

    def __init__(self, url: str) -> None:
        super().__init__(secure=False, url=url)
        self._receivers: dict[int, Receive] = {}

    def open(self, number: int, receive: Receive, _files: Callable[[], CertificateFiles]) -> str:
        """As of `NotifyHub`; no file is read."""
        self._receivers[number] = receive
        return TOKEN

    def deliver(self, number: int, notification: Notification) -> None:
        """Hand a DER what the server sent it."""
        if (receive := self._receivers.get(number)) is not None:
            method, headers, body = notification
            receive(Request(method, f"{PATH}{TOKEN}", headers, body, None, "the record"))
