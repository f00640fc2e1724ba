"""JUnit XML: the results of a run as test cases, for build servers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple
from xml.etree import ElementTree as ET

#: What XML 1.0 cannot have, even escaped.
_NO_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Case(NamedTuple):
    """One test case. failure, skipped: why, else None; kind: of the failure; output: what was seen."""

    classname: str
    name: str
    time_s: float = 0.0
    failure: str | None = None
    kind: str = "failure"
    skipped: str | None = None
    output: str | None = None


def text(suite: str, cases: Sequence[Case], attributes: Mapping[str, str] | None = None) -> str:
    """The document with one test suite. attributes: further ones of it."""
    return text_of_suites({suite: cases}, attributes)


def text_of_suites(suites: Mapping[str, Sequence[Case]], attributes: Mapping[str, str] | None = None) -> str:
    """The document with several test suites by name. attributes: further ones of each."""
    every = [case for cases in suites.values() for case in cases]
    failures = str(sum(case.failure is not None for case in every))
    root = ET.Element("testsuites", tests=str(len(every)), failures=failures)
    for suite, cases in suites.items():
        counts = {
            "tests": str(len(cases)),
            "failures": str(sum(case.failure is not None for case in cases)),
            "errors": "0",
            "skipped": str(sum(case.skipped is not None for case in cases)),
        }
        named = {"name": _printable(suite), **counts, **(attributes or {})}
        element = ET.SubElement(root, "testsuite", named)
        for case in cases:
            _add(element, case)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _add(suite: ET.Element, case: Case) -> None:
    attributes = {
        "classname": _printable(case.classname), "name": _printable(case.name), "time": f"{case.time_s:g}"
    }  # fmt: skip
    element = ET.SubElement(suite, "testcase", attributes)
    if case.failure is not None:
        failure = ET.SubElement(element, "failure", type=case.kind, message=_printable(case.failure))
        failure.text = _printable(f"{case.name}: {case.failure}")
    if case.skipped is not None:
        ET.SubElement(element, "skipped", message=_printable(case.skipped))
    if case.output is not None:
        ET.SubElement(element, "system-out").text = _printable(case.output)


def _printable(words: str) -> str:
    return _NO_XML.sub("?", words)
