"""`dersim server`: what it knows of plug-ins before it serves."""

from __future__ import annotations

import types

import pytest

from dersim.cli import server
from dersim.errors import ConfigError, PluginError
from dersim.ieee2030_5 import extensions
from dersim.ieee2030_5.extensions import SchemaExtension
from dersim.modes import MODES, ModeSpec
from dersim.plugin.candidates import DEFAULT_PLUGINS, Candidate
from dersim.plugin.hookspecs import hookimpl
from dersim.plugin.server_parts import ServerProfile

LIMIT = SchemaExtension(
    "urn:example:server",
    "opModServerW",
    ("DERControlBase",),
    ModeSpec("opModServerW", "number", "W"),
    "ActivePower",
)


@pytest.fixture
def served(monkeypatch):
    """What `run` was given; a plug-in "limit" is installed, and one that cannot be imported, "broken"."""

    @hookimpl
    def register_schema_extensions():
        return [LIMIT]

    module = types.ModuleType("limit")
    module.register_schema_extensions = register_schema_extensions

    def fail():
        raise ImportError("no such thing")

    def not_ours():
        raise AssertionError("the server needs none of our own plug-ins")

    own = [Candidate(each.name, "1", each.module, not_ours, each.frontends) for each in DEFAULT_PLUGINS]
    strangers = [Candidate("limit", "1", "limit", lambda: module), Candidate("broken", "1", "broken", fail)]
    monkeypatch.setattr(server, "find", lambda: [*own, *strangers])
    given = []
    monkeypatch.setattr(server, "run", lambda options, *_: given.append(options) or 0)
    yield given
    extensions.unregister(LIMIT)
    MODES.pop("opModServerW", None)


def test_the_server_knows_the_elements_of_plugins(served):
    assert server.main(["--port", "0", "--without", "broken"]) == 0
    assert extensions.find("urn:example:server", "opModServerW").declared == LIMIT
    assert MODES["opModServerW"] is LIMIT.mode
    assert served[0].port == 0


def test_the_pin_comes_out_of_the_environment_and_a_flag_comes_first(served, monkeypatch):
    monkeypatch.setenv("DERSIM_PIN", "123455")
    server.main(["--without", "broken"])
    server.main(["--without", "broken", "--pin", "111115"])
    assert [options.pin for options in served] == [123455, 111115]
    monkeypatch.setenv("DERSIM_PIN", "1 2")
    with pytest.raises(ConfigError, match="--pin: a PIN such as 111115 is needed, not '1 2'"):
        server.main(["--without", "broken"])


def test_strict_is_off_unless_asked_for(served):
    for flags, strict in (([], False), (["--strict"], True)):
        server.main([*flags, "--enc", "no", "--without", "broken,limit"])
        assert server.config_of(served[-1]).strict is strict


def test_ended_controls_are_listed_as_long_as_the_flag_says(served):
    for flags, seconds in (([], 15), (["--ended_listed", "60"], 60)):
        server.main([*flags, "--enc", "no", "--without", "broken,limit"])
        assert server.config_of(served[-1]).ended_listed_s == seconds
    with pytest.raises(ConfigError, match="--ended_listed"):
        server.main(["--ended_listed", "-1", "--without", "broken,limit"])


def test_days_of_readings_without_a_state_file_are_refused(served):
    server.main(["--without", "broken,limit", "--enc", "no", "--state_days", "3"])
    with pytest.raises(ConfigError, match="--state_days: is for the file of --state FILE"):
        server.config_of(served[-1])


def test_a_plugin_that_is_left_out_adds_nothing(served):
    assert server.main(["--without", "broken,limit"]) == 0
    assert extensions.find("urn:example:server", "opModServerW") is None
    assert "opModServerW" not in MODES


def test_a_broken_plugin_is_named_with_the_way_out(served):
    with pytest.raises(PluginError, match=r"plug-in broken: .*--without broken"):
        server.main([])
    assert not served


def test_a_misspelt_name_is_refused(served):
    with pytest.raises(ConfigError, match="nothing is named 'limits'; did you mean limit"):
        server.main(["--without", "limits"])


@pytest.mark.parametrize(("text", "seconds"), [("20ms", 0.02), ("1.5s", 1.5), ("0ms", 0.0), ("60s", 60.0)])
def test_the_latency(served, text, seconds):
    server.main(["--without", "broken", "--latency", text])
    assert server.config_of(served[0]).latency_s == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["20", "61s", "1m", "nan", "1e3ms", ""])
def test_a_latency_that_is_none_is_told(served, text):
    with pytest.raises(ConfigError, match="--latency: a time such as 20ms"):
        server.main(["--without", "broken", "--latency", text])


def test_only_the_plugins_that_are_named_are_loaded(served):
    server.main(["--plugins", "limit", "--enc", "no"])
    assert extensions.find("urn:example:server", "opModServerW") is not None
    with pytest.raises(ConfigError, match="--plugins: nothing is named 'limits'"):
        server.main(["--plugins", "limits"])


def test_the_pen_is_that_of_the_flag_and_the_profile_gives_its_form(served):
    server.main(["--plugins", "limit", "--enc", "no", "--pen", "28547"])
    config = server.config_of(served[-1])
    assert (config.pen, config.pen_form) == (28547, "hexadecimal")
    profile = ServerProfile("p", "decimal", ("response",), 60)
    config.follow(profile, frozenset({"ended_listed"}))
    assert (config.pen_form, config.refused, config.ended_listed_s) == ("decimal", {"response"}, 15)
    config.follow(profile)
    assert config.ended_listed_s == 60
    with pytest.raises(ConfigError, match="--pen"):
        server.main(["--plugins", "limit", "--pen", "100000000"])
