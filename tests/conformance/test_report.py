"""The JSON and JUnit reports of a campaign."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from dersim.conformance import report, virtual
from dersim.conformance.evidence import Evidence
from dersim.conformance.head import RunHead
from dersim.conformance.kit import make_kit
from dersim.conformance.procedure import Criterion, Finding, Judged, Outcome, Verdict
from dersim.conformance.procedures import ALL
from dersim.conformance.server import runs
from dersim.conformance.server.procedures import ALL as SERVER_PROCEDURES

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "schemas" / "conformance-report.json").read_text())
HEAD = RunHead(0.0, 1.0, "dersim conformance", "dersim", "virtual", 1.0, "dersim")


def judged(verdict, *, printed_only=False):
    return Judged(
        Criterion("it holds", lambda _: None, printed_only), Finding(verdict, f"found {verdict.value}")
    )


def outcome(*found, error=None):
    return Outcome(ALL["COMM-003"], tuple(found), Evidence(0.0, ended_s=3.0), error)


@pytest.fixture(scope="module")
def kit(tmp_path_factory):
    return make_kit(tmp_path_factory.mktemp("report"))


def test_the_json_report_of_a_client_meets_its_schema(kit):
    outcomes = [virtual.run(ALL[name], kit) for name in ("COMM-004G", "BASIC-001")]
    jsonschema.validate(json.loads(json.dumps(report.document(outcomes, HEAD))), SCHEMA)


def test_the_json_report_of_a_server_meets_its_schema(kit):
    outcomes = list(runs.run_virtual([SERVER_PROCEDURES["COMM-003"]], kit))
    document = report.document([*outcomes, outcome(error="nobody came")], HEAD._replace(server="self"))
    jsonschema.validate(json.loads(json.dumps(document)), SCHEMA)


def test_junit_has_both_verdicts():
    only_printed = outcome(judged(Verdict.FAIL, printed_only=True), judged(Verdict.WARN))
    unseen = outcome(judged(Verdict.NOT_SEEN))
    suites = ET.fromstring(report.junit_text([only_printed, unseen, outcome(error="nobody came")]))
    assert (suites.get("tests"), suites.get("failures")) == ("6", "3")
    told = {
        suite.get("name"): [[(part.tag, part.get("message") or part.text) for part in case] for case in suite]
        for suite in suites
    }
    assert told == {
        "dersim conformance": [
            [("failure", "it holds: found fail")],
            [("skipped", "it holds: found not seen")],
            [("failure", "nobody came")],
        ],
        "dersim compatibility": [
            [("system-out", "warning: it holds: found warn")],
            [("skipped", "it holds: found not seen")],
            [("failure", "nobody came")],
        ],
    }
