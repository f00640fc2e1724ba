"""What masters have written outlives a restart: set-points that do not act, curves, choices, timers."""

from __future__ import annotations

import json

import pytest
from dersim_dnp3.see import DNP3
from one_der import OneDer
from py1815.control import CommandStatus

from dersim import setpoint_sources

OK = CommandStatus.SUCCESS


@pytest.fixture(autouse=True)
def source():
    setpoint_sources.register(DNP3)  # as where the plug-in is loaded


def restarted(der: OneDer) -> OneDer:
    """Another process with the checkpoint of this DER and its outstation."""
    document = json.loads(json.dumps([der.device.checkpoint(), der.station.checkpoint()]))
    later = OneDer()
    later.clock.time_s = der.clock.time_s
    assert later.device.restore(document[0]) == []
    later.station.restore(document[1])
    return later


def all_shown(der: OneDer) -> dict[str, float | bool | None]:
    outputs = {f"{each.kind.value}{each.index}" for each in der.station.outputs}
    return {point: der.read(point) for point in sorted(outputs)}


def test_an_outstation_goes_on_as_it_was():
    der = OneDer()
    curve = [(245, 2), (246, 2), (247, 129), (248, 4), (249, 950), (250, 300), (251, 1050), (252, -300)]
    commands = {"AO244": 7} | {f"AO{index}": value for index, value in curve}
    commands |= {"AO217": 7, "AO218": 3, "AO88": 40, "AO85": 600, "AO4": 2, "AO449": 5000, "AO482": 1000}
    commands |= {"BO4": False, "BO29": True, "BO17": True, "BO47": True, "BO12": False}
    assert {der.command(point, value) for point, value in commands.items()} == {OK}
    later = restarted(der)
    assert all_shown(later) == all_shown(der)
    assert (later.read("AI297"), later.read("AI149")) == (7, 40)
    assert later.command("AO249", 940) is CommandStatus.AUTOMATION_INHIBIT
    assert later.command("BO2", True) is CommandStatus.BLOCKED
    later.wait(601)
    assert (later.read("BI69"), later.read("BI81")) == (False, True)


def test_a_stop_ends_at_its_time():
    der = OneDer()
    der.command("AO15", 60)
    assert der.command("BO2", True) is OK
    der.wait(20)
    later = restarted(der)
    later.wait(30)
    later.station.timers.run_due()
    assert not later.device.permitted
    later.wait(11)
    later.station.timers.run_due()
    assert later.device.permitted


def test_a_droop_keeps_whether_its_least_power_was_written():
    der = OneDer("Batt-3Phase")
    der.command("BO16", True)
    first = der.device.setpoints.value("opModFreqDroop")
    document = json.loads(json.dumps(der.station.checkpoint()))
    der.station.restore(document)
    der.command("BO16", True)
    assert der.device.setpoints.value("opModFreqDroop") == first
    der.command("AO482", 0)
    der.station.restore(json.loads(json.dumps(der.station.checkpoint())))
    der.command("BO16", True)
    assert der.device.setpoints.value("opModFreqDroop").p_min_w == pytest.approx(0)
