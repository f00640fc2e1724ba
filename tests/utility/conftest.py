"""A companion server without sockets, on a clock that the test moves, and clients that need no TLS."""

import json

import pytest

from dersim.fences import Fences
from dersim.http11 import Request
from dersim.ieee2030_5 import Edition, decode, encode, identity
from dersim.json_schema import SchemaBook, check
from dersim.utility.admin import api
from dersim.utility.config import UtilityConfig
from dersim.utility.server import UtilityServer

T = 1_700_000_000.0


class Log:
    def __init__(self):
        self.lines = []

    def log(self, level, module, message, device=0):
        assert module == "Utility"
        self.lines.append(f"{level} {message}")


class Client:
    """One device: what it says, and what it is answered. certificate None: it comes without TLS."""

    def __init__(self, lab, certificate, edition=Edition.E2018):
        self.lab = lab
        self.certificate = certificate
        self.edition = edition
        self.lfdi = identity.lfdi(certificate) if certificate else None
        self.peer = "127.0.0.1:40000"

    def ask(self, method, target, body=b"", **headers):
        sent = {"host": "127.0.0.1", **{name.replace("_", "-"): value for name, value in headers.items()}}
        fields = tuple((name, value) for name, value in sent.items() if value is not None)
        return self.lab.server.answer(Request(method, target, fields, body, self.certificate, self.peer))

    def get(self, target, expected=None):
        """The resource; it must be valid in both editions, unless this client speaks 2023."""
        response = self.ask("GET", target)
        assert response.status == 200, response
        assert response.header("content-type") == "application/sep+xml"
        if self.edition is Edition.E2018 and b"schemaVer" not in response.body:
            assert decode(response.body, strict=True, edition=Edition.E2018).violations == ()
        return decode(response.body, expected, strict=True, edition=Edition.E2023).resource

    def send(self, method, target, resource):
        body = resource if isinstance(resource, bytes) else encode(resource, self.edition)
        return self.ask(method, target, body, content_type="application/sep+xml")

    def put(self, target, resource):
        return self.send("PUT", target, resource)

    def post(self, target, resource):
        return self.send("POST", target, resource)


class Lab:
    def __init__(self, *, fail_fast=True, **config):
        self.now = T
        self.log = Log()
        fences = Fences(self.log, fail_fast=fail_fast)
        self.server = UtilityServer(UtilityConfig(**config), lambda: self.now, self.log, fences)
        self.server.head_end.start()

    @property
    def head_end(self):
        return self.server.head_end

    def client(self, certificate=b"certificate of the first", edition=Edition.E2018):
        return Client(self, certificate, edition)

    def plain(self):
        return Client(self, None)

    def admin(self, method, path, data=None, **headers):
        body = b"" if data is None else json.dumps(data).encode()
        sent = {"host": "127.0.0.1:8444", "content-type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        fields = tuple((name, value) for name, value in sent.items() if value is not None)
        response = self.server.answer_admin(
            Request(method, f"/api/utility{path}", fields, body, None, "127.0.0.1:50000")
        )
        answer = json.loads(response.body)
        if response.status < 400:
            is_as_documented(method, f"/api/utility{path.partition('?')[0]}", answer)
        return response.status, answer


def is_as_documented(method, path, answer):
    """Every answer of every test has the shape that the OpenAPI document promises."""
    book = SchemaBook()
    schema = book.of(api.OWN.find(method, path).route.response)
    assert check(schema, book.components, answer) == []


@pytest.fixture
def make_lab():
    return Lab


@pytest.fixture
def lab():
    return Lab()


@pytest.fixture
def client(lab):
    return lab.client()
