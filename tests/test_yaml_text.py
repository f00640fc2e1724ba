"""YAML files are read within bounds; each mistake is one line with file, line and path."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypedDict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.test_file_schemas import JSON

from dersim import yaml_text
from dersim.json_schema import file_schema
from dersim.yaml_text import FileError, parse, read


class _Kind(TypedDict):
    count: int
    name: str


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("False", False), ("~", None), ("", None), ("null", None),
        ("0", 0), ("-12", -12), ("+3", 3), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0), ("-2.5E-3", -0.0025),
        ("2026-07-01", "2026-07-01"), ("2026-07-01T12:00:00Z", "2026-07-01T12:00:00Z"),
        ("12:30", "12:30"), ("1_000", "1_000"), ("0x1F", "0x1F"), ("1.2.3", "1.2.3"), ("y", "y"),
        ('"yes"', "yes"), ("'012'", "012"), ("'null'", "null"), ("|\n  a\n  b", "a\nb"),
        ("[1, {b: c}]", [1, {"b": "c"}]),
    ],
)  # fmt: skip
def test_a_bare_word_is_what_all_readers_take_it_for(text: str, value: Any) -> None:
    found = parse(f"a: {text}", "F").value["a"]
    assert (found, type(found)) == (value, type(value))


BAD = [
    ("a: yes", '1: /a: yes without quotes is a truth value to some YAML readers and a text to others; '),
    ("a: [1, off]", '1: /a/1: off without quotes is a truth value'),
    ("a: 012", '1: /a: 012 begins with a zero, which is octal to some YAML readers; leave the zero out, or'),
    ("a: .nan", "1: /a: .nan is not read; a finite number is needed"),
    ("a: -.inf", "1: /a: -.inf is not read; a finite number is needed"),
    ("a: 1e999", "1: /a: a number beyond 1.8e308 is not read; put a text in quotes"),
    ("a: " + "9" * 41, "1: /a: a number of 41 digits; at most 40 are read, put a text in quotes"),
    ("a: 1\nb: 2\na: 3", "3: /a: a is given twice, first in line 1; remove one"),
    ("{x/y: {b: 1, b: 2}}", "1: /x~1y/b: b is given twice, first in line 1; remove one"),
    ("a: [1\nb: 2", "2: a comma or ] is missing"),
    ("a:\n\tb: 2", "2: a tab; YAML is indented with spaces"),
    ("a: 'x", "1: a text has no closing quote"),
    ("a: @x", "1: '@' cannot begin a value; put the text in quotes"),
    ("a: b: c", "1: a colon where no key can be; put a text with a colon in quotes"),
    ("a: 1\nbc\nd: 2", "3: a colon is missing after a key, or the indentation is wrong"),
    ("a:\n  b: 1\n c: 2", "3: the indentation is not that of the lines above"),
    ("a: 1\n---\nb: 2", "2: a second document begins here; a file has one"),
    ("a: *x", "1: *x has no anchor &x above it"),
    ("a: &x 1\nb: &x 2", "2: an anchor of this name is above already; choose another name"),
    ("a: &x [*x]", "1: /a/0: an anchor that contains itself is not read"),
    ("a: &x {<<: *x}", "1: /a: an anchor that contains itself is not read"),
    ("a: &x [*x]\nb: {<<: *x}", "1: /a/0: an anchor that contains itself is not read"),
    ("a: {<<: 3}", "1: /a: << takes an anchor of an object, as in <<: *base, or a list of such anchors"),
    ("a: !!python/object:os.system x", "1: /a: the tag !!python/object:os.system is not read; leave it out"),
    ("a: !!binary eA==", "1: /a: the tag !!binary is not read; leave it out"),
    ("a: !!int 'x'", "1: /a: 'x' is not a number"),
    ("a: !!set {x}", "1: /a: the tag !!set is not read; leave it out"),
    ("? [1]\n: 2", "1: a key is a text in one line"),
    ('a: "\\ud800"', "1: /a: a text has half of a surrogate pair, which is no character"),
    ("a: 1\nb: \x01", "2: the character U+0001 is not allowed in YAML"),
    ("[" * 3000, "1: nested deeper than 20 levels"),
    ("- " * 3000, "1: nested deeper than 20 levels"),
    ("", "1: the file is empty"),
    ("# nothing", "1: the file is empty"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), BAD)
def test_a_mistake_is_one_line_with_its_place(text: str, words: str) -> None:
    with pytest.raises(FileError) as caught:
        parse(text, "fleet.yaml")
    assert str(caught.value).startswith(f"fleet.yaml:{words}")
    assert "\n" not in str(caught.value)


def test_an_anchor_is_followed_and_bounded() -> None:
    assert parse("a: &x {b: 1}\nc: *x", "F").value == {"a": {"b": 1}, "c": {"b": 1}}
    levels = "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(FileError, match="more than 100000 values, those of anchors counted at each use"):
        parse(f"a: &a [1, 2]\n{levels}", "F")


def test_own_members_go_before_merged_ones_and_the_first_anchor_before_the_second() -> None:
    document = parse("a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc:\n  <<: [*a, *b]\n  y: 3\n", "F")
    assert document.value["c"] == {"x": 1, "y": 3, "z": 2}
    assert (document.line_of("/c/y"), document.line_of("/c/z"), document.line_of("/c/x")) == (5, 2, 1)


def test_every_value_has_its_line() -> None:
    document = parse("# a comment\na:\n  - b: 1\n    c: |\n      two\n      lines\n  - 5\n'x/y': {}\n", "F")
    assert document.lines == {"": 2, "/a": 2, "/a/0": 3, "/a/0/b": 3, "/a/0/c": 4, "/a/1": 7, "/x~1y": 8}
    assert document.line_of("/a/0/missing") == 3
    assert str(document.error("/a/1", "is wrong")) == "F:7: /a/1: is wrong"


def test_the_first_mistake_against_a_schema_is_told_with_its_line() -> None:
    schema = file_schema(_Kind, "test")
    parse("count: 3\nname: x", "F").require(schema)
    with pytest.raises(FileError) as caught:
        parse("nmae: x\ncount: many\n", "F").require(schema)
    assert str(caught.value) == (
        "F:1: /nmae: nmae is not known; did you mean name? (3 mistakes, this is the first)"
    )
    assert (caught.value.line, caught.value.pointer) == (1, "/nmae")


def test_a_file_that_cannot_be_read_is_refused_in_one_line(tmp_path: Path) -> None:
    file = tmp_path / "x.yaml"
    with pytest.raises(FileError, match=r"x.yaml: No such file or directory; give a YAML file that can"):
        read(file)
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(FileError, match=r"x.yaml:2: the file is not UTF-8; save it as UTF-8"):
        read(file)
    file.write_bytes(b"\xef\xbb\xbfa: 1")
    assert read(file).value == {"a": 1}
    file.write_bytes(b"#" * (yaml_text.MAX_BYTES + 1))
    with pytest.raises(FileError, match=r"x.yaml:1: the file has more than 1 MiB"):
        read(file)


@given(JSON)
def test_json_is_read_as_the_same_value(value: Any) -> None:
    assert parse(json.dumps({"a": value}), "F").value == json.loads(json.dumps({"a": value}))


@given(
    st.text(st.sampled_from("ab:-?*&<!|>'\"[]{}#%@,0159.eE+~ \n\t\x00é"), max_size=60) | st.text(max_size=30)
)
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    told = ""
    try:
        parse(text, "F")
    except FileError as error:
        told = str(error)
        assert error.line <= len(text) + 1  # noqa: PT017 - most texts are read
    assert "\n" not in told
