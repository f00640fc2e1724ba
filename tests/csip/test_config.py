"""The flags of the seed, verbatim, and the certificate rules of the public contract."""

from argparse import Namespace

import pytest

from dersim.csip import credentials, plugin
from dersim.csip.config import CsipConfig
from dersim.errors import CertificateError, ConfigError
from dersim.ieee2030_5 import Edition, identity
from dersim.options import OptionParser


def options(*flags, demo=False):
    parser = OptionParser()
    plugin.add_options(parser)
    return parser.parse_args(flags, Namespace(demo=demo))


def config(*flags):
    return CsipConfig.from_options(options(*flags))


def test_the_seeds_quick_start_is_taken_word_for_word():
    found = config(
        *("--csip_client_enable", "yes", "--csip_server_ip", "1.2.3.4"),
        *("--csip_server_port", "8443", "--csip_enc", "yes"),
        *("--csip_cert", "/opt/c.pem", "--csip_key", "/opt/k.key", "--csip_root_cert", "/opt/ca.pem"),
    )
    assert found.dcap_url == "https://1.2.3.4:8443/dcap"
    assert str(found.cert) == "/opt/c.pem"


def test_the_short_flags_and_the_defaults():
    found = options("-csip_enable", "no", "-csip_serv", "h", "-csip_port", "1", "-ce", "no", "-cc", "a")
    assert (found.csip_client_enable, found.csip_server_ip, found.csip_server_port) == (False, "h", 1)
    assert list(plugin.register_frontends(found)) == []
    default = config()
    assert default.origin == (True, "127.0.0.1", 8443)
    assert default.dcap == "/dcap"
    assert default.edition is Edition.E2023
    assert default.pin is None
    assert default.event_removed == "keep"
    assert config("--csip-2018-compat").edition is Edition.E2018


@pytest.mark.parametrize(
    ("flags", "kept"),
    [((), False), (("--pcap",), True), (("--pcap", "yes"), True), (("--pcap", "no"), False)],
)
def test_records_are_kept_only_where_asked_for(flags, kept):
    assert config(*flags, "--strict").pcap is kept


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--csip_pin", "111116"], "check digit"),
        (["--csip_pin", "x"], "--csip_pin"),
        (["--csip_server_port", "99999"], "--csip_server_port"),
        (["--csip_enc", "maybe"], "yes or no"),
        (["--event_removed", "perhaps"], "--event_removed"),
        (["--use_test_pki_certs", "/no/such/folder"], "--use_test_pki_certs"),
        (["--put_refresh_s", "0"], "--put_refresh_s"),
        (["--csip_ser", "x"], "no such flag"),
        (["--csip_server_ip", "a b"], "--csip_server_ip.*host name or an IP address"),
        (["--csip_server_ip", ""], "--csip_server_ip"),
        (["--csip_server_ip", "http://127.0.0.1"], "--csip_server_ip"),
        (["--csip_server_ip", "127.0.0.1:8443"], "--csip_server_ip"),
        (["--csip_server_ip", "a\nb"], "--csip_server_ip"),
        (["--csip_server_ip", "a..b"], "--csip_server_ip"),
        (["--csip_server_ip", "\u00e9.example"], "--csip_server_ip"),
        (["--csip_server_ip", 64 * "a"], "--csip_server_ip"),
        (["--dcap", "a b"], "--dcap: .*cannot be followed.*; give a path such as /dcap"),
        (["--dcap", "http://["], "--dcap"),
        (["--dcap", "/a\r\nb: c"], "--dcap"),
    ],
)
def test_a_bad_flag_is_one_line_that_names_it(flags, words):
    with pytest.raises(ConfigError, match=words) as caught:
        config(*flags)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "host"),
    [("::1", "::1"), ("[::1]", "::1"), ("utility_server.local.", "utility_server.local."), ("h", "h")],
)
def test_a_host_name_or_an_address_is_taken(given, host):
    assert config("--csip_server_ip", given).origin.host == host


def test_a_dcap_that_begins_with_http_is_a_path_all_the_same():
    assert config("--dcap", "httpd/dcap").dcap == "/httpd/dcap"
    assert config("--dcap", "https://other:1/dcap").dcap == "https://other:1/dcap"


def test_a_pin_comes_out_of_the_environment_and_a_flag_comes_first(monkeypatch):
    monkeypatch.setenv("DERSIM_CSIP_PIN", "123455")
    assert config().pin == 123455
    assert config("--csip_pin", "none").pin is None
    assert config("--csip_pin", "111115").pin == 111115
    monkeypatch.setenv("DERSIM_CSIP_PIN", "111116")
    with pytest.raises(ConfigError, match="DERSIM_CSIP_PIN of the environment: the check digit"):
        config()


def test_the_demo_checks_its_own_servers_pin_unless_told_otherwise():
    assert CsipConfig.from_options(options(demo=True)).pin == 111115
    assert CsipConfig.from_options(options("--csip_pin", "none", demo=True)).pin is None


def test_one_der_of_a_test_pki_is_cert_pem_and_one_of_many_its_number(certificates):
    found = config("--use_test_pki_certs", str(certificates))
    alone = credentials.load(found, None, "SN")
    second = credentials.load(found, 2, "SN")
    assert alone.lfdi != second.lfdi
    assert alone.sfdi == identity.sfdi(alone.lfdi)
    assert credentials.load(found, 2, "SN").lfdi == second.lfdi


def test_the_test_pki_wins_over_the_operators_certificate(certificates):
    files = [str(certificates / name) for name in ("cert_2.pem", "key_2.pem", "cert_root.pem")]
    given = ["--csip_cert", files[0], "--csip_key", files[1], "--csip_root_cert", files[2]]
    own = credentials.load(config(*given), None, "SN")
    both = credentials.load(config(*given, "--use_test_pki_certs", str(certificates)), None, "SN")
    assert own.lfdi != both.lfdi


def test_a_key_of_another_certificate_is_refused_by_name(certificates):
    found = config(
        *("--csip_cert", str(certificates / "cert_1.pem"), "--csip_key", str(certificates / "key_2.pem")),
        *("--csip_root_cert", str(certificates / "cert_root.pem")),
    )
    with pytest.raises(CertificateError, match=r"key_2\.pem"):
        credentials.load(found, None, "SN")


def test_only_the_seeds_own_names_may_be_missing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = config()
    assert "cert.pem (--csip_cert)" in credentials.missing_defaults(found, None)
    credentials.check_given(found)
    with pytest.raises(ConfigError, match=r"--csip_key: no\.pem"):
        credentials.check_given(config("--csip_key", "no.pem"))


def test_plain_http_has_an_identity_all_the_same(tmp_path, monkeypatch, certificates):
    monkeypatch.chdir(tmp_path)
    found = config("--csip_enc", "no")
    plain = credentials.load(found, None, "SN-1")
    with pytest.raises(CertificateError, match=r"cert\.pem"):
        plain.context()
    assert len(plain.lfdi) == 40
    assert plain.lfdi != credentials.load(found, None, "SN-2").lfdi
    with_file = config("--csip_enc", "no", "--csip_cert", str(certificates / "cert_1.pem"))
    assert credentials.load(with_file, None, "SN-1").lfdi != plain.lfdi


async def test_a_given_bad_file_is_a_config_error_at_bind(world, tmp_path):
    (tmp_path / "bad.pem").write_text("rubbish")
    client = world.make("--csip_enc", "yes", *("--csip_cert", "bad.pem", "--csip_key", "bad.pem"))
    (tmp_path / "root.pem").write_text("rubbish")
    with pytest.raises(ConfigError, match=r"bad\.pem"):
        await client.bind()
