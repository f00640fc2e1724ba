"""An exchange as a command of curl, to be repeated from a shell."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from dersim.tls import CIPHERS

if TYPE_CHECKING:
    from dersim.plugin.services import CertificateFiles, HttpExchange

#: What curl sets by itself.
_OWN_HEADERS = frozenset({"host", "content-length", "connection"})


def command(exchange: HttpExchange, files: CertificateFiles | None, *, check_hostname: bool = False) -> str:
    """The command, quoted for sh; PINs stay masked.

    files: of the client; None names the default ones. Without `check_hostname` it has `-k`: certificates of
    2030.5 name no host, and curl cannot check the chain alone.
    """
    words = ["curl", "-i"]
    if exchange.url.startswith("https:"):
        words += _tls(files) if check_hostname else ["-k", *_tls(files)]
    words += ["-X", exchange.method, exchange.url]
    for name, value in exchange.request_headers:
        if name.lower() not in _OWN_HEADERS:
            words += ["-H", f"{name}: {value}"]
    if exchange.request_body:
        words += ["--data-raw", exchange.request_body.decode("utf-8", "replace")]
    return shlex.join(words)


def _tls(files: CertificateFiles | None) -> list[str]:
    """TLS as our client speaks it."""
    cert, key, root = ("cert.pem", "key.pem", "root.pem") if files is None else map(str, files)
    return [
        *("--cert", cert, "--key", key, "--cacert", root),
        *("--tlsv1.2", "--tls-max", "1.2", "--ciphers", CIPHERS),
    ]
