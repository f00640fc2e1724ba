"""What a nameplate brings for the registers: settings, modes in force, and what is stored."""

import json

import pytest

from dersim.errors import ConfigError
from dersim.hardware.nameplate import bundled, nameplate_from_json
from dersim.plugin.builtin import FUNCTION_TYPES

TEN_KW = json.loads(bundled("10kW-3Phase").read_text(encoding="utf-8"))
CURVE = {"curve": [[92, 30], [97, 0], [103, 0], [107, -30]], "y_ref_type": 2, "open_loop_s": 7}


def plate(anti_islanding=1, **more):
    document = {**TEN_KW, "dersim": {**TEN_KW["dersim"], **more}, "704": {"AntiIslEna": anti_islanding}}
    return nameplate_from_json(document)


def test_settings_and_modes_of_the_nameplate_show_in_the_registers(make_bench):
    bench = make_bench(
        nameplate=plate(
            settings={"setMaxW": 8000, "setESDelay": 60, "setVNom": 470},
            modes={"opModMaxLimW": 60, "opModVoltVar": CURVE},
            anti_islanding=0,
        )
    )
    shown = [bench.read(model, path) for model, path in ((702, "WMax"), (121, "WMax"), (703, "ESDlyTms"))]
    assert shown == [8000, 8000, 60]
    assert (bench.read(121, "VRef"), bench.read(704, "AntiIslEna")) == (470, 0)
    assert (bench.read(704, "WMaxLimPct"), bench.read(704, "WMaxLimPctEna")) == (60, 1)
    assert (bench.read(705, "Ena"), bench.read(705, "Crv[0].Pt[0].Var")) == (1, 30)
    assert bench.state.p_w <= 4800 + 1


def test_stored_registers_show_and_do_not_act(make_bench):
    stored = {
        "704": {"WSet": 5000, "WSetMod": 1, "WMaxLimPctRvrtTms": 30},
        "705": {"Crv": [{}, {"ActPt": 2, "Pt": [{"V": 91, "Var": 20}, {"V": 105, "Var": 0}]}], "RvrtCrv": 2},
        "123": {"VArMaxPct": 7, "Conn_RvrtTms": 12},
    }
    bench = make_bench(nameplate=plate(registers=stored))
    assert (bench.read(704, "WSet"), bench.read(704, "WSetEna")) == (5000, 0)
    assert bench.read(704, "WMaxLimPctRvrtTms") == bench.read(123, "WMaxLimPct_RvrtTms") == 30
    assert (bench.read(705, "Crv[1].Pt[0].V"), bench.read(705, "RvrtCrv"), bench.read(705, "Ena")) == (
        91,
        2,
        0,
    )
    assert bench.read(123, "Conn_RvrtTms") == 12
    assert not bench.device.setpoints.values()
    assert bench.write(705, Ena=1, AdptCrvReq=2) == 0
    assert bench.device.setpoints.value("opModVoltVar").points == ((91, 20), (105, 0))


def test_an_enable_written_to_0_ends_what_the_nameplate_put_in_force(make_bench):
    bench = make_bench(
        nameplate=plate(modes={"opModMaxLimW": 60, "opModVoltVar": CURVE, "opModConnect": False})
    )
    assert bench.read(123, "Conn") == 0
    assert [bench.write(704, WMaxLimPctEna=0), bench.write(705, Ena=0), bench.write(123, Conn=1)] == [0, 0, 0]
    assert (bench.read(704, "WMaxLimPctEna"), bench.read(705, "Ena"), bench.read(123, "Conn")) == (0, 0, 1)
    assert not bench.device.setpoints.values()


def test_registers_of_a_function_that_is_left_out_are_left_out(make_bench):
    stored = {
        "705": {"RvrtCrv": 2},
        "704": {"VarSet": 100, "WSet": 5000},
        "124": {"InWRte": 50},
        "123": {"VArMaxPct": 7, "Conn_RvrtTms": 12},
    }
    functions = [
        kind
        for kind in FUNCTION_TYPES
        if not {"opModVoltVar", "opModFixedVar", "opModTargetVar"} & set(kind.modes)
    ]
    bench = make_bench(nameplate=plate(registers=stored), functions=functions)
    assert (bench.read(704, "WSet"), bench.read(704, "VarSet")) == (5000, None)
    assert 705 not in [block.model_id for block in bench.unit.blocks]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"settings": {"setMaxW": 11_000}}, r"/dersim/settings/setMaxW: 11000 is .*10000"),
        ({"settings": {"setMaxKW": 1}}, r"setMaxKW is not known; did you mean setMaxW\?"),
        ({"settings": {"setMaxW": "much"}}, r"'much' is not a number"),
        ({"settings": 5}, r"5 is not an object"),
        ({"registers": {"705": 3}}, r"3 is not an object"),
        ({"registers": {"705": {"Crv[1].Pt[99].V": 1}}}, r"/dersim/registers/705: model 705 has no point"),
        (
            {"registers": {"704": {"WMaxLimPct": 900}}},
            r"/dersim/registers/704: 704\.WMaxLimPct: 900 is outside",
        ),
        ({"registers": {"704": {"AntiIslEna": 0}}}, r"model 704 stores no AntiIslEna"),
        ({"registers": {"702": {"WMax": 5}}}, r"model 702 stores no WMax"),
        ({"registers": {"705": {"Crv[0].ActPt": 0}}}, r"/dersim/registers/705: ActPt: 0 is not 1 to 10"),
        ({"registers": {"805": {"X": 5}}}, r"has no model 805"),
    ],
)
def test_what_cannot_be_is_told_before_the_first_request(make_bench, more, error):
    with pytest.raises(ConfigError, match=error):
        make_bench(nameplate=plate(**more))
