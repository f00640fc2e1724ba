"""Shell completion, tried in the shells themselves."""

import shutil
import subprocess
from argparse import SUPPRESS

import pytest

from dersim.cli import completion, main
from dersim.cli.commands import COMMANDS
from dersim.cli.shell_scripts import SHELLS, bash

ASK_BASH = """
{script}
COMP_WORDS=({words})
COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
_dersim
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture(scope="module")
def script():
    return bash(completion.tree())


def offered(script, words, cwd=None):
    """What bash offers for the last of the words."""
    code = ASK_BASH.format(script=script, words=words)
    done = subprocess.run(
        ["bash", "-c", code], capture_output=True, text=True, check=True, cwd=cwd, timeout=30
    )
    assert done.stderr == ""
    return done.stdout.split()


def told(parser):
    """The flags of a command, without those that its help leaves out."""
    return {flag for flag, action in parser.flags.items() if action.help != SUPPRESS}


def test_bash_offers_every_command(script):
    assert offered(script, "dersim ''") == list(COMMANDS)
    assert offered(script, "dersim re") == ["replay", "replay-conversation"]


@pytest.mark.parametrize("name", COMMANDS)
def test_bash_offers_every_flag_of_a_command(script, name):
    flags = told(COMMANDS[name].make_parser())
    assert set(offered(script, f"dersim {name} -")) == flags


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        ("dersim sim --device_type Batt", ["Batt-3Phase", "Batt-2Phase", "Batt-1Phase"]),
        ("dersim sim --demo -d PV-1", ["PV-1Phase"]),
        ("dersim sim --csip_enc ''", ["yes", "no"]),
        ("dersim sim -N 3 --log_level w", ["warning"]),
        ("dersim sim --seed ''", []),
        ("dersim server --registration ''", ["open", "inband", "known"]),
        ("dersim pki ''", ["show", "create"]),
        ("dersim pki create --co", ["--count", "--comm-004"]),
        ("dersim completion ''", ["bash", "fish", "zsh"]),
        ("dersim fly ''", list(COMMANDS)),
    ],
)
def test_bash_offers_what_fits(script, words, offers):
    assert offered(script, words) == offers


@pytest.mark.parametrize(
    "words", ["dersim sim -f ", "dersim sim --csip_cert ", "dersim pki show ", "dersim replay "]
)
def test_bash_offers_files_where_a_file_is_needed(script, words, tmp_path):
    (tmp_path / "plate.json").touch()
    assert offered(script, words + "pl", cwd=tmp_path) == ["plate.json"]


def test_the_command_prints_the_script_that_bash_reads(script, capsys):
    assert main.main(["completion", "bash"]) == 0
    assert capsys.readouterr().out == script
    told = subprocess.run(
        ["bash", "-c", f"{script}\ncomplete -p dersim"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "complete -F _dersim dersim\n"


@pytest.mark.parametrize("shell", SHELLS)
def test_every_script_names_every_flag_with_its_command(shell):
    text = SHELLS[shell](completion.tree())
    for name in COMMANDS:
        assert f"dersim {name}" in text
    assert "device_type" in text
    assert "Batt-1Phase" in text


@pytest.mark.skipif(shutil.which("fish") is None, reason="fish is not installed")
@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("dersim re", {"replay"}),
        ("dersim sim --device_type Batt", {"Batt-3Phase", "Batt-2Phase", "Batt-1Phase"}),
        ("dersim pki ", {"show", "create"}),
        ("dersim sim --wall_clock_t", {"--wall_clock_timezone"}),
    ],
)
def test_fish_offers_what_fits(line, offers, tmp_path):
    file = tmp_path / "dersim.fish"
    file.write_text(SHELLS["fish"](completion.tree()))
    code = f"source {file}; complete -C '{line}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stderr == ""
    assert {row.split("\t")[0] for row in done.stdout.splitlines()} == offers


@pytest.mark.skipif(shutil.which("zsh") is None, reason="zsh is not installed")
def test_zsh_can_read_its_script(tmp_path):
    file = tmp_path / "_dersim"
    file.write_text(SHELLS["zsh"](completion.tree()))
    code = f"autoload -U compinit; compinit -D -u; source {file}; print -r -- $_comps[dersim]"
    done = subprocess.run(["zsh", "-f", "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert (done.stdout, done.stderr) == ("_dersim\n", "")
