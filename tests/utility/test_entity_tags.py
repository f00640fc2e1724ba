"""ETag and If-None-Match on the 2030.5 port."""

import pytest

from dersim.modes import modes_from_json
from dersim.utility.entity_tags import matches, tag_of
from dersim.utility.faults.plans import fault_from

TAG = tag_of(b"<Time/>")


def test_equal_bytes_have_equal_tags():
    assert tag_of(b"<Time/>") == TAG != tag_of(b"<Time></Time>")
    assert TAG[0] == TAG[-1] == '"'


@pytest.mark.parametrize(
    ("header", "is_known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f'"other", {TAG}', True),
        ("*", True),
        (" * ", True),
        ('"other"', False),
        ("", False),
        (TAG.strip('"'), False),
        ("*, *", False),
        ('"' * 1000, False),
    ],
)
def test_what_names_a_tag(header, is_known):
    assert matches(header, TAG) is is_known


def test_an_unchanged_document_is_304_without_a_body(client):
    first = client.ask("GET", "/dcap")
    again = client.ask("GET", "/dcap", if_none_match=first.header("etag"))
    assert (again.status, again.body, again.headers) == (304, b"", (("etag", first.header("etag")),))
    assert client.ask("HEAD", "/dcap", if_none_match=first.header("etag")).status == 304


def test_a_changed_document_is_sent_again(lab, client):
    tag = client.ask("GET", "/derp/1/dderc").header("etag")
    lab.head_end.set_default(lab.head_end.programs.get(1), modes_from_json({"opModMaxLimW": 77}))
    response = client.ask("GET", "/derp/1/dderc", if_none_match=tag)
    assert response.status == 200
    assert response.header("etag") != tag


def test_the_time_changes_every_second(lab, client):
    tag = client.ask("GET", "/tm").header("etag")
    assert client.ask("GET", "/tm", if_none_match=tag).status == 304
    lab.now += 1
    assert client.ask("GET", "/tm", if_none_match=tag).status == 200


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_only_reading_is_conditional(client, method):
    assert client.ask(method, "/dcap", if_none_match="*").status == 405


def test_an_error_has_no_tag(client):
    response = client.ask("GET", "/nowhere", if_none_match="*")
    assert (response.status, response.header("etag")) == (404, None)


def test_a_304_hides_no_planted_fault(lab, client):
    tag = client.ask("GET", "/dcap").header("etag")
    lab.head_end.faults.plant(fault_from({"kind": "xml", "flaw": "truncated", "path": "/dcap"}))
    response = client.ask("GET", "/dcap", if_none_match=tag)
    assert (response.status, response.header("etag")) == (200, None)
