"""TLS as IEEE 2030.5 requires it: version 1.2, ECDHE-ECDSA on P-256, certificates on both sides.

`client_context` and `server_context` read certificate files and refuse bad ones with one clear line;
`client_handshake` and `server_handshake` take a connected stream and return an encrypted one, with the
peer's chain checked by the rules of `chain`. There is no fallback to plain text.
"""

from dersim.tls.chain import check_chain
from dersim.tls.client import ClientContext, SharedContexts, client_context
from dersim.tls.context import CIPHERS, ServerContext, server_context
from dersim.tls.handshake import ChainRefused, client_handshake, server_handshake

__all__ = [
    "CIPHERS",
    "ChainRefused",
    "ClientContext",
    "ServerContext",
    "SharedContexts",
    "check_chain",
    "client_context",
    "client_handshake",
    "server_context",
    "server_handshake",
]
