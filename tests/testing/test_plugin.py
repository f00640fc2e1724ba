"""The plug-in under plain pytest, pytest-trio and anyio, and beside tests that do not know of it."""

import subprocess
import sys

import pytest

from dersim import testing
from dersim.testing import plugin

pytest_plugins = ("pytester",)

_PLAIN = """
def test_it(utility, der, conversation):
    der.wait_connected()
    mrid = utility.publish({"opModMaxLimW": 40}, start_in_s=15)
    utility.wait_for_responses(mrid, [1, 2])
    conversation.assert_put("/edev/*/der/*/dercap", count=1)
"""
_ASYNC = """
import pytest

@pytest.mark.{runner}
async def test_it(utility, der, conversation):
    await der.wait_connected()
    mrid = utility.publish({{"opModMaxLimW": 40}}, start_in_s=15)
    await utility.wait_for_responses(mrid, [1, 2])
    conversation.assert_put("/edev/*/der/*/dercap", count=1)
"""


@pytest.fixture
def run(pytester):
    """Runs a test file, and gives its result."""
    pytester.makeini("[pytest]\naddopts = --strict-markers -p no:cacheprovider\nfilterwarnings = error\n")

    def run_it(text, *words):
        pytester.makepyfile(text)
        return pytester.runpytest_inprocess("-p", "no:dersim", *words, plugins=[plugin])

    return run_it


def test_under_plain_pytest(run):
    run(_PLAIN).assert_outcomes(passed=1)


def test_under_pytest_trio(run):
    run(_ASYNC.format(runner="trio")).assert_outcomes(passed=1)


def test_under_anyio_with_trio_and_with_asyncio(run):
    backends = (
        "@pytest.fixture(params=['trio', 'asyncio'])\ndef anyio_backend(request): return request.param\n"
    )
    run(_ASYNC.format(runner="anyio") + backends).assert_outcomes(passed=2)


def test_fixtures_of_the_user_win(run, pytester):
    pytester.makeconftest("import pytest\n@pytest.fixture\ndef utility(): return 'my own'\n")
    run(
        "import pytest\n"
        "@pytest.fixture\ndef clock(): return 'mine, too'\n"
        "def test_it(utility, clock): assert (utility, clock) == ('my own', 'mine, too')\n"
        "def test_long_name(dersim_utility): assert dersim_utility.end_devices == []\n"
    ).assert_outcomes(passed=2)


def test_short_names_can_be_left_out(run):
    found = run("def test_it(der): pass\n", "-o", "dersim_short_names=false")
    found.assert_outcomes(errors=1)
    found.stdout.fnmatch_lines(["*fixture 'der' not found*"])


def test_marks_of_class_and_module_add_up(run):
    run(
        "import pytest\n"
        "pytestmark = pytest.mark.dersim(ders=2, poll_s=60)\n"
        "@pytest.mark.dersim(ders=3)\n"
        "def test_it(fleet, dersim_world): assert len(fleet) == 3\n"
        "def test_other(fleet): assert len(fleet) == 2\n"
        "@pytest.mark.dersim(2)\ndef test_bad(fleet): pass\n"
    ).assert_outcomes(passed=2, errors=1)


def test_a_head_end_of_the_users_takes_the_place_of_the_utility(run):
    found = run(
        "import pytest\n"
        "@pytest.fixture\ndef dersim_head_end(dersim_start):\n"
        "    return dersim_start(over='loopback', ders=0).utility.url\n"
        "def test_it(der, conversation):\n"
        "    der.wait_connected()\n"
        "    conversation.assert_get('/dcap', status=200)\n"
        "def test_utility(utility): utility.stop()\n"
    )
    found.assert_outcomes(passed=1, failed=1)
    found.stdout.fnmatch_lines(["*it has no utility of ours*"])


def test_an_error_of_the_simulator_fails_the_test(run):
    found = run(
        "def test_it(der, dersim_world):\n"
        "    der.wait_connected()\n"
        "    der._ask(lambda world, n: world.on_step(lambda _: 1 / 0))\n"
        "    der.wait_for(lambda der: False)\n"
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["*ZeroDivisionError*"])


def test_a_failure_shows_the_line_of_the_test_and_the_log(run):
    found = run(
        "def test_it(der): der.wait_for(lambda der: False, 2, 'asleep')\n"
        "def test_ids(assert_conforms): assert_conforms('SLEEP-*')\n"
        "def test_mode(utility): utility.publish({'opModSleep': 1})\n"
    )
    found.assert_outcomes(failed=3)
    found.stdout.fnmatch_lines(["*DER 1 asleep has not happened in 2 s*", "*MirrorMeterReadingList*"])
    found.stdout.fnmatch_lines(["*assert_conforms: SLEEP-[*]: no procedure has such an id*"])
    for path in ("concurrent/futures", "dersim/testing"):
        found.stdout.no_fnmatch_line(f"*{path}*.py:*")


def test_watched_invariants_fail_the_test_at_its_end(run):
    found = run(
        "import pytest\n"
        "from dersim.invariants import Violation\n"
        "pytestmark = pytest.mark.dersim(watch=True)\n"
        "def test_good(der): der.wait_connected()\n"
        "def test_bad(der):\n"
        "    der._simulator().violations.append(Violation('I3', 1, 0.0, 'rising', 'falling'))\n"
    )
    found.assert_outcomes(passed=2, errors=1)
    found.stdout.fnmatch_lines(["*DER 1: invariant I3 violated: expected rising; seen: falling*"])


def test_what_a_program_printed_is_shown_with_the_failure(run):
    found = run(
        "import sys\n"
        "def test_it(dersim_program):\n"
        "    dersim_program(sys.executable, '-c', 'print(6 * 7)').process.wait()\n"
        "    assert False\n"
    )
    found.assert_outcomes(failed=1)
    found.stdout.fnmatch_lines(["stdout: 42"])


def test_the_types_of_the_fixtures_are_named_in_one_place():
    assert {name: getattr(testing, name).__name__ for name in testing.__all__} == dict(
        zip(testing.__all__, testing.__all__, strict=True)
    )
    with pytest.raises(AttributeError, match="has no attribute 'Snow'"):
        _ = testing.Snow


def test_who_does_not_use_it_loads_nothing_of_it():
    script = (
        "import sys, dersim.testing.plugin, dersim.testing.short_names\n"
        "print([name for name in ('trio', 'lxml', 'cryptography') if name in sys.modules])\n"
        "print(sorted(name for name in sys.modules if name.startswith('dersim')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[]",
        "['dersim', 'dersim.testing', 'dersim.testing.plugin', 'dersim.testing.short_names']",
    ]
