"""What is measured under load, over REST and in `/metrics`."""

import json

from tests.load.example import example_tally
from tests.web.test_metrics import samples

from dersim.load.recorder import LoadRecorder


def recorded(site):
    recorder = LoadRecorder(site.context.fleet, site.context.clock)
    recorder.tally = example_tally()
    site.context.services.offer(LoadRecorder, recorder)
    return recorder.tally


async def test_without_load_there_is_nothing(open_site):
    async with open_site() as site:
        answer = await site("GET", "/api/dersim/load")
        assert json.loads(answer.body) == {"measured": None}
        assert b"dersim_load" not in (await site("GET", "/metrics")).body


async def test_the_numbers_so_far(open_site):
    async with open_site() as site:
        tally = recorded(site)
        document = json.loads((await site("GET", "/api/dersim/load")).body)["measured"]
    assert document["requests"] == tally.requests
    assert {each["kind"] for each in document["kinds"]} == set(tally.kinds)
    assert len(document["series"]["p95_ms"]) == 90
    assert document["controls"][0]["steps"]["response 3"]["count"] > 10


async def test_metrics_have_a_histogram_for_each_kind(open_site):
    async with open_site() as site:
        tally = recorded(site)
        found = samples((await site("GET", "/metrics")).body)
    kind = tally.kinds["GET Time"]
    assert found['dersim_load_requests_total{kind="GET Time"}'] == kind.count
    assert found['dersim_load_errors_total{kind="GET Time",error="receive"}'] == kind.errors["receive"]
    ends = [
        found[f'dersim_load_latency_seconds_bucket{{kind="GET Time",le="{end}"}}']
        for end in ("0.005", "0.1", "1", "+Inf")
    ]
    assert ends == sorted(ends)
    assert ends[-1] == found['dersim_load_latency_seconds_count{kind="GET Time"}'] == kind.latency.count
    assert found['dersim_load_handshakes_total{handshake="resumed"}'] == 2
    assert found['dersim_load_loop_lag_seconds{quantile="0.99"}'] > 0
