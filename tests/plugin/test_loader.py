"""The loader: what it refuses, in which words, and what the selection keeps."""

import types
from argparse import Namespace
from dataclasses import replace

import pytest
from lxml import etree

from dersim.csip import der_bodies
from dersim.errors import ConfigError, PluginError
from dersim.functions.contract import FunctionType
from dersim.hardware.device_type import DeviceType
from dersim.hardware.nameplate import bundled, read_nameplate
from dersim.ieee2030_5 import Edition, decode, encode, extensions, schema
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.modes import MODES, ModeSpec
from dersim.options import OptionParser
from dersim.plugin.candidates import Candidate, find
from dersim.plugin.extension import FrontendType
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.loader import PluginSet
from dersim.plugin.panel import Panel
from dersim.plugin.registry import Selection
from dersim.setpoint_sources import Rank, SetpointSource, named, title_of


def plugin(name="extra", *, order=None, frontends=(), **hooks):
    """A candidate whose module holds these functions as hooks."""
    module = types.ModuleType(name)
    if order is not None:
        module.order = order
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return Candidate(name, "1.2", f"dist-{name}", lambda: module, frontends)


def nothing():
    return []


def frontend(name, **arguments):
    return FrontendType(
        name, arguments.pop("scope", "device"), arguments.pop("make", lambda _: None), **arguments
    )


def function(name):
    return FunctionType(name, (), "command", lambda nameplate, settings: None)


def a_frontend_plugin(name, *names, **arguments):
    return plugin(name, register_frontends=lambda options: [frontend(n) for n in names], **arguments)


def register(*candidates, only=(), without=(), also=()):
    return PluginSet(candidates, Selection(only, without)).register(Namespace(), also=also)


def test_a_source_of_setpoints_is_known_once_its_plugin_is_registered():
    telex = SetpointSource("telex-of-a-plugin", "Telex")
    assert named(telex.label) is None
    registry = register(plugin(register_setpoint_sources=lambda: [telex]))
    assert registry.setpoint_sources == {"telex-of-a-plugin": telex}
    assert named(telex.label) is telex
    assert title_of(telex.label) == "Telex"


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (SetpointSource("Telex 2"), "small letters, digits and hyphens"),
        (SetpointSource(7), "small letters, digits and hyphens"),  # type: ignore[arg-type]
        (SetpointSource("modbus"), "dersim has a source of this name"),
        (SetpointSource("telex", rank=Rank.EVENT), "leave it out: a plug-in's source is local"),
        (SetpointSource("telex", 7), "its title is 7; give str"),  # type: ignore[arg-type]
        ("telex", "give objects of SetpointSource"),
    ],
)
def test_a_source_of_setpoints_that_cannot_be_is_refused(source, why):
    with pytest.raises(PluginError, match=why) as e:
        register(plugin(register_setpoint_sources=lambda: [source]))
    assert str(e.value).startswith("plug-in extra: ")


def test_two_plugins_with_one_source_are_refused():
    two = [plugin(n, register_setpoint_sources=lambda: [SetpointSource("telex")]) for n in ("a", "b")]
    with pytest.raises(PluginError, match=r"plug-in b: its source of setpoints 'telex' has the name of"):
        register(*two)


def test_what_comes_with_dersim_loads_and_bears_unique_names():
    loaded = PluginSet(find()).plugins
    assert len({each.name for each in loaded}) == len(loaded)


@pytest.mark.parametrize(
    ("candidate", "words"),
    [
        (plugin(), ["plug-in extra", "no hook", "hookimpl"]),
        (
            plugin(add_optoins=lambda parser: None),
            ["plug-in extra", "'add_optoins'", "did you mean add_options?"],
        ),
        (plugin(add_options=lambda psr: None), ["plug-in extra", "psr", "take the arguments"]),
        (plugin(register_ui_panels=nothing, order="first"), ["plug-in extra", "order", "'first'"]),
    ],
)
def test_a_plugin_that_cannot_be_loaded(candidate, words):
    with pytest.raises(PluginError) as caught:
        PluginSet([candidate])
    assert all(word in str(caught.value) for word in words), str(caught.value)


def test_an_async_hook_is_refused():
    async def register_ui_panels():
        return []

    with pytest.raises(PluginError, match=r"extra.*register_ui_panels is async.*plain function"):
        PluginSet([plugin(register_ui_panels=register_ui_panels)])


def test_an_async_generator_hook_is_refused():
    async def register_ui_panels():
        yield Panel("a", "A", "/a.js")

    with pytest.raises(PluginError, match=r"extra.*register_ui_panels is async"):
        PluginSet([plugin(register_ui_panels=register_ui_panels)])


def test_a_wrapper_is_refused():
    module = types.ModuleType("wrapping")

    @hookimpl(wrapper=True)
    def register_ui_panels():
        return (yield)

    module.register_ui_panels = register_ui_panels
    with pytest.raises(PluginError, match=r"wrapping.*register_ui_panels is a wrapper"):
        PluginSet([Candidate("wrapping", "1", "d", lambda: module)])


def test_an_import_error_names_the_plugin_and_the_way_out():
    def load():
        raise ModuleNotFoundError("No module named 'numpy'")

    with pytest.raises(PluginError, match=r"plug-in extra.*numpy.*--without extra"):
        PluginSet([Candidate("extra", "1", "dist-extra", load)])


def test_a_class_instead_of_an_object_is_refused():
    with pytest.raises(PluginError, match=r"extra.*class.*module or an object"):
        PluginSet([Candidate("extra", "1", "d", lambda: Namespace)])


def test_a_name_taken_twice_is_refused(monkeypatch):
    class Point:
        name, value, dist, load = "twin", "twin:plugin", None, None

    monkeypatch.setattr("dersim.plugin.candidates.entry_points", lambda group: [Point, Point])
    with pytest.raises(PluginError, match=r"plug-in twin.*both have this name"):
        find()


def test_plugins_are_asked_by_order_then_name():
    names = [
        each.name
        for each in PluginSet(
            [
                plugin("zebra", order=1, register_ui_panels=nothing),
                plugin("bear", register_ui_panels=nothing),
                plugin("ant", register_ui_panels=nothing),
            ]
        ).plugins
    ]
    assert names == ["zebra", "ant", "bear"]


def test_a_result_of_the_wrong_type_is_refused():
    with pytest.raises(PluginError, match=r"plug-in extra: register_ui_panels gave 'a panel'; .*Panel"):
        register(plugin(register_ui_panels=lambda: ["a panel"]))


@pytest.mark.parametrize("result", [None, "a panel", {"a": 1}])
def test_a_hook_that_returns_no_list_is_refused(result):
    with pytest.raises(PluginError, match=r"plug-in extra: its hook register_ui_panels returned .*a list"):
        register(plugin(register_ui_panels=lambda: result))


def test_no_list_at_all_is_refused():
    with pytest.raises(PluginError, match=r"plug-in extra: its hook register_ui_panels failed.*not iterable"):
        register(plugin(register_ui_panels=lambda: Panel))


def test_a_failing_hook_names_the_plugin():
    def register_ui_panels():
        return [1 / 0]

    with pytest.raises(PluginError, match=r"plug-in extra: its hook register_ui_panels failed: ZeroDivision"):
        register(plugin(register_ui_panels=register_ui_panels))


def test_an_error_for_the_user_passes_unchanged():
    def register_frontends(options):
        raise ConfigError("--csip_server_ip 10.0.0.1: not beside --demo; leave one out")

    with pytest.raises(ConfigError, match=r"^--csip_server_ip 10.0.0.1"):
        register(plugin(register_frontends=register_frontends))


def test_two_items_of_one_name_are_refused_and_both_plugins_named():
    with pytest.raises(PluginError, match=r"plug-in two: its front-end 'wire'.*plug-in one"):
        register(a_frontend_plugin("one", "wire"), a_frontend_plugin("two", "wire"))


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (frontend("wire", scope="planet"), r"front-end 'wire' has the scope 'planet'"),
        (frontend(""), "it needs a name"),
    ],
)
def test_a_front_end_that_is_not_right_is_refused(kind, words):
    with pytest.raises(PluginError, match=words):
        register(plugin(register_frontends=lambda options: [kind]))


@pytest.mark.parametrize(
    ("hook", "item", "words"),
    [
        ("register_ui_panels", Panel("a", "A", None), "Panel 'a': its module_path is None; give str"),
        ("register_ui_panels", Panel("a", "A", "/no/a.js"), "panel 'a': its module '/no/a.js' is no file"),
        ("register_device_types", DeviceType("mill", None, len), "its profile is None; give str or Path"),
        ("register_device_types", DeviceType("mill", "x", None), "make_source is None; give a function"),
        ("register_frontends", FrontendType("wire", "fleet", len, order="x"), "its order is 'x'; give int"),
    ],
)
def test_a_field_of_another_type_is_refused(hook, item, words):
    hooks = {hook: (lambda options: [item]) if hook == "register_frontends" else (lambda: [item])}
    with pytest.raises(PluginError, match=f"plug-in extra: .*{words}"):
        register(plugin(**hooks))


def test_a_front_end_whose_make_is_async_is_refused():
    async def make(context):
        return None

    with pytest.raises(PluginError, match="front-end 'wire': its make is async"):
        register(plugin(register_frontends=lambda options: [frontend("wire", make=make)]))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modes": "opModMaxLimW"}, "has the modes 'opModMaxLimW'; give a tuple"),
        ({"modes": (1,)}, "has the modes"),
        ({"stage": "late"}, "has the stage 'late'"),
        ({"make": None}, "make is None; give a function"),
        ({"make": lambda nameplate: None}, r"make takes \(nameplate\), but is called with 2 argument"),
        ({"suits": lambda: True}, r"suits takes \(\), but is called with 1 argument"),
        ({"suits_mode": lambda mode: True}, "suits_mode takes .*, but is called with 2 argument"),
        ({"suits_mode": None}, "suits_mode is None; give a function"),
        ({"check": lambda mode, value: ""}, "is called with 4 argument"),
        ({"order": "first"}, "its order is 'first'; give int"),
        ({"sunspec_models": 701}, "its sunspec_models is 701; give tuple"),
        ({"sunspec_models": ("701",)}, "has the sunspec_models .*; give whole numbers"),
        ({"doc": None}, "its doc is None; give str"),
        ({"standing": "no"}, "its standing is 'no'; give bool"),
        (
            {"modes": ("opModMaxLimW",), "parameters": {"opModMaxLimW": "ab"}},
            "the declaration of control function 'soft' failed",
        ),
    ],
)
def test_a_control_function_that_is_not_right_is_refused(changes, words):
    kind = replace(function("soft"), **changes)
    with pytest.raises(PluginError, match=f"plug-in extra: .*{words}"):
        register(plugin(register_control_functions=lambda: [kind]))


def test_a_sunspec_model_needs_an_id():
    registry = register(plugin(register_sunspec_models=lambda: [{"id": 64999, "group": {}}]))
    assert list(registry.sunspec_models) == ["64999"]
    with pytest.raises(PluginError, match="SunSpec model needs a whole number as id"):
        register(plugin(register_sunspec_models=lambda: [{"group": {}}]))


NS = "urn:example:ext"


@pytest.fixture
def extension():
    """Makes extensions, and forgets them afterwards."""
    made = []

    def make(
        element="opModExampleW",
        wire_type="ActivePower",
        parents=("DERControlBase",),
        mode="opModExampleW",
        tell=None,
    ):
        spec = ModeSpec(mode, "number", "W", low=0, high=1e6) if mode else None
        made.append(SchemaExtension(NS, element, parents, spec, wire_type, tell))
        return made[-1]

    standard = dict(MODES)
    yield make
    for each in made:
        extensions.unregister(each)
    MODES.clear()
    MODES.update(standard)


def test_a_schema_extension_is_judged_and_becomes_known(extension):
    declared = extension()
    registry = register(plugin(register_schema_extensions=lambda: [declared]))
    assert list(registry.schema_extensions) == [f"{{{NS}}}opModExampleW"]
    assert extensions.find(NS, "opModExampleW").declared == declared
    assert MODES["opModExampleW"].unit == "W"
    body = f"""<DERControlBase xmlns="urn:ieee:std:2030.5:ns"><opModConnect>true</opModConnect>
        <opModExampleW xmlns="{NS}"><multiplier xmlns="urn:ieee:std:2030.5:ns">0</multiplier>
        <value xmlns="urn:ieee:std:2030.5:ns">%s</value></opModExampleW></DERControlBase>"""
    control = """<DERControl xmlns="urn:ieee:std:2030.5:ns" href="/d"><mRID>01</mRID>
        <creationTime>1</creationTime>
        <EventStatus><currentStatus>0</currentStatus><dateTime>1</dateTime><potentiallySuperseded>false
        </potentiallySuperseded></EventStatus><interval><duration>9</duration><start>1</start></interval>
        %s</DERControl>"""

    def verdict(value):
        return schema.violations(etree.fromstring(control % (body % value)), Edition.E2018)

    assert verdict("5") == ()
    assert any("opModExampleW" in each for each in verdict("lots"))


def test_what_a_der_tells_of_itself_needs_no_mode(extension):
    told = extension(parents=("DERCapability",), wire_type="HexBinary8", mode=None, tell=len)
    register(plugin(register_schema_extensions=lambda: [told]))
    plate = read_nameplate(bundled("10kW-3Phase"))
    body = encode(der_bodies.capability(plate, frozenset("abc"), Edition.E2018), Edition.E2018)
    assert f'<opModExampleW xmlns="{NS}">03</opModExampleW>'.encode() in body
    assert decode(body, strict=True, edition=Edition.E2018).violations == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"mode": None}, "plug-in extra: .*either a mode.*or tell"),
        ({"tell": len}, "plug-in extra: .*either a mode.*or tell"),
        ({"element": "1st"}, "plug-in extra: .*xmlschema refuses"),
        ({"wire_type": "Parsec"}, "plug-in extra: .*wire type 'Parsec'"),
        ({"parents": ("DERControlBass",)}, "plug-in extra: .*parent 'DERControlBass'"),
        ({"mode": "opModFixedW"}, "plug-in extra: the mode opModFixedW .*is there already"),
    ],
)
def test_a_schema_extension_that_cannot_be_is_refused(extension, changes, words):
    with pytest.raises(PluginError, match=words):
        register(plugin(register_schema_extensions=lambda: [extension(**changes)]))


def options_of(*candidates):
    parser = OptionParser(prog="dersim sim")
    parser.add_argument("--rate")
    PluginSet(candidates).add_options(parser)
    return parser


def test_flags_of_plugins_are_added():
    parser = options_of(
        plugin(add_options=lambda parser: parser.add_argument_group("x").add_argument("--x") and None)
    )
    assert parser.parse_args(["--x", "1"]).x == "1"


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (["--rate"], ["--y"], r"plug-in one: .*--rate is a flag of dersim itself.*--without one"),
        (["--speed", "-s"], ["-s"], r"plug-in two: .*-s is a flag of plug-in one.*--without two"),
        (["--x-y"], ["--x_y"], r"plug-in two: --x_y would set options.x_y.*plug-in one"),
    ],
)
def test_flags_that_clash_are_refused(first, second, words):
    def adds(*flags):
        def add_options(parser):
            parser.add_argument(*flags)

        return add_options

    with pytest.raises(PluginError, match=words):
        options_of(plugin("one", add_options=adds(*first)), plugin("two", add_options=adds(*second)))


def test_add_options_that_returns_something_is_refused():
    with pytest.raises(PluginError, match=r"plug-in extra: its hook add_options returned"):
        options_of(plugin(add_options=lambda parser: ["--x"]))


WEB = a_frontend_plugin("web", "rest", "csip_ui", frontends=("rest", "csip_ui"))
CSIP = a_frontend_plugin("csip", "csip", frontends=("csip",))
BUILTIN = plugin(
    "builtin", register_control_functions=lambda: [function("volt-var"), function("max-w")], order=0
)
THIRD = plugin("night", register_control_functions=lambda: [function("night-var")])


@pytest.mark.parametrize(
    ("only", "without", "frontends", "functions"),
    [
        ("", "", "csip csip_ui rest", "max-w night-var volt-var"),
        ("csip", "", "csip", "max-w night-var volt-var"),
        ("csip,rest,volt-var", "", "csip rest", "volt-var"),
        ("web", "", "csip_ui rest", "max-w night-var volt-var"),
        ("volt-var", "", "csip csip_ui rest", "volt-var"),
        ("night", "", "csip csip_ui rest", "night-var"),
        ("", "rest,max-w", "csip csip_ui", "night-var volt-var"),
        ("", "web", "csip", "max-w night-var volt-var"),
        ("", "night", "csip csip_ui rest", "max-w volt-var"),
        ("rest,csip", "rest", "csip", "max-w night-var volt-var"),
        ("", "rest,csip_ui,csip", "", "max-w night-var volt-var"),
    ],
)
def test_selection(only, without, frontends, functions):
    registry = register(
        WEB, CSIP, BUILTIN, THIRD,
        only=tuple(filter(None, only.split(","))), without=tuple(filter(None, without.split(","))),
    )  # fmt: skip
    assert (" ".join(sorted(registry.frontends)), " ".join(sorted(registry.functions))) == (
        frontends,
        functions,
    )


def test_what_is_installed_is_listed_and_whether_it_is_loaded():
    listed = register(WEB, CSIP, only=("csip",)).plugins
    assert [(each.name, each.version, each.loaded) for each in listed] == [
        ("web", "1.2", False),
        ("csip", "1.2", True),
    ]


def test_a_front_end_left_out_is_not_even_imported():
    def load():
        raise AssertionError("imported")

    left_out = Candidate("web", "1", "d", load, ("rest", "csip_ui"))
    PluginSet([CSIP, left_out], Selection(only=("csip",)))
    PluginSet([CSIP, left_out], Selection(without=("rest", "csip_ui")))


def test_also_stays_beside_a_list_that_does_not_name_it():
    utility = a_frontend_plugin("utility", "utility")
    assert set(register(CSIP, utility, only=("csip",), also=("utility",)).frontends) == {"csip", "utility"}
    assert set(register(CSIP, utility, without=("utility",), also=("utility",)).frontends) == {"csip"}


@pytest.mark.parametrize(
    ("only", "without", "words"),
    [
        (("csp",), (), r"--plugins: nothing is named 'csp'; did you mean csip\?"),
        ((), ("volt-vra",), r"--without: nothing is named 'volt-vra'; did you mean volt-var\?"),
        ((), ("zzz",), r"--without: nothing is named 'zzz'; known are builtin, csip"),
    ],
)
def test_a_name_that_nothing_bears_is_refused(only, without, words):
    with pytest.raises(ConfigError, match=words):
        register(WEB, CSIP, BUILTIN, only=only, without=without)


def test_front_ends_come_in_their_order():
    kinds = [frontend("csip"), frontend("utility", order=20), frontend("abc")]
    registry = register(plugin(register_frontends=lambda options: kinds))
    assert [kind.name for kind in registry.ordered_frontends()] == ["utility", "abc", "csip"]


def test_a_plug_in_changes_defaults_and_nothing_that_was_given():
    parser = OptionParser()
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--tick", type=float, default=1.0)
    parser.add_argument("--fail", action="append", default=[])
    words = ["--rate", "5"]
    assert parser.given(words) == {"rate"}
    assert parser.given(["--tick=2", "--fail", "a", "--fail", "b", "--", "--rate"]) == {"tick", "fail"}
    options = parser.parse_args(words)

    def slower(options, given):
        assert given == {"rate"}
        options.tick = 10.0

    PluginSet([plugin(adapt_options=slower)]).adapt_options(options, parser.given(words))
    assert (options.rate, options.tick) == (5.0, 10.0)

    def bold(options):
        options.rate = 60.0

    with pytest.raises(PluginError, match=r"bold: its hook adapt_options changed options\.rate, which"):
        PluginSet([plugin("bold", adapt_options=bold)]).adapt_options(options, parser.given(words))
