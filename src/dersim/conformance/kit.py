"""The certificates of a conformance run: chains for both sides under one root, COMM-004's wrong ones too."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki, tls
from dersim.errors import ConfigError
from dersim.ieee2030_5 import identity
from dersim.plugin.services import CertificateFiles
from dersim.tls.files import load_certificates
from dersim.utility.config import DEFAULT_PIN

#: The chain of the device under test, and that of the server where a procedure asks for no other.
CLIENT, SERVER = "B", "C"


class Kit(NamedTuple):
    """The chains in a folder. lfdi: of the client's certificate, 40 digits."""

    folder: Path
    lfdi: str

    @property
    def root(self) -> Path:
        """The root that both sides trust."""
        return self.folder / "cert_root.pem"

    def cert(self, letter: str) -> Path:
        """The certificate chain of that letter."""
        return self.folder / f"cert_{letter}.pem"

    def key(self, letter: str) -> Path:
        """Its private key."""
        return self.folder / f"key_{letter}.pem"

    @property
    def client_flags(self) -> list[str]:
        """The flags of `dersim sim` for the device under test."""
        files = (("cert", self.cert(CLIENT)), ("key", self.key(CLIENT)), ("root_cert", self.root))
        words = [word for name, path in files for word in (f"--csip_{name}", str(path))]
        return [*words, "--csip_pin", f"{DEFAULT_PIN:06}"]

    @property
    def server_files(self) -> CertificateFiles:
        """The server's pair, with which it sends Notifications too."""
        return CertificateFiles(self.cert(SERVER), self.key(SERVER), self.root)

    def server_chain(self, letter: str | None) -> tuple[bytes, ...]:
        """What the server shows with that context, DER, its own certificate first."""
        found = load_certificates(self.cert(letter or SERVER), "the server's chain")
        return tuple(each.public_bytes(Encoding.DER) for each in found)

    def server_context(self, letter: str | None) -> tls.ServerContext:
        """The server's TLS context with a chain, by default a good one."""
        letter = letter or SERVER
        return tls.server_context(self.cert(letter), self.key(letter), self.root)


def make_kit(folder: Path) -> Kit:
    """The kit in a folder; it is made where it is missing. ConfigError where it cannot be written."""
    if not (folder / "cert_root.pem").is_file():
        try:
            pki.create_conformance_chains(folder)
        except OSError as error:
            raise ConfigError(
                f"--kit {folder}: the certificates cannot be written: {error.strerror}; name another folder"
            ) from None
    leaf = load_certificates(folder / f"cert_{CLIENT}.pem", "the client's certificate")[0]
    return Kit(folder, identity.lfdi(leaf.public_bytes(Encoding.DER)))
