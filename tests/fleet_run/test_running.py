"""One attempt of a shard, without Dask and without a server."""

import pytest

from dersim.fleet_plan import FleetPlan, Group
from dersim.fleet_run import numbers, running, saving
from dersim.fleet_run.messages import Look, NoContactError
from dersim.fleet_run.plan import cut
from dersim.fleet_run.running import run_until_stopped

FLAGS = ("--plugins", "csip", "--csip_client_enable", "no")


class Life:
    """look: what it says to each look, by its number."""

    attempt, worker = "a1", "w1"

    def __init__(self, folder, look=lambda n: Look(True, n, False, True)):
        self.folder = folder / "shard"
        self._look = look
        self._n = 0
        self.data = b""
        self.events = []
        self.given_back = False
        self.take = None

    def take_lease(self):
        return False

    def give_back(self):
        self.given_back = True

    def look(self):
        self._n += 1
        return self._look(self._n)

    def save(self, data):
        self.data = data

    def saved(self):
        return self.data

    def take_orders(self, take):
        self.take = take

    def take_no_orders(self):
        self.take = None

    def tell(self, event):
        self.events.append(event)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(running, "LOOK_S", 0.01)
    monkeypatch.setattr(running, "TELL_S", 0.05)
    monkeypatch.setattr(numbers, "POWER_S", 0.0)
    monkeypatch.setattr(saving, "SAVE_S", 0.05)
    monkeypatch.setattr(saving, "SOONEST_S", 0.05)
    monkeypatch.setattr(saving, "SHARE", 1.0)
    monkeypatch.setattr(running, "keep_what_is_there", lambda: None)
    monkeypatch.setattr(running, "tune_collector", lambda: None)


def shard(*flags, count=2, keeps=True):
    ders = FleetPlan((Group("", 5, count),), 5, count)
    return cut(ders, 250, [*FLAGS, *flags], 1, keeps=keeps).shards[0]


def after(n, look):
    return lambda number: look if number > n else Look(True, number, False, True)


@pytest.mark.parametrize(
    ("look", "outcome"),
    [
        (Look(mine=False, beat=1, stop=False, wanted=True), "fenced"),
        (Look(mine=True, beat=1, stop=False, wanted=False), "abandoned"),
        (Look(mine=True, beat=1, stop=True, wanted=True), "stopped"),
    ],
)
def test_an_attempt_ends_when_it_sees_that_it_is_not_wanted(tmp_path, look, outcome):
    life = Life(tmp_path, after(3, look))
    summary = run_until_stopped(shard(), {}, life)
    assert (summary.outcome, summary.message) == (outcome, "")
    assert life.given_back
    assert not life.folder.exists()


def test_an_attempt_ends_when_the_command_was_not_heard_of_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "ABANDONED_S", 0.1)
    life = Life(tmp_path, lambda n: Look(True, 7, False, True))  # the same beat for ever
    assert run_until_stopped(shard(), {}, life).outcome == "abandoned"


def test_an_attempt_ends_when_the_scheduler_was_not_heard_of_for_long(tmp_path, monkeypatch):
    monkeypatch.setattr(running, "ABANDONED_S", 0.1)

    def no_answer(n):
        raise NoContactError("gone")

    assert run_until_stopped(shard(), {}, Life(tmp_path, no_answer)).outcome == "abandoned"


def test_it_obeys_orders_and_shows_one_der(tmp_path):
    def look(n):
        if n == 5:
            life.take({"do": "show", "id": 1, "device": 6})
            life.take({"do": "show", "id": 2, "device": 99})
        if n == 20:
            life.take({"do": "move"})
        return Look(True, n, False, True)

    life = Life(tmp_path, look)
    assert run_until_stopped(shard(), {}, life).outcome == "moved"
    answers = {event["id"]: event["body"] for event in life.events if event["kind"] == "answer"}
    assert '"device":6' in answers[1]
    assert answers[2] == "null"
    told = next(event for event in life.events if event["kind"] == "numbers")
    assert (told["shard"], told["attempt"], told["numbers"]["ders"]) == ("ders-5-6", "a1", 2)


def test_the_next_attempt_goes_on_from_the_state_that_was_saved(tmp_path):
    def run(life, looks):
        life._look = after(looks, Look(True, 1, True, True))
        return run_until_stopped(shard("--tick", "0.05"), {}, life).numbers["exported_wh"]

    life = Life(tmp_path)
    assert run(life, 40) > 0
    assert run(Life(tmp_path), 1) == 0  # a first attempt has nothing yet
    assert run(life, 1) > 0


def test_without_kept_states_nothing_is_saved_or_waits(tmp_path):
    life = Life(tmp_path, after(20, Look(True, 1, True, True)))
    life.data = b"of an earlier attempt"
    assert run_until_stopped(shard(keeps=False), {}, life).outcome == "stopped"
    assert life.data == b"of an earlier attempt"


def test_a_bad_flag_is_the_users_and_any_other_error_is_told_with_its_place(tmp_path):
    summary = run_until_stopped(shard("--device_type", "fridge"), {}, Life(tmp_path))
    assert (summary.outcome, summary.config_error) == ("failed", True)
    assert "fridge" in summary.message

    def broken(n):
        raise ZeroDivisionError("oh")

    summary = run_until_stopped(shard(), {}, Life(tmp_path, broken))
    assert (summary.outcome, summary.config_error) == ("failed", False)
    assert summary.message.startswith("ZeroDivisionError('oh') in ")
