"""A test PKI as a folder of PEM files, named as the IEEE 2030.5 reference PKI names them.

    cert_root.pem                        the root that all sides trust
    cert.pem, key.pem                    the DER of a run with one DER
    cert_1.pem, key_1.pem, ...           DER K of a run with many
    cert_server.pem, key_server.pem      the 2030.5 server
    cert_ca.pem, key_ca.pem              the issuing CA, which signs missing pairs

Certificate files hold the whole chain but the root. Several processes may make the same pair at the same
time: a key file is created exclusively, and the certificate is always made for the existing key.

This module defines the file names; `ensure.py` finds the files, `making.py` makes missing ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

SERVER_HOSTS = ("localhost", "127.0.0.1", "::1")


class Pair(NamedTuple):
    """The files of one identity: the certificate with its chain, and the private key."""

    cert: Path
    key: Path
