"""A plug-in of 0.1, which imports from dersim.extension and dersim.hookspecs, still loads."""

import importlib
import sys
import warnings
from argparse import Namespace

import pytest

import dersim.plugin
from dersim.plugin.candidates import Candidate
from dersim.plugin.loader import PluginSet

PLUGIN = """
import math
from dersim.extension import NOTHING, Demand, FunctionType, Measured, Panel, Parameter
from dersim.hookspecs import hookimpl

class Soft:
    settled = True
    def __init__(self, nameplate, settings): pass
    def configure(self, modes, seen): pass
    def step(self, dt_s, seen): return NOTHING
    def horizon_s(self, seen): return math.inf

@hookimpl
def register_control_functions():
    return [FunctionType("soft", ("opModMaxLimW",), "grid", Soft)]

@hookimpl
def register_ui_panels():
    return [Panel("soft", "Soft", __file__)]
"""

#: What the two modules of 0.1 defined or were told to be imported for.
NAMES = {
    "dersim.extension": (
        *(
            "NOTHING",
            "ControlFunction",
            "Demand",
            "DeviceType",
            "Frontend",
            "FrontendContext",
            "FrontendStatus",
        ),
        *("FrontendType", "FunctionType", "Measured", "ModeSpec", "ModeValue", "Panel", "Parameter"),
        *("PluginInfo", "SchemaExtension", "Scope", "Stage"),
    ),
    "dersim.hookspecs": ("hookimpl",),
}


@pytest.fixture
def of_0_1(tmp_path, monkeypatch):
    """Imports the plug-in anew; the plug-in and the warnings."""
    (tmp_path / "soft_of_0_1.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("dersim.extension", "dersim.hookspecs", "soft_of_0_1"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    def load():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            module = importlib.import_module("soft_of_0_1")
            importlib.import_module("soft_of_0_1")
        return module, told

    yield load
    monkeypatch.delitem(sys.modules, "soft_of_0_1", raising=False)


def test_a_plugin_of_0_1_loads(of_0_1):
    plugins = PluginSet([Candidate("soft", "0.1", "dist-soft", lambda: of_0_1()[0])])
    registry = plugins.register(Namespace())
    assert list(registry.functions) == ["soft"]
    assert list(registry.panels) == ["soft"]


def test_it_is_warned_once_for_each_old_name_at_its_own_import(of_0_1):
    _, told = of_0_1()
    assert [(each.category, str(each.message).split()[0]) for each in told] == [
        (DeprecationWarning, "dersim.extension"),
        (DeprecationWarning, "dersim.hookspecs"),
    ]
    assert {each.filename.rpartition("/")[2] for each in told} == {"soft_of_0_1.py"}


@pytest.mark.parametrize(("module", "names"), NAMES.items())
@pytest.mark.filterwarnings("ignore:dersim")
def test_every_name_of_0_1_is_the_one_of_dersim_plugin(module, names):
    alias = importlib.import_module(module)
    assert {name: getattr(alias, name) for name in names} == {
        name: getattr(dersim.plugin, name) for name in names
    }


def test_what_dersim_plugin_names_is_there():
    assert [name for name in dersim.plugin.__all__ if getattr(dersim.plugin, name) is None] == []
