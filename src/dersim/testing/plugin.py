"""The pytest plug-in `dersim` (docs/testing.md): fixtures that give a test a utility and its DERs.

Nothing but pytest is imported here: the plug-in costs a run that does not use it next to nothing. Each
fixture has a long name, `dersim_utility`, and a short one, `utility`; a fixture of the user's with a short
name wins, and `dersim_short_names = false` leaves them all out.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from dersim.testing.certificates import TestCertificates
    from dersim.testing.conforming import AssertConforms
    from dersim.testing.handles.clock import Clock
    from dersim.testing.handles.conversation import Conversation
    from dersim.testing.handles.der import Der, DerFleet
    from dersim.testing.handles.faults import Faults
    from dersim.testing.handles.modbus import Modbus
    from dersim.testing.handles.utility import UtilityHandle
    from dersim.testing.handles.world import Handles
    from dersim.testing.portal import Waits
    from dersim.testing.processes import Program

_SHORT_NAMES = "dersim_short_names"
_MARKER = (
    "dersim(ders=1, time='virtual', over='memory', poll_s=..., tick_s=..., seed=..., flags=..., ...): "
    "the world of this test (docs/testing.md)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The ini option."""
    parser.addini(_SHORT_NAMES, "fixtures of dersim by their short names, too", type="bool", default=True)


def pytest_configure(config: pytest.Config) -> None:
    """The marker, and the fixtures with short names."""
    config.addinivalue_line("markers", _MARKER)
    if config.getini(_SHORT_NAMES):
        from dersim.testing import short_names  # noqa: PLC0415 - only where they are wanted

        if not config.pluginmanager.is_registered(short_names):
            config.pluginmanager.register(short_names, "dersim-short-names")


# ---- what a user may replace


@pytest.fixture
def dersim_settings() -> Mapping[str, Any]:
    """Keywords of `@pytest.mark.dersim` for all tests; replace it in conftest.py."""
    return {}


@pytest.fixture
def dersim_head_end() -> str | None:
    """The URL of the head-end under test, to replace; None: the companion server."""
    return None


@pytest.fixture(scope="session")
def dersim_certificates(tmp_path_factory: pytest.TempPathFactory) -> TestCertificates:
    """A test PKI for this session."""
    from dersim import pki  # noqa: PLC0415 - see the head
    from dersim.testing.certificates import TestCertificates  # noqa: PLC0415

    return TestCertificates(pki.create(tmp_path_factory.mktemp("dersim") / "certs", 0))


# ---- the world of a test


@pytest.fixture
def dersim_start(
    request: pytest.FixtureRequest, dersim_certificates: TestCertificates
) -> Iterator[Callable[..., Handles]]:
    """Starts a world, `dersim_start(ders=2, server=url)`; it ends with the test."""
    from dersim.testing.handles.world import Handles  # noqa: PLC0415 - see the head
    from dersim.testing.live import LiveWorld  # noqa: PLC0415
    from dersim.testing.settings import live_plan  # noqa: PLC0415

    with ExitStack() as stack:

        def start(**settings: Any) -> Handles:
            plan, virtual = live_plan(settings, dersim_certificates.folder)
            live = LiveWorld(plan, _waits(request), virtual=virtual)
            stack.callback(lambda: print(live.told()))  # pytest shows it with a failure
            stack.callback(live.stop)
            live.start()
            return Handles(live)

        yield start


@pytest.fixture
def dersim_world(
    request: pytest.FixtureRequest,
    dersim_start: Callable[..., Handles],
    dersim_settings: Mapping[str, Any],
    dersim_head_end: str | None,
) -> Handles:
    """The world of this test; other fixtures are its parts."""
    server = {} if dersim_head_end is None else {"server": dersim_head_end}
    return dersim_start(**{**dersim_settings, **server, **_marked(request)})


def _marked(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The keywords of all marks; those of the nearest one win."""
    found: dict[str, Any] = {}
    for mark in reversed(list(request.node.iter_markers("dersim"))):
        if mark.args:
            raise pytest.UsageError(f"@pytest.mark.dersim{mark.args}: it takes keywords, such as ders=2")
        found |= mark.kwargs
    return found


def _waits(request: pytest.FixtureRequest) -> Waits:
    from dersim.testing.portal import Waits  # noqa: PLC0415 - see the head

    return Waits(in_async=inspect.iscoroutinefunction(getattr(request, "function", None)))


@pytest.fixture
def dersim_clock(dersim_world: Handles) -> Clock:
    """Simulated time."""
    return dersim_world.clock


@pytest.fixture
def dersim_utility(dersim_world: Handles) -> UtilityHandle:
    """The companion server and its operator."""
    return dersim_world.utility


@pytest.fixture
def dersim_fleet(dersim_world: Handles) -> DerFleet:
    """All DERs."""
    return dersim_world.fleet


@pytest.fixture
def dersim_der(dersim_world: Handles) -> Der:
    """The first DER."""
    return dersim_world.der


@pytest.fixture
def dersim_modbus(dersim_world: Handles) -> Modbus:
    """The SunSpec registers of the first DER."""
    return dersim_world.modbus


@pytest.fixture
def dersim_faults(dersim_world: Handles) -> Faults:
    """Faults of the companion server."""
    return dersim_world.faults


@pytest.fixture
def dersim_conversation(dersim_world: Handles) -> Conversation:
    """What was asked and answered."""
    return dersim_world.conversation


# ---- for those who test a program of their own


@pytest.fixture
def dersim_program() -> Iterator[Callable[..., Program]]:
    """Starts a program, `dersim_program(sys.executable, "head_end.py")`; it ends with the test.

    What it has printed is shown where the test fails.
    """
    from dersim.testing.processes import Program  # noqa: PLC0415 - see the head

    started: list[Program] = []

    def start(*argv: Any, cwd: Any = None, env: Mapping[str, str] | None = None) -> Program:
        started.append(Program(argv, cwd, env))
        return started[-1]

    yield start
    for each in reversed(started):
        each.close()
        print(each.told())  # pytest shows it with a failure


@pytest.fixture
def dersim_free_port() -> Callable[[], int]:
    """Gives a free port of 127.0.0.1."""
    from dersim.testing.processes import free_port  # noqa: PLC0415 - see the head

    return free_port


@pytest.fixture
def dersim_assert_conforms(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AssertConforms:
    """Runs conformance procedures: `assert_conforms("CORE-003", "BASIC-01*")`."""
    from dersim.testing.conforming import AssertConforms  # noqa: PLC0415 - see the head

    return AssertConforms(tmp_path_factory.mktemp("conformance"), _waits(request))
