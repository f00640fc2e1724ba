"""The server behind real TLS, sockets and signals: identity from the certificate, ports, start and stop."""

import json
import signal
import socket
import subprocess
import sys

import pytest
import trio
import trio.testing

from dersim import http11, pki, tls
from dersim.errors import CertificateError, ConfigError
from dersim.ieee2030_5 import decode, identity
from dersim.ieee2030_5 import resources as r
from dersim.memory_net import MemoryNet
from dersim.utility import certificates
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 2)


@pytest.fixture
def config(folder):
    cert, key, root = certificates.of_folder(folder)
    return UtilityConfig(port=0, admin_port=0, certificate=cert, key=key, root=root)


def client_of(folder, number, open_tcp=None, host="127.0.0.1", port=8443):
    context = tls.client_context(
        folder / f"cert_{number}.pem", folder / f"key_{number}.pem", folder / "cert_root.pem"
    )
    options = {} if open_tcp is None else {"open_tcp": open_tcp}
    return http11.Endpoint(host, port, context, **options).connection()


class Log:
    def log(self, level, module, message, device=0):
        pass


async def test_the_certificate_is_the_identity_over_memory_streams(folder, config, nursery, autojump_clock):
    net = MemoryNet()
    server = UtilityServer(config, lambda: 1_700_000_000 + trio.current_time(), Log())
    nursery.start_soon(server.serve, [net])
    for number in (1, 2):
        connection = client_of(folder, number, net.open_tcp)
        response = await connection.request("GET", "/edev?s=0&l=255")
        listed = decode(response.body, r.EndDeviceList, strict=True).resource
        assert [d.lFDI for d in listed.EndDevice] == [identity.lfdi(_der(folder / f"cert_{number}.pem"))]
        await connection.aclose()
    assert len(server.head_end.end_devices) == 2


@pytest.mark.parametrize("latency_s", [0.0, 0.25])
async def test_each_answer_comes_later_by_the_latency(nursery, autojump_clock, latency_s):
    net = MemoryNet()
    config = UtilityConfig(encrypted=False, latency_s=latency_s)
    nursery.start_soon(UtilityServer(config, lambda: 1_700_000_000, Log()).serve, [net])
    connection = http11.Endpoint("127.0.0.1", 8443, open_tcp=net.open_tcp).connection()
    began_s = trio.current_time()
    for _ in range(4):
        await connection.request("GET", "/tm")
    assert trio.current_time() - began_s == pytest.approx(4 * latency_s)


def _der(path):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    return x509.load_pem_x509_certificates(path.read_bytes())[0].public_bytes(Encoding.DER)


async def test_both_ports_on_sockets_head_included(folder, config, nursery):
    server = UtilityServer(config, lambda: 1_700_000_000.0, Log())
    shown = await server.bind()
    assert shown == {"utility": server.url, "utility_admin": server.admin_url}
    assert server.url == f"https://127.0.0.1:{server.port}"
    nursery.start_soon(server.run)
    connection = client_of(folder, 1, port=server.port)
    got = await connection.request("GET", "/dcap")
    head = await connection.request("HEAD", "/dcap")
    assert (head.status, head.body) == (200, b"")
    assert head.header("content-length") == str(len(got.body))
    assert head.header("content-type") == "application/sep+xml"
    assert head.header("date")
    assert (await connection.request("FOO", "/dcap")).status == 501
    await connection.aclose()
    operator = http11.Endpoint("127.0.0.1", server.admin_port).connection()
    devices = json.loads((await operator.request("GET", "/api/utility/end-devices")).body)
    assert [d["href"] for d in devices] == ["/edev/1"]
    await operator.aclose()
    nursery.cancel_scope.cancel()


async def test_a_busy_port_is_one_line_and_leaves_nothing_open(config):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        config.admin_port = busy.getsockname()[1]
        with pytest.raises(ConfigError, match=f"127.0.0.1:{config.admin_port}.*busy"):
            await UtilityServer(config, lambda: 0.0, Log()).bind()


async def test_the_admin_port_stays_on_this_machine(config, nursery):
    config.host, config.encrypted = "0.0.0.0", False
    server = UtilityServer(config, lambda: 0.0, Log())
    await server.bind()
    assert server.admin_url.startswith("http://127.0.0.1:")
    assert {listener.socket.getsockname()[0] for listener in server._admin_listeners} == {"127.0.0.1"}
    for listener in (*server._listeners, *server._admin_listeners):
        await listener.aclose()


async def test_a_bad_certificate_is_named(config, tmp_path):
    config.certificate = tmp_path / "not.pem"
    config.certificate.write_text("nothing")
    with pytest.raises(CertificateError, match=r"not\.pem"):
        await UtilityServer(config, lambda: 0.0, Log()).bind()


def test_files_are_chosen_as_the_flags_say(folder, tmp_path):
    server = certificates.of_folder(folder)
    assert certificates.choose(None, None, None, folder) == server
    assert certificates.choose(tmp_path, tmp_path, tmp_path, folder) == server
    given = certificates.choose(*server, None)
    assert given == server
    with pytest.raises(ConfigError, match="--key"):
        certificates.choose(server.certificate, None, None, None)
    with pytest.raises(ConfigError, match="--cert"):
        certificates.choose(None, server.key, None, None)
    with pytest.raises(ConfigError, match=r"cert_root\.pem"):
        certificates.of_folder(tmp_path)


START = "import sys; from dersim.cli.server import main; sys.exit(main(sys.argv[1:]))"
ANY_PORTS = ("--port", "0", "--admin_port", "0")


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_starts_prints_its_addresses_and_stops(folder, stop):
    argv = [sys.executable, "-c", START, *ANY_PORTS, "--cycle", "yes", "--use_test_pki_certs", str(folder)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith("dersim ready utility=https://127.0.0.1:")
        assert " utility_admin=http://127.0.0.1:" in line
        process.send_signal(stop)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--pin", "111116"], "--pin: pin: up to six digits"),
        (["--pin", "x"], "--pin: a PIN such as 111115"),
        (["--port", "70000"], "--port"),
        (["--registration", "none"], "--registration"),
        (["--cert", "/no/such.pem"], "/no/such.pem"),
        (["--use_test_pki_certs", "/no/such"], "/no/such"),
        (["--cyc", "yes"], "--cyc: no such flag; did you mean --cycle?"),
    ],
)
def test_a_bad_flag_is_named(flags, text):
    from dersim.cli.server import main

    with pytest.raises(ConfigError) as caught:
        main(flags)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def broken(*_):
    raise ZeroDivisionError("a bug")


def test_a_bug_in_a_2030_5_handler_is_500_logged_and_counted(make_lab, monkeypatch):
    lab = make_lab(fail_fast=False)
    client = lab.client()
    monkeypatch.setattr("dersim.utility.head_end.HeadEnd.advance", broken)
    response = client.ask("GET", "/dcap")
    assert response.status == 500
    assert lab.server.fences.counts == {"utility_request": 1}
    assert [line for line in lab.log.lines if line.startswith("Error")] == [
        f"Error GET /dcap of {client.lfdi}: unexpected ZeroDivisionError('a bug')"
    ]
    assert any(line.startswith("Debug Traceback") for line in lab.log.lines)
    monkeypatch.undo()
    assert client.ask("GET", "/dcap").status == 200
    assert [item["status"] for item in lab.admin("GET", "/requests")[1]] == [500, 200]


def test_a_bug_in_an_admin_handler_is_500_and_counted(make_lab, monkeypatch):
    lab = make_lab(fail_fast=False)
    monkeypatch.setattr("dersim.utility.admin.reports.newest", broken)
    status, problem = lab.admin("GET", "/responses")
    assert (status, problem["status"], problem["title"]) == (500, 500, "Internal Server Error")
    assert lab.admin("GET", "/unexpected-errors") == (200, {"utility_admin": 1})


def test_a_bug_still_ends_the_process_under_fail_fast(make_lab, monkeypatch):
    lab = make_lab(fail_fast=True)
    monkeypatch.setattr("dersim.utility.admin.reports.newest", broken)
    with pytest.raises(ZeroDivisionError):
        lab.admin("GET", "/responses")


async def test_a_bug_on_one_connection_ends_that_connection_alone(make_lab, monkeypatch):
    lab = make_lab(fail_fast=False, encrypted=False)
    monkeypatch.setattr(lab.server, "answer", broken)
    listeners = await http11.bind("127.0.0.1", 0, flag="--port")
    async with trio.open_nursery() as serving:
        serving.start_soon(lab.server.serve, listeners)
        connection = http11.Endpoint(*http11.address(listeners)).connection()
        assert (await connection.request("GET", "/dcap")).status == 500
        monkeypatch.undo()
        assert (await connection.request("GET", "/dcap")).status == 200
        await connection.aclose()
        serving.cancel_scope.cancel()
    assert lab.server.fences.counts == {"utility_connection": 1}


async def test_a_bug_in_a_due_change_does_not_end_the_server(make_lab, monkeypatch, autojump_clock, nursery):
    lab = make_lab(fail_fast=False, encrypted=False)
    monkeypatch.setattr(lab.head_end, "advance", broken)
    nursery.start_soon(lab.server.serve, [])
    await trio.sleep(2.5)
    assert lab.server.fences.counts == {"utility_clock": 3}
    nursery.cancel_scope.cancel()
