"""The cases: which controls of the demo's story act in each, all day."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dersim_feeder import DATA

#: The utility publishes at once; clients that have just connected find it.
START_AFTER_S = 60
#: In the story clients poll every 300 s; here nothing is published later, so seldom is enough.
POLL_S = 7200


class Case(NamedTuple):
    """key: of files. title: in the table. programs: of the story, besides unity power factor."""

    key: str
    title: str
    programs: tuple[str, ...] = ()


VOLT_VAR, VOLT_WATT, LIMIT = "Volt-Var", "Volt-Watt", "export limit of Fir Street"
CASES = (
    Case("none", "No program"),
    Case("volt-var", "Volt-Var", (VOLT_VAR,)),
    Case("volt-watt", "Volt-Watt", (VOLT_WATT,)),
    Case("export-limit", "Export limit", (LIMIT,)),
    Case("together", "All three", (VOLT_VAR, VOLT_WATT, LIMIT)),
)


def scenario_of(case: Case, duration_s: float) -> dict[str, Any]:
    """The story's scenario with the controls of this case alone, from the start on."""
    story = yaml.safe_load((DATA / "story-street.yaml").read_text(encoding="utf-8"))
    controls = [each for each in story["controls"] if each["program"] in case.programs]
    programs = [each for each in story["programs"] if "default" in each or each["name"] in case.programs]
    scenario = {
        "description": f"{case.title}: the study of the feeder",
        "poll_rates": dict.fromkeys(story["poll_rates"], POLL_S),
        "programs": programs,
        "controls": [
            {**each, "start_s": START_AFTER_S, "duration_s": int(duration_s), "lead_s": START_AFTER_S}
            for each in controls
        ],
    }
    if LIMIT in case.programs:
        scenario["groups"] = story["groups"]
    return scenario


def write_scenario(case: Case, folder: Path, duration_s: float) -> Path:
    """The scenario as a file, which `dersim sim --demo --scenario` takes, too."""
    path = folder / f"scenario-{case.key}.yaml"
    path.write_text(yaml.safe_dump(scenario_of(case, duration_s), sort_keys=False), encoding="utf-8")
    return path
