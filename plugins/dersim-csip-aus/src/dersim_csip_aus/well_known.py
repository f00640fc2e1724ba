"""`.well-known/csipaus` (CSIP-AUS 1.3): where a server has the DeviceCapability of each of its versions.

A JSON document: {"supportedSchemaVersions": {"<namespace>": {"dcap": ["/path", ...]}}}. Of another version
nothing is touched, nor is --dcap where the document is there.
"""

from __future__ import annotations

import json
from typing import Any

from dersim.plugin import CsipAccess, RemoteProtocolError
from dersim_csip_aus.elements import NAMESPACES

PATH = "/.well-known/csipaus"


async def find_device_capability(access: CsipAccess) -> str | None:
    """The first path of our own namespace; None of a server without the document: then --dcap is taken.

    RemoteProtocolError where the document does not have our version.
    """
    answer = await access.get(PATH)
    if answer.status >= 400:
        access.say("Info", f"{PATH} is not there ({answer.status}): --dcap is taken")
        return None
    namespace = NAMESPACES["1.3"]
    for path in _paths(answer.body, namespace):
        if isinstance(path, str) and path.startswith(("/", "http://", "https://")):
            return path
    raise RemoteProtocolError(
        f"{PATH} has no DeviceCapability of {namespace}; try --csip_aus_version 1.2 with --dcap"
    )


def _paths(body: bytes, namespace: str) -> list[Any]:
    try:
        document = json.loads(body)
    except ValueError:
        raise RemoteProtocolError(f"{PATH} is not JSON") from None
    for key in ("supportedSchemaVersions", namespace, "dcap"):
        document = document.get(key) if isinstance(document, dict) else None
    return document if isinstance(document, list) else []
