"""The contents of IEEE 2030.5 certificates (2030.5-2018 clause 6.11).

The hierarchy is SERCA (the root) -> [MCA] -> [MICA] -> device: two, three or four certificates. A device
sends all of them but the root. Differences from web certificates:

* P-256 keys only, signed by ecdsa-with-SHA256; nothing expires (notAfter 99991231235959Z) nor is revoked.
* A device has an empty subject. It is named by a critical subjectAltName that holds a hardwareModuleName (RFC
  4108: the type of hardware as an OID, and a serial number), and identified by its LFDI, a hash of the whole
  certificate.
* certificatePolicies, critical, say what it is: 1.3.6.1.4.1.40732.1.1 a device, 40732.2.1 a test certificate.
* Key identifiers are the short ones of RFC 5280 4.2.1.2 method 2: 0100 and 60 bits of a SHA-1.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

HARDWARE_MODULE_NAME = x509.ObjectIdentifier("1.3.6.1.5.5.7.8.4")
POLICY_DEVICE = x509.ObjectIdentifier("1.3.6.1.4.1.40732.1.1")
POLICY_TEST = x509.ObjectIdentifier("1.3.6.1.4.1.40732.2.1")
_ANY_POLICY = x509.ObjectIdentifier("2.5.29.32.0")
#: The hwType of our devices, below the enterprise number that RFC 5612 sets aside for documentation.
_HARDWARE_TYPE = "1.3.6.1.4.1.32473.1"

NEVER = datetime.datetime(9999, 12, 31, 23, 59, 59, tzinfo=datetime.UTC)
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Authority(NamedTuple):
    """A CA that can sign: its certificate, its key, and the certificates between it and the root."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    above: tuple[x509.Certificate, ...] = ()

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The certificates that a device sends after its own: all CAs but the root."""
        is_root = self.certificate.issuer == self.certificate.subject
        return () if is_root else (self.certificate, *self.above)


def new_key() -> ec.EllipticCurvePrivateKey:
    """A fresh P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def make_authority(
    common_name: str, parent: Authority | None, extra: tuple[tuple[x509.ExtensionType, bool], ...] = ()
) -> Authority:
    """A CA below `parent`, or a root. `extra` are (extension, critical) beyond those of the standard."""
    key = new_key()
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "dersim TEST ONLY"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
    builder = _begin(subject, parent.certificate.subject if parent else subject, key.public_key())
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign", "crl_sign"), critical=True)
    builder = builder.add_extension(_policies(_ANY_POLICY), critical=True)
    builder = builder.add_extension(x509.SubjectKeyIdentifier(key_identifier(key.public_key())), False)
    if parent:
        builder = builder.add_extension(_issued_by(parent), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical)
    certificate = builder.sign(parent.key if parent else key, hashes.SHA256())
    return Authority(certificate, key, parent.chain if parent else ())


def make_device(
    authority: Authority,
    public_key: ec.EllipticCurvePublicKey,
    serial: str,
    hosts: tuple[str, ...] = (),
    *,
    until: datetime.datetime | None = None,
) -> x509.Certificate:
    """A device certificate. `serial` is the hardware's; `hosts`: names and addresses of a server.

    until: its notAfter, NEVER if left out; another one is against the standard, for tests.
    """
    builder = _begin(x509.Name([]), authority.certificate.subject, public_key, until)
    builder = _with_device_extensions(builder, serial, hosts)
    builder = builder.add_extension(_issued_by(authority), critical=False)
    return builder.sign(authority.key, hashes.SHA256())


def make_self_signed(key: ec.EllipticCurvePrivateKey, serial: str) -> x509.Certificate:
    """A device certificate that signs itself, without a name (so that issuer = subject)."""
    builder = _begin(x509.Name([]), x509.Name([]), key.public_key())
    return _with_device_extensions(builder, serial, ()).sign(key, hashes.SHA256())


def key_identifier(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """The 8 octets of RFC 5280 4.2.1.2 method 2."""
    point = public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    tail = hashlib.sha1(point, usedforsecurity=False).digest()[-8:]
    return bytes([0x40 | tail[0] & 0x0F]) + tail[1:]


def hardware_module_name(hardware_type: str, serial: bytes) -> x509.OtherName:
    """The otherName of RFC 4108: SEQUENCE { hwType OBJECT IDENTIFIER, hwSerialNum OCTET STRING }."""
    return x509.OtherName(
        HARDWARE_MODULE_NAME,
        _der(0x30, _der(0x06, _oid_octets(hardware_type)) + _der(0x04, serial)),
    )


def _begin(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    until: datetime.datetime | None = None,
) -> x509.CertificateBuilder:
    # A day back, so that a peer whose clock is slow accepts a new certificate.
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(start).not_valid_after(until or NEVER)


def _with_device_extensions(
    builder: x509.CertificateBuilder, serial: str, hosts: tuple[str, ...]
) -> x509.CertificateBuilder:
    names: list[x509.GeneralName] = [hardware_module_name(_HARDWARE_TYPE, serial.encode())]
    names += [_host_name(host) for host in hosts]
    builder = builder.add_extension(_usage("digital_signature", "key_agreement"), critical=True)
    builder = builder.add_extension(_policies(POLICY_DEVICE, POLICY_TEST), critical=True)
    return builder.add_extension(x509.SubjectAlternativeName(names), critical=True)


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _usage(*names: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in names for usage in _USAGES})


def _policies(*oids: x509.ObjectIdentifier) -> x509.CertificatePolicies:
    return x509.CertificatePolicies([x509.PolicyInformation(oid, None) for oid in oids])


def _issued_by(authority: Authority) -> x509.AuthorityKeyIdentifier:
    identifier = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier(identifier.value.digest, None, None)


def _der(tag: int, content: bytes) -> bytes:
    if len(content) > 127:  # long-form lengths are never needed for the names that we make
        raise ValueError("a hardware serial number of at most 100 characters is needed")
    return bytes([tag, len(content)]) + content


def _oid_octets(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    return b"".join(_base128(number) for number in (first * 40 + second, *rest))


def _base128(number: int) -> bytes:
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F | 0x80)
    return bytes(reversed(groups))
