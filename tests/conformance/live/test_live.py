"""The live page: what it shows of a campaign, and who may answer for the operator."""

import io

import pytest
import trio

from dersim.conformance.evidence import Evidence
from dersim.conformance.live.app import make_app
from dersim.conformance.live.board import Board, State
from dersim.conformance.live.view import View, so_far
from dersim.conformance.procedure import Criterion, Finding, Judged, Outcome, Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.stage import Stage
from dersim.conformance.window import Expected, Window
from dersim.fences import Fences
from dersim.logbuffer import LogBuffer

HERE = {"Host": "127.0.0.1:8110"}
LFDI = "AB" * 20


class Clock:
    def __init__(self, now_s=1_800_000_000.0):
        self.s = now_s

    def now_s(self):
        return self.s


class Site:
    def __init__(self, board):
        fences = Fences(LogBuffer(stream=io.StringIO()), fail_fast=True)
        self._client = make_app(board, fences).test_client()

    async def get(self, path="/api/conformance", headers=None):
        return await self._client.get(path, headers={**HERE, **(headers or {})})

    async def answer(self, body, headers=None):
        headers = {**HERE, **(headers or {})}
        return await self._client.post("/api/conformance/answer", json=body, headers=headers)


@pytest.fixture
def board():
    found = Board(LFDI)
    found.plan([ALL["BASIC-010"], ALL["BASIC-026"]])
    found.address = "https://127.0.0.1:9/dcap"
    return found


def begun(board, name, clock):
    stage = Stage(clock, LogBuffer(stream=io.StringIO()), LFDI, None)
    ALL[name].set_up(stage)
    board.begin(ALL[name], stage)
    return stage


async def test_it_tells_whom_it_waits_for(board):
    board.move_to(ALL["BASIC-010"], State.WAITING)
    shown = View(board).snapshot()
    assert f"BASIC-010: waiting for the client with LFDI {LFDI}" in shown["next"]
    assert [each["state"] for each in shown["procedures"]] == ["waiting", "to come"]
    assert shown["running"] is None


async def test_a_running_procedure_has_steps_with_times_and_nothing_fails_that_may_still_come(board):
    clock = Clock()
    begun(board, "BASIC-010", clock)
    clock.s += 100
    running = View(board).snapshot()["running"]
    assert (running["elapsed_s"], running["lasts_s"]) == (100, 230)
    steps = [(each["at_s"], each["text"]) for each in running["steps"]]
    assert (120, "test starts: opModMaxLimW 60.0") in steps
    assert (120, "P at 60 % until 180 s") in steps
    assert steps[-1] == (230, "it is judged")
    assert {each["state"] for each in running["criteria"]} == {"open", "pass"}


async def test_a_control_that_is_not_published_yet_leaves_its_criteria_open(board):
    begun(board, "BASIC-026", Clock())
    criteria = View(board).snapshot()["running"]["criteria"]
    assert (
        next(each for each in criteria if each["text"].startswith("SP event: Responses"))["state"] == "open"
    )


def test_a_fail_at_the_terminals_is_shown_at_once():
    failed = Finding(Verdict.FAIL, "no")
    window = Window(Expected("P", lambda *_: True), 0, 1, 0)
    assert so_far(Criterion("x", lambda _: failed, window=window), Evidence(0.0)).verdict is Verdict.FAIL
    assert so_far(Criterion("x", lambda _: failed), Evidence(0.0)).verdict is Verdict.NOT_SEEN


async def test_what_is_done_has_both_verdicts_and_what_was_not_passed(board):
    criterion = Criterion("it is kept", lambda _: None, printed_only=True)
    judged = (Judged(criterion, Finding(Verdict.FAIL, "it was not")),)
    board.conclude(Outcome(ALL["BASIC-010"], judged, Evidence(0.0)))
    row = View(board).snapshot()["procedures"][0]
    assert (row["conformance"], row["compatibility"]) == ("fail", "pass")
    assert row["found"] == ["it is kept: it was not"]


@pytest.mark.parametrize("done", [True, False])
async def test_the_page_answers_for_the_operator(board, done, nursery):
    site, answers = Site(board), []

    async def asking():
        answers.append(await board.ask("Set the sun to full."))

    nursery.start_soon(asking)
    await trio.testing.wait_all_tasks_blocked()
    shown = await (await site.get()).get_json()
    question = shown["question"]
    assert shown["next"] == "Do what the operator is asked for below, then press Continue."
    assert question == {"number": 1, "text": "Set the sun to full."}
    assert (await site.answer({"number": 1, "done": done})).status_code == 204
    await trio.testing.wait_all_tasks_blocked()
    assert answers == [done]
    assert (await site.answer({"number": 1, "done": True})).status_code == 409


@pytest.mark.parametrize(
    "body", [None, [], {}, {"number": "1", "done": True}, {"number": True, "done": True}]
)
async def test_what_is_no_answer_is_refused(board, body):
    assert (await Site(board).answer(body)).status_code == 400


async def test_other_sites_neither_look_nor_answer(board):
    site = Site(board)
    assert (await site.get(headers={"Host": "evil.example"})).status_code == 421
    headers = {"Origin": "http://evil.example"}
    assert (await site.answer({"number": 1, "done": True}, headers)).status_code == 403


async def test_the_page_and_what_it_loads_come_from_here_under_a_strict_policy(board):
    site = Site(board)
    page = await site.get("/")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    for path in ("/conformance/js/conformance.js", "/conformance/css/conformance.css", "/static/js/dom.js"):
        assert (await site.get(path)).status_code == 200, path
    assert (await site.get("/conformance/%2e%2e/view.py")).status_code == 404
