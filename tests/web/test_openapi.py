"""The OpenAPI document: valid, complete, and of the shapes that are checked."""

import json

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from dersim.pages.openapi import openapi
from dersim.pages.problems import PROBLEM_TYPES
from dersim.web.api import ROUTES


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
async def test_the_document_is_valid_openapi_31_and_lists_every_address(open_site, site_name):
    async with open_site(site_name) as site:
        document = json.loads((await site("GET", "/openapi.json")).body)
    OpenAPIV31SpecValidator(document).validate()
    listed = {(m.upper(), path) for path, methods in document["paths"].items() for m in methods}
    assert listed == {(route.method, route.path) for route in ROUTES if site_name in route.sites}


def test_operation_ids_are_unique():
    document = openapi(ROUTES, "dashboard")
    ids = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert len(ids) == len(set(ids))


def test_the_contracts_addresses_are_there():
    paths = {(route.method, route.path) for route in ROUTES}
    for name in ("csip-client", "overview", "setpoints", "inputs", "logs", "history", "devices", "commands"):
        assert ("GET", f"/api/dersim/{name}") in paths
    for name in ("inputs", "commands", "stop", "csip/rediscover", "csip/opt-out", "csip/opt-in"):
        assert ("POST", f"/api/dersim/{name}") in paths
    for name in (
        "end-devices",
        "der-capability",
        "der-settings",
        "der-status",
        "controls",
        "default-control",
    ):
        assert ("GET", f"/api/csip/{name}") in paths


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_declared_problems_exist(route):
    assert set(route.problems) <= set(PROBLEM_TYPES)
