"""Secure SunSpec: mutual TLS, and what each role may do; with pysunspec2's own test PKI."""

import contextlib
import ssl
import time
from importlib.resources import files

import pytest
import trio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from tests.sunspec.conftest import serving, tool
from tests.sunspec.test_pdu import mbap

from dersim.errors import ConfigError
from dersim.sunspec.rights import EVERYTHING, NOTHING, ROLES
from dersim.sunspec.security import rights_of, server_context

PKI = files("sunspec2") / "tests" / "tls_data"
pytestmark = pytest.mark.skipif(not PKI.is_dir(), reason="this pysunspec2 ships no test PKI")
CLIENTS = PKI / "client"
FLAGS = (
    "--mb_enc", "yes",
    "--mb_cert", str(PKI / "server" / "tls1_2" / "server_valid.crt"),
    "--mb_key", str(PKI / "server" / "tls1_2" / "server_valid.key"),
    "--mb_root_cert", str(PKI / "ca" / "client_ca_chain.crt"),
)  # fmt: skip
READ = mbap(bytes.fromhex("039c400002"))
ANSWER = mbap(bytes.fromhex("030453756e53"))


def client_context(name, version=ssl.TLSVersion.TLSv1_2):
    context = ssl.create_default_context(cafile=str(PKI / "ca" / "server_ca_chain.crt"))
    context.minimum_version = context.maximum_version = version
    context.load_cert_chain(str(CLIENTS / f"{name}.crt"), str(CLIENTS / f"{name}.key"))
    return context


async def secure(running, name, version=ssl.TLSVersion.TLSv1_2):
    plain = await running.connect()
    stream = trio.SSLStream(
        plain, client_context(name, version), server_hostname="127.0.0.1", https_compatible=True
    )
    await stream.do_handshake()
    return stream


async def ask(stream, request):
    await stream.send_all(request)
    with trio.fail_after(10):
        return (await stream.receive_some(1000))[7:]


def read_of(running, model, path):
    block = running.server.unit.block(model)
    address = block.address + block.point(path).offset
    return mbap(bytes.fromhex(f"03{address:04x}0001"))


def write_of(running, model, path, value):
    block = running.server.unit.block(model)
    address = block.address + block.point(path).offset
    return mbap(bytes.fromhex(f"06{address:04x}{value:04x}"))


async def test_pysunspec2_over_tls_with_a_role():
    def session(port):
        device = tool(
            port,
            tls=True,
            cafile=str(PKI / "ca" / "server_ca_chain.crt"),
            certfile=str(CLIENTS / "tls1_2" / "client_gridservice.crt"),
            keyfile=str(CLIENTS / "tls1_2" / "client_gridservice.key"),
            insecure_skip_tls_verify=False,
        )
        device.scan()
        limit = device.models[704][0]
        limit.WMaxLimPct.cvalue, limit.WMaxLimPctEna.value = 40, 1
        limit.write()
        curve = device.models[706][0]
        curve.Crv[1].ActPt.value = 2
        curve.write()
        curve.AdptCrvReq.value = 2
        curve.write()
        curve.read()
        power = device.models[701][0]
        end_s = time.monotonic() + 10
        while time.monotonic() < end_s:
            power.read()
            if power.W.cvalue == 4000:
                break
        models = [each for each in device.models if isinstance(each, int)]
        device.close()
        return models, curve.AdptCrvRslt.value, power.W.cvalue

    async with serving(*FLAGS) as running:
        with trio.fail_after(30):
            models, result, power = await trio.to_thread.run_sync(session, running.port)
        assert models == [block.model_id for block in running.server.unit.blocks]
        assert (result, power) == (1, 4000)


@pytest.mark.parametrize(
    ("role", "limit", "trip", "operation", "address", "measurement"),
    [
        ("readonly", 1, 1, 1, 1, 0),
        ("gridservice", 0, 1, 1, 1, 0),
        ("netadmin", 1, 1, 1, 0, 1),
        ("superadmin", 0, 0, 0, 0, 0),
    ],
)
async def test_what_each_role_may_do(role, limit, trip, operation, address, measurement):
    def code(answer):
        return answer[1] if answer[0] & 0x80 else 0

    async with serving(*FLAGS) as running:
        stream = await secure(running, f"tls1_2/client_{role}")
        assert code(await ask(stream, write_of(running, 704, "WMaxLimPct", 5000))) == limit
        assert code(await ask(stream, write_of(running, 708, "Ena", 1))) == trip
        assert code(await ask(stream, write_of(running, 715, "OpCtl", 1))) == operation
        assert code(await ask(stream, write_of(running, 1, "DA", 1))) == address
        assert code(await ask(stream, read_of(running, 701, "W"))) == measurement
        assert code(await ask(stream, read_of(running, 701, "ID"))) == 0
        refused = any((limit, trip, operation, address, measurement))
        logged = [e.message for e in running.log.entries(level="Warning", limit=100)]
        assert any("may not" in line for line in logged) == refused


@pytest.mark.parametrize("name", ["invalid/client_no_role", "invalid/client_malformed_role"])
async def test_without_a_proper_role_everything_is_refused_and_logged(name):
    async with serving(*FLAGS) as running:
        stream = await secure(running, name)
        assert await ask(stream, read_of(running, 701, "W")) == b"\x83\x01"
        assert await ask(stream, write_of(running, 704, "WMaxLimPct", 1)) == b"\x86\x01"
        assert "every request is refused" in running.log.entries(level="Warning", limit=10)[0].message


@pytest.mark.parametrize("name", ["client_self_signed", "client_foreign_ca", "client_expired"])
async def test_certificates_of_others_do_not_get_in(name):
    async with serving(*FLAGS) as running:
        answer = b""
        with contextlib.suppress(trio.BrokenResourceError, ssl.SSLError):
            answer = await ask(await secure(running, f"invalid/{name}"), READ)
        assert answer == b""
        good = await secure(running, "tls1_2/client_readonly")
        assert await ask(good, READ) == ANSWER[7:]
        assert any(
            "TLS handshake failed" in e.message for e in running.log.entries(level="Warning", limit=10)
        )


async def test_plain_bytes_at_a_secure_port_disturb_nobody():
    async with serving(*FLAGS) as running:
        plain = await running.connect()
        await plain.send_all(READ * 20)
        good = await secure(running, "tls1_2/client_readonly")
        assert await ask(good, READ) == ANSWER[7:]


@pytest.mark.parametrize(
    ("offered", "asked", "works"), [("1.2", "1.3", False), ("1.3", "1.3", True), ("1.2+1.3", "1.3", True)]
)
async def test_the_tls_version_is_the_one_asked_for(offered, asked, works):
    async with serving(*FLAGS, "--mb_tls_version", offered) as running:
        try:
            stream = await secure(running, "tls1_3/client_superadmin", ssl.TLSVersion.TLSv1_3)
        except trio.BrokenResourceError:
            assert not works
            return
        assert works
        # Half a request per record, and two in one: TLS does not keep their borders.
        await stream.send_all(READ[:5])
        assert await ask(stream, READ[5:]) == ANSWER[7:]
        assert await ask(stream, READ * 2) == (ANSWER * 2)[7:]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cert": ""}, "--mb_cert: --mb_enc yes needs a PEM file"),
        ({"key": "/nowhere.pem"}, "--mb_key /nowhere.pem: no such file"),
        ({"root_cert": FLAGS[5]}, "--mb_root_cert"),
        ({"ciphers": "NONSENSE"}, "--mb_ciphers NONSENSE"),
        ({"key": str(CLIENTS / "tls1_2" / "client_readonly.key")}, "is not the key of the certificate in"),
        ({"key": FLAGS[3]}, "server_valid.crt: holds no PEM private key; give the certificate's key"),
        ({"cert": FLAGS[5]}, "holds a private key; our certificate with its chain"),
        ({"root_cert": __file__}, "test_security.py: holds no PEM certificate; a CA certificate"),
    ],
)
def test_bad_files_are_one_line_that_names_the_flag(change, words):
    right = {"cert": FLAGS[3], "key": FLAGS[5], "root_cert": FLAGS[7]}
    with pytest.raises(ConfigError) as error:
        server_context(**{**right, **change})
    assert words in str(error.value)
    assert "\n" not in str(error.value)
    assert "_ssl.c" not in str(error.value)


def test_the_roles_of_certificates():
    for name, role in (("readonly", "ReadOnlySunSpec"), ("superadmin", "SuperAdministratorSunSpec")):
        pem = (CLIENTS / "tls1_2" / f"client_{name}.crt").read_text()
        rights, why = rights_of(ssl.PEM_cert_to_DER_cert(pem[pem.index("-----BEGIN") :]))
        assert (rights, why) == (ROLES[role], "")
    assert EVERYTHING.may_write(715)


def test_an_encrypted_key_is_refused_and_never_asked_for_on_the_terminal(tmp_path):
    encrypted = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret"),
    )
    (tmp_path / "key.pem").write_bytes(encrypted)
    with pytest.raises(ConfigError, match="give a PEM pair without a passphrase"):
        server_context(FLAGS[3], str(tmp_path / "key.pem"), FLAGS[7])


@pytest.mark.parametrize("der", [b"", b"garbage"])
def test_a_certificate_that_cannot_be_read_has_no_rights(der):
    rights, why = rights_of(der)
    assert rights is NOTHING
    assert why.startswith("its certificate has no role extension")


async def test_the_log_says_in_words_why_a_tls_handshake_failed():
    async with serving(*FLAGS) as running:
        plain = await running.connect()
        await plain.send_all(b"GET / HTTP/1.1\r\n\r\n")
        with trio.fail_after(10):
            while await plain.receive_some(100):
                pass
        (line,) = [e.message for e in running.log.entries(level="Warning", limit=10)]
        assert line.endswith("TLS handshake failed: the peer sent plain HTTP to a TLS port")
