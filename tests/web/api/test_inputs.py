"""Inputs over REST, with a real device."""

import json

import pytest


async def test_a_post_changes_its_part_and_answers_the_whole(open_site):
    async with open_site() as site:
        body = b'{"irradiance_w_m2": 500, "voltage_pu": [1.0, 0.9, 1.1]}'
        changed = json.loads((await site("POST", "/api/dersim/inputs", body=body)).body)
        read = json.loads((await site("GET", "/api/dersim/inputs")).body)
    assert changed == read
    assert read["irradiance_w_m2"] == 500
    assert read["voltage_pu"] == [1.0, 0.9, 1.1]
    assert read["frequency_hz"] == 60
    assert read["source"] == "const"
    assert site.context.fleet.devices[0].inputs.at(0).irradiance_w_m2 == 500


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"frequency_hz": 5}', "/frequency_hz"),
        (b'{"voltage_pu": [1, 1]}', "/voltage_pu"),
        (b'{"voltage_pu": [1, 1, 3]}', "/voltage_pu/2"),
        (b'{"voltage_pu": "high"}', "/voltage_pu"),
        (b'{"irradiance_w_m2": true}', "/irradiance_w_m2"),
        (b'{"frequency_hz": NaN}', "/frequency_hz"),  # no JSON
        (b'{"frequency_hz": 59, "frequency_hz": 60}', "/frequency_hz"),
        (b'{"phase_rotation": 1}', "/phase_rotation"),
        (b'{"sunshine": 3}', "/sunshine"),
        (b'{"angle_deg": 200}', "/angle_deg"),
        (b'{"angle_deg": [0, 0]}', "/angle_deg"),
        (b'{"frequency_hz": 59, "rocof_hz_s": 0}', "/rocof_hz_s"),
        (b'{"source": "radio"}', "/source"),
    ],
)
async def test_values_out_of_range_change_nothing(open_site, body, pointer):
    async with open_site() as site:
        before = (await site("GET", "/api/dersim/inputs")).body
        answer = await site("POST", "/api/dersim/inputs", body=body)
        after = (await site("GET", "/api/dersim/inputs")).body
    assert answer.status == 400
    assert json.loads(answer.body)["errors"][0]["pointer"] == pointer
    assert before == after


async def test_angles_and_a_frequency_that_moves(open_site):
    async with open_site() as site:
        body = b'{"frequency_hz": 59, "rocof_hz_s": 0.5, "angle_deg": [0, -20, 0], "grid_lost": true}'
        read = json.loads((await site("POST", "/api/dersim/inputs", body=body)).body)
        lonely = await site("POST", "/api/dersim/inputs", body=b'{"rocof_hz_s": 0.5}')
    assert read["grid_lost"] is True
    assert (read["frequency_hz"], read["rocof_hz_s"], read["angle_deg"]) == (60, -0.5, [0, -20, 0])
    assert lonely.status == 400
    assert "frequency_hz" in json.loads(lonely.body)["detail"]


async def test_an_alarm_can_be_raised(open_site):
    async with open_site() as site:
        changed = json.loads(
            (await site("POST", "/api/dersim/inputs", body=b'{"emergency_local": true}')).body
        )
    assert changed["emergency_local"]
    assert not changed["emergency_remote"]
    assert site.context.fleet.devices[0].inputs.at(0).emergency_local


async def test_csv_without_a_profile_says_what_to_do(open_site):
    async with open_site() as site:
        answer = await site("POST", "/api/dersim/inputs", body=b'{"source": "csv"}')
        empty = await site("POST", "/api/dersim/inputs", body=b"{}")
    assert answer.status == 400
    assert "--dc_profile" in json.loads(answer.body)["detail"]
    assert empty.status == 400


async def test_the_iv_curve_runs_from_short_to_open_circuit(open_site):
    async with open_site() as site:
        site.context.fleet.devices[0].step(0.0)
        document = json.loads((await site("GET", "/api/dersim/dc-iv")).body)
    curve = document["curve"]
    assert curve[0]["v"] == 0
    assert curve[-1]["i"] == pytest.approx(0, abs=1e-6)
    assert max(point["p"] for point in curve) > 1000


async def test_what_a_user_sets_is_taken_from_the_grid_and_told(open_site):
    async with open_site() as site:
        site.context.fleet.devices[0].inputs.offer_grid(["voltage_pu"])
        before = json.loads((await site("GET", "/api/dersim/inputs")).body)
        taken = json.loads((await site("POST", "/api/dersim/inputs", body=b'{"voltage_pu": 1.05}')).body)
    assert (before["grid_source"], before["held_by_grid"]) == ("grid", ["voltage_pu"])
    assert (taken["grid_source"], taken["held_by_grid"]) == ("const", [])
    assert taken["offered_by_grid"] == ["voltage_pu"]
    told = [entry.message for entry in site.context.log.entries() if "inputs changed" in entry.message]
    assert told[0] == (
        "inputs changed over REST: voltage_pu=1.05; "
        "voltage_pu no longer from the grid, until grid_source is set to grid"
    )
