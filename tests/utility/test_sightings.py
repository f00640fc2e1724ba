"""Who has read which control: bounded, and looked up only where something is new."""

from dersim.utility.sightings import Sightings, is_new

ORDER = {"modes": {"opModMaxLimW": 60}, "duration_s": 120}


def test_a_list_that_was_read_whole_is_not_looked_at_again(lab, client):
    client.get("/dcap")
    program = lab.head_end.programs.get(2)
    device = lab.head_end.end_devices.find(client.lfdi)
    lab.admin("POST", "/programs/2/controls", ORDER)
    assert is_new(device, program)
    client.get("/derp/2/derc?l=9")
    assert not is_new(device, program)
    lab.admin("POST", "/programs/2/controls", ORDER)
    assert is_new(device, program)


def test_sightings_of_the_oldest_controls_are_dropped_first(lab, client):
    client.get("/dcap")
    for _ in range(3):
        lab.admin("POST", "/programs/2/controls", ORDER)
    program = lab.head_end.programs.get(2)
    device = lab.head_end.end_devices.find(client.lfdi)
    sightings = Sightings(kept=2)
    controls = list(program.controls.values())
    sightings.note(device, program, controls, 5.0)
    assert [dict(sightings.of(each.mrid)) for each in controls] == [
        {},
        {client.lfdi: 5.0},
        {client.lfdi: 5.0},
    ]
