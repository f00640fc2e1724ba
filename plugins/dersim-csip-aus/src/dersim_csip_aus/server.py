"""CSIP-AUS in the companion server: the ConnectionPoint of each EndDevice, and the profile's rules.

An mRID ends in the decimal digits of the private enterprise number. A Response to an unknown event, or with a
status that is not defined, is refused, and so is a mirror with the mRID of another device's reading.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Iterable, Mapping
from typing import Any

from dersim.plugin import DeviceResource, OptionParser, ServerDocument, ServerProfile, hookimpl, yes_no
from dersim_csip_aus import elements, nmi


@hookimpl
def add_server_options(parser: OptionParser) -> None:
    """Which version the server speaks, and whether NMIs are checked."""
    group = parser.add_argument_group("CSIP-AUS")
    group.add_argument(
        "--csip_aus_version",
        choices=tuple(elements.NAMESPACES),
        default=elements.DEFAULT_VERSION,
        help="whose namespace is written; 1.3 adds storage",
    )
    group.add_argument(
        "--csip_aus_check_nmi",
        type=yes_no,
        default=True,
        metavar="yes|no",
        help="refuse a ConnectionPoint whose id is no NMI",
    )


@hookimpl
def register_server_profiles(options: Namespace) -> Iterable[ServerProfile]:
    """The rules of the profile."""
    del options
    return [
        ServerProfile(
            name="csip-aus",
            pen_form="decimal",
            refuses=("response", "foreign-mrid"),
            doc="mRIDs with the PEN in decimal; refusals that CSIP-AUS asks for",
        )
    ]


@hookimpl
def register_server_resources(options: Namespace) -> Iterable[DeviceResource | ServerDocument]:
    """The ConnectionPoint, which a client PUTs or POSTs, and may read before that: its id is empty then.

    Of 1.3 also where a client that speaks this version begins.
    """
    namespace = elements.NAMESPACES[options.csip_aus_version]
    entry = json.dumps({"supportedSchemaVersions": {namespace: {"dcap": ["/dcap"]}}}).encode()
    entries = (
        [] if options.csip_aus_version == "1.2" else [ServerDocument("/.well-known/csipaus", lambda: entry)]
    )
    return [
        *entries,
        DeviceResource(
            name="cp",
            namespace=namespace,
            element=elements.CONNECTION_POINT,
            title="Connection point",
            link=elements.CONNECTION_POINT_LINK,
            writes=("PUT", "POST"),
            empty={elements.CONNECTION_POINT_ID: ""},
            check=_check if options.csip_aus_check_nmi else _accept,
            doc="the NMI of the premises",
        ),
    ]


def _check(members: Mapping[str, Any]) -> str:
    return nmi.wrong_with(str(members[elements.CONNECTION_POINT_ID]))


def _accept(members: Mapping[str, Any]) -> str:
    del members
    return ""
