"""What plug-ins add to the companion server, and what its hooks return (`hookspecs.py`).

A `ServerProfile` changes what the server does by itself. A `DeviceResource` is a document of each EndDevice
that the standard does not have: served to the client, shown to the operator, and set by both. A
`ServerDocument` is one of the server as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from dersim.errors import PluginError

if TYPE_CHECKING:
    from dersim.plugin.panel import Panel
    from dersim.routes import Route

#: Violations that a profile may have refused, which are counted else: a Response to no event of this server
#: or with a reserved status; a MirrorMeterReading with the mRID of another device's.
Rule = Literal["response", "foreign-mrid"]
#: How the last 8 digits of an mRID give the private enterprise number: as 32 bits (2030.5), or by its decimal
#: digits (CSIP-AUS).
PenForm = Literal["hexadecimal", "decimal"]
#: What a client may do with a document besides reading it.
Write = Literal["PUT", "POST", "DELETE"]


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """What a profile asks of the server. What is left at None, or empty, stays as it is.

    pen_form: of the private enterprise number in the mRIDs that the server makes. refuses: rules of which a
    violation is refused with 400 instead of counted. ended_listed_s: how long a control stays listed after
    its end, where the user does not say.
    """

    name: str
    pen_form: PenForm | None = None
    refuses: tuple[Rule, ...] = ()
    ended_listed_s: int | None = None
    doc: str = ""


def accept(_: Mapping[str, Any]) -> str:
    """Everything is right."""
    return ""


@dataclass(frozen=True, slots=True)
class DeviceResource:
    """A document of each EndDevice, at `/edev/k/NAME`: an element of a foreign namespace with members.

    name: the last part of its path, and its name for the operator. namespace, element: of the document, as
    declared by a `SchemaExtension` with `members` and `document`. link: the element of EndDevice, of the same
    namespace, that has its href; declared, too. title: on the utility's page.
    writes: the methods of the client; POST is as PUT. A write is answered 201 at first and 204 later, with
    the path as Location.
    empty: what a client reads before anything was written; None: 404.
    check: gets the members by name, of a client, the operator or a scenario, and returns in words why they
    are not taken, or ""; the client is then answered 400 with reasonCode 1.
    """

    name: str
    namespace: str
    element: str
    title: str
    link: str = ""
    writes: tuple[Write, ...] = ("PUT",)
    empty: Mapping[str, Any] | None = None
    check: Callable[[Mapping[str, Any]], str] = accept
    doc: str = ""


@dataclass(frozen=True, slots=True)
class ServerDocument:
    """A document of the whole server at a path of its own, read by any client whose certificate is accepted.

    make: returns its bytes; called for each request.
    """

    path: str
    make: Callable[[], bytes]
    content_type: str = "application/json"
    doc: str = ""

    @property
    def name(self) -> str:
        """The path."""
        return self.path


class OperatorView(NamedTuple):
    """What a route of a plug-in sees of the server. devices: the documents of its EndDevices by LFDI.

    set_document: keeps a document of a device (LFDI, name, members) as the operator; ConfigError with what is
    wrong. now_s: UTC seconds since 1970.
    """

    now_s: float
    devices: Mapping[str, Mapping[str, Mapping[str, Any]]]
    set_document: Callable[[str, str, Mapping[str, Any]], None]


class OperatorCall(NamedTuple):
    """A request of the operator to a route of a plug-in, decoded and checked."""

    server: OperatorView
    query: Mapping[str, Any]
    body: Any = None


@dataclass(frozen=True, slots=True)
class ServerParts:
    """All that plug-ins have added to one server."""

    profiles: Sequence[ServerProfile] = ()
    resources: Sequence[DeviceResource] = ()
    documents: Sequence[ServerDocument] = ()
    routes: Sequence[Route] = ()
    panels: Sequence[Panel] = ()
    owners: Mapping[str, str] = field(default_factory=dict)

    def one_profile(self) -> ServerProfile:
        """All profiles as one; PluginError for two that disagree."""
        return ServerProfile(
            "+".join(each.name for each in self.profiles),
            _only("pen_form", self.profiles),
            tuple(dict.fromkeys(rule for each in self.profiles for rule in each.refuses)),
            _only("ended_listed_s", self.profiles),
        )


def _only(name: str, profiles: Sequence[ServerProfile]) -> Any:
    """The one value that the profiles name; None where none does."""
    named = {getattr(each, name): each.name for each in profiles if getattr(each, name) is not None}
    if len(named) > 1:
        both = " and ".join(f"{value!r} by {owner}" for value, owner in named.items())
        raise PluginError(f"server profiles: {name} is {both}; leave one out with --without")
    return next(iter(named), None)
