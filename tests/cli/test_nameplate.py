"""`dersim nameplate from-modbus`: where the nameplate goes, what is told, and exit codes."""

import json
import socket

import pytest
from tests.twin import faulty
from tests.twin.foreign import registers
from tests.twin.test_foreign import MODERN

from dersim.cli import main
from dersim.cli import nameplate as command
from dersim.errors import ConfigError
from dersim.hardware.nameplate import read_nameplate


@pytest.fixture
def device():
    with faulty.served(faulty.plain(registers(MODERN, end=()))) as port:
        yield f"127.0.0.1:{port}"


def test_a_file_with_the_nameplate_and_a_report_on_stderr(device, tmp_path, capsys):
    out = tmp_path / "inverter.json"
    assert main.main(["nameplate", "from-modbus", device, "--out", str(out)]) == 0
    assert read_nameplate(out).manufacturer == "Acme"
    comments = json.loads(out.read_text(encoding="utf-8"))["dersim"]["comments"]
    assert comments["read from"] == [f"Acme Sun 8000 at {device} unit 1"]
    assert comments["device type"] == ["PV-3Phase"]
    assert len(comments["could not be read or used"]) == 1
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert lines[0] == f"read Acme Sun 8000 at {device} unit 1: models 1, 701, 702, 703, 704, 705, 713"
    assert lines[1] == "could not be read or used:"
    assert lines[2].endswith("the map ends here without its end mark")
    assert lines[-1] == f"start the twin: dersim sim -d PV-3Phase -f {out}"


def test_without_out_the_nameplate_is_all_of_stdout(device, capsys):
    assert main.main(["nameplate", "from-modbus", device, "--unit", "1"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["702"]["WMaxRtg"] == 8000
    assert "assumed, because no register says it:" in told.err


def test_json_has_the_nameplate_and_the_report(device, tmp_path, capsys):
    out = tmp_path / "inverter.json"
    assert main.main(["nameplate", "from-modbus", device, "--json", "--out", str(out)]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["nameplate"] == json.loads(out.read_text(encoding="utf-8"))
    assert document["device_type"] == "PV-3Phase"
    assert len(document["unread"]) == 1
    assert set(document) == {
        *("source", "models", "device_type", "unread", "assumed", "differs", "nameplate")
    }


def test_a_device_that_is_not_there_is_one_line_and_exit_code_1(capsys):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert main.main(["nameplate", "from-modbus", f"127.0.0.1:{port}"]) == 1
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert told.err.startswith(f"dersim: 127.0.0.1:{port}: connection refused")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["127.0.0.1:0"], "a port from 1 to 65535 is needed, not '0'"),
        (["127.0.0.1:99999"], "a port from 0"),
        (["http://127.0.0.1"], "a host name or an IP address alone is needed"),
        (["127.0.0.1", "--unit", "256"], "--unit"),
        (["127.0.0.1", "--timeout", "0"], "--timeout"),
        (["127.0.0.1", "--out", "/no/such/folder/x.json"], "there is no folder /no/such/folder"),
        ([], "HOST"),
    ],
)
def test_a_bad_flag_is_named_and_exit_code_2(words, told, capsys):
    assert main.main(["nameplate", "from-modbus", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(device, tmp_path):
    with pytest.raises(ConfigError, match=r"--out: .*: Is a directory; give a file that can be written"):
        command.main(["from-modbus", device, "--out", str(tmp_path)])


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("192.0.2.7", "192.0.2.7", 502),
        ("192.0.2.7:1502", "192.0.2.7", 1502),
        ("inverter.example:8502", "inverter.example", 8502),
        ("[2001:db8::1]:1502", "2001:db8::1", 1502),
        ("2001:db8::1", "2001:db8::1", 502),
    ],
)
def test_a_device_is_a_host_with_or_without_a_port(text, host, port):
    options = command.make_parser().parse_args(["from-modbus", text])
    assert options.device == (host, port)


def test_the_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main.main(["nameplate", "from-modbus", "--help"])
    assert "dersim nameplate from-modbus 192.0.2.7:502 --unit 1" in " ".join(capsys.readouterr().out.split())
