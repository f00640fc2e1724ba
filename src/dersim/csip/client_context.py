"""What a client keeps when its identity changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dersim.csip.config import CsipConfig
    from dersim.csip.documents import Documents
    from dersim.csip.joining import Joining
    from dersim.csip.measuring import ClientProbe
    from dersim.csip.presence import Presence
    from dersim.csip.session import Counters
    from dersim.csip.status import ClientStatus
    from dersim.device import Device
    from dersim.exchanges.conversation import Conversation
    from dersim.http11.recorder import Recorder
    from dersim.logbuffer import Level
    from dersim.plugin.extension import FrontendContext


@dataclass(frozen=True, slots=True)
class ClientContext:
    """What a client keeps when its identity changes: its DER, its flags, its counters and its status."""

    frontend: FrontendContext
    device: Device
    config: CsipConfig
    counters: Counters
    conversation: Conversation
    client_status: ClientStatus
    presence: Presence
    joining: Joining
    documents: Documents
    recorder: Recorder | None = None
    load: ClientProbe | None = None

    def say(self, level: Level, message: str) -> None:
        """A line for the log, under CSIP and this DER."""
        self.frontend.log.log(level, "CSIP", message, self.device.number)

    def fence(self, place: str, what: str) -> AbstractContextManager[None]:
        """End one unit of work at an unexpected error, logged and counted; a DersimError passes."""
        return self.frontend.fences.around_unforeseen(place, "CSIP", what, self.device.number)
