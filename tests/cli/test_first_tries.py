"""What a newcomer tries: each answer is one line of what, where and what to do; the exit code fits."""

import pytest

from dersim.cli import main
from dersim.cli.commands import COMMANDS

#: Words, exit code, and how the line begins.
MISTAKES = [
    ("smi", 2, "smi: no such command; there are sim, "),
    ("sim --nosuch", 2, "--nosuch: no such flag; see dersim sim --help"),
    ("sim --mb_por 1", 2, "--mb_por: no such flag; did you mean --mb_port?"),
    (
        "server --feeder x",
        2,
        "--feeder: no such flag; it is that of a plug-in: pip install ./plugins/dersim-feeder",
    ),
    ("sim extra", 2, "extra: one word too many"),
    ("sim -N", 2, "-N: a value is missing; see"),
    ("sim -N x", 2, "-N: a whole number from 1 to 10000 is needed, not 'x'"),
    ("sim -N 0", 2, "-N: a whole number from 1 to 10000 is needed, not '0'"),
    ("sim -N -3", 2, "-N: a whole number from 1 to 10000 is needed, not '-3'"),
    ("sim --device_type fridge", 2, "--device_type fridge: not known; known are PV-3Phase"),
    ("sim --grid_profile nope.csv", 2, "--grid_profile: nope.csv: No such file"),
    ("sim --grid_profile bad.csv", 2, "bad.csv line 1: column 'a' is not known"),
    ("sim --mb_port 99999", 2, "--mb_port/-p: a port from 0 "),
    ("sim --rate 0", 2, "--rate: a number above 0 "),
    ("sim --rate=", 2, "--rate: a number above 0 "),
    ("sim --token_file nope", 2, "--token_file: nope: No such file"),
    ("sim --log_level loud", 2, "--log_level: one of debug, info, warning, error is needed, not 'loud'"),
    ("sim --seed abc", 2, "--seed: a whole number from 0 "),
    ("sim --pcap=1", 2, "--pcap: yes or no is needed, not '1'"),
    ("server --nosuch", 2, "--nosuch: no such flag; see dersim server --help"),
    ("server --port 99999", 2, "--port: a port from 0 "),
    ("server --cert nope", 2, "--cert: nope: No such file"),
    ("lab --por 1", 2, "--por: no such flag; did you mean --port?"),
    ("pki", 2, "show|create: missing; see dersim pki --help"),
    ("pki nosuch", 2, "show|create: 'nosuch' is none of "),
    ("pki show nope", 2, "nope: no such file; a certificate in PEM form is needed"),
    ("pki show bad.csv", 2, "bad.csv: holds no PEM certificate"),
    ("replay", 2, "SCENARIO.json, TRAJECTORY.csv, --out: missing; see dersim replay --help"),
    ("replay nope.json t.csv --out o.csv", 2, "nope.json: No such file or directory; give"),
    ("replay bad.json t.csv --out o.csv", 2, "bad.json line 2 column 1: not JSON"),
    ("replay . t.csv --out o.csv", 2, ".: Is a directory; give"),
    ("nameplate", 2, "from-modbus: missing; see dersim nameplate --help"),
    ("nameplate from-modbus", 2, "HOST[:PORT]: missing; see dersim nameplate from-modbus --help"),
    ("nameplate from-modbus 127.0.0.1:1", 1, "127.0.0.1:1: connection refused; check the port"),
    ("nameplate from-modbus h --unit 300", 2, "--unit: a whole number from 0 to 255 is needed"),
    (
        "bundle --url http://127.0.0.1:1",
        1,
        "http://127.0.0.1:1: connection refused; is the simulator running",
    ),
    ("bundle --url foo", 2, "--url: a URL such as http://127.0.0.1:8111 is needed, not 'foo'"),
    ("completion", 2, "shell: missing; see dersim completion --help"),
    ("completion tcsh", 2, "shell: 'tcsh' is none of "),
    ("plugins check", 2, "DIST: missing; see dersim plugins check --help"),
    ("doctor extra", 2, "extra: one word too many"),
]


@pytest.fixture(autouse=True)
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("a,b\n")
    (tmp_path / "bad.json").write_text("{\n")


@pytest.mark.parametrize(("words", "code", "line"), MISTAKES, ids=[words for words, _, _ in MISTAKES])
def test_a_mistake_is_answered_in_one_line(words, code, line, capsys):
    assert main.main(words.split()) == code
    out, told = capsys.readouterr()
    assert out == ""
    assert told.startswith(f"dersim: {line}")
    assert told.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_help(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main.main([command, "--help"])
    assert ended.value.code == 0
    out, told = capsys.readouterr()
    assert out.startswith(f"usage: dersim {command}")
    assert told == ""


def test_the_doctor_without_certificates_says_what_is_needed(capsys):
    assert main.main(["doctor", "--csip_cert", "nope.pem", "--csip_server_ip", "127.0.0.1"]) == 3
    out, told = capsys.readouterr()
    assert out.startswith(
        "FAILED  key: nope.pem: no such file; our certificate with its chain in PEM form is needed"
    )
    assert told == ""
