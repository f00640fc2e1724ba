"""What plug-ins add to the companion server: what is taken, and what is refused in which words."""

import types
from argparse import Namespace

import pytest

from dersim.errors import PluginError
from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.options import OptionParser
from dersim.plugin.candidates import Candidate
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.loader import PluginSet
from dersim.plugin.panel import Panel
from dersim.plugin.server_parts import DeviceResource, ServerDocument, ServerParts, ServerProfile
from dersim.routes import Route

NAMESPACE = "urn:example:parts"
DECLARED = [
    SchemaExtension(NAMESPACE, "PlateLink", ("EndDevice",), None, "Link"),
    SchemaExtension(NAMESPACE, "Plate", (), None, "", members={"label": "String32"}, document=True),
]


def plugin(name, **hooks):
    module = types.ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, hook, hookimpl(function))
    return Candidate(name, "1", name, lambda: module)


def parts_of(*given, hook="register_server_resources", **options):
    toy = plugin("toy", **{hook: lambda options: list(given)})
    return PluginSet([toy]).server_parts(Namespace(**options))


@pytest.fixture
def declared():
    for each in DECLARED:
        extensions.register(each, "toy")
    yield
    for each in DECLARED:
        extensions.unregister(each)


def plate(**changes):
    given = {"name": "plate", "namespace": NAMESPACE, "element": "Plate", "title": "Plate"}
    return DeviceResource(**given | changes)


def route(**changes):
    given = {"method": "GET", "path": "/api/toy/all", "handler": lambda call: [], "summary": "All."}
    return Route(**given | {"per_device": False, "sites": ("utility",), "response": list[int]} | changes)


def test_its_flags_are_those_of_the_server_and_have_their_defaults_where_there_are_none():
    def add_server_options(parser):
        parser.add_argument("--toy_pen", type=int, default=7)

    def register_server_profiles(options):
        return [ServerProfile("toy", ended_listed_s=options.toy_pen)]

    found = PluginSet(
        [
            plugin(
                "toy",
                add_server_options=add_server_options,
                register_server_profiles=register_server_profiles,
            )
        ]
    )
    parser = OptionParser()
    found.add_options(parser, "add_server_options")
    assert found.server_parts(parser.parse_args(["--toy_pen", "9"])).one_profile().ended_listed_s == 9
    assert found.server_parts(Namespace(demo=True)).one_profile().ended_listed_s == 7
    plain = OptionParser()
    found.add_options(plain)
    assert "--toy_pen" not in plain.flags


def test_profiles_are_added_up_and_those_that_disagree_are_refused():
    one, other = (
        ServerProfile("a", refuses=("response",)),
        ServerProfile("b", "decimal", ("response", "foreign-mrid")),
    )
    both = ServerParts([one, other]).one_profile()
    assert (both.pen_form, both.refuses, both.ended_listed_s) == (
        "decimal",
        ("response", "foreign-mrid"),
        None,
    )
    assert ServerParts().one_profile().pen_form is None
    with pytest.raises(PluginError, match="pen_form is 'hexadecimal' by a and 'decimal' by b"):
        ServerParts([ServerProfile("a", "hexadecimal"), other]).one_profile()


@pytest.mark.usefixtures("declared")
def test_resources_documents_routes_and_panels_are_sorted_by_kind(tmp_path):
    (tmp_path / "view.js").write_text("export function mount() {}")
    panel = Panel("toy", "Toy", str(tmp_path / "view.js"))
    well_known = ServerDocument("/.well-known/toy", lambda: b"{}")
    found = PluginSet(
        [
            plugin(
                "toy",
                register_server_resources=lambda options: [plate(link="PlateLink"), well_known],
                register_server_routes=lambda options: [route()],
                register_server_panels=lambda options: [panel],
            )
        ]
    ).server_parts(Namespace())
    assert [each.name for each in found.resources] == ["plate"]
    assert (found.documents, found.panels) == ([well_known], [panel])
    assert [each.path for each in found.routes] == ["/api/toy/all"]


@pytest.mark.usefixtures("declared")
@pytest.mark.parametrize(
    ("given", "words"),
    [
        (plate(name="der"), "/edev/k/der is dersim's own"),
        (plate(name="A b"), "its name is a part of a path"),
        (plate(element="Other"), "'Other' is no document; register a SchemaExtension"),
        (plate(element="PlateLink"), "'PlateLink' is no document"),
        (plate(link="Plate"), "'Plate' is no link"),
        (plate(writes=("PATCH",)), "has writes 'PATCH'; known are PUT, POST, DELETE"),
        (plate(check=lambda: ""), "takes"),
        (plate(title=None), "its title is None"),
        (ServerDocument("well-known", lambda: b""), "give a path such as /.well-known/name"),
        (ServerDocument("/x", lambda call: b""), "make takes"),
        ("cp", "give objects of DeviceResource or ServerDocument"),
    ],
)
def test_other_resources_are_refused(given, words):
    with pytest.raises(PluginError, match="plug-in toy") as error:
        parts_of(given)
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (ServerProfile("p", "octal"), "has the pen_form 'octal'; say hexadecimal or decimal"),
        (
            ServerProfile("p", refuses=("everything",)),
            "refuses 'everything'; known are response, foreign-mrid",
        ),
        (ServerProfile("p", ended_listed_s=-1), "give seconds from 0"),
        (ServerProfile(""), "it needs a name"),
    ],
)
def test_other_profiles_are_refused(given, words):
    with pytest.raises(PluginError) as error:
        parts_of(given, hook="register_server_profiles")
    assert words in str(error.value)


async def _later(call):
    return []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (route(path="/api/utility/mine"), "give a path below /api/toy/"),
        (route(sites=("dashboard",)), "give it per_device=False and sites=('utility',)"),
        (route(handler=_later), "its handler is async"),
    ],
)
def test_other_addresses_are_refused(given, words):
    with pytest.raises(PluginError) as error:
        parts_of(given, hook="register_server_routes")
    assert words in str(error.value)


def test_two_of_one_name_are_refused():
    with pytest.raises(PluginError, match="server profile 'p' has the name of one of plug-in toy"):
        parts_of(ServerProfile("p"), ServerProfile("p"), hook="register_server_profiles")
