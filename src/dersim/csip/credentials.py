"""The certificate of one DER, and the LFDI that follows from it (public contract, "Certificates")."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki, tls
from dersim.csip.config import DEFAULT_CERT, DEFAULT_KEY, DEFAULT_ROOT, CsipConfig
from dersim.errors import CertificateError, ConfigError
from dersim.ieee2030_5 import identity
from dersim.plugin.services import CertificateFiles, PeersService
from dersim.tls.files import load_certificates

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.plugin.extension import FrontendContext


class Credentials(NamedTuple):
    """An identity: LFDI (upper-case hex), and the TLS context.

    context: makes the TLS context, once. With `--csip_enc no` it is called when a link leads to https and
    may raise CertificateError or ConfigError.
    """

    lfdi: str
    context: Callable[[], tls.ClientContext]

    @property
    def sfdi(self) -> int:
        """The SFDI with its check digit."""
        return identity.sfdi(self.lfdi)


class _Context:
    """Makes the TLS context of a pair at the first call."""

    __slots__ = ("_config", "_contexts", "_made", "_number")

    def __init__(self, config: CsipConfig, number: int | None, contexts: tls.SharedContexts | None) -> None:
        self._config = config
        self._number = number
        self._contexts = contexts
        self._made: tls.ClientContext | None = None

    def __call__(self) -> tls.ClientContext:
        if self._made is None:
            cert, key, root = files(self._config, self._number)
            check_hostname, contexts = self._config.check_hostname, self._contexts
            self._made = tls.client_context(cert, key, root, check_hostname=check_hostname, contexts=contexts)
        return self._made


def load(
    config: CsipConfig, number: int | None, serial_number: str, contexts: tls.SharedContexts | None = None
) -> Credentials:
    """Read the files of pair `number`, see `files`; CertificateError or ConfigError names the bad one.

    contexts: what the clients of one run share.
    """

    make = _Context(config, number, contexts)
    if not config.origin.secure:
        return Credentials(_plain_lfdi(config, number, serial_number), make)
    return Credentials(identity.lfdi(make().certificate_der), make)


def load_for(context: FrontendContext, config: CsipConfig, number: int | None, device: Device) -> Credentials:
    """As `load`, for a DER of a run, whose LFDI a record may give: then no file is read."""
    peers = context.service(PeersService)
    lfdi = None if peers is None else peers.lfdi(device.number)
    if lfdi is not None:
        found = Credentials(lfdi, _no_context)
    else:
        contexts = context.services.shared(tls.SharedContexts, tls.SharedContexts)
        found = load(config, number, device.nameplate.serial_number, contexts)
    if peers is not None:
        peers.identified(device.number, found.lfdi)
    return found


def _no_context() -> tls.ClientContext:
    raise CertificateError("this DER has no certificate: its LFDI is that of a record")


def missing_defaults(config: CsipConfig, number: int | None) -> str:
    """The default files that are needed but missing, for a message. We start without them."""
    if not config.origin.secure or config.test_pki is not None or number is not None:
        return ""
    defaults = (
        (config.cert, DEFAULT_CERT, "--csip_cert"),
        (config.key, DEFAULT_KEY, "--csip_key"),
        (config.root, DEFAULT_ROOT, "--csip_root_cert"),
    )
    return ", ".join(
        f"{name} ({flag})" for given, name, flag in defaults if given is None and not Path(name).is_file()
    )


def check_given(config: CsipConfig) -> None:
    """Refuse files that a flag names and that cannot be read; ConfigError."""
    for path, flag in (
        (config.cert, "--csip_cert"),
        (config.key, "--csip_key"),
        (config.root, "--csip_root_cert"),
    ):
        if path is None or not config.origin.secure:
            continue
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise ConfigError(f"{flag}: {path}: {error.strerror}; give a readable PEM file") from None


def files(config: CsipConfig, number: int | None) -> CertificateFiles:
    """The files of pair `number` of the rotation, or with None those of a DER alone.

    CertificateError or ConfigError where a pair cannot be made.
    """
    if config.test_pki is not None or number is not None:
        folder = config.test_pki or pki.bundled_dir()
        pair = pki.ensure_device(folder, number)
        root = folder / "cert_root.pem"
        if config.test_pki is None and config.root is not None:
            root = config.root
        return CertificateFiles(pair.cert, pair.key, root)
    return CertificateFiles(
        config.cert or Path(DEFAULT_CERT), config.key or Path(DEFAULT_KEY), config.root or Path(DEFAULT_ROOT)
    )


def _plain_lfdi(config: CsipConfig, number: int | None, serial_number: str) -> str:
    """Without TLS: from the certificate where it is readable, else from the serial number."""
    try:
        certificate = load_certificates(files(config, number).cert, "our certificate")[0]
    except (CertificateError, ConfigError):
        return hashlib.sha256(serial_number.encode()).hexdigest()[: identity.LFDI_HEX_DIGITS].upper()
    return identity.lfdi(certificate.public_bytes(Encoding.DER))


def watched(config: CsipConfig) -> tuple[Path, ...]:
    """The files whose change means a swap of certificates (in a rotation, its root)."""
    if config.test_pki is not None:
        folder = config.test_pki
        return folder / "cert.pem", folder / "key.pem", folder / "cert_root.pem"
    return CertificateFiles(
        config.cert or Path(DEFAULT_CERT), config.key or Path(DEFAULT_KEY), config.root or Path(DEFAULT_ROOT)
    )
