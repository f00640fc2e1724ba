"""`dersim control` against a companion server on loopback."""

import json
import time

import pytest

from dersim.cli import control_watch, main
from dersim.timestamps import rfc3339

from .companion import LFDI, companion

OTHER = "0123456789ABCDEF0123456789ABCDEF01234567"
PUBLISH = ("publish", "--mode", "opModMaxLimW=50", "--duration", "5m")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(control_watch, "POLL_S", 0.005)
    monkeypatch.delenv("DERSIM_ADMIN_TOKEN", raising=False)


@pytest.fixture(scope="module")
def shared():
    with companion() as running:
        yield running


@pytest.fixture
def server(shared):
    shared.answers.clear()
    return shared


@pytest.fixture
def control(capsys, server):
    def run(*words):
        code = main.main(["control", *words, "--url", server.url])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def newest(server):
    return max(
        (each for program in server.head_end.programs for each in program.listed_controls()),
        key=lambda each: each.id,
    )


def count_of(server):
    return sum(len(list(program.listed_controls())) for program in server.head_end.programs)


def test_a_control_for_all_devices_is_in_the_program_of_the_system(control, server):
    code, out, err = control(*PUBLISH, "--all", "--randomize_start", "-30", "--description", "peak")
    found = newest(server)
    assert (code, err) == (0, "")
    assert out.startswith(f"{found.mrid} program {found.program.number}, ")
    assert out.endswith(" for 300 s: opModMaxLimW=50 %\n")
    assert [group.number for group in found.program.groups] == [1]
    assert (found.duration_s, found.randomize_start_s, found.description) == (300, -30, "peak")


@pytest.mark.parametrize(
    ("words", "modes"),
    [
        (("--mode", "opModConnect=no"), {"opModConnect": False}),
        (("--mode", "opModFixedVar=-44"), {"opModFixedVar": {"percent": -44, "ref": "setMaxVar"}}),
        (("--mode", "opModFixedVar=10,setMaxW"), {"opModFixedVar": {"percent": 10, "ref": "setMaxW"}}),
        (
            ("--mode", "opModFixedPFInjectW=0.9,absorb"),
            {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "absorb"}},
        ),
        (
            ("--mode", 'opModFixedPFInjectW={"pf": 0.9}', "--mode", "opModFixedW=-20"),
            {"opModFixedPFInjectW": {"pf": 0.9, "excitation": "inject"}, "opModFixedW": -20},
        ),
        (("--mode", "opModMaxLimWInject=5000"), {"opModMaxLimWInject": 5000}),
    ],
)
def test_modes_are_given_in_the_units_of_the_rest(control, words, modes):
    code, out, _ = control("publish", "--program", "system", "--duration", "60", *words, "--json")
    assert code == 0
    assert json.loads(out)["modes"] == modes


def test_a_curve_comes_as_points_or_out_of_a_file(control, tmp_path):
    file = tmp_path / "curve.json"
    file.write_text('{"curve": [[92, 30], [108, -30]], "v_ref": 100}')
    for text, points in (("92,44 108,-44", [[92, 44], [108, -44]]), (str(file), [[92, 30], [108, -30]])):
        code, out, _ = control(
            "publish", "--all", "--curve", f"opModVoltVar={text}", "--duration", "1h", "--json"
        )
        assert code == 0
        assert json.loads(out)["modes"]["opModVoltVar"]["curve"] == points


def test_one_order_goes_to_several_programs_at_once(control):
    code, out, _ = control(*PUBLISH, "--program", "1", "--program", "operator", "--json")
    programs = [json.loads(line)["program"] for line in out.splitlines()]
    assert code == 0
    assert len(set(programs)) == 2


def test_a_control_is_for_one_device_or_one_group(control, server):
    assert control(*PUBLISH, "--device", LFDI.lower())[0] == 0
    (group,) = newest(server).program.groups
    assert group.lfdis == {LFDI}
    assert control(*PUBLISH, "--group", group.name, "--primacy", "77")[0] == 0
    program = newest(server).program
    assert (program.primacy, program.groups) == (77, (group,))
    assert control(*PUBLISH, "--group", str(group.number), "--primacy", "77")[0] == 0
    assert newest(server).program is program


def test_the_start_is_a_delay_or_a_moment(control, server):
    assert control(*PUBLISH, "--all", "--start", "+2m")[0] == 0
    assert 110 <= newest(server).start_s - time.time() <= 121
    moment = "2027-01-01T00:00:00Z"
    code, out, _ = control(*PUBLISH, "--all", "--start", moment, "--json")
    assert (code, json.loads(out)["start"]) == (0, "2027-01-01T00:00:00.000Z")


def test_waiting_tells_each_answer_and_ends_with_the_last(control, server):
    server.answers[LFDI] = (1, 2, 3)
    code, out, err = control(*PUBLISH, "--all", "--wait")
    told = [line.split(" ", 1)[1] for line in out.splitlines()[1:]]
    assert code == 0
    assert told == [f"{LFDI} event received", f"{LFDI} event started", f"{LFDI} event completed"]
    assert err == "1 did it\n"


def test_a_refusal_is_exit_code_3(control, server):
    server.answers[LFDI] = (1, 252)
    code, out, err = control(*PUBLISH, "--all", "--wait")
    assert code == 3
    assert f"{LFDI} rejected: parameter not applicable" in out
    assert err == "0 did it, 1 refused it\n"


def test_a_device_without_a_final_answer_is_waited_for_during_the_grace(control, server):
    server.answers[LFDI] = (1,)
    begun = rfc3339(time.time() - 5)
    words = ("--mode", "opModMaxLimW=50", "--start", begun, "--duration", "1s")
    code, _, err = control("publish", "--all", *words, "--wait", "--grace", "0.05s")
    assert code == 3, err
    assert err == "0 did it, 1 did not answer to the end\n"


def test_a_control_that_was_over_long_ago_is_told(control):
    words = ("--mode", "opModMaxLimW=50", "--start", "2026-11-01T00:00:00Z", "--duration", "1s")
    code, _, err = control("publish", "--all", *words)
    assert code == 2
    assert "was over long before now; give a later --start" in err


def test_with_receipts_alone_a_receipt_is_the_last_answer(control, server):
    server.answers[LFDI] = (1,)
    code, _, err = control(*PUBLISH, "--all", "--wait", "--response_required", "1", "--json")
    assert (code, err) == (0, "1 did it\n")


def test_controls_are_cancelled_by_the_first_digits_of_their_mrid(control, server):
    control(*PUBLISH, "--all")
    found = newest(server)
    code, out, _ = control("cancel", found.mrid[:20].lower(), "--status", "4")
    assert (code, out) == (0, f"{found.mrid} superseded\n")
    code, out, err = control("cancel", found.mrid, "ABCDEFABCDEF")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"dersim: control {found.mrid} is over: it is superseded; "
        "GET /api/utility/controls shows what is in force.",
        "dersim: ABCDEFABCDEF: no control begins so; dersim control list shows them",
    ]


def test_the_list_is_a_table_or_the_document_of_the_rest(control, server):
    control(*PUBLISH, "--all")
    found = newest(server)
    _, out, _ = control("list")
    header, *rows = out.splitlines()
    assert header.split() == ["MRID", "PROGRAM", "STATUS", "START", "SECONDS", "MODES"]
    (row,) = [row for row in rows if row.startswith(found.mrid)]
    assert row.split()[1:3] == [str(found.program.number), "active"]
    assert row.endswith("  300      opModMaxLimW=50 %")
    _, out, _ = control("list", "--json", "--program", str(found.program.number), "--mode", "opModMaxLimW")
    assert found.mrid in {each["mRID"] for each in json.loads(out)}
    assert control("list", "--mode", "opModTargetV") == (0, "", "no control is listed\n")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("--all", "--mode", "opModMaxLimW=500"), "opModMaxLimW: 500 is outside 0 to 100 %"),
        (("--all", "--mode", "opModMaxLimW=half"), "opModMaxLimW: a number in % is needed, not 'half'"),
        (("--all", "--mode", "opModMaxLimW=nan"), "opModMaxLimW: a number in % is needed, not 'nan'"),
        (("--all", "--mode", "opModFixedVar=x"), "-44 or -44,setMaxW is needed, not 'x'"),
        (("--all", "--mode", "opModVoltVar=1,2"), "opModVoltVar takes a curve; give --curve"),
        (("--all", "--curve", "opModMaxLimW=1,2"), "opModMaxLimW takes no curve; give --mode"),
        (("--all", "--curve", "opModVoltVar=9,1 8,1"), "x must not fall from one point to the next"),
        (("--all", "--curve", "opModVoltVar=none.json"), "none.json: No such file or directory"),
        (("--all", "--mode", "opModMaxLimW"), "a mode and its value such as opModMaxLimW=50 is needed"),
        (("--all", "--mode", "opModMaxLimw=5"), "did you mean opModMaxLimW?"),
        (("--all", "--mode", "opModFixedW=1", "--mode", "opModFixedW=2"), "opModFixedW: is given twice"),
        (("--all",), "--mode, --curve: at least one is needed"),
        (("--mode", "opModMaxLimW=5"), "--program --device --group --all is required"),
        (("--group", "nope", "--mode", "opModMaxLimW=5"), "--group 'nope': there is none"),
        (("--program", "nope", "--mode", "opModMaxLimW=5"), "--program 'nope': there is none"),
        (("--device", "xyz", "--mode", "opModMaxLimW=5"), "--device: an LFDI of 40 hexadecimal digits"),
        (("--device", OTHER, "--mode", "opModMaxLimW=5"), f"there is no EndDevice {OTHER}"),
        (("--program", "1", "--primacy", "2", "--mode", "opModMaxLimW=5"), "--primacy: is for --group"),
        (("--all", "--mode", "opModMaxLimW=5", "--start", "noon"), "now, +90s or a time with its zone"),
        (("--all", "--mode", "opModMaxLimW=5", "--duration", "1.5s"), "whole seconds are needed"),
        (
            ("--all", "--mode", "opModMaxLimW=5", "--wait", "--response_required", "4"),
            "--wait: no device answers with --response_required 4",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(control, server, words, line):
    before = count_of(server)
    code, out, err = control("publish", "--duration", "60s", *words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert line in err
    assert count_of(server) == before


def test_where_no_server_answers_is_exit_code_1(capsys):
    assert main.main(["control", "list", "--url", "http://127.0.0.1:9"]) == 1
    assert "connection refused; is the server running there?" in capsys.readouterr().err


def test_the_token_comes_by_a_flag_a_file_or_the_environment(capsys, monkeypatch, tmp_path):
    file = tmp_path / "token"
    file.write_text("s3cret\n")
    with companion(admin_token="s3cret") as guarded:
        words = ["control", "list", "--url", guarded.url]
        assert main.main(words) == 2
        assert "the admin token is needed, or another one" in capsys.readouterr().err
        assert main.main([*words, "--token", "guess"]) == 2
        assert main.main([*words, "--token", "s3cret"]) == 0
        assert main.main([*words, "--token_file", str(file)]) == 0
        monkeypatch.setenv("DERSIM_ADMIN_TOKEN", "s3cret")
        assert main.main(words) == 0
