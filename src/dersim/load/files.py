"""The results of a run under load as JSON and as JUnit XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree as ET

from dersim.load.head import RunHead
from dersim.load.thresholds import Verdict

FORMAT = 1
#: What XML 1.0 cannot have, even escaped.
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


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
    failures = sum(not each.passed for each in verdicts)
    suite = ET.Element(
        "testsuite",
        name=f"dersim load {head.target}",
        tests=str(len(verdicts)),
        failures=str(failures),
        errors="0",
        skipped="0",
        time=str(snapshot["seconds"]),
        timestamp=(snapshot["began"] or "").removesuffix("Z"),
    )
    for each in verdicts:
        case = ET.SubElement(suite, "testcase", classname="dersim.load", name=_printable(each.text), time="0")
        if each.passed:
            ET.SubElement(case, "system-out").text = f"measured: {each.found}"
        else:
            failure = ET.SubElement(case, "failure", type="threshold", message=f"measured: {each.found}")
            failure.text = _printable(f"{each.text}: measured {each.found}")
    suites = ET.Element("testsuites", tests=suite.get("tests", ""), failures=suite.get("failures", ""))
    suites.append(suite)
    ET.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(suites, encoding="unicode")}\n'


def _printable(text: str) -> str:
    return _NO_XML.sub("?", text)
