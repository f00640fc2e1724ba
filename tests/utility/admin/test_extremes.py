"""Every number of the admin REST at its extremes: never a 500, never a document or a view that breaks."""

import itertools
import json
import os

import pytest
from tests.fuzz import bodies

from dersim.http11 import Request
from dersim.ieee2030_5 import Edition, decode
from dersim.utility.admin import api

CURVE = {"mode": "opModVoltVar", "value": {"curve": [[92, 44], [108, -44]]}}
ORDER = {"modes": {"opModMaxLimW": 60}, "duration_s": 60}
VIEWS = ("programs", "controls", "groups", "end-devices", "programs/2/curves", "requests", "poll-rates")
DOCUMENTS = ("/derp?l=255", "/derp/2/derc?l=255", "/derp/2/dderc", "/derp/2/dc?l=255", "/edev?l=9", "/tm/2")
#: A sample runs every day; DERSIM_EXTREMES_SAMPLED=1 runs all.
SAMPLED = int(os.environ.get("DERSIM_EXTREMES_SAMPLED", "23"))


def cases():
    for case, extreme in itertools.product(bodies.rest_cases(api.OWN.document()), bodies.EXTREMES):
        if not case.path.endswith("/faults"):
            yield case, extreme


def make(make_lab):
    """A server with one of everything that an id in a path can name, and a client."""
    lab = make_lab()
    client = lab.client()
    client.get("/dcap")
    lab.admin("POST", "/groups", {"name": "g", "level": "feeder", "time": {}, "patterns": ["*"]})
    lab.admin("POST", "/programs/2/curves", CURVE)
    mrid = lab.admin("POST", "/programs/2/controls", ORDER)[1]["mRID"]
    ids = {"{id}": "2", "{curve}": "1", "{mRID}": mrid, "{lfdi}": client.lfdi}
    return lab, client, ids


def ask(lab, method, path, body):
    fields = (("host", "localhost"), ("content-type", "application/json"))
    response = lab.server.answer_admin(Request(method, path, fields, body, None, ""))
    json.loads(response.body, parse_constant=pytest.fail)
    return response.status


def test_no_number_breaks_anything(make_lab):
    lab, client, ids = make(make_lab)
    accepted = 0
    for index, (case, extreme) in enumerate(cases()):
        if index % SAMPLED:
            continue
        path, query = case.path, case.query.replace(bodies.HOLE, extreme)
        for name, value in ids.items():
            path = path.replace(name, value)
        target = f"{path}?{query[:2000]}" if query else path
        status = ask(lab, case.method, target, case.text(extreme) if case.body is not None else b"")
        assert status < 500, (case, extreme)
        if status < 300 and case.method != "GET":
            accepted += 1
            look(lab, client)
            lab, client, ids = make(make_lab)
    assert accepted > 3


def look(lab, client):
    """Every view has the documented shape; every document is valid, or gone."""
    for view in VIEWS:
        assert lab.admin("GET", f"/{view}")[0] in (200, 404)
    for target in DOCUMENTS:
        response = client.ask("GET", target)
        assert response.status in (200, 404), (target, response)
        if response.status == 200:
            assert decode(response.body, strict=True, edition=Edition.E2023).violations == ()
