"""The flags of the admin port."""

import pytest

from dersim.errors import ConfigError
from dersim.options import OptionParser
from dersim.utility.admin.flags import add_admin_port, admin_port_of


def read(*words):
    parser = OptionParser()
    add_admin_port(parser.add_argument_group("addresses"))
    return admin_port_of(parser.parse_args(words))


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    monkeypatch.delenv("DERSIM_ADMIN_TOKEN", raising=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.9", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_no_token(address):
    assert read("--admin_host", address).token is None


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.5", "lab-7", "localhost.example"])
def test_another_address_is_refused_without_a_token(address):
    with pytest.raises(ConfigError) as refused:
        read("--admin_host", address)
    assert str(refused.value) == (
        f"--admin_host {address}: other machines could operate this simulator; add --admin_token_file FILE "
        "or stay with 127.0.0.1"
    )


def test_the_token_comes_by_a_flag_a_file_or_the_environment(monkeypatch, tmp_path):
    file = tmp_path / "token"
    file.write_text("of-the-file\n")
    address = ("--admin_host", "0.0.0.0")
    assert read(*address, "--admin_token", "of-the-flag").token == "of-the-flag"
    assert read(*address, "--admin_token_file", str(file)).token == "of-the-file"
    monkeypatch.setenv("DERSIM_ADMIN_TOKEN", "of-the-environment")
    assert read(*address).token == "of-the-environment"
    assert read(*address, "--admin_token", "of-the-flag").token == "of-the-flag"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--admin_token", "a b"), "--admin_token: a token of 1 to 1000 letters"),
        (("--admin_token", ""), "--admin_token: a token of 1 to 1000 letters"),
        (("--admin_token_file", "none"), "none: No such file or directory"),
        (
            ("--admin_token", "a", "--admin_token_file", __file__),
            "--admin_token, --admin_token_file: give one",
        ),
        (("--admin_token_file", __file__), f"--admin_token_file {__file__}: a token of 1 to 1000 letters"),
    ],
)
def test_a_mistake_is_told_without_the_token(words, line):
    with pytest.raises(ConfigError) as refused:
        read(*words)
    assert line in str(refused.value)
    assert "'a b'" not in str(refused.value)
