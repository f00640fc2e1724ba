"""How the resources of IEEE 2030.5 are declared, and the table of the declared types.

A resource is a class whose body gives the names in the order of the standard's sequence, the type, the
occurrence and the edition of each member. The constructor, the reader and the writer (`codec_read.py`,
`codec_write.py`) and the XSD of each edition (`schema_write.py`) are made from it.

    @resource(root=True)
    class DERProgram(SubscribableIdentifiedObject):
        DERControlListLink: ListLink | None = None      # optional
        primacy: PrimacyType                            # exactly one
        ...
    @resource(root=True)
    class DERProgramList(SubscribableList):
        pollRate: Attr[UInt32 | None] = None            # an attribute
        DERProgram: tuple[DERProgram, ...] = ()         # repeated

    modesSupported2: Since2023[DERControlType2 | None] = None    # not written in 2018, nor in its XSD
    CurveData: Annotated[tuple[CurveData, ...], Occurs(1, 10)]   # bounds
    version: EmptyIsZero[VersionType | None] = None              # `<version/>` is valid in 2023 and means 0
    quality: IfMissing0[UInt8]           # required, but taken as 0 if a server leaves it out

Both editions use the order of 2023, which only inserted new members between the old ones. The modules of
`resources` do not use `from __future__ import annotations`: evaluating the annotations with the class body
makes start-up twice as fast as evaluating their texts later. Links need no class of their own: a `Link` or
`ListLink` takes the type that has the element's name.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    TypeVar,
    Union,
    dataclass_transform,
    get_args,
    get_origin,
)

T = TypeVar("T")
C = TypeVar("C", bound=type)

Kind = Literal["int", "bool", "hex_int", "hex_text", "text", "uri"]


class Simple(NamedTuple):
    """A simple type of the standard.

    low, high bound an int; octets bounds a hexBinary; length bounds a text. `of` is the plain type of
    a semantic one (UInt16 of PerCent): the 2023 edition allows any attribute on semantic types.
    control: the 2023 type that adds the attribute `disabled` (PerCentControlType).
    """

    name: str
    kind: Kind
    xsd: str
    low: int = 0
    high: int = 0
    octets: int = 0
    length: int | None = None
    of: str | None = None
    control: str | None = None


class _Marker(NamedTuple):
    meaning: str
    value: Any = None


class Occurs(NamedTuple):
    """How often a repeated member may occur: low to high; high None means no limit."""

    low: int
    high: int | None


class EmptyMeans(NamedTuple):
    """The text that an empty element means in the 2023 edition (an XSD element default)."""

    text: str


class IfMissing(NamedTuple):
    """The value used, with a violation noted, if a peer left a required member out."""

    value: Any


Attr = Annotated[T, _Marker("attribute")]
Since2023 = Annotated[T, _Marker("since 2023")]
EmptyIsZero = Annotated[T, EmptyMeans("0")]
EmptyIsFalse = Annotated[T, EmptyMeans("false")]
IfMissing0 = Annotated[T, IfMissing(0)]
IfMissingEmpty = Annotated[T, IfMissing("")]

NO_DEFAULT = object()


class Member(NamedTuple):
    """One declared attribute or element. Exactly one of `simple` and `cls` is set; high None: unbounded."""

    name: str
    attribute: bool
    simple: Simple | None
    cls: type | None
    low: int
    high: int | None
    repeated: bool
    since_2023: bool
    empty_means: str | None
    if_missing: Any


class Extra(NamedTuple):
    """An element of a foreign namespace, as read or to be written.

    value: what a registered extension parsed to (int, bool, str or a resource), else the element's XML.
    """

    namespace: str
    name: str
    value: Any


@dataclasses.dataclass(frozen=True, slots=True)
class TypeInfo:
    """What was declared of one class. `members` is flattened, in the order of the sequence.

    attributes: of the members, inherited ones first. elements: the child elements.
    """

    cls: type
    name: str
    name_2018: str
    base: TypeInfo | None
    own: tuple[Member, ...]
    members: tuple[Member, ...]
    root: bool
    since_2023: bool
    not_in_2018: frozenset[str]
    attributes: tuple[Member, ...] = dataclasses.field(init=False)
    elements: tuple[Member, ...] = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "attributes", tuple(m for m in self.members if m.attribute))
        object.__setattr__(self, "elements", tuple(m for m in self.members if not m.attribute))

    def has(self, member: Member, edition_2018: bool) -> bool:
        """Whether the member exists in that edition."""
        return not edition_2018 or not (member.since_2023 or member.name in self.not_in_2018)


#: Every declared type by class and by the standard's name.
TYPES: dict[type, TypeInfo] = {}
NAMES: dict[str, TypeInfo] = {}


class Element:
    """Base of every declared class; `extra` holds elements of foreign namespaces."""

    __slots__ = ()

    extra: tuple[Extra, ...]

    def __eq__(self, other: object) -> bool:
        if other.__class__ is not self.__class__:
            return NotImplemented
        names = self.__slots_all__  # type: ignore[attr-defined]  # set by the decorator on each class
        return all(getattr(self, name) == getattr(other, name) for name in names)

    __hash__ = None  # type: ignore[assignment]  # mutable values have none

    def __repr__(self) -> str:
        names = self.__slots_all__  # type: ignore[attr-defined]  # set by the decorator on each class
        shown = ((name, getattr(self, name)) for name in names)
        inner = ", ".join(f"{name}={value!r}" for name, value in shown if value is not None and value != ())
        return f"{type(self).__name__}({inner})"


@dataclass_transform(kw_only_default=True)
def resource(
    *,
    root: bool = False,
    since_2023: bool = False,
    name_2018: str | None = None,
    not_in_2018: tuple[str, ...] = (),
) -> Callable[[C], C]:
    """Declare a type of the standard.

    root: it may be a document. since_2023: the type is unknown to 2018. name_2018: the older type that 2018
    has instead. not_in_2018: inherited members that the 2018 edition, with its other base, does not have.
    """

    def declare(cls: C) -> C:
        # Without a docstring dataclass() makes one of the signature, which costs more than all the rest.
        cls.__doc__ = cls.__doc__ or f"{cls.__name__} of IEEE 2030.5."
        made: Any = dataclasses.dataclass(
            init=False, kw_only=True, slots=True, repr=False, eq=False, match_args=False
        )(cls)
        made.__init__ = _first_init
        base = TYPES.get(made.__mro__[1])
        own = tuple(_member(name, hint) for name, hint in cls.__annotations__.items() if name != "extra")
        info = TypeInfo(
            cls=made,
            name=made.__name__,
            name_2018=name_2018 or made.__name__,
            base=base,
            own=own,
            members=(base.members if base else ()) + own,
            root=root,
            since_2023=since_2023,
            not_in_2018=frozenset(not_in_2018) | (base.not_in_2018 if base else frozenset()),
        )
        made.__slots_all__ = (*(m.name for m in info.members), "extra")
        TYPES[made] = NAMES[info.name] = info
        return made  # type: ignore[no-any-return]  # dataclass() made a new class of the same kind

    return declare


def _first_init(self: Any, **values: Any) -> None:
    """The constructor until its first call: compiling is slow, and a process needs a third of the types."""
    cls = type(self)
    parameters, body = [], []
    defaults: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        has_default = field.default is not dataclasses.MISSING
        defaults[f"default_{field.name}"] = field.default
        parameters.append(f"{field.name}=default_{field.name}" if has_default else field.name)
        body.append(f"    self.{field.name} = {field.name}\n")
    source = f"def __init__(self, *, {', '.join(parameters)}):\n{''.join(body)}"
    # The source is made of the names of the declared members alone.
    exec(source, defaults)  # noqa: S102 - our own declarations, no outside text
    cls.__init__ = defaults["__init__"]
    cls.__init__(self, **values)


def _member(name: str, hint: Any) -> Member:
    marks: list[Any] = []
    hint = _unwrap(hint, marks)
    optional = False
    if get_origin(hint) in (Union, types.UnionType):
        (hint,) = (arg for arg in get_args(hint) if arg is not type(None))
        optional = True
        hint = _unwrap(hint, marks)
    repeated = get_origin(hint) is tuple
    if repeated:
        hint = _unwrap(get_args(hint)[0], marks)
    meanings = {mark.meaning for mark in marks if isinstance(mark, _Marker)}
    occurs = next((m for m in marks if isinstance(m, Occurs)), None)
    if occurs is None:
        occurs = Occurs(0, None) if repeated else Occurs(0 if optional else 1, 1)
    simple = next((m for m in marks if isinstance(m, Simple)), None)
    return Member(
        name=name,
        attribute="attribute" in meanings,
        simple=simple,
        cls=None if simple else hint,
        low=occurs.low,
        high=occurs.high,
        repeated=repeated,
        since_2023="since 2023" in meanings,
        empty_means=next((m.text for m in marks if isinstance(m, EmptyMeans)), None),
        if_missing=next((m.value for m in marks if isinstance(m, IfMissing)), NO_DEFAULT),
    )


def _unwrap(hint: Any, marks: list[Any]) -> Any:
    while get_origin(hint) is Annotated:
        hint, *found = get_args(hint)
        marks.extend(found)
    return hint
