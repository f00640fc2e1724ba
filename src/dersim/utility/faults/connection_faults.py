"""Faults of new connections, before the client is known: silence, TLS alerts, another certificate."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from dersim import pki, tls
from dersim.errors import CertificateError, ConfigError
from dersim.http11 import SILENCE, Raw
from dersim.tls import ServerContext
from dersim.utility.config import UtilityConfig
from dersim.utility.faults import alerts
from dersim.utility.faults.actions import ConnectionAction

_LINGER_S = 1.0


class NoHandshake(ConnectionAction):
    """Silence after the connection is accepted."""

    def gate(self) -> Raw:
        """Silence."""
        return SILENCE


class TlsAlert(ConnectionAction):
    """An alert in place of the handshake."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.words = data.get("alert", "handshake_failure")
        self._record = alerts.record(self.words)

    def gate(self) -> Raw:
        """The alert; then the client is given time to read it."""
        return Raw(((self._record, _LINGER_S),))


class OtherCertificate(ConnectionAction):
    """The handshake with another certificate; ConfigError where it cannot be made."""

    def __init__(self, data: dict[str, Any], config: UtilityConfig) -> None:
        self.words = data.get("which", "other_ca")
        self._context = _context(self.words, config)

    def gate(self) -> ServerContext:
        """The context with that certificate."""
        return self._context


def _context(which: str, config: UtilityConfig) -> ServerContext:
    if config.certificate is None or config.root is None:
        raise ConfigError("kind: a fault of TLS, and this server speaks plain HTTP")
    with tempfile.TemporaryDirectory(prefix="dersim-fault-") as name:
        folder = Path(name) / "pki"
        try:
            if which == "other_ca":
                pair = pki.ensure_server(pki.create(folder, 0))
            else:
                folder.mkdir()
                pair = pki.expired_server(config.certificate.parent, folder)
            return tls.server_context(pair.cert, pair.key, config.root)
        except (OSError, CertificateError) as error:
            raise ConfigError(f"which: the certificate {which} cannot be made: {error}") from None
