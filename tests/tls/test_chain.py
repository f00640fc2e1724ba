"""The chain check by itself, on certificates in memory."""

import pytest
from cryptography import x509
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
