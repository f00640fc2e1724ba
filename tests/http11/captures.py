"""A reader of pcapng that knows nothing of our writer, TCP streams put together, and TLS 1.2 decrypted.

Formats: draft-ietf-opsawg-pcapng, RFC 791, 8200, 9293, 5246, 6655 (AES-CCM-8).
"""

import hashlib
import hmac
import ipaddress
import struct
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESCCM, AESGCM

CCM8, GCM = 0xC0AE, 0xC02B
TAG_BYTES = {CCM8: 8, GCM: 16}
FIN, SYN, RST = 1, 2, 4


class Packet(NamedTuple):
    time_ns: int
    source: tuple[str, int]
    target: tuple[str, int]
    sequence: int
    acknowledged: int
    flags: int
    data: bytes
    comment: str


class Capture(NamedTuple):
    comment: str
    secrets: dict[bytes, bytes]  # client random -> master secret
    packets: list[Packet]

    def streams(self):
        """The bytes of each direction, by (source, target); they must follow one another without a gap."""
        streams, expected = {}, {}
        for packet in self.packets:
            way = packet.source, packet.target
            assert packet.sequence == expected.setdefault(way, packet.sequence), packet
            if packet.acknowledged:
                assert packet.acknowledged == expected[way[::-1]], packet
            expected[way] += len(packet.data) + bool(packet.flags & (SYN | FIN))
            streams[way] = streams.get(way, b"") + packet.data
        return streams


def read(data):
    comment, secrets, packets = "", {}, []
    while data:
        kind, length = struct.unpack_from("<II", data)
        assert length % 4 == 0
        assert struct.unpack_from("<I", data, length - 4) == (length,)
        body, data = data[8 : length - 4], data[length:]
        if kind == 0x0A0D0D0A:
            assert struct.unpack_from("<IHH", body) == (0x1A2B3C4D, 1, 0)
            comment = options(body[16:])[1].decode()
        elif kind == 1:
            assert struct.unpack_from("<H", body) == (1,)  # Ethernet
            assert options(body[8:])[9] == b"\x09"  # nanoseconds
        elif kind == 10:
            label, size = struct.unpack_from("<II", body)
            assert label == 0x544C534B
            assert not packets
            secrets = dict(map(secret, body[8 : 8 + size].decode().splitlines()))
        elif kind == 6:
            packets.append(packet(body))
    return Capture(comment, secrets, packets)


def options(data):
    found = {}
    while data:
        code, size = struct.unpack_from("<HH", data)
        if code == 0:
            break
        found[code] = data[4 : 4 + size]
        data = data[4 + size + -size % 4 :]
    return found


def secret(line):
    label, random, master = line.split()
    assert label == "CLIENT_RANDOM"
    return bytes.fromhex(random), bytes.fromhex(master)


def packet(body):
    interface, high, low, size, original = struct.unpack_from("<IIIII", body)
    assert (interface, original) == (0, size)
    frame, rest = body[20 : 20 + size], options(body[20 + size + -size % 4 :])
    source, target, tcp = ip(frame[14:], frame[12:14])
    ports = struct.unpack_from(">HH", tcp)
    sequence, acknowledged, offset, flags = struct.unpack_from(">IIBB", tcp, 4)
    pseudo = source.packed + target.packed + struct.pack(">II", len(tcp), 6)
    assert ones_complement_sum(pseudo + tcp) == 0xFFFF
    return Packet(
        high << 32 | low,
        (str(source), ports[0]),
        (str(target), ports[1]),
        sequence,
        acknowledged,
        flags,
        tcp[(offset >> 4) * 4 :],
        rest.get(1, b"").decode(),
    )


def ip(data, kind):
    if kind == b"\x08\x00":
        assert data[0] == 0x45
        assert struct.unpack_from(">H", data, 2) == (len(data),)
        assert ones_complement_sum(data[:20]) == 0xFFFF
        return ipaddress.ip_address(data[12:16]), ipaddress.ip_address(data[16:20]), data[20:]
    assert kind == b"\x86\xdd"
    assert data[0] >> 4 == 6
    assert struct.unpack_from(">HB", data, 4) == (len(data) - 40, 6)
    return ipaddress.ip_address(data[8:24]), ipaddress.ip_address(data[24:40]), data[40:]


def ones_complement_sum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\x00" * (len(data) % 2)))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def decrypted(capture, client, server):
    """What client and server said, and the cipher suite; every record's tag is checked."""
    streams = capture.streams()
    sent, received = records(streams[client, server]), records(streams[server, client])
    client_random = sent[0][1][6:38]
    hello = next(body for kind, body in received if kind == 22)
    server_random, session = hello[6:38], hello[38]
    (suite,) = struct.unpack_from(">H", hello, 39 + session)
    block = prf(capture.secrets[client_random], b"key expansion" + server_random + client_random, 40)
    keys, salts = (block[:16], block[16:32]), (block[32:36], block[36:40])
    return (
        *(plain(part, keys[k], salts[k], suite) for k, part in enumerate((sent, received))),
        suite,
    )


def records(stream):
    found = []
    while stream:
        kind, version, size = struct.unpack_from(">BHH", stream)
        assert version in {0x0301, 0x0303}
        found.append((kind, stream[5 : 5 + size]))
        stream = stream[5 + size :]
    return found


def plain(found, key, salt, suite):
    cipher = AESCCM(key, tag_length=8) if suite == CCM8 else AESGCM(key)
    out, number = b"", None
    for kind, body in found:
        if kind == 20:
            number = 0
        elif number is not None:
            size = len(body) - 8 - TAG_BYTES[suite]
            text = cipher.decrypt(salt + body[:8], body[8:], struct.pack(">QBHH", number, kind, 0x0303, size))
            number += 1
            if kind == 23:
                out += text
    return out


def prf(secret_, seed, size):
    out, chained = b"", seed
    while len(out) < size:
        chained = hmac.digest(secret_, chained, hashlib.sha256)
        out += hmac.digest(secret_, chained + seed, hashlib.sha256)
    return out[:size]
