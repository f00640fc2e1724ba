"""`--first`: two plain processes share no identity."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from tests.interop.processes import Program, eventually, get_json, program

NO_SITES = ("--website_port", "0", "--csip_website_port", "0")


def free_ports(count: int) -> int:
    """The first of so many ports in a row that are free now."""
    for base in range(20_000, 30_000, count):
        try:
            for port in range(base, base + count):
                socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return base
    raise AssertionError("no free ports")


@contextmanager
def three(first: int, server_port: str, mb_port: int) -> Iterator[tuple[Program, dict[str, str]]]:
    flags = ("--first", str(first), "-N", "3", "--csip_server_port", server_port, "--mb_port", str(mb_port))
    with program("dersim", "sim", *flags, *NO_SITES) as child:
        yield child, child.ready()


def test_two_processes_are_six_ders() -> None:
    mb_port = free_ports(6)
    with program("dersim", "server", "--port", "0", "--admin_port", "0") as server:
        at = server.ready()
        port = at["utility"].rsplit(":", 1)[1]
        with three(1, port, mb_port) as low, three(4, port, mb_port) as high:
            clients, serials, numbers = [], [], []
            for _, ready in (low, high):
                api = ready["dashboard"] + "/api/dersim"
                clients += eventually(
                    "three connected",
                    lambda api=api: (
                        (d := get_json(f"{api}/csip-client")["devices"])
                        and [each["state"] for each in d] == ["connected"] * 3
                        and d
                    ),
                )
                numbers += [each["device"] for each in get_json(f"{api}/overview")["devices"]]
            for number, (_, ready) in zip(numbers, (low,) * 3 + (high,) * 3, strict=True):
                api = ready["dashboard"] + "/api/dersim"
                serials.append(get_json(f"{api}/nameplate?device={number}")["identity"]["serial_number"])
            modbus = [v for _, ready in (low, high) for k, v in ready.items() if k.startswith("modbus")]
            known = get_json(at["utility_admin"] + "/api/utility/end-devices")
            for child, _ in (low, high):
                assert not [line for line in child.err if "Error" in line or "Warning" in line]
                assert child.stop() == 0
        assert numbers == [1, 2, 3, 4, 5, 6]
        assert len({each["lfdi"] for each in clients}) == 6
        assert {each["lfdi"] for each in clients} == {each["lfdi"] for each in known}
        assert len(set(serials)) == 6
        assert modbus == [f"127.0.0.1:{mb_port + n}" for n in range(6)]
