"""The SubscriptionList of an EndDevice: what is accepted, renewed, refused and ended."""

import re

import pytest
from tests.utility.subscriptions.subscribing import URI, wish

from dersim.ieee2030_5 import Edition
from dersim.ieee2030_5 import resources as r
from dersim.utility.subscriptions import book


def reason(response):
    return re.search(rb"<!-- (.*?) -->", response.body)[1].decode()


@pytest.mark.parametrize("edition", Edition)
def test_each_end_device_has_a_list_and_says_what_can_be_subscribed_to(lab, edition):
    client = lab.client(edition=edition)
    device = client.get("/edev?l=9", r.EndDeviceList).EndDevice[0]
    assert (device.subscribable, device.SubscriptionListLink) == (1, r.ListLink(href="/edev/1/sub", all=0))
    for path in ("/edev", "/edev/1", "/edev/1/fsa", "/derp", "/derp/1/derc", "/derp/1/dderc"):
        assert client.get(path).subscribable == 1, path
    assert client.get("/derp/1/actderc").subscribable is None
    assert client.get("/edev/1/sub", r.SubscriptionList).all == 0


def test_a_subscription_is_listed_read_and_deleted(lab, client, subscribers):
    client.get("/dcap")
    first = subscribers.subscribe(client, "/derp/2/derc")
    second = subscribers.subscribe(client, "/edev/1/fsa", limit=0)
    assert (first, second) == ("/edev/1/sub/1", "/edev/1/sub/2")
    listed = client.get("/edev/1/sub?s=1&l=1", r.SubscriptionList)
    assert (listed.all, listed.results, listed.Subscription[0].href) == (2, 1, second)
    assert client.get("/edev/1").SubscriptionListLink.all == 2
    assert client.get(first) == wish("/derp/2/derc", href=first)
    assert client.ask("DELETE", first).status == 204
    assert client.ask("GET", first).status == 404
    assert client.ask("DELETE", first).status == 404
    assert client.get("/edev/1/sub?l=9").all == client.get("/edev/1").SubscriptionListLink.all == 1


def test_the_same_again_renews_with_the_same_location(lab, client, subscribers):
    client.get("/dcap")
    href = subscribers.subscribe(client, "/derp/2/derc", limit=1)
    lab.now += 86_400
    assert subscribers.subscribe(client, "/derp/2/derc", limit=5) == href
    [record] = lab.head_end.subscriptions
    assert (record.limit, record.renewed_s - record.created_s) == (5, 86_400)
    assert subscribers.subscribe(client, "/derp/2/derc", notificationURI=f"{URI}/2") != href


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ({"encoding": 1}, 400, "only 0, XML, is supported"),
        (
            {"Condition": r.Condition(attributeIdentifier=0, lowerThreshold=0, upperThreshold=1)},
            400,
            "conditional",
        ),
        ({"subscribedResource": "/derp/2/actderc"}, 400, "cannot be subscribed to"),
        ({"subscribedResource": "/dcap"}, 400, "cannot be subscribed to"),
        ({"subscribedResource": "/nothing/at/all"}, 400, "cannot be subscribed to"),
        ({"subscribedResource": "/derp/*/derc"}, 400, "cannot be subscribed to"),
        ({"subscribedResource": "/derp/9/derc"}, 404, "no such DERProgram"),
        ({"subscribedResource": "/derp/2/dderc"}, 404, "no DefaultDERControl"),
        ({"subscribedResource": "/edev/2/fsa"}, 404, "or it is not yours"),
        ({"subscribedResource": "/derp/2/derc?s=0"}, 400, "a path without a query"),
        ({"subscribedResource": "https://127.0.0.1/derp/2/derc"}, 400, "a path without a query"),
        ({"notificationURI": "http://127.0.0.1:9443/"}, 400, "https is needed"),
        ({"notificationURI": "https://192.0.2.9/"}, 400, "its host must be 127.0.0.1"),
        ({"notificationURI": "https://localhost/"}, 400, "its host must be 127.0.0.1"),
        ({"notificationURI": "/ntfy"}, 400, "an absolute URI"),
        ({"notificationURI": "https://a@127.0.0.1/"}, 400, "neither a fragment nor a user name"),
        ({"notificationURI": "https://127.0.0.1/a b"}, 400, "printable ASCII"),
        ({"notificationURI": "https://127.0.0.1:99999/"}, 400, "is no URI"),
        ({"notificationURI": f"https://127.0.0.1/{'a' * 255}"}, 400, "at most 255"),
    ],
)
def test_what_cannot_be_subscribed_to_is_refused_in_one_line(lab, client, change, status, words):
    client.get("/dcap")
    lab.client(b"of another").get("/dcap")
    wanted = wish(change.pop("subscribedResource", "/derp/2/derc"), **change)
    response = client.post("/edev/1/sub", wanted)
    assert (response.status, len(lab.head_end.subscriptions)) == (status, 0), response
    assert words in reason(response)


def test_the_list_of_another_device_does_not_exist(lab, client, subscribers):
    client.get("/dcap")
    href = subscribers.subscribe(client, "/derp/2/derc")
    other = lab.client(b"of another")
    other.get("/dcap")
    assert other.post("/edev/1/sub", wish("/derp/2/derc")).status == 404
    for path in ("/edev/1/sub", href, href.replace("/edev/1/", "/edev/2/")):
        assert other.ask("GET", path).status == 404
    assert other.ask("DELETE", href).status == 404


def test_an_aggregator_subscribes_for_its_devices(lab, client, subscribers):
    client.get("/dcap")
    lab.head_end.provision("AB" * 20, None, client.lfdi)
    assert subscribers.subscribe(client, "/edev/2/fsa", device=2) == "/edev/2/sub/1"
    assert subscribers.subscribe(client, "/edev", device=1) == "/edev/1/sub/2"
    assert client.get("/edev/2/sub?l=9").Subscription[0].subscribedResource == "/edev/2/fsa"


def test_a_client_that_is_not_registered_may_not_subscribe(lab, client):
    client.get("/dcap")
    lab.admin("PUT", f"/end-devices/{client.lfdi}", {"enabled": False})
    assert client.post("/edev/1/sub", wish("/edev/1")).status == 403


def test_other_hosts_and_http_are_allowed_by_flags(make_subscribers):
    lab = make_subscribers(notify_hosts="anywhere", notify_http=True)
    client = lab.lab.client()
    client.get("/dcap")
    lab.subscribe(client, "/derp/2/derc", notificationURI="http://hub.example/ntfy?a=1")


def test_without_tls_notifications_go_by_http(make_subscribers):
    lab = make_subscribers(encrypted=False)
    client = lab.lab.plain()
    lab.head_end.provision("AB" * 20, None)
    lab.subscribe(client, "/derp/2/derc", notificationURI="http://127.0.0.1:9080/")
    assert client.post("/edev/1/sub", wish("/derp/2/derc")).status == 400


def test_lists_are_bounded(lab, client, subscribers, monkeypatch):
    monkeypatch.setattr(book, "MOST_OF_DEVICE", 2)
    client.get("/dcap")
    for number in (1, 2):
        subscribers.subscribe(client, "/derp/2/derc", notificationURI=f"{URI}/{number}")
    refused = client.post("/edev/1/sub", wish("/derp/2/derc"))
    assert (refused.status, b"<reasonCode>2</reasonCode>" in refused.body) == (400, True)
    subscribers.subscribe(client, "/derp/2/derc", notificationURI=f"{URI}/1")
    lab.head_end.provision("AB" * 20, None, client.lfdi)
    subscribers.subscribe(client, "/derp/2/derc")


def test_a_server_may_offer_none(make_lab):
    lab = make_lab(subscriptions=False)
    client = lab.client()
    client.get("/dcap")
    device = client.get("/edev/1")
    assert (device.subscribable, device.SubscriptionListLink) == (None, None)
    assert client.get("/derp/1/derc").subscribable is client.get("/derp/1/dderc").subscribable is None
    assert client.ask("GET", "/edev/1/sub").status == 404
    assert client.post("/edev/1/sub", wish("/derp/2/derc")).status == 404


def test_planted_faults_reach_the_list_as_any_other(lab, client, subscribers):
    client.get("/dcap")
    lab.admin("POST", "/faults", {"kind": "status", "status": 503, "path": "/edev/*/sub", "count": 1})
    assert client.post("/edev/1/sub", wish("/derp/2/derc")).status == 503
    subscribers.subscribe(client, "/derp/2/derc")
