"""Where the token comes from: flag, file or environment; it need not be in the process list."""

from argparse import Namespace
from pathlib import Path

import pytest

from dersim.errors import ConfigError
from dersim.options import OptionParser
from dersim.pages.guard import TOKEN_VARIABLE, settle_token, token
from dersim.web import plugin


@pytest.fixture(autouse=True)
def no_token(monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


def options(**given):
    return Namespace(**{"token": None, "token_file": None, **given})


def test_the_token_of_a_file_is_its_one_line(tmp_path):
    file = tmp_path / "token"
    file.write_text("open-sesame\n")
    assert settle_token(options(token_file=file)) == "open-sesame"


def test_the_token_of_the_environment_counts_where_no_flag_gives_one(monkeypatch):
    monkeypatch.setenv("DERSIM_TOKEN", "from-the-environment")
    assert settle_token(options()) == "from-the-environment"
    assert settle_token(options(token="flag")) == "flag"


def test_the_environment_may_ask_for_a_token_to_be_made(monkeypatch):
    monkeypatch.setenv("DERSIM_TOKEN", "auto")
    given = options()
    made = settle_token(given)
    assert len(made) >= 24
    assert settle_token(given) == made


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"two words\n", b"one\ntwo\n", b"\xff\xfe", b"a\x00b", b"a;b", b"x" * 2000]
)
def test_a_file_without_a_usable_token_is_refused_by_name(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"--token_file .*/token: "):
        settle_token(options(token_file=file))


@pytest.mark.parametrize("text", ["", " ", "two words", "geh\u00e9im", "a\nb", "a;b", 'a"b', "x" * 1001])
def test_a_token_that_no_request_could_send_is_refused(text, monkeypatch):
    parser = OptionParser()
    plugin.add_options(parser)
    with pytest.raises(ConfigError, match="--token: a token of 1 to 1000 letters"):
        parser.parse_args(["--token", text])
    if text:
        monkeypatch.setenv(TOKEN_VARIABLE, text)
        with pytest.raises(ConfigError, match=f"{TOKEN_VARIABLE} of the environment: a token of 1 to 1000"):
            settle_token(options())


def test_a_token_may_hold_the_signs_that_password_makers_use():
    assert token("aB3!#$%&'()*+-./:<=>?@[]^_`{|}~") == "aB3!#$%&'()*+-./:<=>?@[]^_`{|}~"


def test_a_token_file_without_an_end_is_refused():
    with pytest.raises(ConfigError, match="--token_file /dev/zero: a token of 1 to 1000"):
        settle_token(options(token_file=Path("/dev/zero")))


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("--cors_origin", "example.org"),
        ("--cors_origin", "https://example.org/"),
        ("--cors_origin", "*"),
        ("--allow_host", "a b"),
        ("--allow_host", "example.org:8111"),
    ],
)
def test_a_name_or_an_origin_that_no_browser_sends_is_refused(flag, value):
    parser = OptionParser()
    plugin.add_options(parser)
    with pytest.raises(ConfigError, match=f"^{flag}: "):
        parser.parse_args([flag, value])


def test_origins_and_names_are_lists():
    parser = OptionParser()
    plugin.add_options(parser)
    read = parser.parse_args(["--cors_origin", "http://a:1,https://b", "--allow_host", "a.example,b"])
    assert read.cors_origin == ("http://a:1", "https://b")
    assert read.allow_host == ("a.example", "b")


def test_a_token_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"--token_file .*/none: No such file"):
        settle_token(options(token_file=tmp_path / "none"))


def test_flag_and_file_together_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="one of the two"):
        settle_token(options(token="a", token_file=tmp_path / "token"))
