"""Bad certificate files: one line that names the file and the remedy."""

import re
import shutil
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dersim import pki, tls
from dersim.errors import CertificateError
from dersim.pki.certificates import NEVER


@pytest.fixture
def files(folder, tmp_path):
    """A folder of its own with a good cert.pem, key.pem and root.pem."""
    shutil.copy(folder / "cert.pem", tmp_path / "cert.pem")
    shutil.copy(folder / "key.pem", tmp_path / "key.pem")
    shutil.copy(folder / "cert_root.pem", tmp_path / "root.pem")
    return tmp_path


def load(files):
    for make in (tls.client_context, tls.server_context):
        make(files / "cert.pem", files / "key.pem", files / "root.pem")


def self_signed(files, key):
    name = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NEVER.replace(year=2020)).not_valid_after(NEVER)
    certificate = builder.sign(key, hashes.SHA256())
    (files / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    write_key(files, key, serialization.NoEncryption())


def write_key(files, key, encryption):
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (files / "key.pem").write_bytes(key.private_bytes(encoding, form, encryption))


def spoil_pem(path):
    text = path.read_text()
    path.write_text(text.replace("MII", "NII", 1).replace("MIG", "NIG", 1))


def encrypt(files):
    key = ec.generate_private_key(ec.SECP256R1())
    write_key(files, key, serialization.BestAvailableEncryption(b"secret"))


BAD = {
    "no certificate": (lambda f: (f / "cert.pem").unlink(), r"cert\.pem: no such file"),
    "no key": (lambda f: (f / "key.pem").unlink(), r"key\.pem: no such file"),
    "no root": (lambda f: (f / "root.pem").unlink(), r"root\.pem: no such file"),
    "a folder": (lambda f: ((f / "key.pem").unlink(), (f / "key.pem").mkdir()), r"key\.pem: is a folder"),
    "not PEM": (lambda f: (f / "cert.pem").write_text("hello"), r"cert\.pem: holds no PEM certificate"),
    "empty": (lambda f: (f / "cert.pem").write_text(""), r"cert\.pem: holds no PEM certificate"),
    "swapped": (lambda f: shutil.copy(f / "key.pem", f / "cert.pem"), r"cert\.pem: holds a private key"),
    "key is none": (lambda f: shutil.copy(f / "cert.pem", f / "key.pem"), r"key\.pem: holds no PEM private"),
    "damaged": (lambda f: spoil_pem(f / "cert.pem"), r"cert\.pem: the certificate is damaged"),
    "damaged key": (lambda f: spoil_pem(f / "key.pem"), r"key\.pem: the private key is damaged"),
    "damaged root": (lambda f: spoil_pem(f / "root.pem"), r"root\.pem: the certificate is damaged"),
    "encrypted": (encrypt, r"key\.pem: the key is encrypted; remove the passphrase"),
    "wrong curve": (
        lambda f: self_signed(f, ec.generate_private_key(ec.SECP384R1())),
        r"cert\.pem: the key is on curve secp384r1; IEEE 2030\.5 needs P-256",
    ),
    "RSA": (
        lambda f: self_signed(f, rsa.generate_private_key(65537, 2048)),
        r"key\.pem: the key is not an elliptic-curve one",
    ),
    "another's key": (
        lambda f: write_key(f, ec.generate_private_key(ec.SECP256R1()), serialization.NoEncryption()),
        r"key\.pem: is not the key of the certificate in .*cert\.pem",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_named(files, what):
    spoil, message = BAD[what]
    load(files)
    spoil(files)
    for make in (tls.client_context, tls.server_context):
        with pytest.raises(CertificateError, match=message) as caught:
            make(files / "cert.pem", files / "key.pem", files / "root.pem")
        assert "\n" not in str(caught.value)


def test_the_bundled_pki_loads():
    folder = pki.bundled_dir()
    pair, server = pki.ensure_device(folder, 10), pki.ensure_server(folder)
    tls.client_context(pair.cert, pair.key, folder / "cert_root.pem")
    tls.server_context(server.cert, server.key, folder / "cert_root.pem")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the openssl program is not installed")
def test_openssl_verifies_our_chains_strictly(folder):
    command = ["openssl", "verify", "-x509_strict", "-CAfile", folder / "cert_root.pem"]
    for name in ("cert.pem", "cert_1.pem", "cert_server.pem"):
        done = subprocess.run(
            [*command, "-untrusted", folder / name, folder / name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def test_a_reversed_chain_is_named_as_such(tmp_path):
    chains = pki.create_conformance_chains(tmp_path)
    cert, key = chains["C"]
    blocks = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----\n", cert.read_text(), re.DOTALL)
    assert len(blocks) == 3
    device, mica, mca = blocks
    for order in ((mca, mica, device), (device, mca, mica)):
        cert.write_text("".join(order))
        with pytest.raises(CertificateError, match=r"cert_C\.pem: the chain is in reverse order; put"):
            tls.client_context(cert, key, tmp_path / "cert_root.pem")
    cert.write_text("".join(blocks))
    tls.client_context(cert, key, tmp_path / "cert_root.pem")
