"""Certificate files: each thing that is wrong with one is named with its file."""

import ssl
from pathlib import Path

import pytest

from dersim import pki, tls
from dersim.errors import CertificateError, ConfigError
from dersim.tls import context as module
from dersim.tls import files
from dersim.tls.reasons import explain


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 1)


def openssl_error(text, reason=""):
    """An SSLError as OpenSSL makes it: `reason` is an attribute that Python alone does not set."""
    error = ssl.SSLError(1, text)
    error.reason = reason
    return error


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path):
    with pytest.raises(CertificateError, match="is a folder; our certificate in PEM form is needed"):
        files.load_certificates(tmp_path, "our certificate")


def test_a_file_that_cannot_be_read_is_said(tmp_path):
    with pytest.raises(CertificateError, match="cannot be read: File name too long"):
        files.load_certificates(tmp_path / ("x" * 300), "our certificate")


def test_a_damaged_certificate_is_one_line(folder, tmp_path):
    path = tmp_path / "damaged.pem"
    path.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(CertificateError, match=r"damaged\.pem: the certificate is damaged: [^\n]+$"):
        files.load_certificates(path, "our certificate")


def test_an_openssl_without_the_suites_of_2030_5_is_said(folder, monkeypatch):
    monkeypatch.setattr(module, "CIPHERS", "NO-SUCH-SUITE")
    pair = pki.ensure_device(folder, 1)
    with pytest.raises(ConfigError, match="does not have the cipher suites of IEEE"):
        tls.client_context(pair.cert, pair.key, folder / "cert_root.pem")


def test_files_that_openssl_alone_refuses_are_named(folder, monkeypatch):
    def refuse(*_args):
        raise openssl_error("[SSL: EE_KEY_TOO_SMALL] ee key too small (_ssl.c:4022)", "EE_KEY_TOO_SMALL")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", refuse)
    pair = pki.ensure_device(folder, 1)
    with pytest.raises(CertificateError, match=r"cert_1\.pem, .*: OpenSSL refuses them: .*ee key too small"):
        tls.client_context(pair.cert, pair.key, folder / "cert_root.pem")


def test_an_end_without_close_notify_and_an_alert_by_number_are_explained():
    assert explain(ssl.SSLEOFError(8, "EOF occurred")) == explain(ssl.SSLZeroReturnError(6, "closed"))
    assert explain(openssl_error("tlsv1 alert (SSL alert number 120)")) == (
        "the peer refused with TLS alert number 120"
    )


def test_a_device_without_an_end_is_not_read_to_its_end():
    with pytest.raises(CertificateError, match="/dev/zero: has more than 4 MiB; a certificate is needed"):
        files.read(Path("/dev/zero"), "a certificate")
