"""`dersim conformance`: which procedures it runs, what it prints and writes, its exit code."""

import json
import xml.etree.ElementTree as ET

import pytest

from dersim.cli import conformance
from dersim.conformance import campaign
from dersim.conformance.procedures import ALL
from dersim.errors import ConfigError


def test_the_ids_are_listed_with_their_profiles(capsys):
    assert conformance.main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(ALL)
    assert "COMM-003    CAS  TLS session" in lines


def test_chosen_procedures_run_and_are_written(capsys, tmp_path):
    files = ["--junit", str(tmp_path / "out.xml"), "--json", str(tmp_path / "out.json")]
    assert conformance.main(["--only", "COMM-004*", "--only", "comm-003", *files]) == 0
    out = capsys.readouterr().out
    assert out.count("pass pass  COMM-004") == 7
    assert "conformance: 8 pass" in out
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["summary"]["conformance"]["pass"] == 8
    first = document["procedures"][0]
    assert first["id"] == "COMM-003"
    assert first["handshakes"][0]["cipher"] == "ECDHE-ECDSA-AES128-CCM8"


def test_junit_is_read_by_a_public_parser(tmp_path):
    junitparser = pytest.importorskip("junitparser", reason="junitparser is not installed: dersim[test]")
    path = tmp_path / "out.xml"
    assert conformance.main(["--only", "COMM-002", "--only", "ERR-001", "--junit", str(path)]) == 0
    suites = list(junitparser.JUnitXml.fromfile(str(path)))
    assert [suite.name for suite in suites] == ["dersim conformance", "dersim compatibility"]
    for suite in suites:
        assert [case.name for case in suite] == [
            "COMM-002 The server's address is configured",
            "ERR-001 Redirect of DeviceCapability with 301",
        ]
        assert suite.failures == 0
    assert ET.parse(path).getroot().tag == "testsuites"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--only", "BASIC-099"], "no procedure has such an id"),
        (["--virtual", "--realtime"], "--virtual: is for our own client alone"),
        (["--scale", "0.5"], "--scale: is for real time"),
        (["--client-under-test"], "--kit FOLDER is needed"),
    ],
)
def test_flags_that_do_not_fit_are_refused(flags, said):
    with pytest.raises(ConfigError, match=said):
        conformance.main(flags)


def test_an_unwritable_report_is_one_line(tmp_path):
    with pytest.raises(ConfigError, match=r"--junit: .*: there is no folder"):
        conformance.main(["--only", "COMM-002", "--junit", str(tmp_path / "no" / "out.xml")])


def test_a_kit_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"--kit .*file/kit: the certificates cannot be written: Not a dir"):
        conformance.main(["--client-under-test", "--kit", str(tmp_path / "file" / "kit")])


def test_the_pin_is_in_no_report(tmp_path):
    path = tmp_path / "out.json"
    conformance.main(["--only", "BASIC-001", "--json", str(path)])
    assert "<pIN>111115" not in path.read_text()


async def test_our_client_passes_over_sockets_in_real_time(tmp_path):
    from dersim.conformance.kit import make_kit
    from dersim.conformance.procedure import Verdict
    from dersim.conformance.real import RealRun

    kit = make_kit(tmp_path)
    how = RealRun(kit, kit.lfdi, scale=0.1)
    chosen = campaign.chosen(["COMM-004B", "COMM-004D"])
    outcomes = [each async for each in campaign.run_real(chosen, how, "127.0.0.1", 0, lambda _: None)]
    assert [each.conformance for each in outcomes] == [Verdict.PASS, Verdict.PASS]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ExceptionGroup("x", [ConfigError("lost")])])
def test_a_run_that_ends_early_reports_what_is_done(tmp_path, monkeypatch, capsys, error):
    ran = campaign.run_virtual

    def broken_off(procedures, kit):
        yield next(iter(ran(procedures, kit)))
        raise error

    monkeypatch.setattr(campaign, "run_virtual", broken_off)
    with pytest.raises((KeyboardInterrupt, ConfigError)):
        conformance.main(["--only", "COMM-00[23]", "--json", str(tmp_path / "out.json")])
    document = json.loads((tmp_path / "out.json").read_text())
    assert [each["id"] for each in document["procedures"]] == ["COMM-002"]
    assert "the reports have the 1 procedures that were done" in capsys.readouterr().err
