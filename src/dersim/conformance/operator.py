"""The operator: has done what no message can do, such as publishing a control or setting the sun to full.

A step says in words what is to be done. Who carries it out is a person at a terminal or a page, a program
that knows the kind of step, or nobody: then the criteria that depend on it are not seen.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol

import trio


class Step(Protocol):
    """Something that the operator does."""

    @property
    def text(self) -> str:
        """What to do, one sentence in the imperative without its full stop."""
        ...


class Instruction(NamedTuple):
    """A step that is only words: what a person does at a device or a server."""

    text: str


class Operator(Protocol):
    """Whoever carries steps out."""

    async def carry_out(self, steps: Sequence[Step]) -> bool:
        """Return once all steps are done, in their order; False where they are not done."""
        ...


#: Shows a text and waits: True once the person says that it is done, False to skip it.
Ask = Callable[[str], Awaitable[bool]]


class Person:
    """A person, who is shown the steps and confirms them together."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def carry_out(self, steps: Sequence[Step]) -> bool:
        """Show the steps and wait for the person."""
        return await self._ask(in_words(steps)) if steps else True


class Nobody:
    """No operator: nothing is done."""

    async def carry_out(self, steps: Sequence[Step]) -> bool:
        """False, unless there is nothing to do."""
        return not steps


def in_words(steps: Sequence[Step]) -> str:
    """Several steps as a numbered list, a single one as a line."""
    if len(steps) == 1:
        return f"{steps[0].text}."
    return "\n".join(f"{number}. {step.text}." for number, step in enumerate(steps, 1))


async def ask_at_terminal(text: str) -> bool:
    """Print the steps on standard error and wait for Enter; `s` skips them, as does the end of the input."""
    print(
        f"operator:\n{text}\nPress Enter when it is done, or s and Enter to skip: ",
        file=sys.stderr,
        flush=True,
    )
    line = await _line_of_input()
    return bool(line) and line.strip().lower() not in ("s", "skip")


async def _line_of_input() -> str:
    """The next line; an empty text at the end. A cancelled wait takes no line from the next one."""
    try:
        await trio.lowlevel.wait_readable(sys.stdin.fileno())
    except (OSError, AttributeError):  # no descriptor, a plain file, or Windows
        return await trio.to_thread.run_sync(sys.stdin.readline, abandon_on_cancel=True)
    return sys.stdin.readline()


def first_of(*asks: Ask) -> Ask:
    """Ask in several places at once; the first answer counts."""

    async def ask(text: str) -> bool:
        answers: list[bool] = []

        async def one(place: Ask) -> None:
            answers.append(await place(text))
            nursery.cancel_scope.cancel()

        async with trio.open_nursery() as nursery:
            for place in asks:
                nursery.start_soon(one, place)
        return answers[0]

    return ask
