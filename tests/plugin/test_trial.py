"""Control functions and device types of plug-ins are made once before any DER exists."""

import math
from dataclasses import replace

import pytest

from dersim.errors import PluginError
from dersim.functions.contract import NOTHING, FunctionType
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.hardware.source import GivenSource
from dersim.plugin.registry import Registry
from dersim.plugin.trial import try_device_type, try_function


@pytest.fixture(scope="module")
def nameplate():
    return read_nameplate(bundled("10kW-3Phase"))


class Good:
    """A control function without a mistake; each test spoils one thing."""

    def __init__(self, nameplate, settings):
        self.settled = True

    def configure(self, modes, seen):
        pass

    def step(self, dt_s, seen):
        return NOTHING

    def horizon_s(self, seen):
        return math.inf


def kind_of(make, *, standing=True):
    return FunctionType("soft", (), "command", make, standing=standing)


def spoilt(**changes):
    return kind_of(type("Spoilt", (Good,), changes))


def raises(*_):
    raise KeyError("x")


def no_settled(self, nameplate, settings):
    pass


def test_a_good_one_passes(nameplate):
    try_function("extra", kind_of(Good), nameplate)
    try_function("extra", replace(spoilt(__init__=raises), suits=lambda _: False), nameplate)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (spoilt(__init__=raises), r"make of .* failed: KeyError\('x'\) in \S*test_trial:\d+ \(raises\)"),
        (
            kind_of(lambda nameplate, settings: None),
            "made None, which has no settled, configure, step",
        ),
        (spoilt(__init__=no_settled), "which has no settled"),
        (spoilt(configure=raises), "configure of .* failed: KeyError"),
        (spoilt(configure=lambda self, modes: None), "configure of .* failed: TypeError"),
        (spoilt(step=raises), "step of .* failed"),
        (spoilt(step=lambda self, dt_s, seen: None), "step of .* returned None; return a Demand"),
        (spoilt(horizon_s=lambda self, seen: 0), "horizon_s of .* returned 0; return seconds above 0"),
        (spoilt(horizon_s=lambda self, seen: math.nan), "horizon_s of .* returned nan"),
        (spoilt(horizon_s=lambda self, seen: None), "horizon_s of .* returned None"),
        (replace(kind_of(Good), suits=raises), "suits of .* failed"),
        (replace(kind_of(Good), modes=("opModSoft",), suits_mode=raises), "suits_mode of .* failed"),
        (spoilt(settled=property(raises, lambda self, value: None)), "failed: KeyError"),
    ],
)
def test_a_control_function_that_cannot_work_is_refused_by_name(nameplate, kind, words):
    with pytest.raises(PluginError, match=f"plug-in extra: .*{words}") as caught:
        try_function("extra", kind, nameplate)
    assert "control function 'soft'" in str(caught.value)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (raises, "make_source of device type 'mill' failed: KeyError"),
        (lambda nameplate: None, "device type 'mill' made None, which has no available_w"),
    ],
)
def test_a_device_type_that_cannot_work_is_refused_by_name(nameplate, make, words):
    with pytest.raises(PluginError, match=f"plug-in extra: {words}"):
        try_device_type("extra", DeviceType("mill", "10kW-3Phase", make), nameplate)


def test_only_what_plug_ins_brought_is_tried(nameplate):
    registry = Registry(own=frozenset({"builtin"}))
    machine = DeviceType("mill", "10kW-3Phase", GivenSource)
    registry.device_types.add("mill", machine, "wind")
    registry.functions.add("ours", spoilt(__init__=raises), "builtin")
    registry.try_out(machine, nameplate)
    registry.functions.add("soft", spoilt(__init__=raises), "extra")
    with pytest.raises(PluginError, match="plug-in extra: make of control function 'soft'"):
        registry.try_out(machine, nameplate)


def test_a_nameplate_that_cannot_be_read_is_told_with_the_plug_in_s_name():
    registry = Registry(own=frozenset({"builtin"}))
    machine = DeviceType("mill", "/nowhere/mill.json", GivenSource)
    registry.device_types.add("mill", machine, "wind")
    with pytest.raises(PluginError, match=r"plug-in wind: device type 'mill': nameplate /nowhere/mill\.json"):
        registry.nameplate_of(machine)
