"""From the FunctionSetAssignments to programs, defaults, controls and curves.

A DER follows what it is assigned: the program lists of its FSAs. The DeviceCapability's own DERProgramList is
public; it is used only where our EndDevice has no FunctionSetAssignmentsListLink at all, since a registered
DER must not follow public programs (2030.5-2018 10.10.3). An empty FSAList is no error: some servers fill it
only once they have our DERCapability and DERSettings.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any, Protocol

from dersim.csip.paging import Listing
from dersim.csip.reader import Reader
from dersim.csip.tree import ProgramListNode, ProgramNode, Tree, poll_rate_s
from dersim.ieee2030_5 import resources as r

#: How soon an FSAList that has become empty is read again before its programs are given up, s.
EMPTY_CHECK_S = 5.0
#: Marks a curve that may exist but could not be read this time.
_UNREADABLE = object()


class CurveUser(Protocol):
    """What `Programs` needs of `Controls`: the curves to read."""

    @property
    def needed_curves(self) -> frozenset[str]:
        """The hrefs of curves that have not been read."""
        ...


class Programs:
    """Reads FSAs and programs into the tree."""

    def __init__(self, reader: Reader, tree: Tree) -> None:
        self.tree = tree
        self._reader = reader
        self._found_empty = False
        #: The items of the FSAList of which all were read.
        self._fsas_of: tuple[r.FunctionSetAssignments, ...] = ()
        self._seen: dict[str, str | None] = {}
        self._new_curves: dict[str, r.DERCurve | None] = {}
        self._listed_curves: dict[str, tuple[str | None, ...]] = {}
        self._readers: dict[str, ProgramNode] = {}

    def new_walk(self) -> None:
        """Read everything by its own href again."""
        self._fsas_of = ()
        self._seen.clear()
        self.new_round()

    def new_round(self) -> None:
        """A walk or a poll begins: in it, what several programs link to is read for the first only."""
        self._readers.clear()

    async def assignments(self) -> float:
        """Read the FSAList; afterwards `tree.program_lists` has exactly the lists that are ours."""
        tree = self.tree
        link = tree.end_device.FunctionSetAssignmentsListLink if tree.end_device else None
        if link is None:
            self._public_programs()
            return self._reader.retry_s
        listing = await self._list("FunctionSetAssignmentsList", link.href, r.FunctionSetAssignmentsList)
        if listing is None or (_is_gone(listing) and tree.fsas):
            return self._reader.retry_s
        if not listing.with_known(tree.fsas) and tree.fsas and not self._found_empty:
            self._found_empty = True
            self._reader.say("Info", f"{link.href} has become empty: reading it again before anything ends")
            return EMPTY_CHECK_S
        self._found_empty = False
        tree.assignments_read = tree.assignments_read or not _is_gone(listing)
        if not listing.items:
            self._reader.say_once(f"the FunctionSetAssignmentsList {link.href} is empty: no programs yet")
        failing = any(self._reader.is_failing(fsa.href) for fsa in listing.items)
        if not listing.is_of(self._fsas_of) or failing or len(listing.items) != len(tree.fsas):
            fsas = listing.with_known(tree.fsas)
            tree.fsas = tuple([await self._item(fsa, r.FunctionSetAssignments) for fsa in fsas])
            self._fsas_of = listing.items
        self._set_lists(fsa.DERProgramListLink for fsa in tree.fsas)
        return self._rate(listing)

    def _public_programs(self) -> None:
        link = self.tree.dcap.DERProgramListLink if self.tree.dcap else None
        self.tree.fsas, self.tree.assignments_read = (), True
        self._set_lists((link,))
        if link is not None:
            self._reader.say_once(
                "our EndDevice has no FunctionSetAssignmentsListLink: "
                f"using the server's own programs, {link.href}"
            )

    def _set_lists(self, links: Iterable[r.ListLink | None]) -> None:
        known = self.tree.program_lists
        hrefs = dict.fromkeys(link.href for link in links if link is not None)
        self.tree.program_lists = {href: known.get(href) or ProgramListNode(href) for href in hrefs}

    def time_hrefs(self) -> tuple[str, ...]:
        """The Times in use: the DeviceCapability's first, then those of the FSAs with programs."""
        dcap = self.tree.dcap
        own = dcap.TimeLink if dcap is not None else None
        links = (own, *(fsa.TimeLink for fsa in self.tree.fsas if fsa.DERProgramListLink is not None))
        return tuple(dict.fromkeys(link.href for link in links if link is not None))

    def time_href_of(self, list_href: str) -> str:
        """The Time that rules the programs of this list (2030.5-2018 9.2.3).

        That of the first FSA that has the list, in the order of the FSAList; "": the DeviceCapability's.
        """
        for fsa in self.tree.fsas:
            if fsa.DERProgramListLink is not None and fsa.DERProgramListLink.href == list_href:
                return fsa.TimeLink.href if fsa.TimeLink is not None else ""
        return ""

    async def program_list(self, node: ProgramListNode) -> float:
        """Read one DERProgramList with the defaults, controls and curves of its programs."""
        listing = await self._list("DERProgramList", node.href, r.DERProgramList)
        if listing is None or (_is_gone(listing) and node.programs):
            return min(node.rate_s, self._reader.retry_s)
        self._reader.has_links()
        # In the tree only when all are read: a reading that breaks off leaves those that are known.
        known, programs = node.programs, dict[str, ProgramNode]()
        node.rate_s, node.read = self._rate(listing), node.read or not _is_gone(listing)
        for item in listing.with_known(node.program for node in known.values()):
            href = item.href or item.mRID
            program = await self._item(item, r.DERProgram)
            child = programs[href] = known.get(href) or ProgramNode(program, href)
            child.program, child.list_href = program, node.href
        node.programs = programs
        for child in node.programs.values():
            await self._program(child)
        return min(node.rate_s, self._reader.retry_s) if self._fails(node) else node.rate_s

    def _fails(self, node: ProgramListNode) -> bool:
        """Whether a default or a list of controls that was read before could not be read this time."""
        programs = (child.program for child in node.programs.values())
        links = (link for each in programs for link in (each.DefaultDERControlLink, each.DERControlListLink))
        return any(link is not None and link.href in self._reader.failing for link in links)

    def _rate(self, listing: Listing) -> float:
        """The poll rate of a list, s; one that is gone is read more often."""
        return self._reader.retry_s if _is_gone(listing) else poll_rate_s(listing.head)

    async def read_default(self, node: ProgramNode) -> None:
        """Read the DefaultDERControl of one program."""
        if (link := node.program.DefaultDERControlLink) is None:
            node.default, node.default_read = None, True
            return
        found = await self._single("DefaultDERControl", link.href, r.DefaultDERControl, kept=_UNREADABLE)
        if found is not _UNREADABLE:
            node.default, node.default_read = found, True

    async def read_controls(self, node: ProgramNode) -> None:
        """Read the DERControlList of one program."""
        if (link := node.program.DERControlListLink) is None:
            node.controls = ()
        else:
            listing = await self._list("DERControlList", link.href, r.DERControlList)
            node.controls = node.controls if listing is None else listing.with_known(node.controls or ())

    async def _program(self, node: ProgramNode) -> None:
        links = node.program
        if (first := self._reader_of(links.DefaultDERControlLink, node)) is not node:
            node.default, node.default_read = first.default, first.default_read
        else:
            await self.read_default(node)
        if (first := self._reader_of(links.DERControlListLink, node)) is not node:
            node.controls = first.controls
        else:
            await self.read_controls(node)
        if (curves := links.DERCurveListLink) is not None and self._reader_of(curves, node) is node:
            await self._read_curves(curves.href)

    def _reader_of(self, link: r.Link | None, node: ProgramNode) -> ProgramNode:
        """The program for which a link is read in this round: the first that has it."""
        return node if link is None else self._readers.setdefault(link.href, node)

    async def _read_curves(self, href: str) -> None:
        """Read a DERCurveList."""
        listing = await self._list("DERCurveList", href, r.DERCurveList)
        if listing is None:
            return
        self._note_listed(href, tuple(curve.href for curve in listing.items))
        for curve in listing.items:
            if curve.href and self.tree.curves.get(curve.href) is not curve:
                self.tree.curves[curve.href] = self._new_curves[curve.href] = curve

    def _note_listed(self, list_href: str, hrefs: tuple[str | None, ...]) -> None:
        """A list has these curves now; those that are gone from it are forgotten."""
        for href in set(self._listed_curves.get(list_href, ())).difference(hrefs):
            self.tree.curves.pop(href or "", None)
        self._listed_curves[list_href] = hrefs

    def new_curves(self) -> dict[str, r.DERCurve | None]:
        """The curves that were read from lists since the last call and are new or have changed."""
        new, self._new_curves = self._new_curves, {}
        return new

    async def curves(self, user: CurveUser) -> dict[str, r.DERCurve | None]:
        """The curves that `user` waits for, by the href of the link; None: the server says there is none."""
        found: dict[str, r.DERCurve | None] = {}
        for href in user.needed_curves:
            curve = self.tree.curves.get(href)
            if curve is None:
                curve = await self._single("DERCurve", href, r.DERCurve, kept=_UNREADABLE, passing=True)
                if curve is _UNREADABLE:
                    continue
            found[href] = curve
        return found

    async def read_again(self, hrefs: Iterable[str]) -> dict[str, r.DERCurve | None]:
        """The curves that no list holds, each by its own href: what a list holds is read with the list."""
        found: dict[str, r.DERCurve | None] = {}
        for href in set(hrefs).difference(*self._listed_curves.values()):
            curve = await self._single("DERCurve", href, r.DERCurve, kept=None, passing=True)
            if curve is not None:
                found[href] = curve
        return found

    async def control(self, href: str) -> r.DERControl | None:
        """One DERControl by its own href, or None; servers often list what they do not serve."""
        control: r.DERControl | None = await self._single(
            "DERControl", href, r.DERControl, kept=None, passing=True
        )
        return control

    async def _single(
        self, what: str, href: str, kind: type[Any], *, kept: Any, passing: bool = False
    ) -> Any:
        async def read() -> Any:
            return (await self._reader.fetch(href, kind)).resource

        return await self._reader.optional(what, href, read, kept=kept, gone=None, passing=passing)

    async def _list(self, what: str, href: str, kind: type[Any]) -> Listing | None:
        """The list; None where it cannot be read, and the empty list where the server says it is gone."""
        listing = await self._reader.optional(
            what,
            href,
            lambda: self._reader.read_list(href, kind),
            kept=None,
            gone=Listing((), None, "", 0),
        )
        if listing is not None and listing.warning:
            self._reader.say_once(listing.warning)
        if listing is not None and listing.left_out:
            self._reader.note_left_out(href, listing.left_out)
        return listing

    async def _item(self, item: Any, kind: type[Any]) -> Any:
        """An item by its own href, once in a walk unless that failed; if not served, the list's copy.

        Another mRID at the same href is another item.
        """
        if item.href is None:
            return item
        is_known = item.href in self._seen and self._seen[item.href] == item.mRID
        if is_known and not self._reader.is_failing(item.href):
            return item
        own = await self._single(f"{kind.__name__} by its own link", item.href, kind, kept=None)
        self._seen[item.href] = item.mRID
        if own is None:
            return item
        if own.href is None:
            own = copy.copy(own)  # other DERs may have the same document
            own.href = item.href
        return own


def _is_gone(listing: Listing) -> bool:
    """Whether the server answers 404 or 410 for a list that it links to.

    Such a server is still starting, or broken. Its assignments are kept until the list is back or the link
    is gone.
    """
    return listing.head is None
