"""The filters of a conversation as query parameters, for the sites of client and server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypedDict, get_args

from dersim.exchanges.documents import ExchangeLine
from dersim.json_schema import described
from dersim.numeric import shown
from dersim.pages.problems import Problem
from dersim.pages.routes import Query
from dersim.plugin.services import ExchangeFilter, ExchangeWord

WORDS: tuple[str, ...] = get_args(ExchangeWord)
_STATUS = re.compile(r"none|[1-5]xx|[1-5]\d\d")
_STATUS_WORDS = "2xx, 4xx, 404, ... or none"
_VERDICT_WORDS = ", ".join(WORDS)

FILTERS = (
    Query("resource", str, "", "Part of the path, or of the name of the document, e.g. DERControlList."),
    Query("method", str, "", "Only these methods, separated by commas, e.g. PUT,POST."),
    Query("status", str, "", f"Only these statuses, separated by commas: {_STATUS_WORDS} (no answer)."),
    Query("verdict", str, "", f"Only these verdicts, separated by commas: {_VERDICT_WORDS}."),
    Query("text", str, "", "Part of what was sent or received, in any case of letters."),
)
PART = (
    Query("after", int, 0, "Only those with a higher id.", 0),
    Query("before", int, None, "Only those with a lower id: `older` of the answer before.", 0),
    Query("limit", int, 200, "At most so many, the newest.", 1, 10_000),
)


class FoundDocument(TypedDict):
    """The newest exchanges that match, oldest first."""

    exchanges: list[ExchangeLine]
    matches: Annotated[int, described("how many of all that are held match")]
    held: Annotated[int, described("how many are held")]
    older: Annotated[
        int | None,
        described("more match above `after`: ask again with this as `before`; null: these are all"),
    ]
    held_bytes: int


def wanted(query: Mapping[str, Any], device: int | None) -> ExchangeFilter:
    """The filter of a query; Problem names a word that is not known."""
    return ExchangeFilter(
        device,
        query["resource"].strip(),
        frozenset(_words(query["method"].upper())),
        frozenset(_checked("status", _words(query["status"].lower()), _STATUS.fullmatch, _STATUS_WORDS)),
        frozenset(_checked("verdict", _words(query["verdict"].lower()), WORDS.__contains__, _VERDICT_WORDS)),
        query["text"],
        query.get("cause", "").strip(),
    )


def _words(text: str) -> list[str]:
    return [word for each in text.split(",") if (word := each.strip())]


def _checked(name: str, words: list[str], known: Callable[[str], Any], choices: str) -> Any:
    for word in words:
        if not known(word):
            raise Problem("bad-request", f"query parameter {name}={shown(word)} is not one of {choices}")
    return words
