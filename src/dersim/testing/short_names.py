"""The fixtures of the plug-in by their short names."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from dersim.testing.conforming import AssertConforms
    from dersim.testing.handles.clock import Clock
    from dersim.testing.handles.conversation import Conversation
    from dersim.testing.handles.der import Der, DerFleet
    from dersim.testing.handles.faults import Faults
    from dersim.testing.handles.modbus import Modbus
    from dersim.testing.handles.utility import UtilityHandle


@pytest.fixture
def utility(dersim_utility: UtilityHandle) -> UtilityHandle:
    """The companion server and its operator."""
    return dersim_utility


@pytest.fixture
def der(dersim_der: Der) -> Der:
    """The first DER."""
    return dersim_der


@pytest.fixture
def fleet(dersim_fleet: DerFleet) -> DerFleet:
    """All DERs."""
    return dersim_fleet


@pytest.fixture
def clock(dersim_clock: Clock) -> Clock:
    """Simulated time."""
    return dersim_clock


@pytest.fixture
def faults(dersim_faults: Faults) -> Faults:
    """Faults of the companion server."""
    return dersim_faults


@pytest.fixture
def conversation(dersim_conversation: Conversation) -> Conversation:
    """What was asked and answered."""
    return dersim_conversation


@pytest.fixture
def modbus(dersim_modbus: Modbus) -> Modbus:
    """The SunSpec registers of the first DER."""
    return dersim_modbus


@pytest.fixture
def assert_conforms(dersim_assert_conforms: AssertConforms) -> AssertConforms:
    """Runs conformance procedures."""
    return dersim_assert_conforms
