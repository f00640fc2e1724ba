"""What the functions of the resource tree receive for one request: client, time, path and body."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple, TypeVar

from dersim.ieee2030_5.edition import Edition
from dersim.plugin.server_parts import Rule
from dersim.utility import bodies, standard_rules
from dersim.utility.end_devices import EndDeviceRecord, same_lfdi
from dersim.utility.groups import Group
from dersim.utility.head_end import HeadEnd
from dersim.utility.paging import Page
from dersim.utility.refusal import RequestRefused, not_found

T = TypeVar("T")

#: Violations of one body that are logged and counted one by one.
VIOLATIONS_LOGGED = 10


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
    peer: the address that the request came from, "host:port". violations: of the body, with the EndDevice
    that they are counted for.
    """

    #: False where the server looks for the client, to notify it.
    is_request: ClassVar[bool] = True

    head_end: HeadEnd
    now_s: float
    lfdi: str | None
    device: EndDeviceRecord | None
    page: Page
    method: str
    path: str
    body: bytes
    peer: str = ""
    violations: list[tuple[EndDeviceRecord | None, str]] = field(default_factory=list)

    @property
    def edition(self) -> Edition:
        """The edition of responses to this client: the server's one, or that of its last body."""
        if (always := self.head_end.config.personality) is not None:
            return always
        return self.device.edition if self.device else Edition.E2018

    @property
    def visible_lfdi(self) -> str | None:
        """The LFDI whose Responses are shown; None shows all."""
        return self.lfdi

    @property
    def acts_for(self) -> tuple[str, ...] | None:
        """The LFDIs whose mirrors are shown: the client's and those it acts for; None shows all."""
        if self.lfdi is None:
            return None
        own = (self.lfdi,) if self.is_registered else ()
        managed = self.head_end.end_devices.of_aggregator(self.lfdi)
        return (*own, *(device.lfdi for device in managed)) if managed else own

    def may_see_any(self, groups: Iterable[Group]) -> bool:
        """Whether the client, or a device that it acts for, is in one of the groups."""
        acts_for = self.acts_for
        of = self.head_end.groups.of
        return acts_for is None or any(group in of(lfdi) for lfdi in acts_for for group in groups)

    def end_device(self, number: int) -> EndDeviceRecord:
        """The EndDevice of that number; 404 if it does not exist or belongs to another client."""
        device = self._own(number)
        device.last_seen_s = self.now_s
        if self.method not in ("GET", "HEAD"):
            self.head_end.end_devices.touch(device)
        return device

    def _own(self, number: int) -> EndDeviceRecord:
        device = self.head_end.end_devices.get(number)
        if device is None or not self.may_act_for(device.lfdi):
            raise not_found("there is no such EndDevice, or it is not yours")
        return device

    @property
    def is_registered(self) -> bool:
        """Whether the client has an EndDevice that is enabled; without TLS every client counts as such."""
        return self.lfdi is None or (self.device is not None and self.device.enabled)

    def need_registration(self) -> None:
        """403 for a client with a valid certificate that is not registered."""
        if not self.is_registered:
            how = "not registered with" if self.device is None else "not enabled on"
            raise RequestRefused(403, f"the device {self.lfdi} is {how} this server")

    def read(self, *expected: type[T]) -> T:
        """The body as one of the `expected` resources; see `read_in`."""
        return self.read_in(*expected)[0]

    def read_in(self, *expected: type[T]) -> tuple[T, Edition]:
        """The body as one of the `expected` resources, and its edition; 400 that says why it is not.

        It must be valid in one of the two editions, apart from unknown elements and attributes, which
        are violations. The client is answered in that edition from now on.
        """
        read = bodies.read(self.body, expected, strict=self.head_end.config.strict)
        if self.device is not None and self.device.edition is not read.edition:
            self.device.edition = read.edition
            self.head_end.info(f"{self.device.lfdi} sent a body of the {read.edition.value} edition")
        self.note([*read.unknown, *standard_rules.values(read.resource)])
        return read.resource, read.edition

    def may_act_for(self, lfdi: str | None) -> bool:
        """Whether the client is the device with this LFDI, or its aggregator; without TLS anyone may."""
        if self.lfdi is None or same_lfdi(lfdi, self.lfdi):
            return True
        device = self.head_end.end_devices.find(lfdi)
        return device is not None and device.aggregator_lfdi == self.lfdi

    def note(
        self, violations: list[str], device: EndDeviceRecord | None = None, rule: Rule | None = None
    ) -> None:
        """Remember violations of the standard in the body, for `count_violations`; 400 under `--strict`.

        To be called before anything of the body is stored. device: the sender, if it is not the client.
        rule: what was violated, where a profile may refuse it.
        """
        if violations and self.head_end.config.strict:
            raise RequestRefused(400, f"refused by --strict: {violations[0]}")
        if violations and rule in self.head_end.config.refused:
            raise RequestRefused(400, violations[0])
        self.violations += [(device, text) for text in violations]

    def count_violations(self) -> None:
        """Log and count the violations of a body that was accepted."""
        for device, text in self.violations[:VIOLATIONS_LOGGED]:
            who = device or self.device
            name = f" from {who.lfdi}" if who else ""
            self.head_end.note_violation(who, f"{self.method} {self.path}{name}", text)
        if (more := len(self.violations) - VIOLATIONS_LOGGED) > 0:
            self.head_end.warn(f"{self.method} {self.path}: {more} more violations of the standard")
