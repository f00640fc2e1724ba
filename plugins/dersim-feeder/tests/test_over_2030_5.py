"""Installed, and nothing else: a utility publishes a Volt-Var curve, and the feeder's voltages come down."""

import httpx

CURVE = {
    "curve": [[92, 60], [98, 0], [99, 0], [101, -100]],
    "y_ref_type": 2,
    "open_loop_s": 5,
}


# The story of the feeder's demo has the clients poll every 300 s.
SCENARIO = """
poll_rates: {dcap: 5, edev: 5, fsa: 5, derp: 5, der: 5, mup: 5}
programs: [{name: system, primacy: 89}, {name: operator, primacy: 1}]
"""


def volts(running, number):
    answer = httpx.get(f"{running.api}/inputs", params={"device": number}, timeout=10, trust_env=False)
    return answer.raise_for_status().json()["voltage_pu"]


def highest(running):
    return max(max(each) if isinstance(each, list) else each for each in (volts(running, n) for n in (1, 6)))


def test_a_curve_by_der_control_lowers_the_voltage(demo, tmp_path):
    scenario = tmp_path / "scenario.yaml"
    scenario.write_text(SCENARIO)
    with demo("--feeder", "bundled-30", "-N", "6", "--scenario", str(scenario)) as running:
        assert running.see("inputs")["grid_source"] == "grid"
        assert "bundled-30" in running.see("overview")["comm"]["grid feeder"]["detail"]
        running.until("the sun", lambda: running.power_w() > 6500)
        before = highest(running)
        assert before > 1.02
        mrid = running.publish(opModVoltVar=CURVE)
        running.until("a lower voltage", lambda: highest(running) < before - 0.002)
        running.until("the responses of six DERs", lambda: running.responses(mrid).count(2) == 6)
