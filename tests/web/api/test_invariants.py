"""Violations of invariants over REST, in the overview and in `/metrics`."""

import json

from tests.web.test_metrics import samples

from dersim.invariants import Invariant, Watcher


class Odd(Invariant):
    """Finds something at each look."""

    id = "I99"
    statement = "Nothing is right."

    def check(self, look):
        yield look.violation(Odd, "something else", "this")


async def get(site, path):
    return json.loads((await site("GET", path)).body)


async def test_without_a_watcher_nothing_is_watched(open_site):
    async with open_site() as site:
        assert (await get(site, "/api/dersim/invariants"))["watched"] is False
        assert (await get(site, "/api/dersim/overview"))["violations"] is None
        assert b"dersim_invariant" not in (await site("GET", "/metrics")).body


async def test_violations_are_told_newest_first(open_site):
    async with open_site(count=2) as site:
        context = site.context
        watcher = Watcher(context.fleet, context.services, context.clock, context.log, invariants=[Odd()])
        context.services.offer(Watcher, watcher)
        watcher.step()
        found = await get(site, "/api/dersim/invariants?limit=1")
        assert found["invariants"] == [{"id": "I99", "statements": ["Nothing is right."], "violations": 2}]
        assert [each["device"] for each in found["violations"]] == [2]
        assert found["violations"][0]["seen"] == "this"
        assert (await get(site, "/api/dersim/overview"))["violations"] == 2
        metrics = samples((await site("GET", "/metrics")).body)
        assert metrics['dersim_invariant_violations_total{invariant="I99"}'] == 2
