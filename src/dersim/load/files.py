"""The results of a run under load as JSON and as JUnit XML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dersim import junit
from dersim.load.head import RunHead
from dersim.load.thresholds import Verdict

FORMAT = 1


def json_text(head: RunHead, snapshot: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """Everything, as one JSON document (docs/load.md)."""
    document = {
        "format": FORMAT,
        "result": result(verdicts),
        "head": head._asdict(),
        "thresholds": [each._asdict() for each in verdicts],
        **snapshot,
    }
    return json.dumps(document, indent=1) + "\n"


def result(verdicts: Sequence[Verdict]) -> str:
    """passed or failed; "no thresholds" where there are none."""
    if not verdicts:
        return "no thresholds"
    return "passed" if all(each.passed for each in verdicts) else "failed"


def junit_text(head: RunHead, snapshot: Mapping[str, Any], verdicts: Sequence[Verdict]) -> str:
    """A test case for each threshold."""
    cases = [
        junit.Case(
            "dersim.load",
            each.text,
            failure=None if each.passed else f"measured: {each.found}",
            kind="threshold",
            output=f"measured: {each.found}" if each.passed else None,
        )
        for each in verdicts
    ]
    times = {"time": str(snapshot["seconds"]), "timestamp": (snapshot["began"] or "").removesuffix("Z")}
    return junit.text(f"dersim load {head.target}", cases, times)
