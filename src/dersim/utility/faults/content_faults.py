"""Documents that are valid and not true: the time, and mRIDs that are not unique."""

from __future__ import annotations

import copy
from typing import Any

from dersim.http11 import Response
from dersim.utility.faults.actions import Action, Answer, Turn
from dersim.utility.faults.documents import Node, document, name_of, qualified, whole, with_root

_TIMES = ("currentTime", "localTime")


class WrongTime(Action):
    """The Time resource is off, stands still, or jumps to and fro."""

    def __init__(self, data: dict[str, Any], number: int) -> None:
        self._how = data.get("how", "offset")
        self._offset_s = data.get("offset_s", 3600)
        self._frozen_s: int | None = None
        self._is_off = False
        self.words = "frozen" if self._how == "frozen" else f"{self._how} {self._offset_s:+d} s"

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The wrong time."""
        root = document(response)
        if root is None or name_of(root) != "Time":
            return None
        for name in _TIMES:
            if (node := root.find(qualified(name))) is not None:
                shift_s = self._shift_s(int(turn.now_s))
                node.text = str(whole(node.text) + shift_s)
        self._is_off = not self._is_off
        return with_root(response, root)

    def _shift_s(self, now_s: int) -> int:
        if self._how == "frozen":
            self._frozen_s = now_s if self._frozen_s is None else self._frozen_s
            return self._frozen_s - now_s
        return 0 if self._how == "jumping" and self._is_off else int(self._offset_s)


class WrongMrid(Action):
    """mRIDs that are not unique: two items of a list with one, or all that come with the first ever shown."""

    def __init__(self, data: dict[str, Any], number: int) -> None:
        self.words = self._how = data.get("how", "duplicate")
        self._first: dict[str, str] = {}

    def after(self, turn: Turn, response: Response) -> Answer | None:
        """The list with its wrong mRIDs."""
        root = document(response)
        items = [] if root is None else [item for item in root if item.find(qualified("mRID")) is not None]
        if not items:
            return None
        if self._how == "duplicate":
            _duplicate(items)
        else:
            first = self._first.setdefault(name_of(items[0]), items[0].findtext(qualified("mRID")))
            for item in items:
                item.find(qualified("mRID")).text = first
        return with_root(response, root)


def _duplicate(items: list[Node]) -> None:
    """Others get the mRID of the first; a list of one item gets a copy of it under another href."""
    first, others = items[0], items[1:]
    for other in others:
        other.find(qualified("mRID")).text = first.findtext(qualified("mRID"))
    if others:
        return
    twin = copy.deepcopy(first)
    if "href" in twin.attrib:
        twin.set("href", f"{twin.get('href')}-twin")
    first.addnext(twin)
    root = first.getparent()
    for name in ("all", "results"):
        if name in root.attrib:
            root.set(name, str(whole(root.get(name)) + 1))
