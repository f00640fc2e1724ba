"""The CSIP client over REST, on both web sites."""

import json

import pytest

from dersim.errors import ConfigError, DersimError
from dersim.plugin.services import CsipService


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
async def test_the_snapshot_names_every_client_of_the_fleet(open_site, site_name):
    async with open_site(site_name, count=2) as site:
        document = json.loads((await site("GET", "/api/dersim/csip-client")).body)
    assert document["state"] == "connected"
    assert document["active_controls"][0]["modes"] == {"opModMaxLimW": 40.0}
    assert [(each["device"], each["active_controls"]) for each in document["devices"]] == [(1, 1), (2, 1)]


async def test_without_csip_the_state_is_disabled_and_actions_conflict(open_site):
    async with open_site(csip=False) as site:
        document = json.loads((await site("GET", "/api/dersim/csip-client")).body)
        answer = await site("POST", "/api/dersim/csip/rediscover")
    assert document["state"] == "disabled"
    assert answer.status == 409
    assert "--csip_client_enable yes" in json.loads(answer.body)["hint"]


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
@pytest.mark.parametrize(
    ("path", "body", "asked"),
    [
        ("rediscover", b"", ("rediscover",)),
        ("opt-out", b'{"mRID": "c513"}', ("opt_out", "C513")),
        ("opt-in", b'{"mRID": "C513"}', ("opt_in", "C513")),
        ("log-event-burst", b"", ("burst", "Abnormal", 5, 5)),
        (
            "log-event-burst",
            b'{"alarm_status": "Abnormal", "interval": 5, "count": 10}',
            ("burst", "Abnormal", 5, 10),
        ),
        ("log-event-burst", b'{"alarm_status": 6, "interval": 0.5}', ("burst", 6, 0.5, 5)),
    ],
)
async def test_actions_reach_the_client(open_site, site_name, path, body, asked):
    async with open_site(site_name) as site:
        answer = await site("POST", f"/api/dersim/csip/{path}", body=body)
    assert answer.status == 202
    assert site.client.asked == [asked]


async def test_actions_reach_the_client_of_the_device_named(open_site):
    async with open_site(count=2) as site:
        await site("POST", "/api/dersim/csip/rediscover?device=2")
    assert site.client.asked == []
    assert site.context.service(CsipService, 2).asked == [("rediscover",)]


@pytest.mark.parametrize(
    ("path", "body", "status", "refusal"),
    [
        ("log-event-burst", b"{}", 409, DersimError),
        ("log-event-burst", b"{}", 400, ConfigError),
        ("opt-out", b'{"mRID": "AA"}', 404, ConfigError),
    ],
)
async def test_a_refusal_of_the_client_is_told(open_site, path, body, status, refusal):
    async with open_site() as site:
        site.client.refusal = refusal
        site.client.refuse = "the server has no LogEventList"
        answer = await site("POST", f"/api/dersim/csip/{path}", body=body)
    assert answer.status == status
    assert json.loads(answer.body)["detail"] == "the server has no LogEventList"


@pytest.mark.parametrize(
    "body", [b'{"alarm_status": "Loud"}', b'{"count": 1.5}', b'{"interval": -1}', b'{"alarm_status": true}']
)
async def test_a_burst_of_nonsense_is_refused(open_site, body):
    async with open_site() as site:
        answer = await site("POST", "/api/dersim/csip/log-event-burst", body=body)
    assert answer.status == 400
    assert site.client.asked == []
