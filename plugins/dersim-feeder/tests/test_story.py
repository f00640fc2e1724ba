"""The demo of a feeder: its scenario, and what the plug-in changes for it."""

from __future__ import annotations

from argparse import Namespace
from datetime import time
from typing import Any

import dersim_feeder
import yaml
from dersim_feeder import DATA
from dersim_feeder.opening import open_feeder
from dersim_feeder.placing import Der


def test_the_street_of_the_story_is_behind_its_transformer() -> None:
    story = yaml.safe_load((DATA / "story-street.yaml").read_text())
    feeder = open_feeder(
        "bundled-30", [Der(k, 3, 10_000.0) for k in range(1, 31)], map_path=None, seed=1, offset_s=0
    )
    (street,) = story["groups"]
    assert street["ders"] == [
        number for number, at in feeder.connections.items() if feeder.topology.feeding[at.bus] == "fir"
    ]


def test_the_story_of_the_street_is_that_of_the_feeder_and_more() -> None:
    every, street = (
        yaml.safe_load((DATA / name).read_text()) for name in ("story.yaml", "story-street.yaml")
    )
    assert [each for each in street["programs"] if "groups" not in each] == every["programs"]
    assert street["controls"][:-1] == every["controls"]
    assert street["poll_rates"] == every["poll_rates"] == dict.fromkeys(street["poll_rates"], 300)


def test_the_demo_of_a_feeder_changes_what_was_not_given() -> None:
    def adapted(*given: str, **values: Any) -> Namespace:
        options = {"demo": True, "feeder": "bundled-30", "count": 30, "scenario": None, "dc_profile": None}
        found = Namespace(**options | {"start_clock_time": None} | values)
        dersim_feeder.adapt_options(found, frozenset(given))
        return found

    assert adapted().scenario == DATA / "story-street.yaml"
    assert adapted().start_clock_time == time(10, 30)
    assert adapted(count=12).scenario == DATA / "story.yaml"
    assert adapted("scenario", scenario="mine").scenario == "mine"
    assert adapted(demo=False).scenario is None
    assert adapted(feeder=None).dc_profile is None
