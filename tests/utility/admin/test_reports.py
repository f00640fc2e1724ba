"""What devices sent, filtered and paged."""

from dersim.ieee2030_5 import resources as r

OTHER = b"certificate of the second"


def answer(client, subject, status):
    response = r.DERControlResponse(
        createdDateTime=1_700_000_000, endDeviceLFDI=client.lfdi, status=status, subject=subject
    )
    assert client.post("/rsps/1/rsp", response).status == 201


def test_responses_by_subject_device_and_status(lab, client):
    other = lab.client(OTHER)
    mrids = [
        lab.admin("POST", "/programs/2/controls", {"modes": {"opModMaxLimW": 60}, "duration_s": 60})[1][
            "mRID"
        ]
        for _ in range(2)
    ]
    for each in (client, other):
        each.get("/dcap")
        for mrid in mrids:
            for status in (1, 2):
                answer(each, mrid, status)

    def ids(query=""):
        return [response["id"] for response in lab.admin("GET", f"/responses?{query}")[1]]

    assert ids() == list(range(1, 9))
    assert ids("limit=3") == [6, 7, 8]
    assert ids("after=2&limit=3") == [3, 4, 5]
    assert ids("limit=0") == []
    assert ids(f"lfdi={other.lfdi.lower()}") == [5, 6, 7, 8]
    assert ids(f"subject={mrids[0]}&status=2") == [2, 6]


def test_log_events_by_device_and_by_arrival(lab, client):
    other = lab.client(OTHER)
    for number, each in enumerate((client, other, client), 1):
        each.get("/dcap")
        event = r.LogEvent(
            createdDateTime=100 - number,
            functionSet=0,
            logEventCode=1,
            logEventID=number,
            logEventPEN=40732,
            profileID=2,
        )
        assert each.post(f"/edev/{1 if each is client else 2}/lel", event).status == 201
    events = lab.admin("GET", "/log-events")[1]
    assert [event["logEventID"] for event in events] == [3, 2, 1]
    first = min(event["id"] for event in events)
    assert [e["logEventID"] for e in lab.admin("GET", f"/log-events?after={first}&limit=1")[1]] == [2]
    assert [e["logEventID"] for e in lab.admin("GET", f"/log-events?lfdi={other.lfdi}")[1]] == [2]


def test_requests_by_device_method_status_and_path(lab, client):
    other = lab.client(OTHER)
    client.ask("GET", "/dcap")
    other.ask("GET", "/tm")
    client.ask("GET", "/nothing")
    client.ask("DELETE", "/dcap")

    def ids(query=""):
        return [request["id"] for request in lab.admin("GET", f"/requests?{query}")[1]]

    assert ids() == [1, 2, 3, 4]
    assert ids(f"lfdi={other.lfdi}") == [2]
    assert ids("status=404") == [3]
    assert ids("method=delete") == [4]
    assert ids("path=/dcap") == [1, 4]
    assert ids("after=1&limit=2") == [2, 3]
    assert ids("path=/dcap&limit=1") == [4]


def test_poll_rates_are_read_and_changed(lab):
    before = lab.admin("GET", "/poll-rates")[1]
    assert lab.admin("PUT", "/poll-rates", {"derp": 5}) == (200, before | {"derp": 5})
    problem = lab.admin("PUT", "/poll-rates", {"derp": 0})[1]
    assert problem["detail"] == "derp: 0 is outside 1 to 86400 s"
