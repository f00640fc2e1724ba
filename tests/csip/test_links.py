import pytest
from hypothesis import given
from hypothesis import strategies as st

from dersim.csip.links import Origin, resolve, with_query
from dersim.errors import RemoteProtocolError

HERE = Origin(True, "utility.test", 8443)


@pytest.mark.parametrize(
    ("href", "origin", "target"),
    [
        ("/edev/1", HERE, "/edev/1"),
        ("/edev?x=1#part", HERE, "/edev?x=1"),
        ("https://utility.test:8443/a", HERE, "/a"),
        ("https://other.test/a?b=c", Origin(True, "other.test", 443), "/a?b=c"),
        ("https://other.test:9", Origin(True, "other.test", 9), "/"),
        ("//other.test/a", Origin(True, "other.test", 443), "/a"),
        ("https://[::1]:7/x", Origin(True, "::1", 7), "/x"),
        ("/\u00e9", HERE, "/%C3%A9"),
    ],
)
def test_absolute_and_path_links(href, origin, target):
    assert resolve(HERE, href) == (origin, target)


@pytest.mark.parametrize(("href", "target"), [("c", "/a/c"), ("../c", "/c"), ("?s=1", "/a/b?s=1")])
def test_links_relative_to_where_they_were_found(href, target):
    assert resolve(HERE, href, base_path="/a/b") == (HERE, target)


@pytest.mark.parametrize(
    "href", ["", "http://utility.test/a", "ftp://x/a", "/a\r\nX: y", "/a b", "https://x:99999/", "/" * 3000]
)
def test_links_that_are_never_followed(href):
    with pytest.raises(RemoteProtocolError, match="link"):
        resolve(HERE, href)


def test_plain_http_may_lead_to_https():
    assert resolve(Origin(False, "x", 80), "https://x/a") == (Origin(True, "x", 443), "/a")


@given(st.text(max_size=60))
def test_any_text_is_followed_within_ascii_or_refused(href):
    try:
        _, target = resolve(HERE, href)
    except RemoteProtocolError:
        return
    assert target.startswith("/")
    assert target.isascii()
    assert not set(target) & set(" \r\n\t\0")


def test_a_query_is_added_to_one_that_is_there():
    assert with_query("/a", "s=0") == "/a?s=0"
    assert with_query("/a?b=1", "s=0") == "/a?b=1&s=0"


@pytest.mark.parametrize(
    "href",
    [
        "http://[::1",
        "http://h:99999999/",
        "http://h:-1/",
        "http://h:0/",
        "http://h:\u0663/",
        "http://\u00e9.test/",
    ],
)
def test_an_odd_host_or_port_is_named_in_plain_words(href):
    with pytest.raises(RemoteProtocolError, match="host or port cannot be") as refused:
        resolve(Origin(False, "utility.test", 80), href)
    assert "integer" not in str(refused.value)


def test_a_query_goes_before_no_fragment():
    assert with_query("/a#part", "s=0") == "/a?s=0"
    assert with_query("/a?x=1#part", "s=0") == "/a?x=1&s=0"
