"""The bounded buffers say what they hold, and that grows with what is put in."""

from dersim.fleet import Fleet
from dersim.ieee2030_5 import resources as r
from dersim.plugin.builtin import make_device
from dersim.setpoint_sources import SetpointSource
from dersim.setpoints import JOURNAL_LENGTH, SetpointChange
from dersim.utility.mirrors import SETS_KEPT, Mirrors
from dersim.utility.responses import KEPT, Responses


def test_responses_by_their_number():
    responses = Responses()
    empty = responses.size()
    for second in range(3):
        responses.post(
            r.Response(endDeviceLFDI="AB" * 20, subject="CD" * 16, createdDateTime=second), None, 0.0
        )
    assert (empty.held_bytes, empty.limit_bytes) == (0, KEPT * responses.size().held_bytes // 3)


def test_journals_by_the_number_of_entries():
    fleet = Fleet([make_device(1), make_device(2)])
    assert fleet.journal_size().held_bytes == 0
    fleet.devices[1].setpoints.submit(SetpointChange(SetpointSource.REST, "opModMaxLimW", 50.0))
    held, limit = fleet.journal_size()
    assert held > 0
    assert limit == 2 * JOURNAL_LENGTH * held


def test_a_server_without_meters_holds_no_readings():
    assert Mirrors().size() == (0, 0)
    assert SETS_KEPT == 48  # docs/performance.md
