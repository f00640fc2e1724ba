"""What front-ends offer one another is found by protocol and device number."""

import inspect

import pytest
from tests.web.conftest import StandInClient

from dersim.csip.client import CsipClient
from dersim.errors import PluginError
from dersim.exchanges.conversation import Conversation
from dersim.plugin import services
from dersim.plugin.services import (
    CompanionService,
    ConversationService,
    CsipService,
    Services,
    SunspecService,
)
from dersim.sunspec.server import ModbusServer
from dersim.utility.demo import DemoServer


class Lamp:
    """A service of a plug-in."""


def test_an_offer_is_found_by_kind_and_number():
    offers, lamp = Services(), Lamp()
    offers.offer(Lamp, lamp, 2)
    assert offers.find(Lamp, 2) is lamp
    assert offers.find(Lamp, 1) is None
    assert offers.find(CsipService, 2) is None


def test_a_second_offer_of_one_kind_is_refused():
    offers = Services()
    offers.offer(Lamp, Lamp(), 2)
    with pytest.raises(PluginError, match=r"Lamp: DER 2 has a Lamp already"):
        offers.offer(Lamp, Lamp(), 2)


def test_what_is_shared_is_made_once():
    offers = Services()
    assert offers.shared(Lamp, Lamp) is offers.shared(Lamp, Lamp)


def members(protocol):
    return {name for name in vars(protocol) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("protocol", "offered"),
    [
        (CsipService, CsipClient),
        (CsipService, StandInClient),
        (SunspecService, ModbusServer),
        (CompanionService, DemoServer),
        (ConversationService, Conversation),
    ],
)
def test_who_offers_a_service_has_all_of_it(protocol, offered):
    """mypy checks the types of the first; of stand-ins only the names can be checked."""
    source = inspect.getsource(offered)
    bases = "".join(inspect.getsource(base) for base in offered.__mro__[1:-1])
    assert not [name for name in members(protocol) if name not in source + bases]


def test_every_protocol_of_the_module_is_exported_to_plugins():
    import dersim.plugin

    found = {name for name in vars(services) if name.endswith("Service")}
    assert found
    assert found <= set(dersim.plugin.__all__)
