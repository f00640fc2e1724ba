"""What each fault of HTTP puts on the wire."""

import email.utils
import math

import pytest

from dersim.http11 import Raw
from dersim.ieee2030_5 import resources as r
from dersim.utility.faults.actions import Delayed

PUT_TO = "/edev/1/der/1/ders"


def sent(answer):
    assert isinstance(answer, Raw)
    return b"".join(data for data, _ in answer.steps)


def status_document():
    return r.DERStatus(readingTime=1)


def carried_out(client):
    return client.ask("GET", PUT_TO).status == 200


def test_a_status_keeps_the_request_from_the_head_end(client, plant):
    client.get("/dcap")
    plant("status", status=503, method="PUT")
    assert client.put(PUT_TO, status_document()).status == 503
    assert not carried_out(client)


@pytest.mark.parametrize(("seconds", "written"), [(30, "30"), (0.5, "1"), (0, "0")])
def test_retry_after_in_seconds(client, plant, seconds, written):
    plant("status", status=503, retry_after_s=seconds)
    assert client.ask("GET", "/tm").header("retry-after") == written


def test_retry_after_as_a_date_is_of_the_servers_clock(lab, client, plant):
    plant("status", status=429, retry_after_s=90, retry_after="date")
    response = client.ask("GET", "/tm")
    date, until = (
        email.utils.parsedate_to_datetime(response.header(name)).timestamp()
        for name in ("date", "retry-after")
    )
    assert (date, until - date) == (lab.now, 90)


@pytest.mark.parametrize("status", [404, 410])
def test_gone(client, plant, status):
    plant("gone", status=status)
    assert client.ask("GET", "/derp").status == status


def test_a_delay_carries_out_and_answers_later(client, plant):
    client.get("/dcap")
    plant("delay", seconds=7, method="PUT")
    answer = client.put(PUT_TO, status_document())
    assert isinstance(answer, Delayed)
    assert (answer.delay_s, answer.answer.status) == (7, 204)
    assert carried_out(client)


@pytest.mark.parametrize(
    ("at", "is_carried_out", "ends"),
    [("answer", False, b""), ("headers", True, b"\r\n\r\n"), ("body", True, b"\r\n\r\n")],
)
def test_a_hang_never_ends_by_itself(client, plant, at, is_carried_out, ends):
    client.get("/dcap")
    plant("hang", at=at, method="PUT")
    answer = client.put(PUT_TO, status_document())
    assert sent(answer).endswith(ends)
    assert answer.steps[-1][1] == math.inf
    assert carried_out(client) is is_carried_out


def test_a_hang_in_the_body_has_half_of_it(client, plant):
    whole = client.ask("GET", "/tm").body
    plant("hang", at="body")
    head, _, body = sent(client.ask("GET", "/tm")).partition(b"\r\n\r\n")
    assert body == whole[: len(whole) // 2]
    assert f"content-length: {len(whole)}".encode() in head
    assert b"x-dersim-planted-fault: #1" in head


@pytest.mark.parametrize(("rate", "sizes", "seconds"), [(100, 100, 1), (0.5, 1, 2), (2.7, 2, 2 / 2.7)])
def test_a_slow_body_comes_at_its_rate(client, plant, rate, sizes, seconds):
    whole = client.ask("GET", "/tm").body
    plant("slow_body", bytes_per_s=rate)
    (_, first_s), *pieces = client.ask("GET", "/tm").steps
    assert b"".join(data for data, _ in pieces) == whole
    assert {len(data) for data, _ in pieces[:-1]} == {sizes}
    assert first_s == pytest.approx(seconds)


def test_an_answer_without_a_body_is_not_slow(client, plant):
    client.get("/dcap")
    fault = plant("slow_body", bytes_per_s=1)
    assert client.put(PUT_TO, status_document()).status == 204
    assert fault.acted == 0


@pytest.mark.parametrize(
    ("at", "is_carried_out", "last"),
    [
        ("request", False, b""),
        ("answer", True, b""),
        ("status", True, b"HTTP/1.1 2"),
        ("headers", True, None),
    ],
)
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_reset_within_the_answer(client, plant, at, is_carried_out, last, how):
    client.get("/dcap")
    plant("reset", at=at, how=how, method="PUT")
    answer = client.put(PUT_TO, status_document())
    data = sent(answer)
    assert (
        data == last if last is not None else (data.startswith(b"HTTP/1.1 204") and b"\r\n\r\n" not in data)
    )
    assert answer.reset is (how == "reset")
    assert carried_out(client) is is_carried_out


def test_a_reset_in_the_body(client, plant):
    whole = client.ask("GET", "/tm").body
    plant("reset")
    assert sent(client.ask("GET", "/tm")).endswith(b"\r\n\r\n" + whole[: len(whole) // 2])


@pytest.mark.parametrize("by", [100, 1, -1, -100, -(2**20)])
def test_a_wrong_content_length(client, plant, by):
    whole = client.ask("GET", "/tm").body
    plant("content_length", by=by)
    answer = client.ask("GET", "/tm")
    assert f"content-length: {max(len(whole) + by, 0)}\r\n".encode() in sent(answer)
    assert sent(answer).endswith(whole)
    # Too long: the client waits for the rest. Too short: bytes follow that are no answer.
    assert answer.steps[-1][1] == (math.inf if by > 0 else 0)


@pytest.mark.parametrize("hops", [1, 3, 50])
def test_a_chain_of_redirects_ends_at_the_resource(client, plant, hops):
    whole = client.ask("GET", "/derp?s=0&l=2").body
    plant("redirect", hops=hops, status=302, path="/derp")
    target = "/derp?s=0&l=2"
    for _ in range(hops):
        response = client.ask("GET", target)
        assert response.status == 302
        target = response.header("location")
    assert client.ask("GET", target).body == whole


def test_a_redirect_that_is_followed_after_its_end_still_leads_there(lab, client, plant):
    fault = plant("redirect", count=1)
    target = client.ask("GET", "/tm").header("location")
    assert fault.over
    assert client.ask("GET", target).status == 200


def test_a_redirect_to_any_url(client, plant):
    plant("redirect", to="https://other.test:1/x", status=307)
    response = client.ask("GET", "/tm")
    assert (response.status, response.header("location")) == (307, "https://other.test:1/x")


def test_a_redirect_loop(client, plant):
    plant("redirect_loop")
    assert client.ask("GET", "/tm?s=0").header("location") == "/tm?s=0"


@pytest.mark.parametrize("path", ["/redirect-1-2", "/redirect-7-1/tm", "/moved-1/tm", "/redirect-1/tm"])
def test_paths_of_our_own_are_nothing_without_their_fault(client, plant, path):
    plant("gone", path="/nowhere")
    assert client.ask("GET", path).status == 404
