"""`dersim lab` as a process: its ready line, its children, its end."""

import contextlib
import os
import signal
import socket
import sys

import httpx
import pytest
from tests.interop.processes import ROOT, Program, eventually, get_json, program

from dersim.cli import main


def state_of(url, key):
    return next(each for each in get_json(f"{url}/api/lab/state")["programs"] if each["program"] == key)


@pytest.mark.parametrize(
    "number",
    [signal.SIGTERM, *(pytest.param(n, marks=pytest.mark.slow) for n in (signal.SIGINT, signal.SIGHUP))],
)
def test_it_stops_what_it_started(number):
    with program("dersim", "lab", "--port", "0") as lab:
        url = lab.ready()["lab"]
        settings = {"values": {"--port": "0", "--admin_port": "0", "--enc": "no"}}
        path = f"{url}/api/lab/programs/server"
        assert httpx.put(f"{path}/settings", json=settings, trust_env=False).status_code == 200
        assert httpx.post(f"{path}/start", trust_env=False).status_code == 202
        pid = (
            eventually("the server runs", lambda: state_of(url, "server")["addresses"])
            and state_of(url, "server")["pid"]
        )
        lab.process.send_signal(number)
        assert lab.process.wait(15) == 0
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_in_the_checkout_it_listens_on_loopback_alone_its_command_lines_are_short_and_uploads_end_nothing():
    head = (
        b"POST /api/lab/programs/server/start HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n"
    )
    with program("dersim", "lab", "--port", "0") as lab:
        url = lab.ready()["lab"]
        assert url.startswith("http://127.0.0.1:")
        # The certificates are at hand there.
        assert state_of(url, "server")["command"] == "dersim server --use_test_pki_certs certs"
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        for _ in range(40):
            with contextlib.suppress(OSError), socket.create_connection(address) as upload:
                upload.sendall(head)
                for _ in range(300):
                    upload.sendall(b" " * 500)
        assert get_json(f"{url}/api/lab/state")["programs"]
        assert lab.stop() == 0
        assert not [line for line in lab.err if "unexpected" in line or "Traceback" in line]


def test_a_busy_port_is_exit_code_2(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main.main(["lab", "--port", str(taken.getsockname()[1])]) == 2
    assert "is in use" in capsys.readouterr().err


def test_help_names_the_command(capsys):
    assert main.main(["--help"]) == 0
    assert "lab" in capsys.readouterr().out


@pytest.mark.parametrize("busy", [pytest.param(b"", marks=pytest.mark.slow), b"GET /api/lab/state"])
def test_with_64_file_descriptors_100_connections_neither_block_nor_flood(busy):
    command = f"ulimit -n 64; exec {sys.executable} -m dersim lab --port 0"
    with contextlib.closing(Program(["sh", "-c", command], ROOT)) as lab:
        url = lab.ready()["lab"]
        address = ("127.0.0.1", int(url.rpartition(":")[2]))
        with contextlib.ExitStack() as held:
            for _ in range(100):
                connection = held.enter_context(socket.create_connection(address))
                connection.sendall(busy)
            state = eventually("the page answers", lambda: answered(f"{url}/api/lab/state"))
            assert state["programs"]
        assert lab.stop() == 0
        assert len(lab.err) <= 5


def answered(url):
    try:
        return get_json(url)
    except (httpx.HTTPError, OSError):
        return None
