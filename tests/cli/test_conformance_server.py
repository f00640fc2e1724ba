"""`dersim conformance --server`: its flags, and what it writes."""

import json

import pytest

from dersim.cli import conformance
from dersim.conformance.server.procedures import ALL
from dersim.errors import ConfigError


def test_the_ids_for_a_server_are_listed(capsys):
    assert conformance.main(["--server", "self", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ALL)
    assert "CORE-004    -    List handling" in lines


def test_our_server_is_judged_in_virtual_time(capsys, tmp_path):
    path = tmp_path / "out.json"
    assert conformance.main(["--server", "self", "--only", "CORE-00[24]", "--json", str(path)]) == 0
    assert "conformance: 2 pass" in capsys.readouterr().out
    document = json.loads(path.read_text())
    assert document["server"] == "self"
    assert [each["id"] for each in document["procedures"]] == ["CORE-002", "CORE-004"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--server", "https://127.0.0.1:1/dcap"], "--kit FOLDER is needed"),
        (["--admin", "http://127.0.0.1:1"], "--admin: is for --server URL"),
        (["--server", "self", "--http-port", "80"], "--http-port: is for --server URL"),
        (["--server", "self", "--realtime"], "--realtime"),
        (["--server", "self", "--scale", "0.5"], "--scale: is for real time"),
        (["--server", "self", "--only", "AGG-001"], "no procedure has such an id"),
    ],
)
def test_flags_that_do_not_fit_are_refused(flags, said):
    with pytest.raises(ConfigError, match=said):
        conformance.main(flags)
