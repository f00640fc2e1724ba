"""Links of a document mean what RFC 3986 says: relative to the document, wherever it came from."""

import pytest
import trio

from dersim.csip import document_links
from dersim.csip.links import Origin
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, encode
from dersim.ieee2030_5 import resources as r

HOME, ELSEWHERE = Origin(False, "utility.test", 80), Origin(False, "other.test", 81)


def program(**links):
    return r.DERProgram(
        href="1", mRID="00", primacy=1, **{name: r.ListLink(href=href) for name, href in links.items()}
    )


def test_relative_links_are_relative_to_the_document():
    found = r.DERProgramList(
        href="/a/list", all=1, results=1, DERProgram=(program(DERControlListLink="../c"),)
    )
    document_links.make_absolute(found, HOME, "/a/list?s=0", HOME)
    assert found.href == "/a/list"
    assert found.DERProgram[0].href == "/a/1"
    assert found.DERProgram[0].DERControlListLink.href == "/c"


def test_paths_of_a_document_from_elsewhere_lead_there():
    found = program(DERControlListLink="/c")
    document_links.make_absolute(found, ELSEWHERE, "/p", HOME)
    assert found.DERControlListLink.href == "http://other.test:81/c"


def test_links_that_cannot_be_followed_stay():
    found = program(DERControlListLink="ftp://x/c")
    document_links.make_absolute(found, HOME, "/p", HOME)
    assert found.DERControlListLink.href == "ftp://x/c"


@pytest.mark.parametrize(
    ("body", "is_needed"),
    [
        (b'<A href="/a"><B href="http://x/"/></A>', False),
        (b'<A href="/a"><B href="b"/></A>', True),
        (b"<A href = './a'/>", True),
        (b'<A replyTo="rsp"/>', True),
        (b'<A href="//other/x"/>', True),
        (b'<A href="#part"/>', True),
    ],
)
def test_plain_paths_cost_nothing(body, is_needed):
    assert document_links.needed(body, HOME, HOME) is is_needed


async def test_a_server_that_writes_relative_links_is_followed(autojump_clock, world):
    client = await world.ready()
    for path, resource in list(world.tree.items()):
        if isinstance(resource, r.Resource):
            body = encode(resource, Edition.E2023)
            for there in ("/edev/1/", "/derp/1/"):
                if path == there[:-1]:
                    body = body.replace(f'href="{there}'.encode(), f'href="{there.split("/")[2]}/'.encode())
            world.tree[path] = body if b'"1/' in body else resource
    assert any(isinstance(each, bytes) for each in world.tree.values())
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    assert world.device.setpoints.value("opModMaxLimW") == 90


async def test_a_link_with_a_fragment_is_followed_without_it(autojump_clock, world):
    client = await world.ready()
    world.tree["/derp/1"].DERControlListLink.href = "/derp/1/derc#all"
    world.tree["/dcap"].EndDeviceListLink.href = "/edev#here"
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"
    assert world.server.times("/derp/1/derc")
    assert not [each for each in world.server.seen if "#" in each.path or "#" in each.query]


async def test_xml_that_is_labelled_html_is_read_by_its_root(autojump_clock, world):
    client = await world.ready()
    body = encode(world.tree["/dcap"], Edition.E2023)
    world.tree["/dcap"] = Response(200, (("content-type", "text/html; charset=utf-8"),), body)
    world.begin()
    await trio.sleep(3)
    assert client.snapshot()["state"] == "connected"


async def test_an_html_page_where_a_document_should_be_is_told_as_that(autojump_clock, world):
    client = await world.ready()
    world.tree["/dcap"] = Response(200, (("content-type", "text/html"),), b"<html><p>Welcome</p></html>")
    world.begin()
    await trio.sleep(3)
    assert "HTML" in client.snapshot()["last_error"]
