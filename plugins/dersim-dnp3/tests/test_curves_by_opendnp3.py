"""A Volt-Var curve written by opendnp3, in the order in which other masters write one; Q follows it."""

from __future__ import annotations

import pytest

pytest.importorskip("opendnp3", reason="yadnp3 (opendnp3) is not installed: pip install 'dersim-dnp3[test]'")
from master import Master


def write(master, number, points):
    """Selector, type, units, points, and their number last."""
    cells = [(244, number), (245, 2), (247, 129), (248, 4)]
    cells += [(249 + place, value) for place, value in enumerate(v for point in points for v in point)]
    return {master.command(index, value) for index, value in (*cells, (246, len(points)))}


def test_a_volt_var_curve_is_written_and_q_follows(running):
    master = Master(running.dnp3)
    try:
        done = master.application.done
        master.until("its start", lambda: ("STARTUP_INTEGRITY_POLL", "SUCCESS") in done)
        assert write(master, 1, ((900, 300), (980, 0), (1020, 0), (1100, -300))) == {"SUCCESS"}
        assert [master.command(index, value) for index, value in ((217, 1), (218, 1))] == ["SUCCESS"] * 2
        running.post("dersim/inputs", {"voltage_pu": 1.06})
        assert master.command(29, True, select=True) == "SUCCESS"
        state = running.get("dersim/grid-support?model=705")["points"]
        assert (state["Ena"], state["Crv[0].Pt[3].V"]) == (1, 110)

        def q_var():
            return running.get("dersim/overview")["metrics"]["reactive_power_kvar"] * 1000

        master.until("half of the way down", lambda: abs(q_var() + 1500) < 20)
        values = master.integrity()
        assert values["AI541"][0] == pytest.approx(-1500, abs=20)
        assert (values["BI81"][0], values["AI297"], values["AI333"][0]) == (1, (1, True), 900)
        assert master.command(249, 910) == "AUTOMATION_INHIBIT"
        assert master.command(29, False) == "SUCCESS"
        master.until("no var", lambda: abs(q_var()) < 20)
    finally:
        running.post("dersim/inputs", {"voltage_pu": 1.0})
        master.close()
