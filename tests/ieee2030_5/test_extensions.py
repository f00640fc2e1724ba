"""Elements that a plug-in declares: read, written and judged like the standard's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree
from tests.ieee2030_5.documents import official_schema

from dersim.errors import LocalProtocolError, PluginError, RemoteProtocolError
from dersim.ieee2030_5 import Edition, decode, encode, extensions, schema
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.modes import ModeSpec

NS = "https://example.org/ns?a=1&b=2"


def declared(
    element: str, wire_type: str, namespace: str = NS, parent: str = "DERControlBase"
) -> SchemaExtension:
    return SchemaExtension(
        namespace=namespace,
        element=element,
        parents=(parent,),
        mode=ModeSpec(element, "number", "W", low=0),
        wire_type=wire_type,
    )


EXPORT = declared("opModExpLimW", "ActivePower")
SHARE = declared("opModShare", "PerCent")
OTHER = declared("opModOther", "UInt32", namespace="urn:another")


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    for extension in (EXPORT, SHARE, OTHER):
        extensions.register(extension)
    yield
    for extension in (EXPORT, SHARE, OTHER):
        extensions.unregister(extension)


EXTRAS = (
    Extra(NS, "opModExpLimW", r.ActivePower(multiplier=1, value=150)),
    Extra(NS, "opModShare", 5000),
    Extra("urn:another", "opModOther", 7),
)


def with_extras(*extras: Extra) -> r.DefaultDERControl:
    return r.DefaultDERControl(mRID="0A", DERControlBase=r.DERControlBase(opModConnect=True, extra=extras))


@pytest.mark.parametrize("validation", ["fast", "full", "off"])
@pytest.mark.parametrize("edition", Edition)
def test_an_extension_is_written_read_and_valid(edition: Edition, validation: Any) -> None:
    resource = with_extras(*EXTRAS)
    body = encode(resource, edition)
    assert decode(body, edition=edition, validation=validation, strict=True) == (resource, ())


@pytest.mark.parametrize("edition", Edition)
def test_what_stands_in_an_extension_is_judged(edition: Edition) -> None:
    body = encode(with_extras(*EXTRAS), edition)
    assert schema.accepts(etree.fromstring(body), edition)
    for broken in (
        body.replace(b"<value>150", b"<value>much"),
        body.replace(b"<multiplier>1</multiplier>", b""),
        body.replace(b">5000<", b">-1<"),
        body.replace(b">7<", b">4294967296<"),
    ):
        assert broken != body
        assert not schema.accepts(etree.fromstring(broken), edition)
        assert schema.violations(etree.fromstring(broken), edition)


def test_the_2023_document_is_valid_under_the_official_schema() -> None:
    body = encode(with_extras(*EXTRAS), Edition.E2023)
    assert official_schema(Edition.E2023).validate(etree.fromstring(body))


def test_in_2018_an_extension_stands_last_and_only_where_it_was_declared() -> None:
    body = encode(with_extras(*EXTRAS), Edition.E2018)
    root = etree.fromstring(body)
    assert [etree.QName(node).localname for node in root[1]] == ["opModConnect", *(e.name for e in EXTRAS)]
    misplaced = body.replace(
        b"<DERControlBase>", b'<opModOther xmlns="urn:another">7</opModOther><DERControlBase>'
    )
    assert not schema.accepts(etree.fromstring(misplaced), Edition.E2018)


def test_the_2018_writer_takes_the_order_of_the_schema_and_leaves_out_strangers() -> None:
    stranger = Extra("urn:foreign", "odd", '<odd xmlns="urn:foreign"/>')
    body = encode(with_extras(stranger, *reversed(EXTRAS)), Edition.E2018)
    read = decode(body, edition=Edition.E2018, strict=True).resource
    assert read == with_extras(*EXTRAS)


def test_a_value_that_does_not_fit_is_refused() -> None:
    with pytest.raises(LocalProtocolError, match=r"DERControlBase/opModShare: 70000 is not a PerCent"):
        encode(with_extras(Extra(NS, "opModShare", 70_000)), Edition.E2023)
    with pytest.raises(LocalProtocolError, match="opModExpLimW: ActivePower is needed, not 5"):
        encode(with_extras(Extra(NS, "opModExpLimW", 5)), Edition.E2023)


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        (declared("a", "Nonsense"), "wire type 'Nonsense' is neither"),
        (declared("a", "PerCent", parent="Nonsense"), "parent 'Nonsense' is not a type"),
        (declared("a", "PerCent", namespace=""), "a namespace of its own"),
        (declared("a", "PerCent", namespace="urn:ieee:std:2030.5:ns"), "a namespace of its own"),
        (declared("opModShare", "SignedPerCent"), "registered twice, differently"),
    ],
)
def test_a_wrong_declaration_is_refused(extension: SchemaExtension, message: str) -> None:
    with pytest.raises(PluginError, match=re.escape(message)):
        extensions.register(extension)


LINK = SchemaExtension(NS, "PointLink", ("EndDevice",), None, "Link")


@pytest.mark.parametrize("validation", ["fast", "full"])
@pytest.mark.parametrize("edition", Edition)
def test_a_reader_of_both_editions_takes_an_extension_where_either_has_it(
    edition: Edition, validation: Any
) -> None:
    extensions.register(LINK)
    try:
        extra = (Extra(NS, "PointLink", r.Link(href="/p")),)
        device = r.EndDevice(sFDI=1, changedTime=1, enabled=True, extra=extra)
        assert decode(encode(device, edition), validation=validation, strict=True) == (device, ())
        misplaced = encode(device, edition).replace(b"<changedTime>1</changedTime>", b"")
        assert decode(misplaced, validation=validation).violations
    finally:
        extensions.unregister(LINK)


POINT = SchemaExtension(
    NS, "Point", (), None, "", members={"id": "String32", "level": "UInt8"}, document=True
)


@pytest.fixture
def point() -> Iterator[SchemaExtension]:
    extensions.register(POINT)
    yield POINT
    extensions.unregister(POINT)


@pytest.mark.parametrize("validation", ["fast", "full", "off"])
@pytest.mark.parametrize("edition", Edition)
def test_a_document_of_a_plug_in_has_children_of_its_own(
    point: SchemaExtension, edition: Edition, validation: Any
) -> None:
    resource = Extra(NS, "Point", {"href": "/p", "id": "a<b", "level": 3})
    body = encode(resource, edition)
    assert b' href="/p"><id>a&lt;b</id><level>3</level></Point>' in body
    assert decode(body, Extra, edition=edition, validation=validation, strict=True) == (resource, ())


def test_what_stands_in_such_a_document_is_judged(point: SchemaExtension) -> None:
    body = encode(Extra(NS, "Point", {"id": "a", "level": 3}), Edition.E2018)
    for broken in (
        body.replace(b"<level>3</level>", b""),
        body.replace(b">3<", b">300<"),
        body.replace(b"<id>a</id>", b"").replace(b"</Point>", b"<id>a</id></Point>"),
    ):
        assert decode(broken, Extra, edition=Edition.E2018).violations
        with pytest.raises(RemoteProtocolError, match="strict reading"):
            decode(broken, Extra, edition=Edition.E2018, strict=True)
    with pytest.raises(RemoteProtocolError, match="which was not expected"):
        decode(body, r.EndDevice)
    with pytest.raises(RemoteProtocolError, match="given twice"):
        decode(body.replace(b"<id>a</id>", b"<id>a</id><id>b</id>"), Extra)


def test_a_document_that_cannot_be_written_is_refused(point: SchemaExtension) -> None:
    with pytest.raises(LocalProtocolError, match="Point/level: 300 is not a UInt8"):
        encode(Extra(NS, "Point", {"id": "a", "level": 300}), Edition.E2018)
    for value in ({"id": "a", "level": 3, "other": 1}, {"id": "a"}, "a"):
        with pytest.raises(LocalProtocolError, match="Point: a mapping of id, level is needed"):
            encode(Extra(NS, "Point", value), Edition.E2018)
    with pytest.raises(LocalProtocolError, match="is not a document of a plug-in"):
        encode(EXTRAS[1], Edition.E2018)
