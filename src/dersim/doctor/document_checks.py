"""The checks of what the server says: its time, our EndDevice, and the PIN."""

from __future__ import annotations

import trio

from dersim.csip.links import with_query
from dersim.csip.own_end_device import ExpectedEndDevice, find_own
from dersim.doctor.checking import Failed, Found, Skipped
from dersim.doctor.server_checks import fetch, url_of
from dersim.ieee2030_5 import identity
from dersim.ieee2030_5 import resources as r

#: Two clocks that are further apart are wrong, s.
_MOST_APART_S = 60.0
_PAGE, _MOST_PAGES = 255, 100


async def check_time(found: Found) -> str:
    """The server's Time against this computer's clock."""
    link = found.dcap.TimeLink if found.dcap else None
    if link is None:
        raise Failed(f"{found.config.dcap_url} has no TimeLink; the server must give its time")
    before_s = found.now_s()
    time, note = await fetch(found, link.href, r.Time)
    ahead_s = time.currentTime - (before_s + found.now_s()) / 2
    # A whole second, truncated: between 0 and 1 s late.
    ahead_s = round(ahead_s + 0.5)
    where = "ahead of" if ahead_s > 0 else "behind"
    if abs(ahead_s) > _MOST_APART_S:
        raise Failed(
            f"the clock of {url_of(found, link.href)} is {abs(ahead_s)} s {where} this computer's; set the "
            f"wrong one: certificates and logs go by it, while controls follow the server's time"
        )
    return f"the server's clock is within {max(1, abs(ahead_s))} s of this computer's{note}"


async def check_end_device(found: Found) -> str:
    """Our EndDevice is in the server's list."""
    if not found.lfdi:
        await trio.lowlevel.checkpoint()
        raise Skipped("without a certificate the LFDI is not known")
    link = found.dcap.EndDeviceListLink if found.dcap else None
    if link is None:
        raise Failed(f"{found.config.dcap_url} has no EndDeviceListLink; the server must give one")
    devices = await _end_devices(found, link.href)
    remarks: list[str] = []
    expected = ExpectedEndDevice(found.lfdi, found.config.pin)
    own = find_own(devices, expected, remarks.append)
    if own is None:
        sfdi, url = identity.format_sfdi(expected.sfdi), url_of(found, link.href)
        raise Failed(
            f"{url}: none of its {len(devices)} EndDevice(s) has LFDI {found.lfdi}; register it there "
            f"(SFDI {sfdi}); a server that allows it registers the client when it starts"
        )
    found.end_device = own
    return "; ".join([f"{url_of(found, own.href or link.href)} is ours", *remarks])


async def _end_devices(found: Found, href: str) -> list[r.EndDevice]:
    devices: list[r.EndDevice] = []
    for _ in range(_MOST_PAGES):
        page, _note = await fetch(found, with_query(href, f"s={len(devices)}&l={_PAGE}"), r.EndDeviceList)
        devices += page.EndDevice
        if not page.EndDevice or len(devices) >= page.all:
            break
    return devices


async def check_pin(found: Found) -> str:
    """The PIN of our Registration is that of --csip_pin."""
    if found.config.pin is None:
        await trio.lowlevel.checkpoint()
        raise Skipped("no --csip_pin is given")
    link = found.end_device.RegistrationLink if found.end_device else None
    if link is None:
        raise Failed(
            "our EndDevice has no RegistrationLink; the server must give one, or leave out --csip_pin"
        )
    registration, note = await fetch(found, link.href, r.Registration)
    if registration.pIN != found.config.pin:
        raise Failed(
            f"{url_of(found, link.href)} has another PIN than --csip_pin: this is not the server of that "
            f"registration, or one of the two is mistyped; the client would not use it"
        )
    return f"{url_of(found, link.href)} has the PIN of --csip_pin{note}"
