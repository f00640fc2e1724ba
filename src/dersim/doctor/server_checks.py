"""The checks on the way to the server: its name, TCP, TLS, and the DeviceCapability."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any, TypeVar

import trio

from dersim import tls
from dersim.csip import credentials
from dersim.csip.links import Origin, resolve
from dersim.doctor.checking import Failed, Found, Skipped
from dersim.errors import CertificateError, ConfigError, RemoteProtocolError, UtilityUnreachable
from dersim.http11.endpoint import Endpoint
from dersim.ieee2030_5 import decode, identity
from dersim.ieee2030_5 import resources as r
from dersim.tls.handshake import peer_certificate

T = TypeVar("T")
_HEADERS = {"Accept": "application/sep+xml"}
_MOST_REDIRECTS = 5
_FLAGS = "--csip_server_ip and --csip_server_port"


async def check_name(found: Found) -> str:
    """The host has an address."""
    host = found.config.origin.host
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    else:
        await trio.lowlevel.checkpoint()
        return f"{host} is an address"
    try:
        with trio.fail_after(found.timeout_s):
            infos = await trio.socket.getaddrinfo(host, found.config.origin.port, type=socket.SOCK_STREAM)
    except trio.TooSlowError:
        raise Failed(f"{host}: no answer within {found.timeout_s:g} s; check the name server") from None
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Failed(f"{host}: {why}; check --csip_server_ip and the name server") from None
    return f"{host} is {', '.join(dict.fromkeys(str(info[4][0]) for info in infos))}"


def _endpoint(found: Found, context: tls.ClientContext | None) -> Endpoint:
    origin = found.config.origin
    wait_s = found.timeout_s
    return Endpoint(origin.host, origin.port, context, connect_s=wait_s, tls_s=wait_s)


async def check_tcp(found: Found) -> str:
    """Something listens on the port."""
    endpoint = _endpoint(found, None)
    try:
        stream = await endpoint.open()
    except UtilityUnreachable as error:
        raise Failed(f"{error}; check {_FLAGS}, that the server runs, and firewalls") from None
    await trio.aclose_forcefully(stream)
    return f"{endpoint.name} accepts connections"


async def check_tls(found: Found) -> str:
    """The handshake, with both certificates."""
    if not found.config.origin.secure:
        raise Skipped("--csip_enc is no")
    try:
        cert, key, root = credentials.files(found.config, None)
        context = tls.client_context(cert, key, root, check_hostname=found.config.check_hostname)
    except (CertificateError, ConfigError) as error:
        raise Failed(str(error)) from None
    endpoint = _endpoint(found, context)
    try:
        stream = await endpoint.open()
    except UtilityUnreachable as error:
        raise Failed(f"{error}; {_advice(str(error))}") from None
    found.context = context
    version, suite = stream.version(), stream.cipher()[0]  # type: ignore[attr-defined]  # a TlsStream
    server = peer_certificate(stream)
    await trio.aclose_forcefully(stream)
    return f"{version} {suite} with {endpoint.name}, whose LFDI is {identity.lfdi(server or b'')}"


def _advice(text: str) -> str:
    """What to do about a failed handshake."""
    for word, advice in (
        ("unable to get", "give the CA of the server by --csip_root_cert"),
        ("self-signed", "give the CA of the server by --csip_root_cert"),
        ("self signed", "give the CA of the server by --csip_root_cert"),
        ("expired", "the server needs a new certificate, or a clock is wrong"),
        ("ostname", "the certificate has another name; --csip_check_hostname no takes it as it is"),
        (
            "IP address mismatch",
            "the certificate has another name; --csip_check_hostname no takes it as it is",
        ),
        ("not answer in TLS", "give the port of its TLS, or --csip_enc no"),
        ("TLS alert", "the server must accept our certificate: register it there, with its CA"),
        ("closed", "it may not accept our certificate: look at the server's log"),
    ):
        if word in text:
            return advice
    return "look at the server's log"


async def check_dcap(found: Found) -> str:
    """The DeviceCapability, over HTTP."""
    dcap, note = await fetch(found, found.config.dcap, r.DeviceCapability)
    found.dcap = dcap
    links = [
        name for name in ("TimeLink", "EndDeviceListLink", "MirrorUsagePointListLink") if getattr(dcap, name)
    ]
    return f"{found.config.dcap_url} has {', '.join(links) or 'no links that this client needs'}{note}"


async def fetch(found: Found, href: str, kind: type[T]) -> tuple[T, str]:
    """A document and what the schema says against it; Failed tells why there is none."""
    origin, target = found.config.origin, href
    for _ in range(_MOST_REDIRECTS):
        try:
            origin, target = resolve(origin, target)
        except RemoteProtocolError as error:
            raise Failed(f"{error}; the server must give another link") from None
        answer = await _get(found, origin.url(target))
        location = answer.headers.get("location", "")
        if answer.status_code not in (301, 302, 307, 308) or not location:
            break
        target = location
    url = origin.url(target) if target.startswith("/") else target
    if answer.status_code != 200:
        raise Failed(f"{url}: HTTP status {answer.status_code}{_words(answer)}; {_what_to_do(answer)}")
    try:
        decoded = decode(answer.content, kind)
    except RemoteProtocolError as error:
        raise Failed(f"{url}: {error}; is this a 2030.5 server, and --dcap its path?") from None
    violations = decoded.violations
    note = f"; not valid by the schema: {violations[0]}" if violations else ""
    return decoded.resource, note


async def _get(found: Found, url: str) -> Any:
    import httpx  # noqa: PLC0415 - it takes a fifth of a second to import

    from dersim.http11.transport import Transport  # noqa: PLC0415 - it imports httpx

    if found.client is None:
        found.client = httpx.AsyncClient(transport=Transport(tls=found.context), timeout=found.timeout_s)
    try:
        return await found.client.get(url, headers=_HEADERS)
    except httpx.HTTPError as error:
        raise Failed(f"{url}: {error}; look at the server's log") from None


def _words(answer: Any) -> str:
    """The first words of an error's body, where they are for people."""
    text = " ".join(answer.text[:300].split())
    return f" ({text[:120]})" if text and "<" not in text[:1] else ""


def _what_to_do(answer: Any) -> str:
    if answer.status_code in (401, 403):
        return "the server must be told of this certificate (its LFDI)"
    if answer.status_code == 404:
        return "give the right path by --dcap"
    if answer.status_code == 400 and "html" in answer.headers.get("content-type", ""):
        return "a proxy may refuse our certificate: check that its chain is in --csip_cert"
    return "look at the server's log"


def url_of(found: Found, href: str) -> str:
    """A link as a whole URL, for messages."""
    origin: Origin = found.config.origin
    return origin.url(href) if href.startswith("/") else href
