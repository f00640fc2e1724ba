"""OpenDSS behind the feeder: a user's .dss file, controls with delays, solutions that are none."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from dersim_feeder.engine import Engine, NotConverged
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der

from dersim.plugin import ConfigError

MASTER = """
clear
new circuit.small basekv=12.47 pu=1.0 mvasc3=100 mvasc1=100
redirect lines.dss
new loadshape.day npts=24 interval=1 mult=(0.2 0.2 0.2 0.2 0.2 0.2 0.5 0.5 0.5 0.5 0.5 0.5 \
0.5 0.5 0.5 0.5 0.5 0.5 1 1 1 1 0.2 0.2)
new load.shaped bus1=low phases=3 kv=0.48 kw=100 pf=0.95 daily=day
new load.home bus1=home.1.2 phases=2 kv=0.208 kw=3
set voltagebases=[12.47 0.48 0.208]
calcvoltagebases
set mode=daily number=24
solve
"""
LINES = """
new line.trunk bus1=sourcebus bus2=reg r1=0.3 x1=0.6 length=2 units=mi
new transformer.vr phases=3 windings=2 buses=(reg out) conns=(wye wye) kvs=(12.47 12.47) \
kvas=(5000 5000) xhl=0.01
new regcontrol.vr transformer=vr winding=2 vreg=122 band=2 ptratio=60 delay=30 tapdelay=2
new line.far bus1=out bus2=end r1=0.3 x1=0.6 length=3 units=km
new transformer.low phases=3 windings=2 buses=(end low) conns=(delta wye) kvs=(12.47 0.48) \
kvas=(150 150) xhl=4
new transformer.ct phases=1 windings=3 buses=(end.2 home.1.0 home.0.2) kvs=(7.2 .12 .12) kvas=(25 25 25) \
xhl=2 xht=2 xlt=1.3
new capacitor.c1 bus1=end phases=3 kv=12.47 kvar=300
"""
MIDNIGHT_S = 1_700_006_400.0


@pytest.fixture
def master(tmp_path: Path) -> Path:
    folder = tmp_path / "feeder"
    folder.mkdir()
    (folder / "lines.dss").write_text(LINES)
    (folder / "master.dss").write_text(MASTER)
    return folder / "master.dss"


def opened(path: Path, *ders: Der):
    return open_feeder(str(path), ders or [Der(1, 3, 1e5)])


def solved(feeder, time_s: float, kw: float = 0.0, kvar: float = 0.0) -> np.ndarray:
    count = len(feeder.connections)
    return feeder.solve(time_s, np.full(count, kw), np.full(count, kvar), math.inf)


def test_a_master_file_is_read_from_its_folder_and_the_working_directory_stays(master, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    feeder = opened(master, Der(1, 3, 1e5), Der(2, 2, 1e4))
    assert Path.cwd() == tmp_path
    assert {each.bus for each in feeder.connections.values()} == {"low", "home"}
    assert feeder.buses["home"].split
    assert feeder.topology.km["low"] == pytest.approx(2 * 1.609344 + 3)
    assert feeder.topology.feeding["low"] == "low"
    assert {each.name: each.kva for each in feeder.topology.transformers}["ct"] == 25


def test_loads_with_a_daily_shape_follow_the_local_time(master):
    feeder = opened(master)
    imported = []
    for hour in (3.5, 12.5, 20.5):
        solved(feeder, MIDNIGHT_S + hour * 3600)
        imported.append(feeder.last.head_w / 1000)
    assert imported == pytest.approx([23, 53, 103], abs=4)


def test_a_regulator_acts_after_its_delay_and_step_by_step(master):
    feeder = opened(master)
    start_s = MIDNIGHT_S + 3600
    solved(feeder, start_s)

    def tap():
        return feeder._engine.circuit.RegControls.First and feeder._engine.circuit.RegControls.TapNumber

    taps = []
    for second in range(1, 60):
        solved(feeder, start_s + second, kw=-900.0)
        taps.append(tap())
    before = taps[0]
    moved = [second for second, each in enumerate(taps, 1) if each != before]
    assert 29 <= moved[0] <= 33
    assert len(set(taps)) > 2


def test_taps_are_kept_over_a_restart(master):
    feeder = opened(master)
    start_s = MIDNIGHT_S + 3600
    for second in range(60):
        solved(feeder, start_s + second, kw=-900.0)
    kept = json.loads(json.dumps(feeder.checkpoint()))
    again = opened(master)
    assert again.checkpoint()["controls"] != kept["controls"]
    again.restore(kept)
    assert again.checkpoint()["given"] == kept["given"]
    assert solved(again, start_s + 60, kw=-900.0) == pytest.approx(
        solved(feeder, start_s + 60, kw=-900.0), abs=1e-4
    )
    with pytest.raises(ConfigError, match="the kept state has other DERs"):
        opened(master, Der(1, 3, 1e5), Der(2, 3, 1e5)).restore(kept)
    with pytest.raises(ConfigError, match="the kept state is of another feeder"):
        open_feeder("bundled-30", [Der(1, 3, 1e5)]).restore(kept)


def test_a_regulator_keeps_its_delay_in_long_steps(master):
    feeder = opened(master)
    start_s = MIDNIGHT_S + 3600
    solved(feeder, start_s)
    solved(feeder, start_s + 1, kw=-900.0)
    v = solved(feeder, start_s + 300, kw=-900.0)
    again = opened(master)
    solved(again, start_s)
    for second in range(1, 301):
        w = solved(again, start_s + second, kw=-900.0)
    assert v == pytest.approx(w, abs=0.004)  # within one tap


def test_a_der_absorbs_as_well(master):
    feeder = opened(master)
    idle = solved(feeder, MIDNIGHT_S)[0]
    charging = solved(feeder, MIDNIGHT_S + 1, kw=-80.0)[0]
    injecting = solved(feeder, MIDNIGHT_S + 2, kw=0.0, kvar=50.0)[0]
    assert charging < idle - 0.002
    assert injecting > idle + 0.002
    solved(feeder, MIDNIGHT_S + 3, kw=10.0, kvar=50.0)
    assert feeder.last.head_var < 0


def test_a_split_phase_der_moves_both_legs_alike(master):
    feeder = opened(master, Der(1, 2, 1e4), Der(2, 1, 1e4))
    assert feeder.connections[2].bus == "low"
    before = solved(feeder, MIDNIGHT_S).reshape(-1, 3)[0]
    after = solved(feeder, MIDNIGHT_S + 1, kw=9.0).reshape(-1, 3)[0]
    assert after[0] == pytest.approx(after[1], abs=1e-3)
    assert after[0] > before[0] + 0.001


def test_what_collapses_is_no_solution_and_the_next_one_begins_anew(master):
    feeder = opened(master)
    good = solved(feeder, MIDNIGHT_S)
    with pytest.raises(Exception, match=r"no solution within|would have [0-9.e+na]+ pu"):
        solved(feeder, MIDNIGHT_S + 1, kw=-40_000.0)
    assert feeder.not_converged == 1
    assert feeder.last.time_s == MIDNIGHT_S
    assert solved(feeder, MIDNIGHT_S + 2) == pytest.approx(good, abs=1e-4)


def test_what_a_switch_cuts_off_is_an_open_end_and_comes_back(master):
    feeder = opened(master)
    low = list(feeder.buses["low"].rows)
    before = solved(feeder, MIDNIGHT_S)
    feeder._engine._command("open line.far 1")
    solved(feeder, MIDNIGHT_S + 1)
    assert feeder.last.voltage_pu[low].max() < 0.01
    feeder._engine._command("close line.far 1")
    assert solved(feeder, MIDNIGHT_S + 2) == pytest.approx(before, abs=1e-4)
    assert feeder.not_converged == 0


def test_voltages_that_the_ders_have_pulled_to_nothing_are_a_collapse(master, monkeypatch):
    feeder = opened(master)
    good = solved(feeder, MIDNIGHT_S, kw=10.0)
    engine = feeder._engine
    real = engine._pu

    def pulled_down():
        generators = engine.circuit.Generators
        assert generators.First
        return real() * (0.004 if generators.kW else 1.0)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "_pu", pulled_down)
        with pytest.raises(NotConverged, match=r"node \S+ would have 0\.00\d+ pu"):
            solved(feeder, MIDNIGHT_S + 1, kw=10.0)
    assert engine.circuit.Generators.kW == 10.0
    assert feeder.not_converged == 1
    assert solved(feeder, MIDNIGHT_S + 2, kw=10.0) == pytest.approx(good, abs=1e-4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no such file, or a folder; give a master file of OpenDSS"),
        ("new line.a bus1=x bus2=y", "OpenDSS: "),
        ("clear\n", "no circuit in it; give the master file"),
        ("clear\nnew circuit.x basekv=12\nredirect missing.dss\n", 'Redirect file not found: "missing.dss"'),
        ("clear\nnew circuit.x basekv=12\nnew lime.a\n", "OpenDSS: "),
        (
            "clear\nnew circuit.x basekv=12.47\nnew line.l bus1=sourcebus bus2=b length=1\n"
            "new load.l bus1=b kv=12.47 kw=9e6\nset voltagebases=[12.47]\ncalcvoltagebases\n",
            "check the feeder",
        ),
        (
            "clear\nnew circuit.x basekv=12.47\nnew line.l bus1=sourcebus bus2=b length=1\n",
            "no load in it, so no place for DERs; give a --feeder_map",
        ),
        (
            "clear\nnew circuit.x basekv=12.47\nnew line.l bus1=sourcebus bus2=b length=1\n"
            "new load.l bus1=alone kv=12.47 kw=9\n",
            "no bus with a load has a voltage without DERs; check the feeder",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_told_in_one_line(tmp_path, text, said):
    path = tmp_path / "master.dss"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        opened(path)
    told = str(caught.value)
    assert told.startswith(str(path))
    assert said in told
    assert "\n" not in told


def test_a_folder_is_no_master_file(tmp_path):
    with pytest.raises(ConfigError, match="no such file, or a folder; give a master file"):
        opened(tmp_path.rename(tmp_path.with_suffix(".dss")))


def test_no_der_is_where_there_is_no_voltage(master, tmp_path):
    master.write_text(MASTER.replace("set voltage", "new load.island bus1=alone kv=0.48 kw=3\nset voltage"))
    ders = [Der(number, 3, 1e4) for number in range(1, 7)]
    assert {each.bus for each in opened(master, *ders).connections.values()} == {"low"}
    (tmp_path / "map.csv").write_text("der,bus\n1,alone\n")
    with pytest.raises(ConfigError, match="bus alone of DER 1 has no voltage without DERs; check"):
        open_feeder(str(master), [Der(1, 3, 1e4)], map_path=tmp_path / "map.csv")


def test_another_name_is_told():
    with pytest.raises(
        ConfigError, match=r"--feeder bundled-3: not a \.dss or \.yaml file .* mean bundled-30\?"
    ):
        open_feeder("bundled-3", [])


def test_voltage_bases_that_the_file_does_not_set_are_those_of_its_transformers(tmp_path):
    text = MASTER.replace("set voltagebases=[12.47 0.48 0.208]\ncalcvoltagebases\n", "")
    (tmp_path / "lines.dss").write_text(LINES)
    (tmp_path / "master.dss").write_text(text.replace("set mode=daily number=24\nsolve\n", ""))
    engine = Engine.of_file(tmp_path / "master.dss")
    assert engine.buses()["home"].kv_ln == pytest.approx(0.12, abs=1e-4)
    assert engine.buses()["low"].kv_ln == pytest.approx(0.277, abs=1e-3)
