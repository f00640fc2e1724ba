"""py20305 as a program: its configuration, and `python -m tests.interop.peer`, which lets it poll faster.

py20305 polls nothing more often than every 10 s, whatever the server asks. That floor is the only thing that
is changed in it, and only for tests whose times are shortened.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interop.processes import CERTS, ROOT, Program, program

PIN = 111115
FLOOR_VARIABLE = "PY20305_POLL_FLOOR_S"


class Identity:
    """Certificate, key and root of py20305; by default DER 1 of the test PKI."""

    def __init__(
        self,
        cert: Path = CERTS / "cert_1.pem",
        key: Path = CERTS / "key_1.pem",
        root: Path = CERTS / "cert_root.pem",
    ) -> None:
        from py20305.security import compute_lfdi

        self.lfdi = compute_lfdi(cert.read_text())
        self.tls = {
            "client_cert": str(cert),
            "client_key": str(key),
            "ca_cert": str(root),
            "check_hostname": False,
        }


def write_config(
    folder: Path,
    url: str,
    *,
    identity: Identity | None = None,
    modbus_port: int | None = None,
    post_rate_s: int = 5,
    **more: Any,
) -> Path:
    """py20305's configuration. modbus_port: of the inverter that it drives; without one its print_demo.

    more: top-level members, which are merged with ours.
    """
    who = identity or Identity()
    device = {"type": "print_demo", "lfdi": who.lfdi}
    if modbus_port is not None:
        device |= {"type": "sunspec", "host": "127.0.0.1", "port": modbus_port, "der_type": 4}
    config: dict[str, Any] = {
        "server": {"url": url, "dcap_path": "/dcap", "poll_now_on_start": True},
        "tls": who.tls,
        "devices": [device],
        "registration_pins": {who.lfdi: PIN},
        "telemetry": {"post_rate_seconds": post_rate_s, "der_settings_poll_rate_seconds": 5},
        "history": {"enabled": False},
        "connection": {"initial_delay_seconds": 1, "max_delay_seconds": 5},
    }
    for name, value in more.items():
        config[name] = {**config[name], **value} if name in config else value
    path = folder / "client.json"
    path.write_text(json.dumps(config))
    return path


def listening() -> dict[str, Any]:
    """py20305's `subscription`: on, with its listener on a port of this machine that was free just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    host = {"notification_host": "127.0.0.1", "notification_external_host": "127.0.0.1"}
    return {"enabled": True, "notification_port": port, **host}


@contextmanager
def peer(config: Path, *, floor_s: float = 10) -> Iterator[Program]:
    """py20305 for the length of the block. floor_s: how often it may poll at most."""
    env = {**os.environ, FLOOR_VARIABLE: str(floor_s), "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    with program("tests.interop.peer", "--config", str(config), cwd=config.parent, env=env) as client:
        yield client


def main() -> int:
    """py20305's own command with another floor."""
    from py20305.cli import main as run
    from py20305.client import poll_rate

    poll_rate.MIN_POLL_RATE = int(float(os.environ[FLOOR_VARIABLE]))
    return run()


if __name__ == "__main__":
    raise SystemExit(main())
