import argparse

import pytest

from dersim import pki, tls
from dersim.cli import pki as pki_command
from dersim.errors import CertificateError, ConfigError


def test_create_and_show(tmp_path, capsys):
    folder = tmp_path / "made"
    assert pki_command.main(["create", str(folder), "-n", "3"]) == 0
    pair = pki.ensure_device(folder, 3)
    tls.client_context(pair.cert, pair.key, folder / "cert_root.pem")
    assert not (folder / "cert_4.pem").exists()
    capsys.readouterr()
    assert pki_command.main(["show", str(pair.cert)]) == 0
    told = capsys.readouterr().out
    described = pki.describe(pair.cert)
    assert described.lfdi in told
    assert str(described.sfdi) in told
    assert "nothing that IEEE 2030.5 refuses" in told


def test_show_tells_what_is_refused_and_says_so_by_its_exit_code(tmp_path, capsys):
    assert pki_command.main(["create", str(tmp_path / "c"), "--comm-004"]) == 0
    assert "cert_D.pem  refuse" in capsys.readouterr().out
    assert pki_command.main(["show", str(tmp_path / "c" / "cert_D.pem")]) == 1
    assert "REFUSED    certificate 2 marks extendedKeyUsage critical" in capsys.readouterr().out


@pytest.mark.parametrize("extra", [[], ["--comm-004"]])
def test_a_folder_with_a_pki_is_left_alone(tmp_path, extra):
    pki.create(tmp_path, 0)
    with pytest.raises(ConfigError, match="holds a PKI already"):
        pki_command.main(["create", str(tmp_path), *extra])


@pytest.mark.parametrize("words", [["create", ""], ["create", "", "--comm-004"], ["show", ""]])
def test_an_empty_path_is_refused_and_nothing_is_written(words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="an empty path; name a file or a folder"):
        pki_command.main(words)
    assert list(tmp_path.iterdir()) == []


def test_a_bad_count_is_named(tmp_path):
    with pytest.raises(ConfigError, match="-n -1"):
        pki_command.main(["create", str(tmp_path / "x"), "-n", "-1"])


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(CertificateError, match=r"none\.pem: no such file"):
        pki_command.main(["show", str(tmp_path / "none.pem")])


def test_it_fits_into_a_parser_of_others(tmp_path):
    parser = argparse.ArgumentParser()
    pki_command.add_arguments(parser)
    assert pki_command.run(parser.parse_args(["create", str(tmp_path / "y"), "-n", "0"])) == 0
