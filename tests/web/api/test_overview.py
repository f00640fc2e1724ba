"""The overview document, and that every answer is of the shape that its route declares."""

import json

import pytest

from dersim.hardware.state import Alarm, DcSide
from dersim.json_schema import SchemaBook, check
from dersim.pages.problems import ProblemDocument
from dersim.web.api import ROUTES, overview

GETS = [route for route in ROUTES if route.method == "GET" and route.content_type == "application/json"]


@pytest.mark.parametrize("site_name", ["dashboard", "csip_ui"])
@pytest.mark.parametrize("csip", [True, False])
async def test_every_answer_is_as_declared(open_site, site_name, csip):
    async with open_site(site_name, count=2, csip=csip) as site:
        site.context.fleet.step()
        site.context.log.log("Info", "CSIP", "GET /dcap 200", 1)
        for route in GETS:
            if site_name in route.sites:
                answer = await site("GET", route.path)
                assert (route.path, differences(route, answer)) == (route.path, [])


def differences(route, answer):
    """How an answer differs from what its route declares."""
    document = json.loads(answer.body)
    book = SchemaBook()
    if answer.status != 200:
        assert document["type"].rpartition(":")[2] in route.problems, route.path
        schema = book.of(ProblemDocument)
    else:
        schema = book.of(route.response)
    return check(schema, book.components, document)


async def test_the_overview_shows_the_state_of_the_device_asked_for(open_site):
    async with open_site(count=3) as site:
        document = json.loads((await site("GET", "/api/dersim/overview?device=2")).body)
    assert document["time"].endswith("Z")
    assert document["device"] == 2
    assert [entry["power_kw"] for entry in document["devices"]] == [8.001, 8.002, 8.003]
    metrics = document["metrics"]
    assert metrics["power_kw"] == 8.002
    assert metrics["reactive_power_kvar"] == -0.6
    assert metrics["voltage_ll_v"] == pytest.approx(480.2)
    assert metrics["voltage_ln_v"] == pytest.approx(277.2)
    assert metrics["current_a"] == pytest.approx(9.7)
    assert metrics["energy_exported_kwh"] == 3.0
    assert metrics["power_factor"] == pytest.approx(0.9972, abs=1e-3)
    assert metrics["soc_pct"] is None
    assert len(document["phases"]) == 3
    assert document["status"]["alarms"] == ["OVER_VOLTAGE", "LOW_POWER_INPUT"]
    assert document["status"]["inverter"] == "running"
    assert document["comm"] == {"csip": {"state": "connected", "detail": "fine"}}


async def test_each_dc_source_is_shown_by_itself(open_site):
    pv = DcSide("pv", 6000.0, 600.0, 10.0, 5820.0, 12_000.0, 0.0, 6100.0)
    battery = DcSide("battery", -3840.0, 400.0, -9.6, -4000.0, 2500.0, 7500.0, 8000.0)
    async with open_site() as site:
        site.context.fleet.step(dc_sides=(pv, battery), charge_available_w=4200.0)
        document = json.loads((await site("GET", "/api/dersim/overview")).body)
        page = (await site("GET", "/metrics")).body.decode()
    assert document["sources"] == [
        {
            "kind": "pv", "power_kw": 6.0, "voltage_v": 600.0, "current_a": 10.0, "ac_power_kw": 5.82,
            "available_power_kw": 6.1, "energy_delivered_kwh": 12.0, "energy_taken_kwh": 0.0,
        },
        {
            "kind": "battery", "power_kw": -3.84, "voltage_v": 400.0, "current_a": -9.6, "ac_power_kw": -4.0,
            "available_power_kw": 8.0, "energy_delivered_kwh": 2.5, "energy_taken_kwh": 7.5,
        },
    ]  # fmt: skip
    assert document["metrics"]["charge_available_power_kw"] == 4.2
    assert 'dersim_pv_power_watts{device="1"} 6000' in page
    assert 'dersim_battery_power_watts{device="1"} -3840' in page
    assert 'dersim_charge_available_watts{device="1"} 4200' in page


async def test_a_phase_without_voltage_is_left_out_of_the_means_and_listed(open_site):
    async with open_site() as site:
        site.context.fleet.step(
            voltage_ln_v=(120.0, 122.0, 0.0),
            voltage_ll_v=(242.0, 0.0, 0.0),
            current_a=(30.0, 32.0, 0.0),
        )
        document = json.loads((await site("GET", "/api/dersim/overview")).body)
    assert document["metrics"]["voltage_ln_v"] == 121.0
    assert document["metrics"]["voltage_ll_v"] == 242.0
    assert document["metrics"]["current_a"] == 31.0
    assert [each["voltage_ln_v"] for each in document["phases"]] == [120.0, 122.0, 0.0]


async def test_a_trip_and_a_dead_grid_show(open_site):
    async with open_site() as site:
        site.context.fleet.step(
            tripped=True,
            alarms=Alarm(0),
            p_w=0.0,
            s_va=0.0,
            voltage_ln_v=(0.0, 0.0, 0.0),
            voltage_ll_v=(0.0, 0.0, 0.0),
            current_a=(0.0, 0.0, 0.0),
        )
        document = json.loads((await site("GET", "/api/dersim/overview")).body)
    assert document["devices"][0]["state"] == "tripped"
    assert document["status"]["alarms"] == []
    assert document["metrics"]["power_factor"] is None
    assert document["metrics"]["current_a"] == 0


async def test_in_a_large_fleet_the_lines_of_all_are_made_once_for_all_who_ask(open_site, monkeypatch):
    looked = []
    entry = overview.entry
    monkeypatch.setattr(overview, "entry", lambda device: looked.append(device) or entry(device))
    async with open_site(count=60) as site:
        for k in (1, 2, 3):
            document = json.loads((await site("GET", f"/api/dersim/overview?device={k}")).body)
            assert document["metrics"]["power_kw"] == 8 + k / 1000
            assert len(document["devices"]) == 60
    assert len(looked) == 60
