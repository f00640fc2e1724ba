"""Resource -> XML. For each class and edition a function is compiled from the declaration, once, when needed.

The compiled source is straight-line code: members in order, runs of fixed text joined, every value checked
(range, hex, characters) as it is written. Where a check fails, or a value is of the wrong type, the slow
`_explain` walks the resource once more to say which member it was.

The 2018 writer leaves out what 2018 does not know: members since 2023, foreign elements that no plug-in has
registered, and modes with `disabled="true"`, which without that attribute would be in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from dersim.errors import LocalProtocolError
from dersim.ieee2030_5 import extensions, wiretext
from dersim.ieee2030_5.declare import TYPES, Extra, Member, Simple, TypeInfo
from dersim.ieee2030_5.edition import NAMESPACE, XSI, Edition
from dersim.ieee2030_5.extensions import Extension
from dersim.ieee2030_5.resources import Disabled, Resource, Response

#: writer(resource, append): appends attributes, ">" and the content, but neither start nor end tag.
Writer = Callable[[Any, Callable[[str], None]], None]

_writers: dict[tuple[type, Edition], Writer] = {}
extensions.on_change(_writers.clear)

#: Declared classes that a derived one may replace, named by xsi:type.
POLYMORPHIC = frozenset({Resource, Response})

MAX_DEPTH = 16


def encode(resource: Any, edition: Edition) -> bytes:
    """The XML document of a resource; LocalProtocolError names the member that cannot be written.

    An `Extra` is written as the document that a plug-in has declared.
    """
    if isinstance(resource, Extra):
        return _foreign_document(resource, edition)
    info = TYPES.get(type(resource))
    if info is None or not info.root:
        raise LocalProtocolError(f"{type(resource).__name__} is not a document of IEEE 2030.5")
    parts: list[str] = [f'<{info.name} xmlns="{NAMESPACE}"']
    if edition.schema_ver is not None:
        parts.append(f' schemaVer="{edition.schema_ver}"')
    try:
        writer_of(type(resource), edition)(resource, parts.append)
    except (TypeError, ValueError, AttributeError, LocalProtocolError) as error:
        raise LocalProtocolError(_explain(resource, edition, info.name) or f"{info.name}: {error}") from error
    parts.append(f"</{info.name}>")
    return "".join(parts).encode()


def _foreign_document(extra: Extra, edition: Edition) -> bytes:
    extension = extensions.find(extra.namespace, extra.name)
    if extension is None or not extension.declared.document:
        raise LocalProtocolError(f"{extra.name} of {extra.namespace} is not a document of a plug-in")
    parts: list[str] = []
    try:
        _write_declared(extra, extension, parts.append, edition)
    except (TypeError, ValueError, AttributeError, LocalProtocolError) as error:
        raise LocalProtocolError(
            _explain_extra(extra, edition, extra.name, 0) or f"{extra.name}: {error}"
        ) from error
    return "".join(parts).encode()


def writer_of(cls: type, edition: Edition) -> Writer:
    """The compiled writer of a class."""
    writer = _writers.get((cls, edition))
    if writer is None:
        writer = _writers[cls, edition] = _compile(TYPES[cls], edition)
    return writer


class _Source:
    """The source of one writer, growing: fixed text is held back so that runs of it become one append."""

    def __init__(self, edition: Edition) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {
            "hex_": wiretext.checked_hex,
            "text_": wiretext.checked_text,
            "bad_": _bad,
            "Disabled_": Disabled,
            "extra_": _write_extra,
            "derived_": _write_derived,
            "edition_": edition,
        }
        self.pending = ""

    def compute(self, code: str) -> None:
        """Add code that appends nothing: what is pending may still be joined by what follows."""
        self.lines.append(code)

    def line(self, code: str) -> None:
        """Add code that appends, or decides what is appended."""
        self.flush()
        self.lines.append(code)

    def put(self, text: str) -> None:
        """Have text (the inside of an f-string) appended."""
        self.pending += text

    def flush(self) -> None:
        """Make the code that appends what is pending."""
        if self.pending:
            self.lines.append(f"a(f'''{self.pending}''')")
            self.pending = ""


def _compile(info: TypeInfo, edition: Edition) -> Writer:
    old = edition is Edition.E2018
    source = _Source(edition)
    for member in info.attributes:
        if info.has(member, old):
            _attribute(source, member)
    source.put(">")
    root_most = info
    while root_most.base is not None:
        root_most = root_most.base
    # In 2023 foreign elements come at the end of the type at the root of the hierarchy.
    last_of_root = next((m.name for m in reversed(root_most.own) if not m.attribute), None)
    if not old and last_of_root is None:
        source.line("if o.extra: extra_(o, a, edition_)")
    for member in info.elements:
        if info.has(member, old):
            _element(source, member, old)
        if not old and member.name == last_of_root:
            source.line("if o.extra: extra_(o, a, edition_)")
    if old:
        source.line("if o.extra: extra_(o, a, edition_)")
    source.flush()
    code = "def writer(o, a):\n " + "\n ".join(source.lines) + "\n"
    # The source is made of the declarations of this package alone: names of members and numbers.
    exec(compile(code, f"<writer of {info.name}, {edition.value}>", "exec"), source.names)  # noqa: S102 - our own text
    return source.names["writer"]  # type: ignore[no-any-return]  # what the line above has defined


def _text_of(simple: Simple, name: str, v: str) -> tuple[str, str]:
    """The inside of the f-string that writes the variable `v`, and the condition under which it may be."""
    match simple.kind:
        case "int":
            return f"{{{v}:d}}", f"{simple.low} <= {v} <= {simple.high}"
        case "hex_int":
            return f"{{{v}:0{2 * simple.octets}X}}", f"0 <= {v} <= {256**simple.octets - 1}"
        case "bool":
            return f'{{"true" if {v} else "false"}}', f"({v} is True or {v} is False)"
        case "hex_text" if name != "subject":
            return f"{{hex_({v}, {simple.octets})}}", ""
        case "hex_text":
            # A Response echoes the event's mRID as it came, even where that was no hexBinary.
            return f"{{text_({v}, None)}}", ""
        case _:
            return f"{{text_({v}, {simple.length})}}", ""


def _attribute(source: _Source, member: Member) -> None:
    v = f"v{len(source.lines)}"
    text, condition = _text_of(cast(Simple, member.simple), member.name, v)
    _value(source, member, v, condition, f' {member.name}="{text}"')


def _value(source: _Source, member: Member, v: str, condition: str, text: str, unless: str = "") -> None:
    source.compute(f"{v} = o.{member.name}")
    if member.low:
        if condition:
            source.compute(f"if not {condition}: bad_()")
        source.put(text)
        return
    source.line(f"if {v} is not None{unless}:")
    if condition:
        source.compute(f" if not {condition}: bad_()")
    source.lines.append(f" a(f'''{text}''')")


def _element(source: _Source, member: Member, old: bool) -> None:
    if member.simple is None:
        _complex(source, member, old)
        return
    v = f"v{len(source.lines)}"
    text, condition = _text_of(member.simple, member.name, v)
    disabled = unless = ""
    if member.simple.control and old:
        unless = f" and {v}.__class__ is not Disabled_"
    elif member.simple.control:
        disabled = f"""{{' disabled="true"' if {v}.__class__ is Disabled_ else ""}}"""
    _value(source, member, v, condition, f"<{member.name}{disabled}>{text}</{member.name}>", unless)


def _complex(source: _Source, member: Member, old: bool) -> None:
    cls = cast(type, member.cls)
    edition: Edition = source.names["edition_"]
    write = f"w_{member.name}_"
    if cls in POLYMORPHIC:
        call = f"derived_(v, a, edition_, '{member.name}', {cls.__name__}_)"
        source.names[f"{cls.__name__}_"] = cls
    else:
        source.names[write] = writer_of(cls, edition)
        call = f"a('<{member.name}'); {write}(v, a); a('</{member.name}>')"
    if member.repeated:
        if member.high is not None:
            source.compute(f"if not {member.low} <= len(o.{member.name}) <= {member.high}: bad_()")
        source.line(f"for v in o.{member.name}: {call}")
        return
    source.line(f"v = o.{member.name}")
    conditions = ["v is not None"] if member.low == 0 else []
    if old and any(m.name == "disabled" for m in TYPES[cls].members):
        conditions.append("not v.disabled")
    source.line((f"if {' and '.join(conditions)}: " if conditions else "") + call)


def _bad() -> None:
    raise ValueError


def _write_derived(
    resource: Any, append: Callable[[str], None], edition: Edition, name: str, declared: type
) -> None:
    cls = type(resource)
    if not issubclass(cls, declared):
        raise TypeError
    append(f"<{name}")
    if cls is not declared:
        append(f' xmlns:xsi="{XSI}" xsi:type="{TYPES[cls].name}"')
    writer_of(cls, edition)(resource, append)
    append(f"</{name}>")


def _write_extra(resource: Any, append: Callable[[str], None], edition: Edition) -> None:
    for extra in _extras_for(resource, edition):
        extension = extensions.find(extra.namespace, extra.name)
        if extension is None:
            append(extra.value)
        else:
            _write_declared(extra, extension, append, edition)


def _write_declared(
    extra: Extra, extension: Extension, append: Callable[[str], None], edition: Edition
) -> None:
    namespace = wiretext.checked_text(extra.namespace, None)
    if extension.simple is not None:
        text = wiretext.write(extension.simple, extra.value)
        append(f'<{extra.name} xmlns="{namespace}">{text}</{extra.name}>')
        return
    if extension.members:
        href = extra.value.get("href")
        append(f'<{extra.name} xmlns="{namespace}"')
        append(">" if href is None else f' href="{wiretext.checked_text(href, None)}">')
        if set(extra.value) - {"href"} != {name for name, _ in extension.members}:
            raise ValueError
        for name, simple in extension.members:
            append(f"<{name}>{wiretext.write(simple, extra.value[name])}</{name}>")
        append(f"</{extra.name}>")
        return
    # The element is foreign and its content is of the standard: hence a prefix for the outer one.
    append(f'<x:{extra.name} xmlns:x="{namespace}"')
    writer_of(cast(type, extension.cls), edition)(extra.value, append)
    append(f"</x:{extra.name}>")


def _extras_for(resource: Any, edition: Edition) -> Iterable[Extra]:
    """Those that may be written: in 2018 only what was declared for this type, in the order of the schema."""
    if edition is Edition.E2023:
        return resource.extra  # type: ignore[no-any-return]  # each resource has its tuple of them
    declared = [ext.declared for ext in extensions.children_of(type(resource).__name__)]
    order = {(ext.namespace, ext.element): index for index, ext in enumerate(declared)}
    known = [extra for extra in resource.extra if (extra.namespace, extra.name) in order]
    return sorted(known, key=lambda extra: order[extra.namespace, extra.name])


def _explain(resource: Any, edition: Edition, path: str, depth: int = 0) -> str:
    """The first member that cannot be written, with the reason; "" if there is none."""
    info = TYPES.get(type(resource))
    if info is None or depth > MAX_DEPTH:
        return f"{path}: {wiretext.shorten(repr(resource))} is not a resource"
    for member in info.members:
        if not info.has(member, edition is Edition.E2018):
            continue
        where = f"{path}/{'@' if member.attribute else ''}{member.name}"
        if reason := _explain_member(member, getattr(resource, member.name), edition, where, depth):
            return reason
    for extra in _extras_for(resource, edition):
        if reason := _explain_extra(extra, edition, f"{path}/{extra.name}", depth):
            return reason
    return ""


def _explain_extra(extra: Extra, edition: Edition, where: str, depth: int) -> str:
    extension = extensions.find(extra.namespace, extra.name)
    if extension is None:
        return "" if isinstance(extra.value, str) else f"{where}: the XML of the element is needed"
    if extension.members:
        return _explain_members(extension, extra.value, edition, where, depth)
    member = Member(extra.name, False, extension.simple, extension.cls, 1, 1, False, False, None, None)
    return _explain_one(member, extra.value, edition, where, depth)


def _explain_members(extension: Extension, value: Any, edition: Edition, where: str, depth: int) -> str:
    names = [name for name, _ in extension.members]
    if not isinstance(value, Mapping) or set(value) - {"href"} != set(names):
        return f"{where}: a mapping of {', '.join(names)} is needed, not {wiretext.shorten(repr(value))}"
    reasons = (
        _explain_one(
            Member(name, False, simple, None, 1, 1, False, False, None, None),
            value[name],
            edition,
            f"{where}/{name}",
            depth,
        )
        for name, simple in extension.members
    )
    return next(filter(None, reasons), "")


def _explain_member(member: Member, value: Any, edition: Edition, where: str, depth: int) -> str:
    if value is None:
        return "" if member.low == 0 else f"{where}: is required"
    if not member.repeated:
        return _explain_one(member, value, edition, where, depth)
    if not isinstance(value, tuple | list):
        return f"{where}: a tuple is needed, not {wiretext.shorten(repr(value))}"
    if not member.low <= len(value) <= (member.high if member.high is not None else len(value)):
        return f"{where}: {len(value)} given, {member.low} to {member.high} are allowed"
    reasons = (
        _explain_one(member, item, edition, f"{where}[{index}]", depth) for index, item in enumerate(value, 1)
    )
    return next(filter(None, reasons), "")


def _explain_one(member: Member, value: Any, edition: Edition, where: str, depth: int) -> str:
    if member.simple is not None:
        try:
            if member.name != "subject":
                wiretext.write(member.simple, value)
        except LocalProtocolError as error:
            return f"{where}: {error}"
        return ""
    cls = cast(type, member.cls)
    if not isinstance(value, cls):
        return f"{where}: {cls.__name__} is needed, not {wiretext.shorten(repr(value))}"
    return _explain(value, edition, where, depth + 1)
