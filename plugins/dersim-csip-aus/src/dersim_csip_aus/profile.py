"""What CSIP-AUS asks of the CSIP client, beside elements and limits: flags, defaults, and the profile."""

from __future__ import annotations

import argparse
import re
from argparse import Namespace
from collections.abc import Mapping
from functools import partial
from typing import Any

from dersim.plugin import CsipProfile, CsipVisit, Device, OptionParser, count, number, yes_no
from dersim_csip_aus import elements
from dersim_csip_aus.connection_point import ConnectionPoints
from dersim_csip_aus.mirrors import mirrors
from dersim_csip_aus.well_known import find_device_capability

#: That of IEEE 2030.5; dersim has no private enterprise number of its own.
DEFAULT_PEN = 40732
#: AS/NZS 4777.2: seconds of good grid before an inverter connects again, seconds from 0 to full power then,
#: and how fast power follows a command without a rampTms, % of setMaxW per second (16 %/min).
RECONNECT_S, RAMP_UP_S, GRADIENT_PCT_S = 60.0, 375.0, 0.27
#: What EndDevice.postRate asks for, s.
POST_RATE_S = 60
#: DeviceCategoryType by DERType: PV, other storage, PV with storage.
DEVICE_CATEGORY = {4: 1 << 21, 80: 1 << 25, 83: 1 << 23}
_NMI = re.compile(r"[!-~]{1,32}")


def add_options(parser: OptionParser) -> None:
    """The flags of `dersim sim`."""
    add = parser.add_argument_group("CSIP-AUS").add_argument
    add("--csip_aus_profile", type=yes_no, default=True, metavar="yes|no",
        help="2018 XML, site meter, means, decimal PEN; no: elements and limits alone")  # fmt: skip
    add("--csip_aus_version", choices=tuple(elements.NAMESPACES), default=elements.DEFAULT_VERSION,
        help="whose namespace is written; both are read")  # fmt: skip
    add("--csip_aus_nmi", type=_nmis, default=(), metavar="NMI,...",
        help="the NMI of the ConnectionPoint of all DERs, or of each in turn")  # fmt: skip
    add("--csip_aus_pen", type=count(0, 99_999_999), default=DEFAULT_PEN, metavar="PEN",
        help="private enterprise number, decimal, the end of our mRIDs")  # fmt: skip
    add("--csip_aus_reconnect_s", type=number(0, 86_400, unit="seconds"), metavar="SECONDS",
        help=f"good grid before a DER connects again ({RECONNECT_S:g}, but for --nameplate)")  # fmt: skip


def _nmis(text: str) -> tuple[str, ...]:
    found = tuple(text.split(","))
    if not all(_NMI.fullmatch(each) for each in found):
        raise argparse.ArgumentTypeError("NMIs of 1 to 32 visible characters are needed, separated by commas")
    return found


def rules(options: Namespace) -> bool:
    """Whether the profile rules in this run."""
    return bool(getattr(options, "csip_aus_profile", False))


def adapt_options(options: Namespace, given: frozenset[str]) -> None:
    """Where the profile rules: the XML of 2018, and a meter of the site even without a load."""
    if not rules(options):
        return
    if hasattr(options, "csip_2018_compat") and "csip_2018_compat" not in given:
        options.csip_2018_compat = True
    if hasattr(options, "site_load") and options.site_load is None:
        options.site_load = 0.0


def profile(options: Namespace) -> CsipProfile:
    """The profile of a run with these flags."""
    nmis = options.csip_aus_nmi
    return CsipProfile(
        name="csip-aus",
        mrid_end=f"{options.csip_aus_pen:08d}",
        mirrors=mirrors,
        end_device=_end_device,
        settings=partial(_settings, options),
        visits=(CsipVisit("ConnectionPoint", ConnectionPoints(nmis).visit),) if nmis else (),
        entry=find_device_capability if options.csip_aus_version == "1.3" else None,
        gen_connect_status=True,
        settings_at_once=True,
        doc="CSIP-AUS, SA HB 218",
    )


def _end_device(device: Device) -> Mapping[str, Any]:
    """Members of an EndDevice that registers in-band."""
    category = DEVICE_CATEGORY.get(device.nameplate.der_type)
    return {"postRate": POST_RATE_S, **({} if category is None else {"deviceCategory": category})}


def _settings(options: Namespace, device: Device) -> Mapping[str, float]:
    """The times of AS/NZS 4777.2, until a DefaultDERControl has others.

    A nameplate of the user's says them itself.
    """
    del device
    wanted_s = options.csip_aus_reconnect_s
    own = {} if wanted_s is None else {"setESDelay": wanted_s}
    if options.nameplate is not None:
        return own
    return {"setESDelay": RECONNECT_S, "setESRampTms": RAMP_UP_S, "setGradW": GRADIENT_PCT_S, **own}
