"""Where the token comes from: flag, file or environment; it need not be in the process list."""

from argparse import Namespace

import pytest

from dersim.errors import ConfigError
from dersim.pages.guard import TOKEN_VARIABLE, settle_token


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


@pytest.mark.parametrize("content", [b"", b"\n", b"two words\n", b"one\ntwo\n", b"\xff\xfe", b"a\x00b"])
def test_a_file_without_a_usable_token_is_refused_by_name(tmp_path, content):
    file = tmp_path / "token"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"--token_file .*/token: "):
        settle_token(options(token_file=file))


def test_a_token_file_that_is_not_there_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"--token_file .*/none: No such file"):
        settle_token(options(token_file=tmp_path / "none"))


def test_flag_and_file_together_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="one of the two"):
        settle_token(options(token="a", token_file=tmp_path / "token"))
