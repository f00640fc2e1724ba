"""The OpenAPI document of the admin port, its page, and that every address answers as documented."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dersim.http11 import Request
from dersim.json_schema import SchemaBook, check
from dersim.utility.admin import api


def ask(lab, target, method="GET"):
    return lab.server.answer_admin(Request(method, target, (("host", "localhost"),), b"", None, ""))


def test_the_document_is_valid_openapi_31_and_lists_every_address(lab):
    response = ask(lab, "/openapi.json")
    assert (response.status, response.header("content-type")) == (200, "application/json")
    document = json.loads(response.body)
    OpenAPIV31SpecValidator(document).validate()
    listed = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert listed == {(route.method, route.path) for route in api.ROUTES}
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))
    assert "/api/dersim" not in response.body.decode()


def test_the_contracts_addresses_are_there():
    known = {(route.method, route.path.removeprefix("/api/utility")) for route in api.ROUTES}
    for path, methods in {
        "/programs": "GET POST",
        "/programs/{id}": "GET PUT DELETE",
        "/programs/{id}/default-control": "GET PUT DELETE",
        "/programs/{id}/controls": "GET POST",
        "/controls/{mRID}": "GET DELETE",
        "/end-devices": "GET POST",
        "/end-devices/{lfdi}": "GET PUT DELETE",
        "/groups": "GET POST",
        "/faults": "GET POST",
        "/faults/{id}": "GET DELETE",
        "/poll-rates": "GET PUT",
        "/requests": "GET",
    }.items():
        assert {(method, path) for method in methods.split()} <= known


def test_every_path_parameter_is_declared():
    for route in api.ROUTES:
        named = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
        assert [query.name for query in route.path_parameters] == named


@pytest.mark.parametrize(
    "route",
    [route for route in api.ROUTES if route.request],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_the_example_of_every_body_has_the_shape_that_is_documented(route):
    book = SchemaBook()
    assert check(book.of(route.request), book.components, route.example) == []


@pytest.mark.parametrize("name", ["", "..", "../app.py", "../../../admin/app.py", "%00", "none.js"])
def test_nothing_else_is_served_as_a_file(lab, name):
    assert ask(lab, f"/static/{name}").status == 404


@pytest.mark.parametrize("route", api.ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_address_refuses_what_it_does_not_know_in_one_line(lab, route):
    path = route.path.removeprefix("/api/utility")
    for parameter in route.path_parameters:
        path = path.replace(f"{{{parameter.name}}}", "no such")
    if route.request is None and not route.path_parameters:
        path = f"{path}?tea=1"
    status, problem = lab.admin(route.method, path, None if route.request is None else {"tea": 1})
    assert status in (400, 404, 409)
    assert problem["type"].startswith("urn:dersim:problem:")
    assert "\n" not in problem["detail"] + problem["hint"]
    assert problem["detail"]
    assert problem["hint"]


def test_a_method_that_an_address_does_not_have_names_those_that_it_has(lab):
    response = ask(lab, "/api/utility/programs/1", "POST")
    assert (response.status, response.header("allow")) == (405, "GET, HEAD, PUT, DELETE")
