"""Lists whose counts or items are not true."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs

from dersim.http11 import Request, Response
from dersim.utility.faults.actions import Action, Answer, Turn
from dersim.utility.faults.documents import Node, document, is_list, with_root

_TOO_MANY = 3


class ListLie(Action):
    """One lie about each page of a list."""

    def __init__(self, data: dict[str, Any], number: int) -> None:
        self.words = self._lie = data["lie"]

    def before(self, turn: Turn) -> Request | None:
        """Lists that repeat themselves: every page is the first."""
        if self._lie not in ("repeats", "endless") or turn.request.method != "GET":
            return None
        path, _, query = turn.request.target.partition("?")
        limit = parse_qs(query).get("l", ["1"])[0]
        return turn.request._replace(target=f"{path}?s=0&l={limit}")

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The page with its lie."""
        root = document(response)
        if root is None or not is_list(root):
            return None
        if self._lie == "endless":
            _endless(root, _start(turn.request))
        else:
            _LIES[self._lie](root)
        return with_root(response, root)


def _start(request: Request) -> int:
    text = parse_qs(request.target.partition("?")[2]).get("s", ["0"])[0]
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _endless(root: Node, start: int) -> None:
    """Each page has the items of the first under fresh hrefs, and `all` says that more follow."""
    for item in root:
        if "href" in item.attrib:
            item.set("href", f"{item.get('href')}-{start}")
    root.set("all", str(start + 2 * len(root) + 1))


def _counts(name: str, by: int) -> Callable[[Node], None]:
    def change(root: Node) -> None:
        root.set(name, str(max(int(root.get(name, "0")) + by, 0)))

    return change


def _zero(root: Node) -> None:
    root.set("all", "0")


def _repeats(root: Node) -> None:
    root.set("all", str(1_000 + int(root.get("all", "0"))))


def _omits(root: Node) -> None:
    if len(root):
        del root[-1]


def _empty(root: Node) -> None:
    del root[:]
    root.set("all", "0")
    root.set("results", "0")


def _reversed(root: Node) -> None:
    root[:] = reversed(root[:])


_LIES: Mapping[str, Callable[[Node], None]] = {
    "all_too_high": _counts("all", _TOO_MANY),
    "all_too_low": _counts("all", -1),
    "all_zero": _zero,
    "results_too_high": _counts("results", _TOO_MANY),
    "results_too_low": _counts("results", -1),
    "repeats": _repeats,
    "omits": _omits,
    "empty": _empty,
    "reversed": _reversed,
}
