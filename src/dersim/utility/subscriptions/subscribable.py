"""The resources that accept Subscriptions, as the subscriber would GET them.

What counts as a change is the document itself. One thing does not: how many items the lists have that it
links to (`all` of a ListLink). Those lists have subscribers of their own, and the parent's are not to be told
of the same change again (CSIP test procedures, erratum 42). In a FunctionSetAssignmentsList it counts: a
program more is news of the assignment.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from dersim.ieee2030_5 import Edition, encode
from dersim.utility import device_documents, program_documents
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.paging import Page
from dersim.utility.program import Control
from dersim.utility.refusal import RequestRefused, not_found
from dersim.utility.request_context import Document, RequestContext
from dersim.utility.shapes import shape_of
from dersim.utility.subscriptions.record import SubscriptionRecord

ASSIGNMENTS, CONTROLS = "/edev/*/fsa", "/derp/*/derc"
SUBSCRIBABLE: dict[str, Callable[..., Document]] = {
    "/edev": device_documents.end_devices,
    "/edev/*": device_documents.end_device,
    ASSIGNMENTS: device_documents.assignments,
    "/derp": program_documents.programs,
    "/fsa/*/derp": program_documents.programs_of_group,
    CONTROLS: program_documents.controls,
    "/derp/*/dderc": program_documents.default_control,
}

_ALL_ITEMS = 1 << 32
_COUNT = re.compile(rb'(<\w+ListLink [^>]*?)\ball="\d+"')


class Seen(NamedTuple):
    """A resource as one subscriber sees it. key: the same for all who see the same.

    number: the first one in the path.
    """

    shape: str
    number: int
    key: tuple[Any, ...]
    document: Document
    edition: Edition
    context: RequestContext

    def resource(self, limit: int) -> Any:
        """The resource; of a list at most `limit` items."""
        self.context.page = Page(0, limit)
        return self.document.build(self.edition)

    def controls(self, limit: int) -> tuple[Control, ...]:
        """The DERControls in `resource`."""
        program = self.context.head_end.programs.get(self.number) if self.shape == CONTROLS else None
        return () if program is None else tuple(program.listed_controls()[:limit])

    @property
    def digest(self) -> str:
        """Of the whole document, whatever the limit of the Subscription."""
        return self.context.head_end.subscriptions.digests.of(self.key, self.document.version, self._told)

    def _told(self) -> bytes:
        body = encode(self.resource(_ALL_ITEMS), self.edition)
        return body if self.shape == ASSIGNMENTS else _COUNT.sub(rb"\1", body)


class _LookContext(RequestContext):
    """The client does not ask itself: it is not in contact, and has read nothing."""

    is_request = False

    def end_device(self, number: int) -> EndDeviceRecord:
        return self._own(number)


def see(head_end: HeadEnd, lfdi: str | None, path: str, edition: Edition, now_s: float) -> Seen:
    """A resource for the client with this LFDI; RequestRefused as for its GET, 400 if not subscribable."""
    shape = shape_of(path)
    get = None if shape is None else SUBSCRIBABLE.get(shape.text)
    if shape is None or get is None:
        raise RequestRefused(400, f"Subscription/subscribedResource {path[:100]} cannot be subscribed to")
    device = head_end.end_devices.find(lfdi)
    context = _LookContext(head_end, now_s, lfdi, device, Page(0, _ALL_ITEMS), "GET", path, b"")
    document = get(context, *shape.numbers)
    edition = document.edition or edition
    key = (path, edition, lfdi if document.own else None)
    number = shape.numbers[0] if shape.numbers else 0
    return Seen(shape.text, number, key, document, edition, context)


def see_for(head_end: HeadEnd, record: SubscriptionRecord, now_s: float) -> Seen:
    """The subscribed resource; RequestRefused where the subscriber cannot GET it any more."""
    wanted = record.wanted
    if head_end.end_devices.get(wanted.device) is None:
        raise not_found("the EndDevice is removed")
    return see(head_end, wanted.lfdi, wanted.resource, record.edition, now_s)
