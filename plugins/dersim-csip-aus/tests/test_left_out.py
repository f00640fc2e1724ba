"""Without the plug-in nothing of it is imported or sent; and what a strict server is told to leave out."""

from __future__ import annotations

import subprocess
import sys

import pytest

from dersim.csip.hints import hint
from dersim.http11 import Response
from dersim.ieee2030_5 import Edition, extensions


@pytest.fixture(autouse=True)
def _nothing_learnt():
    """Other tests of this process have loaded the plug-in."""
    before = extensions.registered()
    for each in before:
        extensions.unregister(each.declared)
    yield
    for each in before:
        extensions.register(each.declared, each.owner)


@pytest.mark.dersim(frontends=["csip"], poll_s=30, flags=["--without", "csip-aus"])
def test_without_the_plug_in_nothing_of_it_is_sent(der, clock, conversation):
    der.wait_connected()
    clock.advance(130)
    bodies = [seen.request_body for seen in conversation.exchanges()]
    assert [body for body in bodies if body]
    assert not [body for body in bodies if b"csipaus" in body]
    assert not conversation.exchanges("GET", "/.well-known/*")
    points = [seen.sent() for seen in conversation.assert_post("/mup")]
    assert [point.roleFlags for point in points] == [0x0049]
    assert {kind.ReadingType.dataQualifier for point in points for kind in point.MirrorMeterReading} == {0}


def test_without_the_plug_in_nothing_of_it_is_imported():
    script = (
        "import sys; from argparse import Namespace; from dersim.plugin.candidates import find\n"
        "from dersim.plugin.loader import PluginSet; from dersim.plugin.registry import Selection\n"
        "PluginSet(find(), Selection(without=('csip-aus',)))\n"
        "print([each for each in sys.modules if each.startswith('dersim_csip_aus')])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.dersim(frontends=["csip"], poll_s=30)
@pytest.mark.parametrize("status", [400, 415, 422])
def test_where_a_strict_server_refuses_an_element_the_log_says_how_to_leave_it_out(der, conversation, status):
    der.wait_connected()
    [put] = conversation.assert_put("*/dercap")
    assert b"csipaus" in put.request_body
    advice = hint(Response(status), put.request_body, Edition.E2018, certificate_accepted=True)
    assert advice == "a strict server may refuse the elements of plug-in csip-aus: try --without csip-aus"


@pytest.mark.dersim(frontends=["csip"], poll_s=30, flags=["--csip_aus_profile", "no"])
def test_without_the_profile_there_are_elements_alone(der, clock, conversation):
    der.wait_connected()
    clock.advance(70)
    [put] = conversation.assert_put("*/dercap")
    assert b"doeModesSupported" in put.request_body
    [point] = [seen.sent() for seen in conversation.assert_post("/mup")]
    assert point.mRID.endswith("00009F1C")
