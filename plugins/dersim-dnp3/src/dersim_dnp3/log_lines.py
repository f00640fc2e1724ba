"""What py1815 logs, as lines of our log: some a minute, with the DER that they are about."""

from __future__ import annotations

import logging
from types import TracebackType

from dersim.plugin import Flood, LogBuffer

MODULE = "DNP3"
_LIBRARY = logging.getLogger("py1815")


class LogLines(logging.Handler):
    """Takes the library's lines while it is entered. device: whose octets are handled now."""

    def __init__(self, log: LogBuffer) -> None:
        super().__init__()
        self._log = log
        self.device = 0
        self._warnings = Flood(lambda line: log.log("Warning", MODULE, line, self.device))
        self._rest = Flood(lambda line: log.log("Debug", MODULE, line, self.device))
        self._before = (True, logging.NOTSET)

    def emit(self, record: logging.LogRecord) -> None:
        """One line; no traceback."""
        text = record.getMessage()
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}: {record.exc_info[1]!r}"
        (self._warnings if record.levelno >= logging.WARNING else self._rest).line(text)

    def __enter__(self) -> LogLines:
        self._before = (_LIBRARY.propagate, _LIBRARY.level)
        _LIBRARY.propagate = False
        _LIBRARY.setLevel(logging.INFO)
        _LIBRARY.addHandler(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _LIBRARY.removeHandler(self)
        _LIBRARY.propagate, level = self._before
        _LIBRARY.setLevel(level)
