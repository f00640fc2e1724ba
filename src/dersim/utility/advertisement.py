"""DNS-SD advertisement of the server, for clients that look for one; optional in CSIP.

The service is `_smartenergy._tcp` in `.local`, its instance named after the server's SFDI. The TXT record
says where the DeviceCapability is; that of a function set's subtype (`edev._sub._smartenergy._tcp`) has
`path`, too:

    txtvers=1   first, else clients ignore the record
    dcap        the path of the DeviceCapability
    path        that of the function set, in answers to its subtype only
    https       the port of TLS, empty for 443; left out by a server without TLS
    level       of the schema: -S1 the edition of 2018, -S2 that of 2023

The zeroconf package, of the extra `dersim[dnssd]`, is imported when it is needed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import trio

from dersim.errors import ConfigError
from dersim.ieee2030_5 import Edition, identity

if TYPE_CHECKING:
    from zeroconf import ServiceInfo, Zeroconf

SERVICE = "_smartenergy._tcp.local."
#: The function sets with a subtype, and where each begins.
SUBTYPES = {"edev": "/edev", "tm": "/tm", "mup": "/mup", "upt": "/upt", "rsps": "/rsps"}
_DCAP = "/dcap"
_HTTPS = 443
_CLOSE_S = 3.0


class Advertised(NamedTuple):
    """One instance: the type whose queries it answers, its name, and its TXT record in order."""

    kind: str
    name: str
    txt: dict[str, str]


def instances(port: int, certificate_der: bytes | None, edition: Edition | None) -> list[Advertised]:
    """What is advertised. certificate_der: of the server, None without TLS; edition: its personality."""
    who = (
        "dersim"
        if certificate_der is None
        else f"dersim-{identity.sfdi(identity.lfdi(certificate_der)):012d}"
    )
    tls = {} if certificate_der is None else {"https": "" if port == _HTTPS else str(port)}
    level = {"level": "-S2" if edition is Edition.E2023 else "-S1"}
    head = {"txtvers": "1", "dcap": _DCAP}
    found = [Advertised(SERVICE, f"{who}.{SERVICE}", head | tls | level)]
    for name, path in SUBTYPES.items():
        txt = head | {"path": path} | tls | level
        found.append(Advertised(f"{name}._sub.{SERVICE}", f"{who}-{name}.{SERVICE}", txt))
    return found


def check() -> None:
    """ConfigError where the zeroconf package is not installed."""
    _zeroconf()


async def advertise(
    found: list[Advertised], host: str, port: int, log: Callable[[str], None], warn: Callable[[str], None]
) -> None:
    """Advertise until cancelled, then say goodbye. host: the address that is bound; a wildcard means all.

    A network without multicast is one warning, and the server goes on without.
    """
    try:
        zeroconf = await trio.to_thread.run_sync(_open, host)
    except OSError as error:
        warn(f"not advertised by DNS-SD: {error.strerror or error}; is there a network with multicast?")
        return
    try:
        await trio.to_thread.run_sync(_register, zeroconf, found, host, port, abandon_on_cancel=True)
        log(f"advertised by DNS-SD as {found[0].name} with subtypes {', '.join(SUBTYPES)}")
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + _CLOSE_S):
            await trio.to_thread.run_sync(zeroconf.close, abandon_on_cancel=True)


def _open(host: str) -> Zeroconf:
    module = _zeroconf()
    wildcard = ipaddress.ip_address(host).is_unspecified
    zeroconf: Zeroconf = module.Zeroconf() if wildcard else module.Zeroconf(interfaces=[host])
    return zeroconf


def _register(zeroconf: Zeroconf, found: list[Advertised], host: str, port: int) -> None:
    module = _zeroconf()
    wildcard = ipaddress.ip_address(host).is_unspecified
    addresses = module.get_all_addresses() if wildcard else [host]
    server = f"{found[0].name.partition('.')[0]}.local."
    for each in found:
        info: ServiceInfo = module.ServiceInfo(
            each.kind, each.name, port=port, properties=each.txt, server=server, parsed_addresses=addresses
        )
        zeroconf.register_service(info, cooperating_responders=True)


def _zeroconf() -> Any:
    try:
        import zeroconf  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        raise ConfigError(
            "--advertise: needs the zeroconf package; install it with pip install 'dersim[dnssd]'"
        ) from None
    return zeroconf
