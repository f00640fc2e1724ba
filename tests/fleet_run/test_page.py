"""The page of a fleet: its documents, /metrics, one DER, and the stop."""

import io
import json

import pytest

from dersim.fences import Fences
from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run.board import Board
from dersim.fleet_run.page import make_app
from dersim.fleet_run.plan import cut
from dersim.fleet_run.view import FleetDocuments
from dersim.load.tally import LoadTally
from dersim.logbuffer import LogBuffer

HERE = {"Host": "127.0.0.1:8120"}
NUMBERS = {
    "ders": 5,
    "states": {"connected": 4, "retrying": 1},
    "counters": {"requests": 100, "errors": 2},
    "controls": 1,
    "target": ["https://192.0.2.5:8443/dcap", "2023"],
    "lag_s": 0.01,
    "cpu_s": 3.0,
    "peak_mib": 90.0,
    "power_w": 25_000.0,
    "reactive_var": 0.0,
    "exported_wh": 500.0,
    "imported_wh": 0.0,
}


class Steering:
    """answers: to `show`, by number."""

    def __init__(self, board):
        self.board = board
        self.answers = {}
        self.stopped = False

    async def show(self, number):
        return self.answers.get(number)

    def stop(self):
        self.stopped = True


@pytest.fixture
def board():
    made = Board(cut(FleetPlan((Group("", 11, 10),), 11, 10), 5, [], 1))
    made.see_workers(["w1", "w2"])
    return made


@pytest.fixture
def log():
    return LogBuffer(stream=io.StringIO())


@pytest.fixture
def documents(board, log):
    return FleetDocuments(board, log, 7)


def tell(board, shard, now_s, requests=100, worker="w1"):
    numbers = {**NUMBERS, "counters": {"requests": requests, "errors": 2}}
    board.take({"shard": shard, "attempt": shard, "worker": worker, "numbers": numbers}, now_s)


def test_the_overview_has_sums_shards_and_workers(board, documents):
    tell(board, "ders-11-15", 0.0)
    seen = documents.overview(1.0)
    assert (seen["ders"], seen["first"], seen["connected"]) == (10, 11, 4)
    assert seen["states"] == {"connected": 4, "retrying": 1, "unknown": 5}
    assert (seen["target"], seen["edition"]) == ("https://192.0.2.5:8443/dcap", "2023")
    assert [(each["name"], each["state"]) for each in seen["shards"]] == [
        ("ders-11-15", "connecting"),
        ("ders-16-20", "waiting"),
    ]
    assert [(each["worker"], each["ders"], each["there"]) for each in seen["workers"]] == [
        ("w1", 5, True),
        ("w2", 0, True),
    ]
    board.see_workers(["w2", "w3"])
    after = documents.overview(1.0)
    assert after["lost_workers"] == 1
    assert [each["worker"] for each in after["workers"] if not each["there"]] == ["w1"]


def test_rates_are_over_the_last_ten_seconds(board, documents):
    for second in range(20):
        tell(board, "ders-11-15", second, requests=100 * second)
        documents.note(second)
    assert documents.rates() == {"requests": 100.0, "errors": 0.0}


def test_metrics_are_sums_and_the_load_where_it_is_measured(board, documents):
    tell(board, "ders-11-15", 0.0)
    text = documents.metrics(1.0)
    assert 'dersim_csip_clients{state="connected"} 4\n' in text
    assert "dersim_csip_requests_total 100\n" in text
    assert 'dersim_fleet_connected{shard="ders-16-20"} 0\n' in text
    assert "dersim_load_" not in text
    tally = LoadTally("ders-11-15")
    tally.handshake(5.0, 0.1, resumed=False)
    board.add_load(tally.to_bytes())
    assert 'dersim_load_handshakes_total{handshake="full"} 1\n' in documents.metrics(1.0)
    families = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(families) == len(set(families))


async def test_the_addresses_of_the_page(board, documents, log):
    steering = Steering(board)
    client = make_app(documents, steering, Fences(log)).test_client()

    async def ask(path, method="GET"):
        answer = await client.open(path, method=method, headers=HERE)
        return answer.status_code, (await answer.get_data()).decode()

    status, page = await ask("/")
    assert status == 200
    assert "/fleet/js/fleet.js" in page
    for path in ("/fleet/js/fleet.js", "/static/js/dom.js", "/static/js/pages/fleet_load.js"):
        assert (await ask(path))[0] == 200
    assert json.loads((await ask("/api/fleet"))[1])["seed"] == 7
    assert json.loads((await ask("/api/dersim/load"))[1]) == {"measured": None}
    assert (await ask("/metrics"))[1].startswith("# HELP dersim_fleet_ders")
    steering.answers[12] = '{"device":12}'
    assert await ask("/api/fleet/ders/12") == (200, '{"device":12}')
    status, problem = await ask("/api/fleet/ders/21")
    assert (status, json.loads(problem)["hint"]) == (404, "There are 11 to 20.")
    assert (await ask("/api/fleet/ders/13"))[0] == 503
    assert (await ask("/api/fleet/stop", "POST"))[0] == 202
    assert steering.stopped


async def test_a_foreign_page_cannot_stop_the_fleet(board, documents, log):
    steering = Steering(board)
    client = make_app(documents, steering, Fences(log)).test_client()
    headers = {**HERE, "Origin": "http://evil.example"}
    assert (await client.post("/api/fleet/stop", headers=headers)).status_code == 403
    assert not steering.stopped
