"""What bound over time, for the timeline."""

from dersim.web.bound import NOTES, BoundPast


def steps(device, past, since, until):
    for second in range(since, until):
        device.step(float(second))
        past.note(device, float(second))


def short(past, since_s=0.0):
    return [
        (s["quantity"], s["mode"], s["start"][-9:-5], s["end"] and s["end"][-9:-5])
        for s in past.spans(since_s)
    ]


async def test_each_span_is_one_that_binds_and_the_last_is_open(make_context):
    device, past = make_context().fleet.devices[0].begin(), BoundPast()
    steps(device, past, 0, 5)
    device.settings.update({"setMaxW": 5000.0})
    steps(device, past, 5, 10)
    device.inputs.set(voltage_pu=1.3)
    steps(device, past, 10, 15)
    assert short(past) == [
        ("p", "setMaxW", "0:05", "0:10"),
        ("p", "trip", "0:10", None),
        ("q", "trip", "0:10", None),
    ]
    assert short(past, 12.0) == [("p", "trip", "0:10", None), ("q", "trip", "0:10", None)]


async def test_a_setpoint_that_changes_nothing_makes_no_second_span(make_context):
    device, past = make_context().fleet.devices[0].begin(), BoundPast()
    device.settings.update({"setMaxW": 5000.0})
    steps(device, past, 0, 3)
    device.setpoints.changes = 17
    steps(device, past, 3, 6)
    assert short(past) == [("p", "setMaxW", "0:00", None)]


async def test_the_notes_are_bounded(make_context):
    device, past = make_context().fleet.devices[0].begin(), BoundPast()
    for second in range(NOTES + 50):
        device.settings.update({"setMaxW": 5000.0 + 5000.0 * (second % 2)})
        steps(device, past, second, second + 1)
    assert len(past._notes) == NOTES
