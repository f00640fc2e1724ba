"""docs/fleet.md: what it tells to type exists, and its YAML parses."""

import re
import shlex

import pytest
import yaml
from tests.interop.processes import ROOT

from dersim.cli.commands import COMMANDS

TEXT = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
YAML = [
    document
    for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    for document in yaml.safe_load_all(block)
]
SHELL = re.findall(r"```sh\n(.*?)```", TEXT, re.DOTALL)


def kinds(kind):
    return [each for each in YAML if each.get("kind") == kind]


def containers(document):
    return document["spec"]["template"]["spec"]["containers"]


def test_kubernetes_documents_are_whole():
    assert {each["kind"] for each in YAML if "kind" in each} == {"Service", "Deployment", "Job"}
    for document in (*kinds("Deployment"), *kinds("Job")):
        template = document["spec"]["template"]["spec"]
        there = {each["name"] for each in template["volumes"]}
        for container in containers(document):
            assert {each["name"] for each in container["volumeMounts"]} <= there
        if document["kind"] == "Deployment":
            labels = document["spec"]["template"]["metadata"]["labels"]
            assert document["spec"]["selector"]["matchLabels"] == labels
    [service] = kinds("Service")
    assert service["spec"]["selector"] in [
        each["spec"]["selector"]["matchLabels"] for each in kinds("Deployment")
    ]


def test_the_indexed_job_shares_no_numbers():
    [job] = [each for each in kinds("Job") if each["spec"].get("completionMode") == "Indexed"]
    [line] = containers(job)[0]["args"]
    assert "--first $((JOB_COMPLETION_INDEX * 500 + 1)) -N 500 " in line


def lines():
    for block in SHELL:
        yield from block.replace("\\\n", " ").splitlines()
    for document in kinds("Job"):
        args = containers(document)[0]["args"]
        yield " ".join(["dersim", *args]) if args[0] == "fleet" else args[0].removeprefix("exec ")


@pytest.mark.parametrize("line", [line for line in lines() if re.match(r"dersim (sim|fleet|server)\b", line)])
def test_flags_of_a_command_line_exist(line):
    words = shlex.split(line, comments=True)
    flags = COMMANDS[words[1]].make_parser().flags
    assert [word for word in words[2:] if word.startswith("-") and word.partition("=")[0] not in flags] == []
