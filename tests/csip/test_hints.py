"""Advice about a refused request is given only where it can be true."""

import pytest
import trio

from dersim.csip.hints import hint
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, extensions
from dersim.ieee2030_5.extensions import SchemaExtension

HTML = (("content-type", "text/html"),)
PUT = b"<DERStatus/>"


def advice(status, body=b"", *, headers=(), sent=b"", edition=Edition.E2023, accepted=True):
    return hint(Response(status, headers, body), sent, edition, certificate_accepted=accepted)


def test_an_html_400_is_a_proxy_only_while_our_certificate_was_never_accepted():
    assert "proxy" in advice(400, headers=HTML, accepted=False)
    assert advice(400, headers=HTML, accepted=True) == ""


def test_a_400_that_names_what_2023_added_is_a_2018_server():
    assert "--csip-2018-compat" in advice(400, b"attribute 'schemaVer' is not allowed", sent=PUT)
    assert advice(400, b"attribute 'schemaVer' is not allowed", sent=PUT, edition=Edition.E2018) == ""


def test_a_500_to_a_body_of_2023_may_be_a_2018_server():
    assert "--csip-2018-compat" in advice(500, sent=PUT)
    assert advice(500, sent=PUT, edition=Edition.E2018) == ""
    assert advice(500) == ""
    assert advice(503, sent=PUT) == ""


def test_a_planted_fault_is_named_as_one_instead():
    headers = (("x-dersim-planted-fault", "#1 status 500"),)
    assert (
        advice(500, sent=PUT, headers=headers) == "the companion server has planted this: fault #1 status 500"
    )


@pytest.fixture
def extension():
    made = SchemaExtension("urn:test:ext", "opTest", ("DERSettings",), None, "PerCent", tell=lambda _modes: 1)
    extensions.register(made, "example")
    yield made
    extensions.unregister(made)


def test_a_400_to_a_body_with_a_plugins_elements_names_the_plugin(extension):
    sent = b'<DERSettings xmlns:e="urn:test:ext"><e:opTest>1</e:opTest></DERSettings>'
    assert "--without example" in advice(400, sent=sent)
    assert advice(400, sent=PUT) == ""
    assert advice(404, sent=sent) == ""


async def test_an_html_400_in_mid_session_does_not_blame_the_certificate(autojump_clock, world, tls_world):
    client = await tls_world.start(for_s=3)
    assert client.snapshot()["state"] == "connected"
    world.server.answers["GET", "/edev/1/fsa"] = Response(400, HTML, b"<html>Bad Request</html>")
    await trio.sleep(15)
    assert "400" in client.snapshot()["last_error"]
    assert "certificate" not in client.snapshot()["last_error"]


async def test_a_server_that_answers_500_to_puts_of_2023_gets_the_hint(autojump_clock, world):
    await world.ready()
    world.server.answers["PUT", "/edev/1/der/1/ders"] = Response(500)
    world.begin()
    await trio.sleep(5)
    assert world.logged("/edev/1/der/1/ders", "500", "--csip-2018-compat")
