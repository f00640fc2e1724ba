"""`dersim fleet`: what is refused before anything starts."""

import sys

import pytest

from dersim import pki
from dersim.cli import main
from dersim.errors import ConfigError
from dersim.fleet_run import command

#: Words, and how the one line begins.
MISTAKES = [
    ("--demo", "--demo: a fleet has no server of its own; start `dersim server`"),
    ("-N 2000000", "-N: a whole number from 1 to 1000000 is needed"),
    ("--workers 0", "--workers: a whole number from 1 to 256 is needed"),
    ("--scheduler 192.0.2.9", "--scheduler: an address such as tls://192.0.2.5:8786 is needed"),
    ("--scheduler http://h:1", "--scheduler: an address such as tls://192.0.2.5:8786 is needed"),
    ("--tls-ca nope.pem", "--tls-ca: nope.pem: No such file"),
    ("--duration soon", "--duration: a time such as 30s, 10m or 2h is needed, not 'soon'"),
    ("--website_port 1", "--website_port: no such flag"),
    ("--mb_port 1", "--mb_port: no such flag"),
    ("--csip_cert cert.pem", "--csip_cert: each DER of a fleet has a certificate of its own"),
    ("--island_mva 1", "grid island: it needs all DERs in one process, and a fleet has several; leave out"),
    ("--island_h 4", "--island_h: there is no island; add --island_mva"),
    ("--use_test_pki_certs nope", "--use_test_pki_certs: nope is not a folder"),
]


@pytest.mark.parametrize(("words", "told"), MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(words, told, capsys):
    assert main.main(["fleet", *words.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith(f"dersim: {told}")


def test_without_dask_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.delitem(sys.modules, "dersim.fleet_run.cluster", raising=False)
    with pytest.raises(ConfigError, match=r"install it with: pip install 'dersim\[cluster\]'"):
        command.main(["-N", "2"])


def test_a_fleet_that_does_not_fit_is_refused_before_anything_starts():
    pytest.importorskip("distributed", reason="needs Dask: pip install 'dersim[cluster]'")
    with pytest.raises(ConfigError, match=r"-N: this fleet needs [0-9,]+ MiB of memory on this machine"):
        command.main(["-N", "1000000"])


def test_private_keys_are_not_sent_in_clear(tmp_path):
    folder = pki.create(tmp_path / "mine", 1)
    with pytest.raises(ConfigError, match="would cross the network in clear"):
        command.read(["--scheduler", "tcp://192.0.2.9:8786", "--use_test_pki_certs", str(folder)])


def test_shards_measure_load_where_the_command_is_to_judge_it():
    request = command.read(["-N", "3", "--fail", "rate(errors) < 1%", "--duration", "10m"])
    assert "--load" in request.flags
    assert not {"--fail", "--duration"} & set(request.flags)
    assert "--load" not in command.read(["-N", "3"]).flags


def test_a_fleet_file_is_cut_like_any_fleet_and_its_files_travel(tmp_path):
    (tmp_path / "noon.csv").write_text("t_s,irradiance_w_m2\n0,800\n")
    path = tmp_path / "fleet.yaml"
    path.write_text(
        "without: [volt-var]\n"
        "groups:\n"
        "  - {name: pv, count: 3}\n"
        "  - {name: cloudy, count: 3, inputs: {dc_profile: noon.csv}}\n"
    )
    request = command.read([str(path), "--first", "5", "--strict"])
    assert [(group.name, group.first, group.count) for group in request.ders.groups] == [
        ("pv", 5, 3),
        ("cloudy", 8, 3),
    ]
    assert request.flags[:1] == ("--strict",)
    assert request.flags[-2:] == ("--without", "volt-var,utility")
    assert request.luggage.places[str(tmp_path / "noon.csv")] == "file-0.csv"


def test_two_fleet_files_or_a_count_beside_one_are_refused(tmp_path):
    path = tmp_path / "fleet.yaml"
    path.write_text("groups: [{name: pv, count: 3}]\n")
    with pytest.raises(ConfigError, match="give one fleet file"):
        command.read([str(path), "--fleet", str(path)])
    with pytest.raises(ConfigError, match="the file says how many DERs there are"):
        command.read([str(path), "-N", "4"])


def test_what_a_fleet_refuses_is_not_in_its_help():
    assert "--demo" not in command.make_parser().format_help()
