"""What of a command line a replay needs: the flags that change what a client sends, and no secrets."""

from __future__ import annotations

import os.path
import re
from argparse import Action, Namespace
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dersim.errors import ConfigError
from dersim.hardware.device_type import find_type
from dersim.hardware.nameplate import bundled
from dersim.recorded.secrets import Redact, hide_file_pins

if TYPE_CHECKING:
    from dersim.fleet_plan import FleetPlan
    from dersim.plugin.registry import Registry

#: The flags that are not kept, by their `dest`: a replay takes them from elsewhere, or does without.
LEFT_OUT = frozenset({
    "admin_host", "admin_port", "admin_token", "admin_token_file", "allow_host", "conversation",
    "cors_origin", "csip_cert", "csip_check_hostname", "csip_key", "csip_notify_host",
    "csip_notify_port", "csip_notify_url", "csip_pin", "csip_root_cert", "csip_website_ip",
    "csip_website_port", "dc_profile", "demo", "duration", "fail_fast", "fleet", "grid_profile",
    "help", "load", "load_json", "load_junit", "load_report", "log_level", "mb_cert", "mb_ciphers",
    "mb_enable", "mb_enc", "mb_host", "mb_key", "mb_port", "mb_root_cert", "mb_tls_version",
    "nameplate", "nameplates", "pcap", "rate_override", "record", "resume", "rtu_baud", "rtu_enable",
    "rtu_parity", "rtu_port", "rtu_stopbits", "scenario", "seed", "site_load", "start_clock_time",
    "state", "thresholds", "token", "token_file", "use_test_pki_certs", "wall_clock",
    "watch_invariants", "website_ip", "website_port",
})  # fmt: skip
#: Flags whose files are in the record, by their `dest`; one may have a number instead.
FILES = {
    "nameplate": "-f", "dc_profile": "--dc_profile", "grid_profile": "--grid_profile",
    "site_load": "--site_load", "nameplates": "--nameplates",
}  # fmt: skip
FLEET = "--fleet"
#: Folders that a replay makes, empty: certificates are not needed, but a fleet file may name them.
FOLDER = ""

_SECRET = re.compile(r"(?:^|_)(?:pin|token|password|passphrase|secret|key)", re.IGNORECASE)
_MAX_FILE_BYTES = 16 << 20


def kept_words(args: Sequence[str], flags: Mapping[str, Action]) -> list[str]:
    """The words of a command line that are kept, each flag with its value."""
    return [word for words in _flags(args, flags) for word in words]


def number_words(options: Namespace) -> list[str]:
    """The flags of `FILES` that name no file."""
    given = [(flag, getattr(options, dest)) for dest, flag in FILES.items()]
    return [word for flag, value in given if isinstance(value, float | int) for word in (flag, f"{value:g}")]


def _flags(args: Sequence[str], flags: Mapping[str, Action]) -> Iterator[Sequence[str]]:
    position = 0
    while position < len(args):
        word = args[position]
        name, equals, _ = word.partition("=")
        action = flags.get(word) or flags.get(name)
        size = 1
        if action is not None and not equals:
            following = args[position + 1 : position + 2]
            takes = action.nargs is None or (action.nargs == "?" and following and following[0][:1] != "-")
            size += bool(takes and following)
        if action is not None and _is_kept(action.dest):
            yield args[position : position + size]
        position += size


def _is_kept(dest: str) -> bool:
    return dest not in LEFT_OUT and not _SECRET.search(dest)


def kept_files(options: Namespace, registry: Registry, redact: Redact) -> dict[str, str]:
    """The files that the flags name, by flag, and those of a fleet file by their path in its folder."""
    if options.fleet is not None:
        return _of_fleet(options, redact)
    named = {flag: getattr(options, dest) for dest, flag in FILES.items()}
    files = {flag: path for flag, path in named.items() if isinstance(path, Path)}
    if options.nameplates is None:
        kind = find_type(options.device_type, registry.device_types.values())
        files.setdefault(FILES["nameplate"], bundled(kind.profile))  # a later version may have another one
    elif named := options.plan.files():
        raise ConfigError(
            f"--record: {options.nameplates} names {named[0]}; a record can hold the files of a --fleet file"
        )
    return {flag: redact(_text(path)) for flag, path in files.items()}


def _of_fleet(options: Namespace, redact: Redact) -> dict[str, str]:
    plan: FleetPlan = options.plan
    folder = options.fleet.parent
    files = {FLEET: hide_file_pins(redact(_text(options.fleet)))}
    for path in plan.files():
        name = os.path.relpath(path, folder)
        if Path(name).parts[0] == "..":
            raise ConfigError(
                f"--record: {options.fleet} names {path}, which is not in its folder; a record can hold "
                "only what is: copy it there"
            )
        files[name] = FOLDER if path.is_dir() else redact(_text(path))
    return files


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_FILE_BYTES).decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"--record: {path}: {error}; it is needed in the record") from None
