"""Installed, and nothing else: the setting over REST, and a grid that is high for ten minutes."""

import httpx


def post(running, path, body):
    answer = httpx.post(f"{running.api}/{path}", json=body, timeout=10, trust_env=False)
    assert answer.status_code == 200, answer.text


def test_a_high_grid_trips_it(demo):
    with demo() as running:
        assert running.until("the sun", lambda: running.power_w() > 3000)
        post(running, "setpoints", {"modes": {"setMeanHighVolt": 101}})
        post(running, "inputs", {"voltage_pu": 1.09})
        running.until("the trip", lambda: running.power_w() == 0)
        rules = {line["mode"]: line for line in running.see("setpoints")["in_force"]}
        assert rules["setMeanHighVolt"]["value"] == 101
