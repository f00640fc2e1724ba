"""Each failure against the companion server over real TLS, and what the checks say of a good one."""

import contextlib
import datetime
import io
import json
import socket
import time

import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from dersim import http11, pki, tls
from dersim.cli import main
from dersim.cli.doctor import make_parser
from dersim.csip.config import CsipConfig
from dersim.doctor import CHECKS, examine, server_checks
from dersim.http11 import Response
from dersim.http11.endpoint import open_tcp
from dersim.logbuffer import LogBuffer
from dersim.pki.certificates import make_device, new_key
from dersim.pki.making import _issuing_authority, write_certificates, write_key
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

NAMES = [check.name for check in CHECKS]
PIN = 111115


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("pki"), 2)


@pytest.fixture(scope="module")
def foreign(tmp_path_factory):
    return pki.create(tmp_path_factory.mktemp("foreign"), 1)


@contextlib.asynccontextmanager
async def server(folder, *, ahead_s=0.0, **config):
    pair = pki.ensure_server(folder)
    files = {"certificate": pair.cert, "key": pair.key, "root": folder / "cert_root.pem"}
    log = LogBuffer(stream=io.StringIO())
    made = UtilityServer(
        UtilityConfig(port=0, admin_port=0, pin=PIN, **files, **config), lambda: time.time() + ahead_s, log
    )
    await made.bind()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(made.run)
        yield made
        nursery.cancel_scope.cancel()


def flags(folder, port, *more, cert="cert.pem", key="key.pem", root=None):
    return [
        *("--csip_server_ip", "127.0.0.1", "--csip_server_port", str(port)),
        *("--csip_cert", str(folder / cert), "--csip_key", str(folder / key)),
        *("--csip_root_cert", str(root or folder / "cert_root.pem"), *more),
    ]


async def told(words, *, timeout_s=5.0):
    """The outcome of each check by name: (result, text)."""
    config = CsipConfig.from_options(make_parser().parse_args(words))
    with trio.fail_after(20):
        async with contextlib.aclosing(examine(config, timeout_s=timeout_s)) as results:
            found = {each.name: (each.result, each.text) async for each in results}
    assert list(found) == NAMES
    assert all("\n" not in text for _, text in found.values())
    return found


def outcomes(found):
    """Which failed, and which were skipped."""
    return (
        [name for name, (result, _) in found.items() if result == "failed"],
        [name for name, (result, _) in found.items() if result == "skipped"],
    )


async def test_all_is_well(folder):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.port, "--csip_pin", str(PIN)))
    assert outcomes(found) == ([], [])
    lfdi = pki.describe(folder / "cert.pem").lfdi
    assert lfdi in found["identity"][1]
    assert "certificate(s) of" in found["chain"][1]
    assert found["tls"][1].startswith("TLSv1.2 ECDHE-ECDSA-AES128-CCM8 with 127.0.0.1:")
    assert "TimeLink, EndDeviceListLink" in found["dcap"][1]
    assert "within 1 s" in found["time"][1]
    assert "/edev/" in found["end device"][1]
    assert str(PIN) not in " ".join(text for _, text in found.values())


async def test_without_a_pin_it_is_skipped(folder):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.port))
    assert outcomes(found) == ([], ["pin"])
    assert found["pin"][1] == "no --csip_pin is given"


async def test_a_key_of_another_certificate(folder):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.port, key="key_1.pem"))
    assert outcomes(found) == (["key"], ["tls", "dcap", "time", "end device", "pin"])
    assert "key_1.pem: is not the key of the certificate in" in found["key"][1]
    assert found["tls"][1] == "key failed"


async def test_a_chain_that_leads_to_another_root(folder, foreign):
    async with server(folder) as utility:
        found = await told(flags(foreign, utility.port, root=folder / "cert_root.pem"))
    failed, _ = outcomes(found)
    assert failed == ["chain", "tls"]
    assert "is not signed by a CA of" in found["chain"][1]
    assert "unknown_ca" in found["tls"][1]
    assert "the server must accept our certificate" in found["tls"][1]


async def test_the_root_of_another_server(folder, foreign):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.port, root=foreign / "cert_root.pem"))
    assert outcomes(found)[0] == ["chain", "tls"]
    assert "give the CA of the server by --csip_root_cert" in found["tls"][1]


async def test_an_expired_certificate(folder, tmp_path):
    issuing = _issuing_authority(folder)
    key = new_key()
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    good = make_device(issuing, key.public_key(), "SN-EXPIRED")
    builder = x509_copy(good).not_valid_before(past).not_valid_after(past + datetime.timedelta(days=30))
    expired = builder.sign(issuing.key, hashes.SHA256())
    write_certificates(tmp_path / "cert.pem", expired, *issuing.chain)
    write_key(tmp_path / "key.pem", key)
    async with server(folder) as utility:
        found = await told(flags(tmp_path, utility.port, root=folder / "cert_root.pem"))
    assert outcomes(found)[0] == ["chain", "tls"]
    assert "certificate 1 expired on 2020-01-31 00:00 UTC; get a new one" in found["chain"][1]
    assert "expired" in found["tls"][1]


def x509_copy(certificate):
    builder = x509.CertificateBuilder(
        certificate.issuer, certificate.subject, certificate.public_key()
    ).serial_number(certificate.serial_number + 1)
    for extension in certificate.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    return builder


async def test_a_port_that_refuses(folder):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = await told(flags(folder, port))
    assert outcomes(found) == (["tcp"], ["tls", "dcap", "time", "end device", "pin"])
    assert f"127.0.0.1:{port} (connect): connection refused; check --csip_server_ip" in found["tcp"][1]


async def test_a_host_that_is_none(folder):
    words = flags(folder, 8443)
    words[1] = "dersim.invalid"
    found = await told(words)
    assert outcomes(found)[0] == ["dns"]
    assert found["dns"][1].startswith("dersim.invalid: ")
    assert found["tcp"] == ("skipped", "dns failed")


async def test_a_host_name_that_the_certificate_does_not_have(folder, monkeypatch):
    async def known(*_, **__):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    monkeypatch.setattr(trio.socket, "getaddrinfo", known)
    async with server(folder) as utility:

        async def here(self):
            return await open_tcp("127.0.0.1", utility.port)

        monkeypatch.setattr(server_checks.Endpoint, "_connect", here)
        words = flags(folder, utility.port, "--csip_check_hostname", "yes")
        words[1] = "other.example"
        found = await told(words)
    assert outcomes(found)[0] == ["tls"]
    assert "--csip_check_hostname no takes it as it is" in found["tls"][1]


async def web(folder, answer, nursery):
    """An HTTPS server that knows nothing of 2030.5; its port."""
    pair = pki.ensure_server(folder)
    listeners = await http11.bind("127.0.0.1", 0, flag="--port")
    context = tls.server_context(pair.cert, pair.key, folder / "cert_root.pem")

    async def handle(_request):
        return answer

    async def serve():
        await http11.serve(handle, listeners, tls=context)

    nursery.start_soon(serve)
    return http11.address(listeners)[1]


@pytest.mark.parametrize(
    ("status", "body", "content_type", "text"),
    [
        (200, b"<html><body>hello</body></html>", "text/html", "is this a 2030.5 server"),
        (200, b"hello", "text/plain", "is this a 2030.5 server"),
        (404, b"nothing here", "text/plain", "HTTP status 404 (nothing here); give the right path by --dcap"),
        (403, b"<html>", "text/html", "HTTP status 403; the server must be told of this certificate"),
        (400, b"<html>", "text/html", "a proxy may refuse our certificate"),
        (500, b"", "text/plain", "HTTP status 500; look at the server's log"),
    ],
)
async def test_a_server_that_is_none_of_2030_5(folder, nursery, status, body, content_type, text):
    answer = Response(status, (("content-type", content_type),), body)
    found = await told(flags(folder, await web(folder, answer, nursery)))
    nursery.cancel_scope.cancel()
    assert outcomes(found) == (["dcap"], ["time", "end device", "pin"])
    assert text in found["dcap"][1]


async def test_a_server_that_is_silent(folder):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = await told(flags(folder, listener.getsockname()[1]), timeout_s=0.2)
    assert outcomes(found)[0] == ["tls"]
    assert "no handshake within 0.2 s; look at the server's log" in found["tls"][1]


async def test_a_server_that_does_not_answer_a_request(folder):
    async with server(folder) as utility:

        async def never(_request):
            await trio.sleep_forever()

        utility.handle = never
        found = await told(flags(folder, utility.port), timeout_s=2)
    assert outcomes(found)[0] == ["dcap"]
    assert "2 s" in found["dcap"][1]


async def test_a_port_of_plain_http(folder):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.admin_port))
    assert outcomes(found)[0] == ["tls"]
    assert "give the port of its TLS, or --csip_enc no" in found["tls"][1]


@pytest.mark.parametrize(("ahead_s", "where"), [(600, "600 s ahead of"), (-600, "600 s behind")])
async def test_a_clock_that_is_off_by_ten_minutes(folder, ahead_s, where):
    async with server(folder, ahead_s=ahead_s) as utility:
        found = await told(flags(folder, utility.port))
    assert outcomes(found)[0] == ["time"]
    assert where in found["time"][1]


async def test_an_end_device_that_the_server_does_not_know(folder):
    async with server(folder, registration="known") as utility:
        found = await told(flags(folder, utility.port, "--csip_pin", str(PIN)))
    assert outcomes(found)[0] == ["end device"]
    assert f"has LFDI {pki.describe(folder / 'cert.pem').lfdi}; register it there" in found["end device"][1]
    assert found["pin"] == ("skipped", "end device failed")


async def test_another_pin(folder):
    async with server(folder) as utility:
        found = await told(flags(folder, utility.port, "--csip_pin", "222211"))
    assert outcomes(found)[0] == ["pin"]
    assert "has another PIN than --csip_pin" in found["pin"][1]
    assert "222211" not in found["pin"][1]
    assert str(PIN) not in found["pin"][1]


async def test_plain_http_skips_what_is_of_tls(folder):
    async with server(folder, encrypted=False) as utility:
        found = await told(flags(folder, utility.port, "--csip_enc", "no"))
    assert outcomes(found) == ([], ["key", "identity", "chain", "ccm-8", "tls", "end device", "pin"])


async def test_only_gets_are_sent(folder):
    async with server(folder) as utility:
        seen = []
        answer = utility.answer

        def recorded(request):
            seen.append(request.method)
            return answer(request)

        utility.answer = recorded
        await told(flags(folder, utility.port, "--csip_pin", str(PIN)))
    assert set(seen) == {"GET"}


def test_the_command_prints_a_line_for_each_check_and_its_exit_code_is_3(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main.main(["doctor", *flags(folder, port)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(NAMES)
    assert lines[0].startswith("ok      key: ")
    assert lines[5].startswith("FAILED  tcp: ")
    assert lines[6] == "skipped tls because tcp failed"


def test_colours_where_they_are_asked_for(folder, capsys, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert main.main(["doctor", *flags(folder, port)]) == 3
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(NAMES)
    assert lines[0].startswith("\x1b[32mok      key: ")
    assert lines[5].startswith("\x1b[1;31mFAILED  tcp: ")


def test_json_has_the_same(folder, capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main.main(["doctor", "--json", *flags(folder, port)]) == 3
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is False
    assert [each["name"] for each in document["checks"]] == NAMES
    assert document["checks"][5]["result"] == "failed"


def test_a_bad_flag_is_exit_code_2(capsys):
    assert main.main(["doctor", "--csip_pin", "123456"]) == 2
    assert main.main(["doctor", "--dcap", "http:///"]) == 2
    assert main.main(["doctor", "--nonsense"]) == 2
