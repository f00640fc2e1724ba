"""A type of DER: its nameplate profile and its DC side."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from dersim.errors import ConfigError
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.source import Source


@dataclass(frozen=True, slots=True)
class DeviceType:
    """A type of DER. make_source: makes the DC side, once per DER.

    profile: its nameplate, the absolute path of a JSON file or the name of a bundled one.
    """

    name: str
    profile: str
    make_source: Callable[[Nameplate], Source]
    aliases: tuple[str, ...] = ()
    doc: str = ""


def find_type(name: str, types: Iterable[DeviceType]) -> DeviceType:
    """The device type with this name or alias; ConfigError lists the known names."""
    kinds = tuple(types)
    for kind in kinds:
        if name == kind.name or name in kind.aliases:
            return kind
    known = ", ".join(kind.name for kind in kinds)
    raise ConfigError(f"--device_type {name}: not known; known are {known}")
