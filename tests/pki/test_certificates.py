"""The shape of the certificates, as IEEE 2030.5 prescribes it."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dersim import pki
from dersim.pki.certificates import hardware_module_name, make_authority, make_device, new_key


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 1)


def load(folder, name):
    return x509.load_pem_x509_certificates((folder / name).read_bytes())


@pytest.fixture(params=["cert.pem", "cert_1.pem", "cert_server.pem"])
def device(folder, request):
    return load(folder, request.param)[0]


@pytest.fixture(params=["cert_root.pem", "cert_ca.pem"])
def authority(folder, request):
    return load(folder, request.param)[0]


def extension(certificate, kind):
    return certificate.extensions.get_extension_for_class(kind)


def test_devices(device):
    assert not device.subject.rdns
    assert isinstance(device.public_key().curve, ec.SECP256R1)
    assert device.signature_hash_algorithm.name == "sha256"
    assert device.not_valid_after_utc == datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
    usage = extension(device, x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    assert usage.value.key_agreement
    assert not usage.value.key_cert_sign
    policies = extension(device, x509.CertificatePolicies)
    assert policies.critical
    assert [(p.policy_identifier.dotted_string, p.policy_qualifiers) for p in policies.value] == [
        ("1.3.6.1.4.1.40732.1.1", None),
        ("1.3.6.1.4.1.40732.2.1", None),
    ]
    names = extension(device, x509.SubjectAlternativeName)
    assert names.critical
    (other,) = names.value.get_values_for_type(x509.OtherName)
    assert other.type_id.dotted_string == "1.3.6.1.5.5.7.8.4"


def test_the_date_is_written_as_the_standard_has_it(device):
    assert b"99991231235959Z" in device.public_bytes(Encoding.DER)


def test_authorities(authority):
    constraints = extension(authority, x509.BasicConstraints)
    assert constraints.critical
    assert constraints.value.ca
    usage = extension(authority, x509.KeyUsage)
    assert usage.critical
    assert usage.value.key_cert_sign
    assert usage.value.crl_sign
    assert extension(authority, x509.CertificatePolicies).critical
    assert "TEST ONLY" in authority.subject.rfc4514_string()


def test_key_identifiers_are_those_of_rfc_5280_method_2(folder):
    (root,) = load(folder, "cert_root.pem")
    leaf, issuer = load(folder, "cert.pem")
    point = issuer.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    identifier = extension(issuer, x509.SubjectKeyIdentifier).value.digest
    assert len(identifier) == 8
    assert identifier[0] >> 4 == 0b0100
    low_60_bits = int.from_bytes(hashlib.sha1(point).digest(), "big") & (1 << 60) - 1
    assert int.from_bytes(identifier, "big") & (1 << 60) - 1 == low_60_bits
    assert extension(leaf, x509.AuthorityKeyIdentifier).value.key_identifier == identifier
    above = extension(issuer, x509.AuthorityKeyIdentifier).value.key_identifier
    assert above == extension(root, x509.SubjectKeyIdentifier).value.digest


def test_the_server_answers_to_this_machine(folder):
    names = extension(load(folder, "cert_server.pem")[0], x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]


def test_the_hardware_module_name_in_der():
    name = hardware_module_name("1.3.6.1.4.1.40732.1.1", b"AB")
    # SEQUENCE { OID 2b 06 01 04 01 (40732 = 82 be 1c) 01 01, OCTET STRING "AB" }
    assert name.value.hex() == "3010060a2b0601040182be1c010104024142"


def test_a_serial_number_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at most 100"):
        hardware_module_name("1.3.6", b"x" * 200)


def test_a_new_certificate_is_valid_for_a_peer_whose_clock_is_slow():
    device = make_device(make_authority("root", None), new_key().public_key(), "test-1")
    age = datetime.datetime.now(datetime.UTC) - device.not_valid_before_utc
    assert datetime.timedelta(hours=23) < age < datetime.timedelta(hours=25)
