"""Random generators that are made at their first draw."""

import copy
import random

from dersim.draws import draws_of


def test_it_draws_what_a_generator_of_this_seed_draws():
    own, plain = draws_of("8/csip/1"), random.Random("8/csip/1")
    assert [own.random() for _ in range(3)] == [plain.random() for _ in range(3)]
    assert own.uniform(1, 2) == plain.uniform(1, 2)
    assert own.getstate() == plain.getstate()


def test_nothing_is_made_before_the_first_draw(monkeypatch):
    seeds = []
    monkeypatch.setattr(random, "Random", lambda seed: seeds.append(seed) or random.SystemRandom())
    draws = draws_of("8/csip/1")
    assert seeds == []
    draws.random()
    draws.random()
    assert seeds == ["8/csip/1"]


def test_a_look_at_the_state_makes_nothing_that_stays():
    draws = draws_of("8/csip/1")
    assert draws.getstate() == random.Random("8/csip/1").getstate()
    assert draws._made is None


def test_a_copy_goes_on_from_where_the_original_is():
    for own in (draws_of("a"), draws_of("b")):
        for copied in (copy.deepcopy(own), copy.copy(draws_of("c"))):
            assert isinstance(copied.random(), float)
    own = draws_of("d")
    own.random()
    assert copy.deepcopy(own).random() == own.random()
