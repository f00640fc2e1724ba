"""The secrets of TLS sessions, as OpenSSL reports them, for decrypting recorded traffic (`--pcap`).

OpenSSL writes them to a file (NSS key log format). Here that file is a pipe in this process, so that secrets
are never on disk: nothing to protect and nothing to remove.
"""

from __future__ import annotations

import os
import ssl
import weakref
from pathlib import Path

from dersim.errors import ConfigError

_LABEL = b"CLIENT_RANDOM"
_DESCRIPTORS = Path("/dev/fd")
_CHUNK = 64 * 1024


class KeyLog:
    """Collects the secrets of every context that it watches; one more open file per context.

    The pipe holds some 350 secrets: read them after each handshake, or the next one blocks.
    """

    def __init__(self) -> None:
        if not _DESCRIPTORS.is_dir():
            raise ConfigError(f"--pcap needs {_DESCRIPTORS}, which this system does not have; leave it out")
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        self._path = str(_DESCRIPTORS / str(writer))
        self._rest = b""
        self.close = weakref.finalize(self, _close, self._reader, writer)

    def watch(self, context: ssl.SSLContext) -> None:
        """Collect the secrets of all later handshakes of this context."""
        if context.keylog_filename != self._path:
            context.keylog_filename = self._path

    def read(self) -> dict[bytes, bytes]:
        """What has come since the last call: by client random (32 bytes), the line of the key log."""
        try:
            data = self._rest + os.read(self._reader, _CHUNK)
        except BlockingIOError:
            return {}
        *lines, self._rest = data.split(b"\n")
        found = {}
        for line in lines:
            words = line.split()
            if len(words) == 3 and words[0] == _LABEL:  # the first line is a comment of Python's
                found[bytes.fromhex(words[1].decode())] = line + b"\n"
        return found


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
