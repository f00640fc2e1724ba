"""The chain check by itself, on certificates in memory."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from dersim import tls
from dersim.pki.certificates import make_authority, make_device, new_key


def chain_of(*authorities, leaf_of=None):
    device = make_device(authorities[0], new_key().public_key(), "test-1")
    return [device.public_bytes(Encoding.DER)] + [
        authority.certificate.public_bytes(Encoding.DER) for authority in authorities
    ]


def test_a_good_chain_is_not_refused():
    root = make_authority("root", None)
    assert tls.check_chain(chain_of(make_authority("mica", root), root)) == ()
    assert tls.check_chain(chain_of(root)) == ()


def test_no_chain_is_refused():
    assert tls.check_chain([]) == ("the peer sent no certificate",)


def test_garbage_is_refused():
    (reason,) = tls.check_chain([b"garbage", b"garbage"])
    assert "cannot be read" in reason


@pytest.mark.parametrize("critical", [True, False])
@pytest.mark.parametrize(
    ("extension", "name", "only_critical"),
    [
        (x509.NameConstraints([x509.DNSName("a.test")], None), "nameConstraints", False),
        (
            x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), b"\x30\x00"),
            "policyMappings",
            False,
        ),
        (x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), "extendedKeyUsage", True),
        (x509.PolicyConstraints(0, None), "policyConstraints", True),
        (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00"), "1.2.3.4", True),
    ],
)
def test_what_the_issuing_ca_may_not_carry(extension, name, only_critical, critical):
    root = make_authority("root", None)
    mica = make_authority("mica", root, ((extension, critical),))
    reasons = tls.check_chain(chain_of(mica, root))
    if critical or not only_critical:
        (reason,) = reasons
        assert name in reason
        assert "CA certificate 1" in reason
    else:
        assert reasons == ()


def test_the_trust_anchor_is_not_judged():
    root = make_authority("root", None, ((x509.NameConstraints([x509.DNSName("a.test")], None), True),))
    assert tls.check_chain(chain_of(root)) == ()


def test_four_certificates_are_accepted_and_five_are_not():
    authorities = [make_authority("root", None)]
    for name in ("mca", "mica"):
        authorities.insert(0, make_authority(name, authorities[0]))
    assert tls.check_chain(chain_of(*authorities)) == ()
    authorities.insert(0, make_authority("sub", authorities[0]))
    (reason,) = tls.check_chain(chain_of(*authorities))
    assert reason == "it has 5 certificates; IEEE 2030.5 allows 4"


def test_policy_qualifiers_are_refused():
    root = make_authority("root", None)
    device = make_device(root, new_key().public_key(), "test-1")
    policy = x509.PolicyInformation(x509.ObjectIdentifier("1.2.3.4"), ["https://cps.test"])
    builder = x509.CertificateBuilder().subject_name(device.subject).issuer_name(device.issuer)
    builder = builder.public_key(device.public_key()).serial_number(7)
    builder = builder.not_valid_before(device.not_valid_before_utc).not_valid_after(
        device.not_valid_after_utc
    )
    for extension in device.extensions:
        if not isinstance(extension.value, x509.CertificatePolicies):
            builder = builder.add_extension(extension.value, extension.critical)
    builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=True)
    leaf = builder.sign(root.key, hashes.SHA256())
    chain = [leaf.public_bytes(Encoding.DER), root.certificate.public_bytes(Encoding.DER)]
    (reason,) = tls.check_chain(chain)
    assert reason == "the peer's own certificate has policyQualifiers, which IEEE 2030.5 forbids"


@pytest.mark.parametrize(
    ("make_key", "message"),
    [
        (lambda: rsa.generate_private_key(65537, 2048), "a key that is not an elliptic-curve one"),
        (lambda: ec.generate_private_key(ec.SECP384R1()), "a key on curve secp384r1"),
    ],
)
def test_a_leaf_whose_key_is_not_on_p_256_is_refused(make_key, message):
    root = make_authority("root", None)
    device = make_device(root, make_key().public_key(), "test-1")
    chain = [device.public_bytes(Encoding.DER), root.certificate.public_bytes(Encoding.DER)]
    (reason,) = tls.check_chain(chain)
    assert reason == f"the peer's own certificate has {message}; IEEE 2030.5 needs P-256"


def test_a_leaf_that_is_a_ca_is_refused():
    root = make_authority("root", None)
    mica = make_authority("mica", root)
    chain = [each.certificate.public_bytes(Encoding.DER) for each in (mica, root)]
    (reason,) = tls.check_chain(chain)
    assert reason == "the peer's own certificate is a CA certificate; a device's own certificate is needed"
