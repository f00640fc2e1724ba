"""The verdict on a document, and the line of what is wrong with it."""

import pytest

from dersim.ieee2030_5 import Edition, encode, judging
from dersim.ieee2030_5 import resources as r

NS = 'xmlns="urn:ieee:std:2030.5:ns"'
TIME = (
    f"<Time {NS}%s><currentTime>1</currentTime><dstEndTime>0</dstEndTime><dstOffset>0</dstOffset>"
    "<dstStartTime>0</dstStartTime><quality>7</quality><tzOffset>0</tzOffset></Time>"
)
#: One line, as most servers send it: two values that cannot be read, and an element that nobody knows.
STATUS = (
    f"<DERStatus {NS}><genConnectStatus><dateTime>abc</dateTime><value>300</value></genConnectStatus>"
    "<fooBar>1</fooBar><readingTime>17</readingTime></DERStatus>"
).encode()


def marked(judgement, findings):
    """The text of each line that is marked, with the message."""
    lines = judgement.text.split("\n")
    return [(lines[each.line - 1].strip(), each.message) for each in findings]


@pytest.mark.parametrize(
    ("attributes", "editions"),
    [("", (Edition.E2018, Edition.E2023)), (' schemaVer="2.2"', (Edition.E2023,))],
)
def test_a_valid_document_names_the_editions_in_which_it_is_valid(attributes, editions):
    body = (TIME % attributes).encode()
    assert judging.brief(body) == judging.Brief("valid", editions, "Time")
    found = judging.judge(body)
    assert (found.brief, found.nearest, found.violations) == (judging.brief(body), editions[0], ())
    assert found.text.split("\n")[1] == "  <currentTime>1</currentTime>"


@pytest.mark.parametrize("edition", list(Edition))
def test_what_we_write_is_valid_in_its_edition(edition):
    body = encode(r.Registration(dateTimeRegistered=0, pIN=111115), edition)
    assert judging.judge(body).nearest is edition


def test_each_violation_is_on_the_line_of_the_indented_text_where_it_is():
    found = judging.judge(STATUS)
    assert found.brief == judging.Brief("violations", (), "DERStatus") == judging.brief(STATUS)
    assert marked(found, found.violations) == [
        ("<dateTime>abc</dateTime>", "'abc' is not a whole number"),
        ("<value>300</value>", "invalid value '300' for xs:hexBinary"),
        (
            "<fooBar>1</fooBar>",
            "Unexpected child with tag 'fooBar' at position 2. Tag 'readingTime' expected.",
        ),
    ]


def test_what_the_reader_drops_or_takes_by_default_has_its_line_too():
    found = judging.judge(STATUS)
    assert marked(found, found.reader) == [
        ("<dateTime>abc</dateTime>", "'abc' is not a whole number; this element is left out"),
        ("<fooBar>1</fooBar>", "fooBar is not known here"),
    ]
    no_status = f'<DERList {NS}><DER href="/d"/></DERList>'.encode()
    reader = judging.judge(no_status).reader
    assert [(each.line, each.path, each.message) for each in reader] == [
        (1, "/DERList/@all", "is missing; 1, the number of items, is taken"),
        (1, "/DERList/@results", "is missing; 1, the number of items, is taken"),
    ]


def test_the_line_counts_the_declaration_and_comments():
    body = b'<?xml version="1.0" encoding="UTF-8"?><!-- a -->' + STATUS
    found = judging.judge(body)
    assert found.text.startswith('<?xml version="1.0" encoding="UTF-8"?>\n<!-- a -->')
    assert next(line for line, _ in marked(found, found.violations)) == "<dateTime>abc</dateTime>"


def test_the_nearest_edition_is_the_one_with_fewer_violations():
    body = encode(r.Registration(dateTimeRegistered=0, pIN=111115), Edition.E2023)
    broken = body.replace(b"<pIN>111115", b"<pIN>x")
    assert judging.judge(broken).nearest is Edition.E2023


@pytest.mark.parametrize(
    ("body", "line", "why"),
    [
        (b"<a><b><c/></a>", 4, "the body is not well-formed XML: Opening and ending tag mismatch"),
        (b"<html><body>Bad gateway</body></html>", None, "the body is HTML"),
        (b'<Time xmlns="urn:other"/>', 1, "the body's root 'Time' is in the namespace 'urn:other'"),
        (b"plain words", 1, "the body is not well-formed XML"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', None, "the body has a DOCTYPE"),
        (b"\xff\xfe\x00", None, "the body is not well-formed XML"),
    ],
)
def test_what_is_no_document_is_invalid_and_says_where(body, line, why):
    found = judging.judge(body)
    assert found.brief.word == judging.brief(body).word == "invalid"
    assert found.nearest is None
    (finding,) = found.violations
    assert finding.message.startswith(why)
    if line is not None:
        assert finding.line == line
        assert found.text.count("\n") >= line - 1


def test_a_document_that_our_reader_refuses_is_invalid():
    body = f"<Time {NS}><quality>7</quality></Time>".encode()
    found = judging.judge(body)
    assert found.brief.word == judging.brief(body).word == "invalid"
    assert found.reader[-1].message == "is missing; the document is refused"


def test_another_encoding_is_a_violation():
    text = '<?xml version="1.0" encoding="ISO-8859-1"?>' + TIME % ""
    found = judging.judge(text.encode("latin-1"))
    assert found.brief.word == "violations"
    assert found.violations[0].message == "encoded in ISO-8859-1; 2030.5 documents are in UTF-8"


def test_a_list_of_many_items_is_judged_by_libxml2_with_lines():
    items = "".join(f'<EndDevice href="/{n}"><x/></EndDevice>' for n in range(2000))
    body = f'<EndDeviceList {NS} all="2000" results="2000">{items}</EndDeviceList>'.encode()
    assert judging.judge(body).violations[0].line == 3


def test_a_flood_of_notes_is_counted_after_the_first():
    items = "<EndDevice><sFDI>x</sFDI></EndDevice>" * 2000
    judgement = judging.judge(
        f"<EndDeviceList {NS} all='2000' results='2000'>{items}</EndDeviceList>".encode()
    )
    assert len(judgement.reader) == judging.MAX_NOTES + 1
    assert "1900 more like these" in [each.message for each in judgement.reader]
