"""The operator: who carries out what no message can do."""

import io

import trio

from dersim.conformance.operator import Instruction, Nobody, Person, ask_at_terminal, in_words

SUN, GRID = Instruction("Set the sun to full"), Instruction("Raise the voltage to 1.06 pu")


def test_steps_are_numbered_and_a_single_one_is_a_line():
    assert in_words([SUN]) == "Set the sun to full."
    assert in_words([SUN, GRID]) == "1. Set the sun to full.\n2. Raise the voltage to 1.06 pu."


def test_a_person_is_asked_once_for_all_steps():
    asked = []

    async def ask(text):
        asked.append(text)
        return True

    assert trio.run(Person(ask).carry_out, [SUN, GRID])
    assert asked == [in_words([SUN, GRID])]


def test_nobody_does_nothing():
    assert not trio.run(Nobody().carry_out, [SUN])
    assert trio.run(Nobody().carry_out, [])


def test_enter_confirms_and_s_or_the_end_of_the_input_skips(monkeypatch, capsys):
    for line, done in (("\n", True), ("s\n", False), ("", False)):
        monkeypatch.setattr("sys.stdin", io.StringIO(line))
        assert trio.run(ask_at_terminal, "Set the sun to full.") is done
    assert "Set the sun to full." in capsys.readouterr().err
