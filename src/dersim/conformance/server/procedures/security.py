"""COMM-002 to 004 for a server: DeviceCapability, the TLS session, client chains that are right and wrong."""

from __future__ import annotations

import ssl

from dersim.conformance.checks.security import CIPHER
from dersim.conformance.evidence import Handshake
from dersim.conformance.server import walk
from dersim.conformance.server.der import Der, Stopped
from dersim.conformance.server.handshake import (
    CCM_8,
    CLIENT_FLIGHT,
    SECP256R1,
    SERVER_FLIGHT,
    TLS_12,
    Tap,
    Tried,
    flight,
    tried,
)
from dersim.conformance.server.procedure import ServerProcedure
from dersim.conformance.server.steps import Register
from dersim.conformance.server.target import Identity
from dersim.errors import UtilityUnreachable
from dersim.ieee2030_5 import MEDIA_TYPE
from dersim.ieee2030_5 import resources as r
from dersim.pki.conformance import COMM_004

_V12 = ssl.TLSVersion.TLSv1_2
_LINKS = ("TimeLink", "EndDeviceListLink", "MirrorUsagePointListLink")
#: An alert, a disconnect and HTTP 403 are all a refusal (erratum 7).
_FORBIDDEN = 403
OK = 200


async def comm_002(der: Der) -> None:
    """DeviceCapability at the configured address, and something that it links to."""
    await der.prepare(Register(der.lfdi))
    dcap = await der.read(r.DeviceCapability, der.target.path)
    der.check("DeviceCapability is served", True, f"GET {der.target.path}")
    linked = [href for name in _LINKS if (href := walk.link(dcap, name))]
    if not der.check("it links to other resources", bool(linked), f"{', '.join(linked) or 'no link'}"):
        return
    for href in linked:
        der.status("what it links to is served", await der.get(href), 200)


async def comm_003(der: Der) -> None:
    """The flight of the handshake in clear; a client without a certificate is refused."""
    await der.prepare(Register(der.lfdi))
    taps: list[Tap] = []

    def tap(stream: object) -> Tap:
        taps.append(Tap(stream))  # type: ignore[arg-type]  # the stream that the endpoint has opened
        return taps[-1]

    connection = der.target.endpoint(der.target.own, tap).connection()
    try:
        answer = await connection.request("GET", der.target.path, headers=(("Accept", MEDIA_TYPE),))
    except UtilityUnreachable as error:
        der.evidence.handshakes.append(Handshake(der.clock.now_s(), None, None, str(error)))
        der.check("a TLS session is made", False, str(error))
        raise Stopped from None
    finally:
        await connection.aclose()
    got = der.keep("GET", der.target.path, (), b"", answer, der.lfdi)
    der.check(
        "DeviceCapability is served within it", got.got(r.DeviceCapability) is not None, f"{got.status}", got
    )
    server, client = flight(bytes(taps[0].received)), flight(bytes(taps[0].sent))
    version = "TLSv1.2" if server.version == TLS_12 else None
    made = Handshake(der.clock.now_s(), version, _suite(server.cipher), None, chain=server.chain)
    der.evidence.handshakes.append(made)
    der.check("TLS 1.2", server.version == TLS_12, f"version {server.version or 0:04X}")
    der.check(f"cipher suite {CIPHER}", server.cipher == CCM_8, f"0x{server.cipher or 0:04X}, 0xC0AE is due")
    der.check("curve secp256r1", server.curve == SECP256R1, f"named curve {server.curve}, 23 is due")
    missing = [name for name in SERVER_FLIGHT if name not in server.messages]
    missing += [f"the client's {name}" for name in CLIENT_FLIGHT if name not in client.messages]
    der.check(
        "the messages of RFC 5246 7.3", not missing, f"missing: {', '.join(missing)}" if missing else "all"
    )
    without = await _try(der, None)
    der.check("a client without a certificate is refused", _is_refused(without.status), without.said)
    old = await _try(der, der.target.own, ssl.TLSVersion.TLSv1_1, "ALL")
    der.check("TLS 1.1 is refused", old.status is None, old.said, printed_only=True)


async def _try(
    der: Der, who: Identity | None, version: ssl.TLSVersion = _V12, ciphers: str = CIPHER
) -> Tried:
    """A connection of such a client, with its handshake as evidence."""
    found = await tried(der.target, who, version, ciphers)
    error = None if found.status == OK else found.said
    der.evidence.handshakes.append(Handshake(der.clock.now_s(), found.version, found.cipher, error))
    return found


def _suite(number: int | None) -> str | None:
    return CIPHER if number == CCM_8 else None if number is None else f"0x{number:04X}"


def _is_refused(status: int | None) -> bool:
    return status is None or status == _FORBIDDEN


def _chain(letter: str) -> ServerProcedure:
    case = COMM_004[letter]

    async def run(der: Der) -> None:
        who = der.target.chains.get(letter)
        if who is None:
            der.not_seen("the client's chain", "--kit FOLDER is needed, whose root the server trusts")
            raise Stopped
        if case.accept:
            await der.prepare(Register(who.lfdi))
        found = await _try(der, who)
        if case.accept:
            der.check("the chain is accepted", found.status == 200, found.said)
        else:
            der.check("the chain is refused", _is_refused(found.status), found.said)

    return ServerProcedure(
        f"COMM-004{letter}",
        f"Client's chain: {case.title}",
        run,
        reading="" if case.accept else "An alert, a disconnect or 403; the AlertDescription is not judged.",
    )


PROCEDURES = (
    ServerProcedure("COMM-002", "DeviceCapability is at the configured address", comm_002),
    ServerProcedure("COMM-003", "TLS session", comm_003),
    *(_chain(letter) for letter in COMM_004),
)
