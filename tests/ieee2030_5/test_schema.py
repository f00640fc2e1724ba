"""Our schemas beside the standard's own, over random documents and mutants of them.

`DERSIM_FUZZ` is the number of documents per edition, 150 unless it is set; each gives four mutants. For long:
DERSIM_FUZZ=20000 tox -e fuzz -- tests/ieee2030_5/test_schema.py
"""

from __future__ import annotations

import contextlib
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from lxml import etree
from tests.ieee2030_5.documents import ROOTS, mutate, official_schema, random_resource

from dersim.errors import ConfigError, RemoteProtocolError
from dersim.ieee2030_5 import Edition, decode, encode, schema
from dersim.ieee2030_5 import resources as r

DOCUMENTS = int(os.environ.get("DERSIM_FUZZ", "150"))
REGISTRATION = (
    '<Registration xmlns="urn:ieee:std:2030.5:ns"><dateTimeRegistered>1</dateTimeRegistered>'
    "<pIN>1</pIN></Registration>"
)
SEED = int(os.environ.get("DERSIM_FUZZ_SEED", "20305"))


@pytest.mark.parametrize("edition", Edition)
def test_random_documents_are_valid_under_the_official_schema_and_ours(edition: Edition) -> None:
    official = official_schema(edition)
    rng = random.Random(SEED)
    for index in range(DOCUMENTS):
        # Every kind of document comes by turns, so that none is left out by chance.
        cls = ROOTS[index % len(ROOTS)]
        body = encode(random_resource(rng, cls, edition, rng.random()), edition)
        root = etree.fromstring(body)
        assert official.validate(root), f"{official.error_log}\n{body!r}"
        assert schema.accepts(root, edition), f"{schema.violations(root, edition)}\n{body!r}"


@pytest.mark.parametrize("edition", Edition)
def test_mutants_are_judged_alike(edition: Edition) -> None:
    official = official_schema(edition)
    rng = random.Random(SEED + 1)
    accepted = 0
    for index in range(DOCUMENTS):
        body = encode(random_resource(rng, ROOTS[index % len(ROOTS)], edition, rng.random()), edition)
        for _ in range(4):
            mutant = mutate(rng, body)
            root = etree.fromstring(mutant)
            verdict = official.validate(root)
            accepted += verdict
            assert schema.accepts(root, edition) is verdict, mutant
            check_reader(mutant, edition)
    # Both verdicts must have come up, or nothing was compared.
    assert 0 < accepted < 4 * DOCUMENTS


def check_reader(mutant: bytes, edition: Edition) -> None:
    """Whatever comes, there is a resource or one clear error."""
    with contextlib.suppress(RemoteProtocolError):
        decode(mutant, edition=edition, validation="off")


@pytest.mark.parametrize("edition", Edition)
def test_the_documents_of_2018_are_valid_in_2023_too(edition: Edition) -> None:
    rng = random.Random(SEED + 2)
    for cls in ROOTS:
        body = encode(random_resource(rng, cls, Edition.E2018, rng.random()), Edition.E2018)
        assert schema.accepts(etree.fromstring(body), edition), body


def test_what_is_new_in_2023_is_refused_by_2018() -> None:
    for new in (
        encode(r.DERProgramList(all=0, results=0), Edition.E2023),
        b'<MirrorUsagePointList xmlns="urn:ieee:std:2030.5:ns" subscribable="0" all="0" results="0"/>',
        b'<DER xmlns="urn:ieee:std:2030.5:ns"><CurrentDERControlsLink href="/x"/></DER>',
    ):
        assert schema.accepts(etree.fromstring(new), Edition.E2023)
        assert schema.violations(etree.fromstring(new), Edition.E2018)


def test_violations_name_path_and_reason_and_are_short() -> None:
    body = (
        b'<DERProgramList xmlns="urn:ieee:std:2030.5:ns" all="1" results="1"><DERProgram><mRID>XY</mRID>'
        b"<primacy>" + b"9" * 5000 + b"</primacy></DERProgram></DERProgramList>"
    )
    found = schema.violations(etree.fromstring(body), Edition.E2023)
    assert found[0].startswith("/DERProgramList/DERProgram/mRID: ")
    assert any("primacy" in violation for violation in found)
    assert all(len(violation) < 400 for violation in found)


def test_where_xmlschema_sees_nothing_libxml2_says_why() -> None:
    body = REGISTRATION.replace("<dateTimeRegistered>1", "<dateTimeRegistered>٣")
    (violation,) = schema.violations(etree.fromstring(body), Edition.E2023)
    assert "dateTimeRegistered" in violation


def test_a_large_document_is_explained_without_delay() -> None:
    body = b'<DERList xmlns="urn:ieee:std:2030.5:ns" all="1" results="1">' + b"<odd/>" * 5000 + b"</DERList>"
    assert schema.violations(etree.fromstring(body), Edition.E2023)


def test_an_official_schema_can_be_put_in_place(tmp_path: Path) -> None:
    path = tmp_path / "own.xsd"
    path.write_text(schema.xsd(Edition.E2018).replace('name="DERProgram"', 'name="DERProgramme"', 1))
    with pytest.raises(ConfigError, match=r"own\.xsd: not a usable XSD"):
        schema.use_official(Edition.E2018, path)
    path.write_text(schema.xsd(Edition.E2018).replace('name="pIN"', 'name="pin"'))
    body = REGISTRATION.replace("pIN", "pin")
    try:
        schema.use_official(Edition.E2018, path)
        assert schema.accepts(etree.fromstring(body), Edition.E2018)
    finally:
        schema.use_generated(Edition.E2018)
    assert not schema.accepts(etree.fromstring(body), Edition.E2018)


def test_a_number_that_is_none_is_told_without_python() -> None:
    root = etree.fromstring(
        b'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>1.5</currentTime><dstEndTime>0</dstEndTime>'
        b"<dstOffset>0</dstOffset><dstStartTime>0</dstStartTime><quality>7</quality><tzOffset>0</tzOffset></Time>"
    )
    assert schema.violations(root, Edition.E2018) == ("/Time/currentTime: '1.5' is not a whole number",)


def test_xmlschema_is_not_asked_about_a_value_without_end(monkeypatch):
    monkeypatch.setattr(schema, "_explained", lambda *_: pytest.fail("asked"))
    text = f'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>{"9" * 11_000}</currentTime></Time>'
    assert schema.violations(etree.fromstring(text), Edition.E2023)


def test_nobody_waits_while_xmlschema_is_made_ready() -> None:
    root = etree.fromstring(b'<Time xmlns="urn:ieee:std:2030.5:ns"><currentTime>1.5</currentTime></Time>')
    schema.forget()
    begun: list[Callable[[], None]] = []
    with schema.making_ready_by(begun.append):
        first, again = (schema.violations(root, Edition.E2018) for _ in range(2))
        (make_ready,) = begun
        make_ready()
        then = schema.violations(root, Edition.E2018)
        assert not schema.is_ready()
        schema.make_ready()  # for both editions
        assert schema.is_ready()
    assert "'1.5' is not a valid value" in first[0] == again[0]
    assert "'1.5' is not a whole number" in then[0]
