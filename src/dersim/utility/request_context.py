"""One request as the functions of the resource tree get it: client, time, path and body."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode
from dersim.ieee2030_5.edition import Edition
from dersim.utility.end_devices import EndDeviceRecord
from dersim.utility.head_end import HeadEnd
from dersim.utility.paging import Page
from dersim.utility.refusal import BAD_FORM, RequestRefused, not_found

T = TypeVar("T")


class Document(NamedTuple):
    """The result of a GET: how to build the resource, and a version that changes with its content.

    own: the content depends on the client. edition: of the body; None takes the client's.
    """

    version: Hashable
    build: Callable[[Edition], Any]
    own: bool = False
    edition: Edition | None = None


class Answer(NamedTuple):
    """The result of a PUT, POST or DELETE. location: the Location header."""

    status: int
    location: str | None = None


@dataclass(slots=True)
class RequestContext:
    """A request.

    lfdi: of the client's certificate; None on a server without TLS, where every client sees everything.
    device: the client's EndDevice, None if it is not registered. now_s: UTC seconds since 1970.
    """

    head_end: HeadEnd
    now_s: float
    lfdi: str | None
    device: EndDeviceRecord | None
    page: Page
    method: str
    path: str
    body: bytes

    @property
    def edition(self) -> Edition:
        """The edition of responses to this client: that of its last body."""
        return self.device.edition if self.device else Edition.E2018

    @property
    def reader(self) -> str | None:
        """The LFDI whose mirrors and Responses are shown; None shows all."""
        return self.lfdi

    def end_device(self, number: int) -> EndDeviceRecord:
        """The EndDevice of that number; 404 if it does not exist or belongs to another client."""
        device = self.head_end.end_devices.get(number)
        if device is None or (self.lfdi is not None and device is not self.device):
            raise not_found("there is no such EndDevice, or it is not yours")
        device.last_seen_s = self.now_s
        return device

    def need_registration(self) -> None:
        """403 for a client with a valid certificate that is not registered."""
        if self.lfdi is not None and self.device is None:
            raise RequestRefused(403, f"the device {self.lfdi} is not registered with this server")

    def read(self, *expected: type[T]) -> T:
        """The body as one of the `expected` resources; see `read_in`."""
        return self.read_in(*expected)[0]

    def read_in(self, *expected: type[T]) -> tuple[T, Edition]:
        """The body as one of the `expected` resources, and its edition; 400 that says why it is not.

        It must be valid in one of the two editions. The client is answered in that one from now on.
        """
        resource, edition = _decode(self.body, expected)
        if self.device is not None and self.device.edition is not edition:
            self.device.edition = edition
            self.head_end.info(f"{self.device.lfdi} speaks the {edition.value} edition")
        return resource, edition

    def note(self, violations: list[str], device: EndDeviceRecord | None = None) -> None:
        """Log and count violations of the standard in a body that is accepted."""
        if violations:
            who = device or self.device
            name = f" from {who.lfdi}" if who else ""
            self.head_end.note_violations(who, f"{self.method} {self.path}{name}", violations)


def _decode(body: bytes, expected: tuple[type[T], ...]) -> tuple[T, Edition]:
    claimed = edition_of(body)
    other = Edition.E2018 if claimed is Edition.E2023 else Edition.E2023
    try:
        return decode(body, expected, strict=True, edition=claimed).resource, claimed
    except RemoteProtocolError as error:
        reason = str(error)
    try:
        return decode(body, expected, strict=True, edition=other).resource, other
    except RemoteProtocolError:
        raise RequestRefused(400, reason, code=BAD_FORM) from None


def edition_of(body: bytes) -> Edition:
    """The edition that a body claims: schemaVer on the root came with 2023, and 2018 forbids it."""
    start = body.find(b"<", body.find(b"?>") + 1)
    return Edition.E2023 if b"schemaVer" in body[start : body.find(b">", start)] else Edition.E2018
