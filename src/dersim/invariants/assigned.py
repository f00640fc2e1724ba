"""Which lists of programs are a DER's own, by the FunctionSetAssignments that it has read."""

from __future__ import annotations

from urllib.parse import parse_qs, urljoin, urlsplit

from dersim.ieee2030_5.resources import FunctionSetAssignments, FunctionSetAssignmentsList, Link, ListLink

#: The lists of one DER that are remembered.
MOST_LISTS = 400


class Assigned:
    """A list that was assigned once, and is no longer, is not the DER's; of others nothing is said.

    Only the list of assignments that was read last counts: a DER that is registered anew gets another one.
    An empty one counts once it is read again: the client does not believe it at once.
    """

    def __init__(self) -> None:
        self.dropped: frozenset[str] = frozenset()
        self._path = ""
        self._lists: frozenset[str] = frozenset()
        self._reading: set[str] = set()
        self._items = self._empty = 0

    def is_at(self, path: str) -> bool:
        """Whether the assignments were read at this path."""
        return bool(path) and path == self._path

    def take(self, found: FunctionSetAssignmentsList | None, url: str) -> bool:
        """A page, read at `url`; None: 204, an empty list. Whether what is dropped has changed."""
        parts = urlsplit(url)
        if self._path != parts.path:
            self._path, self._empty = parts.path, 0
        if parse_qs(parts.query).get("s", ["0"])[0] == "0":
            self._items = 0
            self._reading.clear()
        if found is None or (not found.FunctionSetAssignments and not found.all):
            return self._take_empty()
        self._empty = 0
        self._items += len(found.FunctionSetAssignments)
        for each in found.FunctionSetAssignments:
            self._take_item(each, url)
        return self._now(self._reading if self._items == found.all else self._lists | self._reading)

    def take_item(self, found: FunctionSetAssignments, url: str) -> bool:
        """One of them, read at its own address, with what the list may have left out. As `take`."""
        self._take_item(found, url)
        return self._now(self._lists | self._reading)

    def _take_item(self, found: FunctionSetAssignments, url: str) -> None:
        if found.DERProgramListLink is not None and len(self._reading) < MOST_LISTS:
            self._reading.add(path_of(found.DERProgramListLink, url))

    def _take_empty(self) -> bool:
        if self._items:  # a later page, behind the last item
            return False
        self._empty += 1
        return self._empty > 1 and self._now(set())

    def _now(self, lists: set[str] | frozenset[str]) -> bool:
        before = self.dropped
        dropped = sorted((before | self._lists) - lists)
        self._lists = frozenset(sorted(lists)[:MOST_LISTS])
        self.dropped = frozenset(dropped[:MOST_LISTS])
        return self.dropped != before


def path_of(link: Link | ListLink, url: str) -> str:
    """The path of a link in a document that was read at `url`; "" for what is no address."""
    try:
        return urlsplit(urljoin(url, link.href or "")).path
    except ValueError:
        return ""
