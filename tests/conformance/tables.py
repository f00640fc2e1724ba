"""The two tables of docs/conformance.md about clients; `python -m tests.conformance.tables` writes them."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.broken_clients import BROKEN
from tests.conformance.expected import EVENTS

from dersim.conformance.procedures import ALL

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"
#: Sets that are told by what they are.
_EACH = "every id with a control"


def procedures():
    """The rows of all procedures."""
    return [
        f"| {each.id} | {each.title} | {', '.join(each.required) or 'optional'} | {each.reading} |"
        for each in ALL.values()
    ]


def defects():
    """The rows of all defects."""
    return [f"| {each.name} | {_in_words(each.fails)} |" for each in BROKEN]


def _in_words(fails):
    if len(fails & EVENTS) < len(EVENTS) // 2 + 10:
        return _listed(fails)
    but = f" but {_listed(EVENTS - fails)}" if EVENTS - fails else ""
    more = f", and {_listed(fails - EVENTS)}" if fails - EVENTS else ""
    return f"{_EACH}{but}{more}"


def _listed(fails):
    return ", ".join(name for name in ALL if name in fails)


def with_tables(text):
    """The page with both tables as they are now."""
    lines = text.splitlines()
    for head, rows in (("| Id |", procedures()), ("| Defect | Fails |", defects())):
        begin = next(number for number, line in enumerate(lines) if line.startswith(head)) + 2
        end = next(
            number for number, line in enumerate(lines) if number >= begin and not line.startswith("|")
        )
        lines[begin:end] = rows
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
