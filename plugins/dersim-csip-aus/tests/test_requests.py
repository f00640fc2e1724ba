"""The plug-in's own requests, against a server of a few lines: ConnectionPoint and .well-known."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from dersim_csip_aus.connection_point import LATER_S, ConnectionPoints
from dersim_csip_aus.well_known import find_device_capability

from dersim.plugin import CsipAnswer, Extra, RemoteProtocolError

NS_12, NS_13 = "https://csipaus.org/ns", "https://csipaus.org/ns/v1.3"
NMI = "41020000002"


class Server:
    """Answers by method; what it was asked is in `asked`, what it was told in `told`."""

    def __init__(self, number=1, link=NS_12, **answers):
        self.device = SimpleNamespace(number=number)
        extra = () if link is None else (Extra(link, "ConnectionPointLink", SimpleNamespace(href="/cp")),)
        self.end_device = SimpleNamespace(extra=extra)
        self.answers = {"get": 404, "put": 201, "post": 201, **answers}
        self.asked, self.told, self.log = [], [], []

    def say(self, level, message):
        self.log.append((level, message))

    async def _answer(self, method, href, document=None):
        self.asked.append((method, href))
        self.told.append(document)
        answer = self.answers[method]
        if isinstance(answer, bytes):
            return CsipAnswer(200, answer, "application/sep+xml", None)
        return CsipAnswer(answer, b"", "", None)

    async def get(self, href):
        return await self._answer("get", href)

    async def put(self, href, document):
        return await self._answer("put", href, document)

    async def post(self, href, document):
        return await self._answer("post", href, document)


def tell(server, nmis=(NMI,)):
    return asyncio.run(ConnectionPoints(nmis).visit(server))


@pytest.mark.parametrize("namespace", [NS_12, NS_13])
def test_the_nmi_goes_to_the_link_in_the_namespace_of_the_link(namespace):
    server = Server(link=namespace)
    assert tell(server) is None
    assert server.asked == [("get", "/cp"), ("put", "/cp")]
    assert server.told[-1] == Extra(namespace, "ConnectionPoint", {"connectionPointId": NMI})


def test_a_server_that_takes_no_put_gets_a_post():
    server = Server(put=405)
    tell(server)
    assert server.asked == [("get", "/cp"), ("put", "/cp"), ("post", "/cp")]


def test_what_is_there_already_is_not_sent_again():
    server = Server(
        get=f"<ConnectionPoint><connectionPointId>{NMI}</connectionPointId></ConnectionPoint>".encode()
    )
    tell(server)
    assert server.asked == [("get", "/cp")]


def test_an_empty_connection_point_is_filled():
    server = Server(get=b"<ConnectionPoint><connectionPointId></connectionPointId></ConnectionPoint>")
    tell(server)
    assert server.asked[-1] == ("put", "/cp")


def test_a_refusal_is_a_warning():
    server = Server(put=422)
    tell(server)
    [(level, message)] = server.log
    assert (level, "422" in message, NMI in message) == ("Warning", True, True)


def test_after_an_error_of_the_server_it_is_sent_again():
    assert tell(Server(put=500)) == LATER_S
    assert tell(Server(put=409)) is None


def test_without_a_link_nothing_is_sent_the_log_says_so_once_and_it_is_looked_for_again():
    server, points = Server(link=None), ConnectionPoints((NMI,))
    for _ in range(3):
        assert asyncio.run(points.visit(server)) == LATER_S
    assert server.asked == []
    [(_, message)] = server.log
    assert "no ConnectionPointLink" in message


@pytest.mark.parametrize(("number", "nmi"), [(1, "A1"), (2, "B2"), (3, None)])
def test_each_der_has_its_own_nmi(number, nmi):
    server = Server(number=number)
    tell(server, ("A1", "B2"))
    assert [each.value["connectionPointId"] for each in server.told if each] == ([nmi] if nmi else [])


def find(body):
    return asyncio.run(find_device_capability(Server(get=body)))


def versions(*entries):
    return ('{"supportedSchemaVersions": {' + ", ".join(entries) + "}}").encode()


OLD, NEW = f'"{NS_12}": {{"dcap": ["/old"]}}', f'"{NS_13}": {{"dcap": ["/new", "/other"]}}'


def test_the_entry_of_our_own_namespace_is_taken():
    assert find(versions('"https://csipaus.org/ns/v9": {"dcap": ["/next"]}', OLD, NEW)) == "/new"


def test_without_the_document_the_flag_is_taken():
    assert find(404) is None


@pytest.mark.parametrize(
    "body",
    [
        versions(OLD),
        versions(f'"{NS_13}": {{"dcap": []}}'),
        versions(f'"{NS_13}": null'),
        versions(f'"{NS_13}": {{"dcap": "/text"}}'),
        b'{"supportedSchemaVersions": null}',
        b"[]",
    ],
)
def test_nothing_of_another_version_is_touched(body):
    with pytest.raises(RemoteProtocolError, match=r"has no DeviceCapability of https://csipaus.org/ns/v1\.3"):
        find(body)


def test_what_is_no_json_is_told():
    with pytest.raises(RemoteProtocolError, match="is not JSON"):
        find(b"<html>")
