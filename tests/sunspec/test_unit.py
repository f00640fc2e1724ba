"""The register map: marker, chain, borders, types, and what the definitions demand."""

import struct

import pytest

from dersim.errors import ConfigError, PluginError
from dersim.plugin.builtin import DEVICE_TYPES
from dersim.sunspec.definitions import definition
from dersim.sunspec.exceptions import ModbusRefusal

KINDS = [kind.name for kind in DEVICE_TYPES]


def chain(unit):
    """(model, length) all along, as a client finds them, and the address of the end mark."""
    assert unit.read(40000, 2) == b"SunS"
    address, found = 40002, []
    while (header := struct.unpack(">HH", unit.read(address, 2)))[0] != 0xFFFF:
        found.append(header)
        address += header[1] + 2
    assert header == (0xFFFF, 0)
    return found, address


@pytest.mark.parametrize("kind", KINDS)
def test_the_chain_begins_with_model_1_and_rises_to_the_end_mark(make_bench, kind):
    unit = make_bench(device_type=kind).unit
    found, _ = chain(unit)
    models = [model for model, _ in found]
    assert models[0] == 1
    assert models == sorted(models)
    assert {701, 702, 703, 704, 705, 706, 707, 708, 709, 710, 711, 712, 713, 714, 715} <= set(models)
    assert (802 in models) == kind.startswith(("Batt", "Hybrid"))
    assert 160 in models
    assert (124 in models) == kind.startswith(("Batt", "Hybrid"))
    assert {120, 121, 122, 123, 64414, 64415} <= set(models)
    assert {101, 102, 103} & set(models) == {100 + unit.block(701).model.view.plate.phases}


def test_the_lengths_are_those_of_the_definitions(bench):
    lengths = dict(chain(bench.unit)[0])
    # L counted by hand from the SunSpec tables: fixed points plus repeating groups.
    assert lengths[1] == 66
    assert lengths[103] == 50
    assert lengths[160] == 8 + 20
    assert lengths[701] == 153
    assert lengths[702] == 50
    assert lengths[703] == 17
    assert lengths[704] == 65
    assert lengths[705] == 13 + 3 * (10 + 10 * 2)
    assert lengths[706] == 13 + 3 * (5 + 10 * 2)
    assert lengths[707] == 7 + 3 * (1 + 3 * (1 + 10 * 3))
    assert lengths[709] == 7 + 3 * (1 + 3 * (1 + 10 * 4))
    assert lengths[711] == 12 + 3 * 10
    assert lengths[712] == 12 + 3 * (4 + 10 * 2)
    assert lengths[714] == 18 + 25
    assert lengths[64415] == 68


@pytest.mark.parametrize("kind", ["PV-3Phase", "Batt-3Phase"])
def test_every_point_that_1547_asks_for_is_there(make_bench, kind):
    unit = make_bench(device_type=kind).unit
    missing = [
        f"{block.model_id}.{point.path}"
        for block in unit.blocks
        for point in block.layout.points
        if point.tagged and block.shown()[point.path] is None
    ]
    # The names of an empty option string and of the points of 1547 that only a text can be.
    assert missing == []


def test_counts_are_never_zero(bench):
    for block in bench.unit.blocks:
        for path, value in block.shown().items():
            if path.rsplit(".", 1)[-1] in ("NPt", "NCrv", "NCrvSet", "NCtl", "NPrt", "N"):
                assert value > 0, f"{block.model_id}.{path}"


@pytest.mark.parametrize("model", [1, 101, 103, 120, 121, 122, 123, 701])
def test_mandatory_points_of_legacy_models_are_there(make_bench, model):
    bench = make_bench(device_type="PV-1Phase" if model == 101 else "PV-3Phase")
    shown = bench.unit.block(model).shown()
    wanted = [p["name"] for p in definition(model)["group"]["points"] if p.get("mandatory") == "M"]
    assert [name for name in wanted if shown[name] is None] == []


def test_reads_cross_models_and_start_anywhere(bench):
    unit = bench.unit
    whole = b"".join(unit.read(address, 1) for address in range(40000, 40200))
    for start, count in ((40000, 3), (40001, 70), (40067, 5), (40069, 2), (40100, 100), (40000, 125)):
        assert unit.read(start, count) == whole[(start - 40000) * 2 : (start - 40000 + count) * 2]


def test_reads_outside_the_map_are_refused(bench):
    _, end = chain(bench.unit)
    assert bench.unit.read(end, 2) == b"\xff\xff\x00\x00"
    for address, count in ((0, 1), (39999, 1), (39999, 2), (end + 2, 1), (end + 1, 2), (65535, 1)):
        with pytest.raises(ModbusRefusal) as refused:
            bench.unit.read(address, count)
        assert refused.value.code == 2


def test_not_implemented_looks_as_the_types_demand(make_bench):
    bench = make_bench(device_type="PV-1Phase")
    blank = {"int16": "8000", "uint16": "ffff", "enum16": "ffff", "uint64": "ffffffffffffffff"}
    for path, kind in (("TmpCab", "int16"), ("TmpTrns", "int16")):
        _, point, address = bench.at(701, path)
        assert point.kind == kind
        assert bench.unit.read(address, point.size).hex() == blank[kind]
    _, point, address = bench.at(702, "WChaRteMax")  # a PV machine does not charge
    assert bench.unit.read(address, 1).hex() == "ffff"
    _, point, address = bench.at(701, "TotWhInjL2")
    assert bench.unit.read(address, 4).hex() == blank["uint64"]


def test_scale_factors_stay_whatever_the_power(make_bench):
    big = make_bench(device_type="PV-3Phase", nameplate=nameplate("500kW-3Phase"))
    before = {p: big.read(701, p) for p in ("W_SF", "VA_SF", "Var_SF", "A_SF", "V_SF", "Hz_SF")}
    assert big.read(701, "W") == pytest.approx(big.state.p_w, abs=50)
    big.device.inputs.set(irradiance_w_m2=0)
    big.wait(2)
    assert {p: big.read(701, p) for p in before} == before
    assert before["W_SF"] == 2


def nameplate(name):
    from dersim.hardware.nameplate import bundled, read_nameplate

    return read_nameplate(bundled(name))


def test_all_views_of_power_agree_in_one_tick(bench):
    bench.device.inputs.set(irradiance_w_m2=613.7, voltage_pu=[1.02, 0.99, 1.0])
    bench.wait(3)
    p = round(bench.state.p_w)
    assert [bench.read(701, "W"), bench.read(103, "W")] == [p, p]
    assert sum(bench.read(701, f"WL{n}") for n in (1, 2, 3)) == pytest.approx(p, abs=2)
    assert bench.read(701, "LNV") == pytest.approx(sum(bench.state.voltage_ln_v) / 3, abs=0.05)
    assert bench.read(103, "PhVphA") == pytest.approx(bench.state.voltage_ln_v[0], abs=0.05)
    assert bench.read(701, "Hz") == bench.read(103, "Hz") == 60
    assert bench.read(701, "TotWhInj") == round(sum(bench.state.exported_wh))
    assert bench.read(714, "DCW") == bench.read(160, "module[0].DCW") == round(bench.state.dc_w)


def test_a_model_of_a_function_that_is_left_out_is_not_there(make_bench):
    from dersim.plugin.builtin import FUNCTION_TYPES

    fewer = [kind for kind in FUNCTION_TYPES if kind.name not in ("volt-var", "fixed-pf")]
    bench = make_bench(functions=fewer)
    assert 705 not in [block.model_id for block in bench.unit.blocks]
    assert bench.read(704, "PFWInjEna") is None
    assert bench.write_points(704, {"PFWInj.PF": 0.95, "PFWInj.Ext": 0}) == 2
    assert not int(bench.read(702, "CtrlModes")) & (1 << 4 | 1 << 3)


def test_models_of_plug_ins_keep_what_is_written(make_bench):
    model = {
        "id": 64999,
        "group": {
            "name": "mine",
            "type": "group",
            "points": [
                {"name": "ID", "value": 64999, "type": "uint16", "size": 1},
                {"name": "L", "type": "uint16", "size": 1},
                {"name": "Level", "type": "int16", "size": 1, "sf": "L_SF", "access": "RW", "value": 5},
                {"name": "Fixed", "type": "uint16", "size": 1, "value": 7},
                {"name": "L_SF", "type": "sunssf", "size": 1, "value": -1},
            ],
        },
    }
    bench = make_bench(models=[model])
    assert (bench.read(64999, "Level"), bench.read(64999, "Fixed")) == (5, 7)
    assert bench.write(64999, Level=12.5) == 0
    assert bench.read(64999, "Level") == 12.5
    assert bench.write(64999, Fixed=1) == 2


LEVEL = {"name": "Level", "type": "int16", "size": 1}


@pytest.mark.parametrize(
    ("number", "points", "words"),
    [
        (701, [LEVEL], "the device has a SunSpec model 701 already"),
        (64999, [{**LEVEL, "value": "high"}], "SunSpec model 64999 failed"),
        (64999, [{"name": "Level"}], "SunSpec model 64999 failed"),
        (70000, [LEVEL], "SunSpec model 70000 failed"),
    ],
)
def test_a_model_of_a_plug_in_that_cannot_be_is_refused_by_its_name(make_bench, number, points, words):
    head = [{"name": name, "type": "uint16", "size": 1} for name in ("ID", "L")]
    model = {"id": number, "group": {"name": "mine", "type": "group", "points": [*head, *points]}}
    with pytest.raises(PluginError, match=f"plug-in extra: {words}"):
        make_bench(models=[model])


@pytest.mark.parametrize("given", ["\ud800", "a\0b", "\udcffSM", "\n", "\ud800" * 10_000])
def test_a_name_or_text_that_registers_cannot_hold_is_refused_in_one_line(bench, given):
    for points in ({given: 1}, {"GridModelSource": given}, {"GridFrequency": given}):
        with pytest.raises(ConfigError) as refused:
            bench.server.apply_points(64414, points)
        message = str(refused.value)
        assert message.isprintable()
        assert len(message) < 200


@pytest.mark.parametrize("kind", ["PV-3Phase", "PV-2Phase"])
def test_the_power_factor_of_each_phase_is_that_of_its_own_power(make_bench, kind):
    bench = make_bench(device_type=kind)
    bench.device.inputs.set(voltage_pu=[1.0, 0.95, 1.05])
    bench.write_points(704, {"PFWInj.PF": 0.9, "PFWInj.Ext": 0})
    bench.write(704, PFWInjEna=1)
    bench.wait(30)
    phases = range(1, bench.device.nameplate.phases + 1)
    assert [bench.read(701, f"PFL{n}") for n in phases] == [0.9 for _ in phases]


def test_the_power_factor_of_each_phase_is_negative_while_charging(make_bench):
    bench = make_bench(device_type="Batt-3Phase")
    bench.write_points(704, {"WSetMod": 1})
    bench.write_points(704, {"WSet": -3000})
    bench.write_points(704, {"WSetEna": 1})
    bench.wait(30)
    assert bench.read(701, "WL2") == -1000
    assert [bench.read(701, f"PFL{n}") for n in (1, 2, 3)] == [-1, -1, -1]


def test_imported_and_exported_energy_of_each_phase_are_those_of_the_phase(make_bench):
    bench = make_bench(device_type="Batt-3Phase")
    bench.device.inputs.set(voltage_pu=[1.0, 0.95, 1.05])
    for watts in (-9000, 3000):
        bench.write(704, WSetMod=1)
        bench.write(704, WSet=watts)
        bench.write(704, WSetEna=1)
        bench.wait(3600, tick_s=60)
    for counter, energy in (("Abs", bench.state.imported_wh), ("Inj", bench.state.exported_wh)):
        assert len(set(energy)) == 3
        assert [bench.read(701, f"TotWh{counter}L{n}") for n in (1, 2, 3)] == [round(wh) for wh in energy]
    assert bench.read(701, "TotWhAbs") > 2 * bench.read(701, "TotWhInj") > 0


def test_the_available_power_is_what_the_sun_gives_and_not_what_is_produced(bench):
    bench.write(704, WMaxLimPct=20)
    bench.write(704, WMaxLimPctEna=1)
    bench.wait(30)
    assert bench.read(701, "W") == 2000
    assert bench.read(122, "WAval") == 7005


def test_the_throttling_is_the_share_of_active_power_and_names_its_cause(bench):
    bench.write_points(704, {"PFWInj.PF": 0.9, "PFWInj.Ext": 0})
    bench.write(704, PFWInjEna=1)
    bench.write(704, WMaxLimPct=20)
    bench.write(704, WMaxLimPctEna=1)
    bench.wait(30)
    assert bench.read(701, "VA") > 2200
    assert bench.read(701, "ThrotPct") == 20
    assert bench.read(701, "ThrotSrc") == 1 << 0 | 1 << 3


def test_an_accumulator_of_32_bits_rolls_over(bench):
    point = bench.unit.block(103).point("WH")
    assert point.kind == "acc32"
    assert point.raw(2.0**32 + 5) == 5
