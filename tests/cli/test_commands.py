"""The list of commands: help, examples and parsers of each."""

import shlex
from pathlib import Path

import pytest

from dersim.cli import main
from dersim.cli.commands import COMMANDS, GROUPS, usage
from dersim.options import OptionParser

EXAMPLES = [(name, each.line) for name, command in COMMANDS.items() for each in command.examples]


def shown_help(capsys, *words):
    with pytest.raises(SystemExit) as ended:
        main.main(words)
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_usage_names_every_command_under_its_group():
    told = usage()
    for name, command in COMMANDS.items():
        assert command.group in GROUPS
        section = told.split(f"\n{command.group}:\n")[1].split("\n\n")[0]
        assert f"  {name} " in section
        assert command.doc in section


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_has_its_examples_and_the_other_commands(capsys, name):
    told = shown_help(capsys, name, "--help")
    assert COMMANDS[name].examples
    for line, doc in COMMANDS[name].examples:
        assert f"  {line}\n      {doc}\n" in told
    others = told.split("other commands:")[1]
    assert {row.split()[1] for row in others.strip().splitlines()} == set(COMMANDS) - {name}


@pytest.mark.parametrize(
    "words", [("pki", "show"), ("pki", "create"), ("nameplate", "from-modbus"), ("control", "publish")]
)
def test_the_help_of_a_sub_command_has_its_own_examples(capsys, words):
    told = shown_help(capsys, *words, "--help").split("examples:\n")[1]
    lines = [row.strip() for row in told.splitlines() if row.startswith("  dersim")]
    assert lines
    assert all(line.startswith(" ".join(["dersim", *words])) for line in lines)


def test_help_before_the_command_is_the_help_of_that_command(capsys):
    assert shown_help(capsys, "help", "pki") == shown_help(capsys, "pki", "--help")


def test_the_help_of_sim_names_the_device_types(capsys):
    told = shown_help(capsys, "sim", "--help").split("device types (-d TYPE):\n")[1].split("\n\n")[0]
    assert {"PV-3Phase", "Batt-1Phase"} <= set(told.split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_parser_that_main_uses(name, monkeypatch):
    class Parsed(Exception):
        pass

    def parse(parser, args=None, namespace=None):
        if parser.prog == f"dersim {name}":
            raise Parsed(set(parser.flags))
        return original(parser, args, namespace)

    original = OptionParser.parse_args
    own = set(COMMANDS[name].make_parser().flags)
    monkeypatch.setattr(OptionParser, "parse_args", parse)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(Parsed) as parsed:
        COMMANDS[name].main(["--demo"])
    assert parsed.value.args[0] == own


@pytest.mark.parametrize(("name", "line"), EXAMPLES)
def test_an_example_is_a_line_that_the_command_takes(name, line, tmp_path, monkeypatch):
    """Of a line in a shell's own words, `eval "$(...)"` or a pipe, the part that begins with dersim."""
    line = line[line.index("dersim") :].split("|")[0].rstrip(')" ')
    words = shlex.split(line)
    assert words[:2] == ["dersim", name]
    monkeypatch.chdir(tmp_path)
    for word in words:
        if "." in word and "/" not in word and not word.startswith("-"):
            Path(word).touch()
    options = COMMANDS[name].make_parser().parse_args(words[2:])
    if name == "sim":
        assert options.device_type in COMMANDS[name].make_parser().suggestions["device_type"]()
