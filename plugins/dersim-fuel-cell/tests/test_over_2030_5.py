"""Installed, and nothing else: a DER of the new type before a utility."""


def test_the_utility_sees_a_fuel_cell_and_limits_it(demo):
    with demo("--device_type", "FuelCell-3Phase") as running:
        mrid = running.publish(opModMaxLimW=30)
        running.until("warm, and at 30 %", lambda: abs(running.power_w() - 15_000) < 1)
        running.until("Responses", lambda: running.responses(mrid) == [1, 2])
        [device] = running.operate("GET", "end-devices").json()
        capability = device["der"]["capability"]
        assert capability["type"] == 3
        assert capability["rtgMaxW"] == {"multiplier": 1, "value": 5000}
        assert "rtgMaxWh" not in capability
        assert device["violations"] == 0


def test_it_cannot_charge(demo):
    with demo("--device_type", "FuelCell") as running:
        mrid = running.publish(opModFixedW=-50)
        running.until("Response 253", lambda: 253 in running.responses(mrid))
