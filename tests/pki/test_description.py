import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from dersim import pki
from dersim.errors import CertificateError
from dersim.pki.certificates import make_authority, make_device


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 1)


def test_a_good_certificate(folder):
    described = pki.describe(folder / "cert_1.pem")
    assert described.refusals == ()
    assert [remark for remark in described.remarks if "test certificate" not in remark] == []
    assert described.subjects == ("(empty subject)", "CN=dersim test MICA,O=dersim TEST ONLY")
    assert len(described.lfdi) == 40
    assert sum(int(digit) for digit in str(described.sfdi)) % 10 == 0


@pytest.mark.parametrize(
    ("letter", "reason"),
    [("D", "extendedKeyUsage"), ("E", "nameConstraints"), ("F", "policyMappings")],
)
def test_what_the_chain_check_refuses_is_told(tmp_path, letter, reason):
    chains = pki.create_conformance_chains(tmp_path)
    (told,) = pki.describe(chains[letter].cert).refusals
    assert told.startswith("certificate 2 ")
    assert reason in told
    assert pki.describe(chains["C"].cert).refusals == ()


def test_a_self_signed_certificate_is_remarked_on(tmp_path):
    chains = pki.create_conformance_chains(tmp_path)
    assert any("signs itself" in remark for remark in pki.describe(chains["G"].cert).remarks)


def test_a_chain_with_a_gap_is_refused(folder, tmp_path):
    leaf = (folder / "cert.pem").read_text().partition("-----END CERTIFICATE-----\n")
    (tmp_path / "gap.pem").write_text(leaf[0] + leaf[1] + (folder / "cert_root.pem").read_text())
    (reason,) = pki.describe(tmp_path / "gap.pem").refusals
    assert "certificate 1 is not signed by the one after it" in reason


def test_a_key_is_not_a_certificate(folder):
    with pytest.raises(CertificateError, match="holds a private key"):
        pki.describe(folder / "key.pem")


def test_a_chain_of_more_than_three_is_remarked_on(folder, tmp_path):
    text = (folder / "cert_1.pem").read_text()
    again = tmp_path / "long.pem"
    again.write_text(text + (folder / "cert_ca.pem").read_text() * 2)
    assert any("4 certificates" in remark for remark in pki.describe(again).remarks)


def test_a_certificate_that_expires_is_remarked_on(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("dersim.pki.certificates.NEVER", datetime.datetime(2040, 1, 1, tzinfo=datetime.UTC))
    made = pki.create(tmp_path / "mortal", 1)
    assert any("2040" in remark for remark in pki.describe(made / "cert_1.pem").remarks)


def test_a_reversed_chain_is_named_as_such(folder, tmp_path):
    certificates = x509.load_pem_x509_certificates((folder / "cert.pem").read_bytes())
    text = b"".join(each.public_bytes(Encoding.PEM) for each in reversed(certificates))
    (tmp_path / "reversed.pem").write_bytes(text)
    (reason,) = pki.describe(tmp_path / "reversed.pem").refusals
    assert reason == "the chain is in reverse order; put the device's certificate first, each CA after it"


def test_an_rsa_certificate_is_refused(tmp_path):
    root = make_authority("root", None)
    device = make_device(root, rsa.generate_private_key(65537, 2048).public_key(), "test-1")
    (tmp_path / "rsa.pem").write_bytes(device.public_bytes(Encoding.PEM))
    (reason,) = pki.describe(tmp_path / "rsa.pem").refusals
    assert reason.startswith("certificate 1 has a key that is not an elliptic-curve one")
