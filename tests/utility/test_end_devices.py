"""The order of EndDeviceList: changedTime descending, sFDI ascending."""

import pytest

from dersim.utility.end_devices import EndDevices

AGGREGATOR, LOW, HIGH = "A0" * 20, "10" * 20, "F0" * 20


@pytest.fixture
def devices():
    made = EndDevices("known", 111115, encrypted=True)
    for lfdi, now_s in ((AGGREGATOR, 100), (HIGH, 100), (LOW, 100)):
        device = made.add(lfdi, now_s)
        if lfdi != AGGREGATOR:
            made.set_aggregator(device, AGGREGATOR)
    return made


def seen(devices):
    return [each.lfdi for each in devices.seen_by(AGGREGATOR)]


def test_the_own_device_of_an_aggregator_is_in_its_place(devices):
    assert seen(devices) == [LOW, AGGREGATOR, HIGH]


def test_a_device_that_is_registered_later_comes_first(devices):
    later = devices.add("B0" * 20, 200)
    devices.set_aggregator(later, AGGREGATOR)
    assert seen(devices) == [later.lfdi, LOW, AGGREGATOR, HIGH]


def test_a_device_that_has_changed_comes_first(devices):
    devices.update(devices.find(HIGH), 111115, enabled=False, now_s=300)
    assert seen(devices) == [HIGH, LOW, AGGREGATOR]


def test_others_see_their_own_and_unknown_clients_nothing(devices):
    assert [each.lfdi for each in devices.seen_by(LOW)] == [LOW]
    assert devices.seen_by("C0" * 20) == []
