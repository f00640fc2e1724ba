"""Test PKI: certificates as IEEE 2030.5 specifies them, for the lab and for tests.

Never for production: the CA's private key is in the same folder as the certificates.

A DER needs only the paths of its files. The modules that make and describe certificates take a tenth of the
start-up time to import, so they are imported on first use.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from dersim.pki.ensure import bundled_dir, create, ensure_device, ensure_server, expired_server
from dersim.pki.folder import Pair

if TYPE_CHECKING:
    from dersim.pki.conformance import COMM_004, create_conformance_chains
    from dersim.pki.description import Description, describe

__all__ = [
    "COMM_004",
    "Description",
    "Pair",
    "bundled_dir",
    "create",
    "create_conformance_chains",
    "describe",
    "ensure_device",
    "ensure_server",
    "expired_server",
]

_MODULES = {
    "COMM_004": "conformance",
    "create_conformance_chains": "conformance",
    "Description": "description",
    "describe": "description",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
