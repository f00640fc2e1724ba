"""The certificate files of the companion server: from flags, a test PKI or the bundled test PKI."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from dersim import pki
from dersim.errors import ConfigError


class ServerFiles(NamedTuple):
    """The server's certificate with its chain, its key, and the root that signs the clients."""

    certificate: Path
    key: Path
    root: Path


def of_folder(folder: Path | None) -> ServerFiles:
    """Those of a test PKI, by default the bundled one; ConfigError names a missing file."""
    folder = pki.bundled_dir() if folder is None else folder
    root = folder / "cert_root.pem"
    if not root.is_file():
        raise ConfigError(f"{root}: no such file; give a test PKI, or make one with `dersim pki create`")
    pair = pki.ensure_server(folder)
    return ServerFiles(pair.cert, pair.key, root)


def choose(certificate: Path | None, key: Path | None, root: Path | None, folder: Path | None) -> ServerFiles:
    """The test PKI in `folder` if given; else the given files, and bundled ones for the others."""
    if folder is not None:
        return of_folder(folder)
    if (certificate is None) != (key is None):
        missing, given = ("--key", "--cert") if key is None else ("--cert", "--key")
        raise ConfigError(f"{missing}: is needed with {given}; give both, or neither for the test PKI")
    if certificate is not None and key is not None and root is not None:
        return ServerFiles(certificate, key, root)
    bundled = of_folder(None)
    return ServerFiles(certificate or bundled.certificate, key or bundled.key, root or bundled.root)
