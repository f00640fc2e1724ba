"""`/subscriptions` of the admin REST: filters, states, and the operator who ends one."""

import pytest
from tests.utility.subscriptions.subscribing import URI, Subscribers


@pytest.fixture
def subscribers(lab, client):
    client.get("/dcap")
    return Subscribers(lab)


def listed(lab, query=""):
    status, found = lab.admin("GET", f"/subscriptions{query}")
    assert status == 200, found
    return found


def test_one_is_shown_as_it_was_posted_with_how_its_notifications_are(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc", limit=3)
    [shown] = listed(lab)
    expected = {
        "id": 1,
        "href": href,
        "lFDI": client.lfdi,
        "endDeviceLFDI": client.lfdi,
        "subscribedResource": "/derp/2/derc",
        "notificationURI": URI,
        "limit": 3,
        "created": "2023-11-14T22:13:20.000Z",
        "expires": "2023-11-16T10:13:20.000Z",
        "state": "up to date",
        "queued": False,
        "sent": 0,
        "last_answer": None,
        "next_try": None,
    }
    assert {name: shown[name] for name in expected} == expected
    assert lab.admin("GET", "/subscriptions/1") == (200, shown)
    assert lab.admin("GET", "/subscriptions/7")[0] == 404


def test_the_states(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish(start_s=int(lab.now) + 9_000)
    subscribers.notifier.collect(lab.now)
    assert [(each["state"], each["queued"]) for each in listed(lab)] == [("waiting", True)]
    [(record, outgoing)] = subscribers.raw()
    assert [(each["state"], each["queued"]) for each in listed(lab)] == [("sending", True)]
    subscribers.notifier.answered(record, outgoing, 503, lab.now)
    [shown] = listed(lab, "?state=failing")
    assert (shown["words"], shown["last_answer"]) == ("failed once: answered 503", "answered 503")
    assert shown["next_try"] > "2023-11-14T22:13:25"
    lab.now += 10
    assert len(subscribers.told()) == 1
    [shown] = listed(lab)
    assert (shown["state"], shown["sent"], shown["failed"], shown["last_answer"]) == (
        "up to date",
        1,
        1,
        "201",
    )


def test_filters_and_pages(lab, client, subscribers):
    other = lab.client(b"of another")
    other.get("/dcap")
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.subscribe(other, "/derp/2/derc", device=2)
    subscribers.subscribe(client, "/edev/1/fsa")

    def ids(query):
        return [each["id"] for each in listed(lab, query)]

    assert ids(f"?lfdi={client.lfdi}") == [1, 3]
    assert ids("?resource=/derp/2/derc") == [1, 2]
    assert ids("?limit=1&after=1") == [2]


def test_the_operator_ends_one_and_its_client_is_told(lab, client, subscribers):
    href = subscribers.subscribe(client, "/derp/2/derc")
    status, shown = lab.admin("DELETE", "/subscriptions/1")
    assert (status, shown["state"], shown["words"]) == (200, "ending", "ending: cancelled")
    assert client.ask("GET", href).status == 404
    assert [told.status for told in subscribers.told()] == [1]
    assert listed(lab) == []


def test_one_that_is_ending_keeps_its_first_status(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    lab.admin("DELETE", "/subscriptions/1")
    assert lab.admin("DELETE", "/subscriptions/1?status=3")[0] == 409
    assert [told.status for told in subscribers.told()] == [1]


@pytest.mark.parametrize("status", [2, 3, 4])
def test_with_any_status(lab, client, subscribers, status):
    subscribers.subscribe(client, "/derp/2/derc")
    moved = "&new_resource=/derp/1/derc" if status == 2 else ""
    assert lab.admin("DELETE", f"/subscriptions/1?status={status}{moved}")[0] == 200
    [told] = subscribers.told()
    assert (told.status, told.newResourceURI) == (status, "/derp/1/derc" if moved else None)


@pytest.mark.parametrize(
    "query", ["status=2", "new_resource=/derp", "status=0", "status=5", "status=2&new_resource=x"]
)
def test_what_does_not_fit_is_refused(lab, client, subscribers, query):
    subscribers.subscribe(client, "/derp/2/derc")
    assert lab.admin("DELETE", f"/subscriptions/1?{query}")[0] == 400
    assert [each["state"] for each in listed(lab)] == ["up to date"]


def test_the_server_counts_its_notifications(lab, client, subscribers):
    subscribers.subscribe(client, "/derp/2/derc")
    subscribers.publish(start_s=int(lab.now) + 9_000)
    subscribers.answered(503)
    lab.now += 10
    subscribers.answered()
    counts = {"subscriptions": 1, "sent": 1, "failed": 1, "dropped": 0}
    assert lab.admin("GET", "/server")[1]["notifications"] == counts
