"""The plug-ins of the repository pass; each planted mistake fails the check that is made for it."""

from __future__ import annotations

import math
import random
import shutil
from pathlib import Path
from types import ModuleType

import pytest
import trio

from dersim.cli.sim_options import make_parser as make_sim_parser
from dersim.contract import candidates_of, examine, frontend_checks, grid_checks
from dersim.errors import ConfigError
from dersim.ieee2030_5 import extensions
from dersim.modes import MODES
from dersim.outcomes import FAILED
from dersim.plugin import (
    DER_MIRROR,
    NOTHING,
    CsipProfile,
    DcPoint,
    Demand,
    DeviceResource,
    DeviceType,
    FrontendStatus,
    FrontendType,
    FunctionType,
    GridNotSolved,
    GridType,
    Lag,
    ModeSpec,
    Panel,
    Parameter,
    SchemaExtension,
    ServerDocument,
    Settled,
    SunspecModel,
    hookimpl,
    mean_quantity,
)
from dersim.plugin import (
    ConfigError as PluginConfigError,
)
from dersim.plugin.candidates import Candidate

PLUGINS = sorted((Path(__file__).parents[2] / "plugins").glob("*/src/*"))
#: By plug-in: flags with which it has something to check, and what it then needs to be installed.
FLAGS = {
    "dersim_dnp3": (["--dnp3_enable", "yes"], "py1815"),
    "dersim_feeder": (["--feeder", "bundled-30"], "dss"),
}
PLUGINS = [path for path in PLUGINS if (path / "__init__.py").is_file()]


@pytest.fixture(autouse=True)
def _forget_extensions():
    before, modes = set(extensions.registered()), set(MODES)
    yield
    for each in set(extensions.registered()) - before:
        extensions.unregister(each.declared)
    for mode in set(MODES) - modes:
        del MODES[mode]


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_the_plug_ins_of_the_repository_pass(path):
    [candidate] = candidates_of(str(path))
    parser, (flags, needs) = None, FLAGS.get(path.name, ([], ""))
    if flags:
        pytest.importorskip(needs, reason=f"{needs}, which it needs, is not installed")
        parser, _ = make_sim_parser(["--demo", "--without", candidate.name])
    results = list(examine(candidate, parser=parser, flags=flags))
    assert [result.line for result in results if result.result == FAILED] == []
    assert len(results) > 5


def test_an_unknown_name_is_told_with_what_is_installed():
    with pytest.raises(ConfigError, match="nothing: no plug-in or distribution of that name; installed"):
        candidates_of("nothing")
    with pytest.raises(ConfigError, match="csip: comes with dersim"):
        candidates_of("csip")
    with pytest.raises(ConfigError, match="no Python module"):
        candidates_of("./nothing")


class Good:
    """A control function without a mistake; each case spoils one thing."""

    def __init__(self, nameplate, settings):
        self.settled, self.goal, self.calls, self.time_s = True, None, 0, 0.0

    def configure(self, modes, seen):
        self.goal = modes.get("xLimW")

    def step(self, dt_s, seen):
        self.calls += 1
        self.time_s += dt_s
        return NOTHING if self.goal is None else Demand(limit_w=self.goal)

    def horizon_s(self, seen):
        return math.inf


def function(changes=(), *, known=True, **more):
    made = type("Changed", (Good,), dict(changes))
    fields = {"parameters": {"xLimW": (Parameter("", "W", 0, 5000, "ours"),)}, **more}
    kind = FunctionType("x", ("xLimW",), "grid", made, **fields)
    item = SchemaExtension("urn:x", "xLimW", (), ModeSpec("xLimW", "number", "W", local=True), "UInt32")
    return {
        "register_control_functions": lambda: [kind],
        "register_schema_extensions": lambda: [item] if known else [],
    }


def moving(self, dt_s, seen):
    self.time_s += dt_s
    return Demand(limit_w=1000 + self.time_s)


def counting(self, dt_s, seen):
    self.calls += 1
    self.settled = False
    return Demand(limit_w=10.0 * self.calls)


def breaking(self, dt_s, seen):
    raise ZeroDivisionError("oops")


class Sun:
    available_w, charge_w, rest_w, settled = 3000.0, 0.0, math.inf, True
    soc_pct, cell_temperature_c = None, 25.0

    def __init__(self, nameplate):
        pass

    def see(self, conditions, dt_s):
        pass

    def drew(self, p_w, dt_s):
        pass

    def dc(self, p_w):
        return DcPoint(400.0, p_w / 400 if p_w else 0.0, p_w)


def source(**changes):
    kind = DeviceType("Sun", "10kW-3Phase", type("Spoilt", (Sun,), changes))
    return {"register_device_types": lambda: [kind]}


def unsettled_see(self, conditions, dt_s):
    self.available_w = self.available_w - 1.0


def extension(wire_type="UInt32", *, high=5000.0, obeyed=True, parents=("DERControlBase",)):
    spec = ModeSpec("xLimW", "number", "W", low=0, high=high)
    item = SchemaExtension("urn:x", "xLimW", parents, spec, wire_type)
    hooks = {"register_schema_extensions": lambda: [item]}
    return (function() if obeyed else {}) | hooks


HEAD = [{"name": name, "type": "uint16", "size": 1} for name in ("ID", "L")]
LEVEL = {"name": "Level", "type": "uint16", "size": 1, "access": "RW"}


class Level:
    def __init__(self, device, now_s):
        self.device, self.level = device, 5

    def read(self):
        return {"Level": self.level}

    def write(self, points, source):
        self.level = points["Level"]


def model(**changes):
    definition = {"id": 64920, "group": {"name": "x", "type": "group", "points": [*HEAD, LEVEL]}}
    kind = SunspecModel(definition, type("Spoilt", (Level,), changes))
    return {"register_sunspec_models": lambda: [kind]}


def refusing(self, points, source):
    raise PluginConfigError("not today")


def failing_write(self, points, source):
    raise ZeroDivisionError("oops")


def refused_late(self, points, source):
    self.device.settings.update({"setGradW": 50.0 + self.device.settings.changes})
    raise PluginConfigError("not today")


def failing_later(self):
    if self.device.state.time_s > 0:
        raise ZeroDivisionError("oops")
    return {"Level": 5}


class Server:
    def __init__(self, context):
        pass

    async def bind(self):
        return {}

    async def run(self):
        await trio.sleep_forever()

    def status(self):
        return FrontendStatus("serving")


def frontend(**changes):
    kind = FrontendType("x", "fleet", type("Spoilt", (Server,), changes))
    return {"register_frontends": lambda options: [kind]}


async def returning(self):
    pass


async def swallowing(self):
    try:
        await trio.sleep_forever()
    except trio.Cancelled:
        return


async def shielded(self):
    with trio.CancelScope(shield=True):
        await trio.sleep(3)


async def binds_no_texts(self):
    return {"port": 1}


async def binds_badly(self):
    raise ConfigError("the port is busy")


class Wire:
    """A grid without a mistake."""

    longest_step_s = math.inf

    def __init__(self, context):
        self.v = 1.0

    async def settle(self, outputs):
        self.v = 1.0 + sum(outputs.p_w) / 1e6
        return Settled([self.v] * len(outputs.p_w))

    def status(self):
        return FrontendStatus("running", f"{self.v:.2f} pu")


def grid(**changes):
    kind = GridType("x", type("Spoilt", (Wire,), changes))
    return {"register_grids": lambda options: [kind]}


async def draws(self, outputs):
    return Settled([1.0 + random.random() / 10] * len(outputs.p_w))


async def answers_little(self, outputs):
    return Settled([1.0])


async def answers_nothing(self, outputs):
    return None


async def never_solves(self, outputs):
    raise GridNotSolved("no")


async def shielded_settle(self, outputs):
    if trio.current_effective_deadline() < 0:  # cancelled
        with trio.CancelScope(shield=True):
            await trio.sleep(0.6)
    return Settled()


def panel(text):
    def make(tmp_path):
        path = tmp_path / "x.js"
        path.write_text(text)
        return {"register_ui_panels": lambda: [Panel("x", "X", str(path))]}

    return make


def candidate(hooks):
    made = ModuleType("planted")
    for name, act in hooks.items():
        setattr(made, name, hookimpl(act))
    return Candidate("planted", "1", "a test", lambda: made)


def served(check=lambda members: "", make=lambda: b"{}"):
    """A document of each EndDevice, and one of the server."""
    kinds = {"label": "String32", "ampere": "Int16", "sealed": "Boolean", "flags": "HexBinary8"}
    plate = SchemaExtension("urn:x", "Plate", (), None, "", members=kinds, document=True)
    resource = DeviceResource("plate", "urn:x", "Plate", "Plate", check=check, empty=EMPTY)
    return {
        "register_schema_extensions": lambda: [plate],
        "register_server_resources": lambda options: [resource, ServerDocument("/x", make)],
    }


EMPTY = {"label": "", "ampere": 0, "sealed": False, "flags": 0}


def unexplained(parser):
    parser.add_argument("--level", type=int, default=1)


class Forgetful(Good):
    """Its limit follows a lag that its Demand does not name."""

    def configure(self, modes, seen):
        before, self.goal = self.goal, modes.get("xLimW")
        if before is None:
            self.lag = Lag()
            self.lag.start(seen.flowing_w)

    def step(self, dt_s, seen):
        if self.goal is None:
            return NOTHING
        limit_w = self.lag.step(dt_s, self.goal, 20.0)
        self.settled = not self.lag.moving
        return Demand(limit_w=limit_w)


def profile(*suffixes, **changes):
    """A CSIP profile with a mirror of each suffix, which is all that tells them apart."""

    def mirrors(nameplate, has_load):
        del nameplate, has_load
        mean = mean_quantity("W", 38, 0, lambda means: means.p_w)
        return [
            DER_MIRROR._replace(key=f"point {suffix}", quantities=lambda phases: (mean,))
            for suffix in suffixes
        ]

    found = CsipProfile("x", **{"mirrors": mirrors, "end_device": lambda device: {"postRate": 60}, **changes})
    return {"register_csip_profiles": lambda options: [found]}


CASES = [
    (function(vars(Forgetful)), "control function x: ticks", "give the Demand its lag"),
    ({"register_control_functions": lambda: None}, "hooks", "returned None"),
    ({}, "loads", "it has no hook"),
    ({"add_options": unexplained}, "flags", "--level has no help"),
    ({"add_server_options": unexplained}, "flags", "--level has no help"),
    (function(parameters={}), "control function x: values", "xLimW has no range"),
    (function(known=False), "control function x: values", "xLimW is not known"),
    (function(check=lambda *_: 5), "control function x: values", "within the ranges and refused"),
    (function({"step": breaking}), "control function x: limits", "oops"),
    (function({"step": lambda *_: Demand(limit_w=math.nan)}), "control function x: limits", "limit_w"),
    (function({"step": moving}), "control function x: settled", "settled is True, but 1 s later limit_w is"),
    (function({"step": counting}), "control function x: ticks", "with ticks of 7 s and"),
    (
        function({"horizon_s": lambda self, seen: 0.0 if self.calls % 2 else 5.0}),
        "control function x: horizon_s",
        "horizon_s is 5 s, and after a step of that length it is 0",
    ),
    (source(dc=lambda self, p_w: DcPoint(400.0, 1.0, p_w)), "device type Sun: dc", "P must be V times I"),
    (
        source(dc=lambda self, p_w: DcPoint(400.0, p_w / 800, p_w / 2)),
        "device type Sun: dc",
        "less on the DC side than on the AC side",
    ),
    (source(available_w=math.nan), "device type Sun: a day", "available_w"),
    (source(soc_pct=120.0), "device type Sun: a day", "soc_pct"),
    (source(see=unsettled_see), "device type Sun: settled", "available_w goes on from"),
    (extension(obeyed=False), "schema extension xLimW: JSON", "no control function has the mode xLimW"),
    (extension("UInt8"), "schema extension xLimW: wire", "255"),
    (model(read=failing_later), "SunSpec model 64920: registers", "oops"),
    (model(write=failing_write), "SunSpec model 64920: writes", "oops"),
    (model(write=lambda *_: None), "SunSpec model 64920: writes", "is accepted and changes nothing"),
    (
        model(write=refusing),
        "SunSpec model 64920: writes",
        "every write is refused, such as: model 64920",
    ),
    (
        model(write=refused_late),
        "SunSpec model 64920: writes",
        "is refused, and has changed setpoints",
    ),
    (frontend(run=returning), "front-end x", "run returned; serve until it is cancelled"),
    (frontend(run=swallowing), "front-end x", "run swallowed its cancellation"),
    (frontend(run=shielded), "front-end x", "it did not end within"),
    (frontend(bind=binds_no_texts), "front-end x", "bind returned {'port': 1}"),
    (frontend(bind=binds_badly), "front-end x", "the port is busy"),
    (frontend(status=lambda self: "fine"), "front-end x", "status returned 'fine'"),
    (frontend(status=None), "front-end x", "which has no status"),
    (grid(settle=draws), "grid x: repeats", "draw from context.rng"),
    (grid(settle=answers_little), "grid x: settle", "voltage_pu has 1 values"),
    (grid(settle=answers_nothing), "grid x: settle", "settle returned None; return a Settled"),
    (grid(settle=never_solves), "grid x: settle", "GridNotSolved for each of 20 outputs"),
    (grid(longest_step_s=0), "grid x: settle", "longest_step_s is 0"),
    (grid(settle=shielded_settle), "grid x: cancelled", "let trio.Cancelled pass"),
    (profile("a", "b"), "CSIP profile x: mirrors", "one key, and so one mRID"),
    (profile("a", end_device=lambda device: {"postRate": -1}), "CSIP profile x: EndDevice", "postRate"),
    (served(check=lambda members: None), "device resource plate: check", "returned None; return a reason"),
    (served(check=lambda members: members["other"]), "device resource plate: check", "KeyError('other')"),
    (served(make=lambda: "{}"), "server document /x", "make() returned '{}'; return bytes"),
    (panel("export const x = 1;\n"), "panel x: module", "exports no mount"),
    (
        panel('import "https://example.org/x.js";\nexport function mount() {}\n'),
        "panel x: addresses",
        "another server's",
    ),
    (
        panel('import { h } from "/static/js/dim.js";\nexport function mount() {}\n'),
        "panel x: addresses",
        "there is no /static/js/dim.js",
    ),
    (panel('import d3 from "d3";\nexport function mount() {}\n'), "panel x: addresses", "imports 'd3'"),
]


@pytest.mark.parametrize(
    ("hooks", "check", "words"), CASES, ids=lambda each: each if isinstance(each, str) else ""
)
def test_a_planted_mistake_fails_the_check_made_for_it(hooks, check, words, tmp_path, monkeypatch):
    monkeypatch.setattr(frontend_checks, "_BIND_S", 1.0)
    monkeypatch.setattr(frontend_checks, "_CANCEL_S", 0.5)
    monkeypatch.setattr(grid_checks, "_CANCEL_S", 0.5)
    hooks = hooks(tmp_path) if callable(hooks) else hooks
    results = list(examine(candidate(hooks)))
    found = {result.name: result for result in results}
    assert found[check].result == FAILED, [result.line for result in results]
    assert words in found[check].text
    assert "\n" not in found[check].line


@pytest.mark.parametrize(
    "hooks", [function(), source(), extension(), model(), frontend(), grid(), profile("a"), served()]
)
def test_what_the_mistakes_are_planted_in_passes(hooks):
    results = list(examine(candidate(hooks)))
    assert [result.line for result in results if result.result == FAILED] == []


@pytest.mark.skipif(shutil.which("node") is None, reason="node parses it")
def test_a_panel_that_is_no_javascript_is_told_with_its_line(tmp_path):
    hooks = panel("export function mount() {\n  return (;\n}\n")(tmp_path)
    found = {result.name: result for result in examine(candidate(hooks))}
    assert found["panel x: module"].result == FAILED
    assert "x.js:2: SyntaxError" in found["panel x: module"].text
