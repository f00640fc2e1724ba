"""The control function alone, and the plug-in as dersim finds it."""

import math
from argparse import Namespace
from importlib.metadata import version

import pytest
from dersim_csip_aus import register_control_functions
from dersim_csip_aus.elements import doe_mask
from dersim_csip_aus.limits import LIMITS, OperatingEnvelope

from dersim.csip import der_bodies
from dersim.device import ManualClock
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.hardware.measured import Measured
from dersim.ieee2030_5 import Edition, controlbase, decode, encode
from dersim.ieee2030_5 import resources as r
from dersim.ieee2030_5.declare import Extra
from dersim.modes import modes_from_json
from dersim.plugin.builtin import FUNCTION_TYPES, make_device
from dersim.plugin.candidates import find
from dersim.plugin.loader import PluginSet
from dersim.plugin.registry import Selection
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import SetpointChange, Verdict


@pytest.mark.parametrize(
    ("modes", "limit_w", "floor_w"),
    [
        ({}, math.inf, -math.inf),
        ({"opModExpLimW": 5000.0}, 5000, -math.inf),
        ({"opModExpLimW": 5000.0, "opModGenLimW": 3000.0}, 3000, -math.inf),
        ({"opModExpLimW": 0.0}, 0, -math.inf),
        ({"opModImpLimW": 2000.0, "opModLoadLimW": 1500.0}, math.inf, -1500),
        ({"opModExpLimW": 5000.0, "opModImpLimW": 0.0}, 5000, 0),
    ],
)
def test_the_tightest_limit_rules(modes, limit_w, floor_w):
    envelope = OperatingEnvelope(None, None)
    envelope.configure(modes, Measured())
    demand = envelope.step(1.0, Measured())
    assert (demand.limit_w, demand.floor_w) == (limit_w, floor_w)


@pytest.mark.parametrize(
    ("modes", "limit_w", "floor_w"),
    [
        ({"opModExpLimW": 0.0}, 3000, -math.inf),
        ({"opModExpLimW": 5000.0, "opModGenLimW": 6000.0}, 6000, -math.inf),
        ({"opModImpLimW": 2000.0}, math.inf, 1000),
        ({"opModImpLimW": 5000.0, "opModLoadLimW": 1500.0}, math.inf, -1500),
    ],
)
def test_export_and_import_are_those_of_the_site(modes, limit_w, floor_w):
    envelope = OperatingEnvelope(None, None)
    envelope.configure(modes, Measured())
    demand = envelope.step(1.0, Measured(load_w=3000.0))
    assert (demand.limit_w, demand.floor_w) == (limit_w, floor_w)


def test_a_limit_of_the_export_follows_the_load_at_once():
    clock = ManualClock()
    inputs = Inputs(Conditions(), site=SiteLoad(3))
    functions = (*FUNCTION_TYPES, *register_control_functions())
    device = make_device(clock=clock, inputs=inputs, functions=functions)
    device.step(0.0)
    assert device.setpoints.submit(SetpointChange(SetpointSource.REST, "opModExpLimW", 2000.0))
    for second in range(1, 900):
        clock.time_s = float(second)
        device.step(clock.time_s)
    assert device.state.site.p_w == pytest.approx(2000)
    for load_w in (4000.0, 500.0, 3000.0):
        device.inputs.set(load_w=load_w)
        assert device.state.site.p_w == pytest.approx(2000)
        assert device.state.p_w == pytest.approx(2000 + load_w)


def test_a_limit_that_ends_is_forgotten():
    envelope = OperatingEnvelope(None, None)
    envelope.configure({"opModExpLimW": 10.0}, Measured())
    envelope.configure({}, Measured())
    assert envelope.step(1.0, Measured()).limit_w == math.inf


def test_dersim_finds_it_by_its_entry_point():
    [plugin] = [each for each in PluginSet(find()).plugins if each.name == "csip-aus"]
    assert plugin.version == version("dersim-csip-aus")
    assert set(plugin.hooks) >= {
        "adapt_options",
        "add_options",
        "register_control_functions",
        "register_csip_profiles",
        "register_schema_extensions",
        "add_server_options",
        "register_server_profiles",
        "register_server_resources",
    }


def test_it_can_be_left_out():
    names = {each.name for each in PluginSet(find(), Selection(without=("csip-aus",))).plugins}
    assert "csip-aus" not in names


@pytest.fixture(scope="module")
def registry():
    [candidate] = [each for each in find() if each.name == "csip-aus"]
    return PluginSet([candidate]).register(Namespace())


def test_its_modes_are_known_to_everyone(registry):
    assert list(registry.functions) == ["csip-aus-limits", "csip-aus-storage"]
    assert modes_from_json({"opModExpLimW": 1500}) == {"opModExpLimW": 1500}
    assert set(registry.functions["csip-aus-limits"].modes) == set(LIMITS)


@pytest.mark.parametrize("edition", ["2018", "2023"])
def test_its_elements_are_read_and_written(registry, edition):
    limit = Extra("https://csipaus.org/ns", "opModExpLimW", r.ActivePower(multiplier=1, value=150))
    control = r.DefaultDERControl(
        mRID="0A", DERControlBase=r.DERControlBase(opModConnect=True, extra=(limit,))
    )
    body = encode(control, Edition(edition))
    assert b"opModExpLimW" in body
    decoded = decode(body)
    assert decoded.violations == ()
    [extra] = decoded.resource.DERControlBase.extra
    assert (extra.value.multiplier, extra.value.value) == (1, 150)


@pytest.mark.parametrize("edition", ["2018", "2023"])
def test_a_control_of_the_utility_becomes_a_mode_of_the_device_and_back(registry, edition):
    modes = {"opModExpLimW": 1500.0, "opModImpLimW": 0.0, "opModMaxLimW": 80.0}
    base, curves = controlbase.base_of(modes, lambda curve: "")
    control = r.DefaultDERControl(mRID="0A", DERControlBase=base)
    received = decode(encode(control, Edition(edition))).resource.DERControlBase
    assert curves == []
    assert controlbase.modes_of(received, {}) == modes


def test_a_device_obeys_and_goes_back(registry):
    clock = ManualClock()
    functions = (*FUNCTION_TYPES, *registry.functions.values())
    device = make_device(clock=clock, functions=functions)
    device.step(0.0)
    assert device.state.p_w > 5000
    assert "opModExpLimW" in device.setpoints.supported_modes

    def wish(value):
        [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.CSIP, "opModExpLimW", value))
        for _ in range(10):
            clock.time_s += 1
            device.step(clock.time_s)
        return outcome.verdict

    assert wish(1500.0) is Verdict.ACCEPTED
    assert device.state.p_w == pytest.approx(1500, abs=1)
    assert wish(-1.0) is Verdict.OUT_OF_RANGE
    assert device.state.p_w == pytest.approx(1500, abs=1)
    assert wish(None) is Verdict.ACCEPTED
    assert device.state.p_w > 5000


@pytest.mark.parametrize(
    ("supported", "mask"),
    [((), 0), (("opModExpLimW",), 1), (("opModGenLimW", "opModMaxLimW"), 4), (LIMITS, 15)],
)
def test_the_mask_of_modes(supported, mask):
    assert doe_mask(frozenset(supported)) == mask


@pytest.mark.parametrize("edition", ["2018", "2023"])
def test_a_der_tells_what_it_supports(registry, edition):
    functions = (*FUNCTION_TYPES, *registry.functions.values())
    device = make_device(clock=ManualClock(), functions=functions)
    modes, settings = device.setpoints.supported_modes, device.settings
    for body, element in (
        (der_bodies.capability(device.nameplate, modes, Edition(edition)), "doeModesSupported"),
        (der_bodies.settings(device.nameplate, settings, modes, 0, Edition(edition)), "doeModesEnabled"),
    ):
        document = encode(body, Edition(edition))
        assert f'<{element} xmlns="https://csipaus.org/ns">0F</{element}>'.encode() in document
        decoded = decode(document, strict=True, edition=Edition(edition))
        assert decoded.resource.extra == (Extra("https://csipaus.org/ns", element, 15),)


def test_without_the_plugin_the_mode_is_not_supported(registry):
    device = make_device(clock=ManualClock())
    assert device.setpoints.check("opModExpLimW", 1500.0).verdict is Verdict.UNSUPPORTED
