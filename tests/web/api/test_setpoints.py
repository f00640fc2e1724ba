"""Setpoints: what rules, what does not, and the journal."""

import json


async def test_setpoints_say_who_rules_until_when_and_who_lost(open_site):
    async with open_site() as site:
        document = json.loads((await site("GET", "/api/dersim/setpoints")).body)
    (rules,) = document["in_force"]
    assert (rules["mode"], rules["value"], rules["source"], rules["detail"]) == (
        "opModMaxLimW",
        40.0,
        "csip",
        "C513",
    )
    assert rules["until"] > rules["since"]
    (loser,) = document["overridden"]
    assert (loser["source"], loser["by"], loser["until"]) == ("csip-default", "csip C513", None)


async def test_the_journal_is_newest_first_with_the_reason_of_a_refusal(open_site):
    async with open_site() as site:
        document = json.loads((await site("GET", "/api/dersim/setpoints")).body)
        short = json.loads((await site("GET", "/api/dersim/setpoints?journal=1")).body)
    assert [line["outcome"] for line in document["journal"]] == [
        "out of range: 110 is above 100 %",
        "accepted",
    ]
    assert len(short["journal"]) == 1
