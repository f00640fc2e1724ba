"""What travels with the shards: certificates and the files that flags and fleet files name, as bytes.

Certificates are not made on the worker: keys are random, so a shard that is started again would have other
LFDIs.
"""

from __future__ import annotations

import ipaddress
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA256

from dersim import pki
from dersim.errors import CertificateError, ConfigError
from dersim.fleet_plan import FleetPlan
from dersim.fleet_run.plan import Shard
from dersim.tls.files import load_certificates

#: SHA-256 of the root certificate of the test PKI in dersim's repository, whose keys everybody may read.
_PUBLIC_ROOT = "27ab43fa236d0e47c8e52a4d6d98de067b2da3b05d0f0b6af57b5f92c316025b"


class Luggage:
    """The files of a fleet. places: every path that a group names, with its name among the files.

    own: the name of the folder of certificates of DERs whose group names none. ConfigError for a folder or a
    flag that cannot be used.
    """

    def __init__(self, options: Namespace, ders: FleetPlan, files: Mapping[str, bytes]) -> None:
        for name in ("csip_cert", "csip_key"):
            if getattr(options, name) is not None:
                raise ConfigError(
                    f"--{name}: each DER of a fleet has a certificate of its own; give the folder of "
                    f"cert_1.pem, key_1.pem, ... with --use_test_pki_certs"
                )
        self.own = "certs-0"
        self._default: Path = options.use_test_pki_certs or pki.bundled_dir()
        if not self._default.is_dir():
            raise ConfigError(
                f"--use_test_pki_certs: {self._default} is not a folder; give the certificates' folder"
            )
        self._root: Path | None = options.csip_root_cert
        self._folders = {self._default: self.own}
        self._files = dict(files)
        self.places: dict[str, str] = {str(self._default): self.own}
        for path in ders.files():
            self._add(path)

    def _add(self, path: Path) -> None:
        if str(path) in self.places:
            return
        if path.is_dir():
            name = self._folders[path] = f"certs-{len(self._folders)}"
        else:
            name = f"file-{len(self._files)}{path.suffix}"
            self._files[name] = _read(path)
        self.places[str(path)] = name

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of certificates."""
        return tuple(self._folders)

    def pack(self, shard: Shard) -> dict[str, bytes]:
        """The files of a shard by name; missing pairs are made where the folder has the CA's key."""
        found = dict(self._files)
        for number, group in shard.ders.members():
            folder: Path = group.flags.get("use_test_pki_certs") or self._default
            name = self._folders[folder]
            if f"{name}/cert_root.pem" not in found:
                own_root = self._root if name == self.own else None
                found[f"{name}/cert_root.pem"] = _read(own_root or folder / "cert_root.pem")
            for path in pki.ensure_device(folder, number):
                found[f"{name}/{path.name}"] = _read(path)
        return found


def is_public(folder: Path) -> bool:
    """Whether its keys are those of dersim's repository, which are no secret."""
    try:
        root = load_certificates(folder / "cert_root.pem", "the root certificate")[0]
    except CertificateError:
        return False
    return root.fingerprint(SHA256()).hex() == _PUBLIC_ROOT


def check_way(scheduler: str, luggage: Luggage) -> None:
    """ConfigError where private keys would cross a network in clear."""
    where = urlsplit(scheduler)
    if where.scheme == "tls" or _is_loopback(where.hostname or ""):
        return
    for folder in luggage.folders:
        if not is_public(folder):
            raise ConfigError(
                f"--scheduler {scheduler}: the private keys in {folder} would cross the network in clear; "
                f"use a tls:// scheduler, or the test PKI of dersim's repository, whose keys are public"
            )


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write what came with a shard into a new folder that nobody else may read."""
    folder.mkdir(mode=0o700, parents=True)
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(content)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}; give a file that can be read") from None
