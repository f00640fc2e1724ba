"""The recorder of `--pcap`: one for the whole fleet, offered to the web."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from dersim import __version__
from dersim.http11.pcapng import pcapng
from dersim.http11.recorder import Recorder
from dersim.plugin.services import RecordingService

if TYPE_CHECKING:
    from dersim.plugin.extension import FrontendContext


class FleetRecorder(Recorder):
    """The recorder as other front-ends see it."""

    def pcapng(self, device: int | None = None) -> Callable[[], bytes]:
        """What makes the file of what is held now; it may run in another thread."""
        return partial(pcapng, self.recording(device), f"dersim {__version__}")


def recorder_of(context: FrontendContext) -> FleetRecorder:
    """The fleet's recorder; the first client makes and offers it. ConfigError where there cannot be one."""
    held = context.services.find(FleetRecorder)
    if held is None:
        held = context.services.shared(FleetRecorder, FleetRecorder)
        context.services.offer(RecordingService, held)
        context.buffers["csip_records"] = held.size
        context.log.log(
            "Info",
            "CSIP",
            "--pcap: TLS records and their secrets are kept; in the export all is readable, PINs included",
        )
    return held


if TYPE_CHECKING:
    _recorder: type[RecordingService] = FleetRecorder
