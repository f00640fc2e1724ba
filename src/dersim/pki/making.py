"""Make the files of a test PKI: the CA of a new folder, and a missing pair in an existing folder."""

from __future__ import annotations

import datetime
import os
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dersim.errors import ConfigError
from dersim.pki.certificates import Authority, make_authority, make_device, new_key
from dersim.pki.folder import Pair

_NOTICE = b"# dersim TEST PKI: for the lab only. Its CA key is public; trust it nowhere else.\n"


README = """# Test certificates. Never use them outside a lab.

Anyone can read the private keys in this folder, the CA's too. Each file says so at its top, each CA's name
holds "TEST ONLY", and each device certificate carries the policy 1.3.6.1.4.1.40732.2.1 (test certificate).

| file | what |
|---|---|
| `cert_root.pem` | the root (SERCA), which both sides trust |
| `cert.pem`, `key.pem` | the DER of a run with one DER; an identity of its own |
| `cert_1.pem`, `key_1.pem`, ... | DER K of a run with `-N COUNT` |
| `cert_server.pem`, `key_server.pem` | the 2030.5 server; answers to localhost, 127.0.0.1 and ::1 |
| `cert_ca.pem`, `key_ca.pem` | the issuing CA (MICA): dersim makes further pairs with it |

`dersim pki show FILE` tells LFDI and SFDI. `dersim pki create DIR -n COUNT` makes another such folder.
"""


def create_authority(folder: Path) -> None:
    """Make a folder with the files of a test CA; ConfigError if there is one already."""
    if (folder / "cert_root.pem").exists():
        raise ConfigError(f"{folder}: holds a PKI already; name another folder or remove this one")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root = make_authority("dersim test SERCA", None)
        issuing = make_authority("dersim test MICA", root)
        write_certificates(folder / "cert_root.pem", root.certificate)
        write_certificates(folder / "cert_ca.pem", issuing.certificate)
        write_key(folder / "key_ca.pem", issuing.key)
        (folder / "README.md").write_text(README)
    except OSError as error:
        raise ConfigError(
            f"{folder}: the test PKI cannot be written: {error.strerror}; name a new folder"
        ) from None


def make_pair(folder: Path, pair: Pair, serial: str, hosts: tuple[str, ...]) -> None:
    """Make the files of `pair` with the folder's CA, unless they exist by then.

    OSError if they cannot be written, ValueError or TypeError if the CA's files are damaged.
    """
    authority = _issuing_authority(folder)
    write_key(pair.key, new_key())
    key = _load_key(pair.key)
    write_certificates(pair.cert, make_device(authority, key.public_key(), serial, hosts), *authority.chain)


def make_expired(folder: Path, pair: Pair, serial: str, hosts: tuple[str, ...]) -> None:
    """Make the files of `pair`, expired an hour ago, with the folder's CA; exceptions as for `make_pair`."""
    authority = _issuing_authority(folder)
    key = new_key()
    write_key(pair.key, key)
    until = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    leaf = make_device(authority, key.public_key(), serial, hosts, until=until)
    write_certificates(pair.cert, leaf, *authority.chain)


def _issuing_authority(folder: Path) -> Authority:
    certificates = x509.load_pem_x509_certificates((folder / "cert_ca.pem").read_bytes())
    return Authority(certificates[0], _load_key(folder / "key_ca.pem"), tuple(certificates[1:]))


def _load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError(f"{path.name} is not an elliptic-curve key")
    return key


def write_certificates(path: Path, *chain: x509.Certificate) -> None:
    """Write PEM certificates with the test-PKI notice at the top, unless the file exists."""
    pem = b"".join(certificate.public_bytes(Encoding.PEM) for certificate in chain)
    _write_new(path, _NOTICE + pem, 0o644)


def write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    """Write a PEM key with the test-PKI notice at the top, unless the file exists."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(path, _NOTICE + pem, 0o600)


def _write_new(path: Path, content: bytes, mode: int) -> None:
    """Write `path` completely or not at all; the first of several writers wins."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        temporary.chmod(mode)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
    finally:
        temporary.unlink()
