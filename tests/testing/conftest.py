"""For tests that run pytest in this process."""

import pytest

from dersim.testing.certificates import TestCertificates
from dersim.testing.conforming import AssertConforms
from dersim.testing.handles.world import Handles
from dersim.testing.live import LiveWorld
from dersim.testing.portal import Waits
from dersim.testing.settings import live_plan

#: What the fixtures load when a test first uses them.
LOADED = (TestCertificates, AssertConforms, Handles)


@pytest.fixture(scope="session", autouse=True)
def _loaded(dersim_certificates):
    """Load all that a world needs: pytester drops what is first loaded in its runs, which loads it twice."""
    plan, virtual = live_plan({}, dersim_certificates.folder)
    live = LiveWorld(plan, Waits(in_async=False), virtual=virtual)
    live.start()
    live.portal.wait(live.world.connected)
    live.stop()
