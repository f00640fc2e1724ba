"""`/timeline`: what was ordered, ended controls too."""


def timeline(lab, query=""):
    status, found = lab.admin("GET", f"/timeline?{query}")
    assert status == 200
    return found


def order(lab, program, **changes):
    body = {"modes": {"opModMaxLimW": 60}, "duration_s": 60, **changes}
    return lab.admin("POST", f"/programs/{program}/controls", body)[1]["mRID"]


def test_ended_and_cancelled_controls_stay_with_their_real_end(lab):
    over = order(lab, 1, duration_s=30)
    lab.now += 60
    cancelled = order(lab, 2, duration_s=600)
    lab.now += 20
    lab.admin("DELETE", f"/controls/{cancelled}")
    lab.now += 100
    found = timeline(lab)
    told = {each["mRID"]: each for each in found["orders"]}
    assert [each["mRID"] for each in found["orders"]] == [over, cancelled]
    assert told[over]["status_text"] == "completed"
    assert told[over]["end"] == told[over]["planned_end"] == "2023-11-14T22:13:50.000Z"
    assert told[cancelled]["status_text"] == "cancelled"
    assert told[cancelled]["end"] == "2023-11-14T22:14:40.000Z"
    assert told[cancelled]["planned_end"] == "2023-11-14T22:24:20.000Z"
    assert told[cancelled]["modes"] == [{"mode": "opModMaxLimW", "text": "60 %"}]
    lab.now += 900
    assert timeline(lab)["orders"] == []


def test_what_is_to_come_and_the_defaults_are_in_it(lab):
    order(lab, 1, start_in_s=3600)
    lab.admin("PUT", "/programs/2/default-control", {"modes": {"setGradW": 1, "opModConnect": True}})
    found = timeline(lab, "seconds=60")
    assert [each["start"] for each in found["orders"]] == ["2023-11-14T23:13:20.000Z"]
    assert [(each["program"], each["modes"]) for each in found["defaults"] if each["program"] == 2] == [
        (2, [{"mode": "setGradW", "text": "1 %/s"}, {"mode": "opModConnect", "text": "on"}])
    ]


def test_one_program_or_those_of_one_device(lab):
    one, two = lab.client(), lab.client(b"certificate of the second")
    for client in (one, two):
        client.get("/dcap")
    lab.admin("POST", f"/end-devices/{one.lfdi}/controls", {"modes": {"opModFixedW": 1}, "duration_s": 60})
    order(lab, 1)
    assert len(timeline(lab, f"lfdi={one.lfdi}")["orders"]) == 2
    assert [each["program"] for each in timeline(lab, f"lfdi={two.lfdi}")["orders"]] == [1]
    assert [each["program"] for each in timeline(lab, "program=1")["orders"]] == [1]
    assert lab.admin("GET", f"/timeline?lfdi={'0' * 40}")[0] == 404


def test_of_many_the_newest_are_shown(lab):
    mrids = [order(lab, 1, start_in_s=100 * number) for number in range(5)]
    found = timeline(lab, "limit=2")
    assert ([each["mRID"] for each in found["orders"]], found["more"]) == (mrids[3:], True)
