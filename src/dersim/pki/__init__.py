"""Test PKI: certificates of the shape that IEEE 2030.5 prescribes, for the lab and for the tests.

Never for production: the CA's key lies beside the certificates.
"""

from dersim.pki.conformance import COMM_004, create_conformance_chains
from dersim.pki.description import Description, describe
from dersim.pki.folder import Pair, bundled_dir, create, ensure_device, ensure_server

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
]
