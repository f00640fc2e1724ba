"""Reading links of the server's tree that may fail, without losing what was known.

Servers advertise links that fail: 404 for a missing function set, 500 for an unfinished one, or no answer.
Only the path to our own EndDevice is required. `Reader.optional` reads the rest: a failure is logged once,
and the branch keeps its last content. Two transport failures in a row mean that the server itself cannot be
reached.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from dersim.csip.causes import DISCOVERY, LOST_LINK, Situation
from dersim.csip.paging import Listing, read_list
from dersim.csip.session import Fetched, NoContent, RequestRefused, Say, Session
from dersim.csip.tree import BRANCH_RETRY_S, Tree, poll_rate_s
from dersim.errors import DersimError, RemoteProtocolError, UtilityUnreachable
from dersim.fences import Fences
from dersim.logbuffer import Level

T = TypeVar("T")

#: Warnings that are remembered so that each is logged once.
MAX_WARNINGS = 1_000


class Moved(RemoteProtocolError):  # noqa: N818 - what happened, not what is wrong
    """The server's tree has changed: walk all of it again."""


class LinkGone(RemoteProtocolError):  # noqa: N818 - as above
    """A link that used to work is 404 or 410: read again the document that has the link."""

    def __init__(self, message: str, href: str) -> None:
        super().__init__(message)
        self.href = href


class Reader:
    """Reads links through the session; remembers which worked and which warnings were logged.

    failing: the links that used to work and whose last reading failed, with the reason.
    unreadable: every link whose last reading failed; filled here, shown by others.
    situation: what the task that reads does at the moment, from which the cause of each GET follows.
    retry_s: when what could not be read is read again.
    on_failing: called when a link has failed that worked before; what is read after it may take long to fail.
    """

    def __init__(
        self, session: Session, say: Say, fences: Fences, device: int, unreadable: dict[str, str]
    ) -> None:
        self.session = session
        self.say = say
        self._fences = fences
        self._device = device
        self._unreadable = unreadable
        self.situation: Situation = DISCOVERY
        self.retry_s = BRANCH_RETRY_S
        #: Whether the document whose links are read was read again for one that had gone: it has the others.
        self.linked_anew = False
        self.failing: dict[str, str] = {}
        self.on_failing: Callable[[], None] = lambda: None
        self._linked: frozenset[str] = frozenset()
        self._worked: dict[str, bool] = {}  # whether it worked in this walk
        self._said: dict[str, None] = {}
        self._silent = 0

    def new_walk(self) -> None:
        """A walk begins: no link has worked yet, and old warnings may be logged again."""
        self._worked = dict.fromkeys(self._worked, False)
        self._unreadable.clear()
        self._said.clear()
        self._silent = 0
        self.begin(DISCOVERY)

    def begin(self, situation: Situation) -> None:
        """A task begins, in this situation."""
        self.situation, self.linked_anew = situation, False

    def has_links(self) -> None:
        """The document that the task was to read is read; its links follow."""
        self.linked_anew = self.situation is LOST_LINK

    def walked(self) -> None:
        """A walk is complete: a failing link that it did not meet is one that the server no longer has."""
        self.failing = {href: why for href, why in self.failing.items() if href in self._unreadable}

    def failing_in(self, tree: Tree) -> dict[str, str]:
        """Those that fail, without what was linked when it failed and is no more."""
        if self.failing:
            linked = tree.linked()
            for href in self._linked - linked:
                self.failing.pop(href, None)
            self._linked = linked & self.failing.keys()
        return self.failing

    def is_failing(self, href: str | None) -> bool:
        """Whether this link worked before and its last reading failed."""
        return href in self.failing

    def again_s(self, head: object, href: str | None) -> float:
        """When a list is read again, s: by its pollRate, and soon where this link of it could not be read."""
        rate_s = poll_rate_s(head)
        return min(rate_s, self.retry_s) if self.is_failing(href) else rate_s

    def say_once(self, message: str) -> None:
        """Warn, once in a walk."""
        if message not in self._said:
            if len(self._said) >= MAX_WARNINGS:
                self._said.clear()
            self._said[message] = None
            self.say("Warning", message)

    async def fetch(self, href: str, kind: type[T], *, level: Level = "Info") -> Fetched[T]:
        """`Session.fetch`, for the cause of the moment."""
        return await self.session.fetch(href, kind, self.situation.cause(kind), level=level)

    async def read_list(self, href: str, kind: type[Any]) -> Listing:
        """All items of a list, for the cause of the moment."""
        return await read_list(self.session, href, kind, self.situation.cause(kind))

    async def required(self, href: str, read: Callable[[], Awaitable[T]]) -> T:
        """`read`, which must succeed; a link that worked before and is gone raises LinkGone.

        But where the document with the link was just read again for another one: it has this link still.
        """
        try:
            result = await self._fenced(href, read)
        except NoContent:
            self.works(href)
            raise
        except RequestRefused as error:
            if error.gone and self._worked.get(href):
                self._worked[href] = False
                message = f"{error}; it existed before"
                if self.linked_anew:
                    raise RemoteProtocolError(message) from None
                raise LinkGone(message, href) from None
            raise
        self.works(href)
        return result

    def works(self, href: str) -> None:
        """A link was read."""
        self._worked[href] = True
        self.failing.pop(href, None)
        self._unreadable.pop(href, None)
        self._silent = 0

    async def optional(
        self,
        what: str,
        href: str,
        read: Callable[[], Awaitable[T]],
        *,
        kept: T,
        gone: T,
        passing: bool = False,
    ) -> T:
        """`read`, or on failure `gone` where the server says that there is none, else `kept`.

        passing: for what comes and goes, as a DERControl: a missing one says nothing about the resources
        around it, and it is not remembered whether it has worked.
        Moved, LinkGone, a Retry-After and a second transport failure in a row are raised all the same.
        """
        try:
            return await (self._passing(href, read) if passing else self.required(href, read))
        except (Moved, LinkGone):
            raise
        except NoContent as error:
            self.say_once(f"{what}: {error}")
            return gone
        except RequestRefused as error:
            self._silent = 0
            if error.retry_after_s is not None:
                raise
            self.say_once(f"{what}: {error}; going on without it")
            self._note(href, error)
            if error.gone:
                self.failing.pop(href, None)
                return gone
            return kept
        except RemoteProtocolError as error:
            self.say_once(f"{what}: {error}; going on with what is known")
            self._note(href, error)
            return kept
        except UtilityUnreachable as error:
            self._silent += 1
            if self._silent > 1:
                raise
            self.say_once(f"{what}: {error}; going on without it")
            self._note(href, error)
            return kept

    async def _passing(self, href: str, read: Callable[[], Awaitable[T]]) -> T:
        result = await self._fenced(href, read)
        self._unreadable.pop(href, None)
        self._silent = 0
        return result

    async def _fenced(self, href: str, read: Callable[[], Awaitable[T]]) -> T:
        """`read`; an unexpected error becomes a RemoteProtocolError of this link."""
        try:
            return await read()
        except DersimError:
            raise
        except Exception as error:  # noqa: BLE001 - a fence: it costs this link, logged and counted
            self._fences.tell(error, "csip_link", "CSIP", f"GET {href}", self._device)
            raise RemoteProtocolError(f"GET {href}: unexpected error; see the log") from None

    def note_left_out(self, href: str, count: int) -> None:
        """Items of a list could not be read: shown until the list is read whole."""
        if len(self._unreadable) < MAX_WARNINGS:
            self._unreadable[href] = f"{count} item(s) could not be read; what was known of them is kept"

    def _note(self, href: str, error: Exception) -> None:
        """Show the failure of a link that worked before; one that never worked is left to the log."""
        if len(self._unreadable) < MAX_WARNINGS:
            self._unreadable[href] = str(error)
        if href in self._worked:
            self.failing[href] = str(error)
            self.on_failing()
