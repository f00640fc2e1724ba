"""`from-modbus` of our own simulator makes an equal machine."""

import contextlib
import json
import random

import pytest
from tests.sunspec.conftest import Bench
from tests.twin.conftest import whole_map

from dersim.errors import ConfigError
from dersim.hardware.nameplate import nameplate_from_json
from dersim.setpoint_sources import SetpointSource
from dersim.twin.differences import is_measured

SOURCES = (SetpointSource.MODBUS, SetpointSource.REST, SetpointSource.OPERATOR)
TYPES = ("PV-1Phase", "PV-2Phase", "PV-3Phase", "Batt-1Phase", "Batt-3Phase", "HybridDC-3Phase")


def unequal(first, second):
    """The registers in which two benches differ, but for measurements, states and counters."""
    ours, theirs = whole_map(first), whole_map(second)
    assert list(ours) == list(theirs)
    return {
        f"{model}.{path}": (value, theirs[model, path])
        for (model, path), value in ours.items()
        if value != theirs[model, path] and not is_measured(model, path)
    }


async def twin_of(serve, bench):
    served = await serve(bench)
    twin = await served.twin()
    assert set(served.requests) == {3}, "only FC 3: nothing is written to a device"
    document = json.loads(json.dumps(twin.document))
    return twin, Bench(device_type=twin.device_type, nameplate=nameplate_from_json(document))


@pytest.mark.parametrize("kind", TYPES)
async def test_a_machine_as_it_comes_has_an_equal_twin(serve, kind):
    bench = Bench(device_type=kind)
    twin, other = await twin_of(serve, bench)
    assert twin.device_type == kind
    assert not {"settings", "modes", "registers"} & set(twin.document["dersim"]), "as a new machine"
    assert unequal(bench, other) == {}
    assert twin.differs == []
    assert twin.unread == []


SETTINGS = {
    "setMaxW": 9_000.3,
    "setMaxVA": 9_500,
    "setMaxVar": 4_000,
    "setMaxVarNeg": -3_900,
    "setMaxA": 11,
    "setMinPFOverExcited": 0.9,
    "setMinPFUnderExcited": 0.87,
    "setVRefOfs": -1.5,
    "setGradW": 12.5,
    "setESDelay": 61,
    "setESRandomDelay": 5,
    "setESRampTms": 70,
    "setESLowVolt": 90,
    "setESHighVolt": 106,
    "setESLowFreq": 59.2,
    "setESHighFreq": 60.2,
}
#: Over REST, as `POST /api/dersim/grid-support` does.
POINTS = (
    (702, {"VNom": 235}),
    (703, {"ESDlyTms": 33, "ESVHi": 104.5}),
    (704, {"WMaxLimPct": 55.5, "WMaxLimPctRvrt": 80, "WMaxLimPctRvrtTms": 0, "WMaxLimPctEna": 1}),
    (704, {"WSet": 4321, "WSetMod": 1, "WSetRvrt": 100, "WSetPct": 12.25}),
    (704, {"VarSetMod": 3, "VarSetPct": 12.5, "VarSetEna": 1, "VarSetRvrtTms": 900}),
    (704, {"PFWInj": {"PF": 0.95, "Ext": 1}, "PFWInjRvrt": {"PF": 0.97}, "AntiIslEna": 0}),
    (705, {"Crv": [{}, {"ActPt": 2, "Pt": [{"V": 91, "Var": 20}, {"V": 109, "Var": -20}], "RspTms": 9}]}),
    (705, {"Crv": [{}, {"DeptRef": 0, "VRefAutoEna": 1, "VRefAutoTms": 400, "VRef": 101}], "AdptCrvReq": 2}),
    (705, {"Ena": 1, "RvrtCrv": 3, "RvrtTms": 0}),
    (706, {"Crv": [{}, {}, {"ActPt": 3, "Pt": [{"V": 104, "W": 100}, {"V": 106, "W": 50}, {"V": 109}]}]}),
    (706, {"AdptCrvReq": 3}),
    (707, {"Crv": [{}, {"MustTrip": {"ActPt": 1, "Pt": [{"V": 66, "Tms": 1.5}]}, "MomCess": {"ActPt": 0}}]}),
    (707, {"AdptCrvReq": 2}),
    (708, {"Ena": 0}),
    (709, {"Crv": [{}, {"MustTrip": {"ActPt": 2, "Pt": [{"Hz": 56, "Tms": 0.2}, {"Hz": 58, "Tms": 290}]}}]}),
    (709, {"AdptCrvReq": 2, "Ena": 1}),
    (711, {"Ctl": [{}, {"DbOf": 0.05, "KOf": 0.04, "RspTms": 3, "PMin": -10}], "AdptCtlReq": 2, "Ena": 1}),
    (712, {"Crv": [{}, {"ActPt": 99}], "AdptCrvReq": 2}),
    (64415, {"SubscribedResource": "/edev/1"}),
)
OF_STORAGE = (
    (702, {"WChaRteMax": 7_000, "WDisChaRteMax": 8_000}),
    (124, {"WChaMax": 6_500, "StorCtl_Mod": 3, "InWRte": -10, "OutWRte": 50, "InOutWRte_RmpTms": 0}),
    (124, {"MinRsvPct": 20, "ChaGriSet": 0, "VAChaMax": 9_000}),
)


@pytest.mark.parametrize("kind", TYPES)
async def test_a_machine_with_other_settings_curves_and_set_points_has_an_equal_twin(serve, kind):
    bench = Bench(device_type=kind)
    bench.device.settings.update(SETTINGS)
    volts = bench.device.nameplate.rtgVNom
    for model, points in (*POINTS, *(OF_STORAGE if bench.device.nameplate.rtgMaxWh else ())):
        bench.server.apply_points(model, {"VNom": volts - 5} if "VNom" in points else points)
    bench.server.apply_points(123, {"Conn": 0})
    bench.wait(2)
    twin, other = await twin_of(serve, bench)
    assert unequal(bench, other) == {}
    assert twin.differs == []
    assert twin.unread == []


@pytest.mark.parametrize("kind", ["PV-3Phase", "Batt-3Phase"])
async def test_a_twin_acts_alike(serve, kind):
    bench = Bench(device_type=kind)
    for model, points in (
        (702, {"WMax": 9000, "VarMaxInj": 3000}),
        (705, {"Crv": [{}, {"ActPt": 2, "Pt": [{"V": 90, "Var": 30}, {"V": 110, "Var": -30}]}]}),
        (705, {"AdptCrvReq": 2, "Ena": 1}),
        (704, {"WSetPct": 70, "WSetEna": 1}),
        (711, {"Ena": 1}),
    ):
        bench.server.apply_points(model, points)
    bench.wait(30)
    _, other = await twin_of(serve, bench)
    other.wait(30)
    for grid in (
        {},
        {"voltage_pu": 1.06},
        {"frequency_hz": 60.4},
        {"voltage_pu": 0.95, "frequency_hz": 59.7},
    ):
        for each in (bench, other):
            each.device.inputs.set(**grid)
            each.wait(30)
        assert other.state.p_w == pytest.approx(bench.state.p_w, abs=1)
        assert other.state.q_var == pytest.approx(bench.state.q_var, abs=1)
    assert bench.state.q_var != 0


#: What is no setting: the reset of alarms, the operator's stop, heartbeats, the bench's grid and weather.
COMMANDS = {"715.AlarmReset", "715.OpCtl", "715.ControllerHb", "802.AlmRst", "802.SetInvState", "802.CtrlHb"}
LIKELY = {
    "Ena": (0, 1),
    "ActPt": (0, 1, 2, 3),
    "Tms": (0.2, 2, 60),
    "V": (88, 95, 103, 110),
    "Hz": (58, 61, 62),
}


def scramble(bench, rng, writes):
    """Write points at random, each alone, and then adopt: what is refused is left as it is."""
    points = [
        (block.model_id, point)
        for block in bench.unit.blocks
        for point in block.layout.points
        if point.writable and block.model.writable(point.path) and block.model_id != 64414
        if f"{block.model_id}.{point.path}" not in COMMANDS | {"1.DA"}
    ]
    accepted = 0
    for _ in range(writes):
        model, point = rng.choice(points)
        now = bench.unit.block(model).shown()[point.path]
        if point.is_text:
            value = rng.choice(("", "/edev/7"))
        elif point.symbols:
            value = rng.choice(sorted(point.symbols))
        else:
            tail = next((values for end, values in LIKELY.items() if point.path.endswith(end)), None)
            value = (
                rng.choice(tail)
                if tail
                else round((now or 0) * rng.uniform(0.7, 1.05), 3) or rng.randrange(9)
            )
        if "RvrtTms" in point.path:
            value = 86_000 if "_" not in point.path else 0
        with contextlib.suppress(ConfigError):
            bench.server.apply_points(model, {point.path: value}, rng.choice(SOURCES))
            accepted += 1
    return accepted


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_was_written_the_twin_is_equal(serve, seed):
    rng = random.Random(seed)
    bench = Bench(device_type=TYPES[seed % len(TYPES)])
    assert scramble(bench, rng, 400) > 100
    bench.wait(2)
    twin, other = await twin_of(serve, bench)
    assert unequal(bench, other) == {}
    assert twin.unread == []
