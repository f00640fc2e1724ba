"""The Grafana board and prometheus.yml of docs/: all that they name exists in /metrics of a running demo."""

import json
import re

import httpx
import pytest
import yaml
from tests.interop.processes import ROOT, eventually, program

FOLDER = ROOT / "docs" / "grafana"
BOARD = json.loads((FOLDER / "dersim.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
TARGETS = [(panel["title"], target) for panel in PANELS for target in panel["targets"]]
#: Not in a run without a bug.
ABSENT = {"dersim_unexpected_errors_total": {"place"}}
#: Prometheus adds these to every sample.
SCRAPED = {"job", "instance"}
SAMPLE = re.compile(r"(?m)^(dersim_\w+)(?:\{(.*)\})? \S+$")
FREE_PORTS = (
    "--csip_server_port", "0", "--admin_port", "0", "--website_port", "0", "--csip_website_port", "0",
    "--mb_port", "0",
)  # fmt: skip


def ask(url, body=None):
    answer = httpx.request("POST" if body else "GET", url, json=body, timeout=10, trust_env=False)
    answer.raise_for_status()
    return answer.text


def families(text):
    """Each metric with its labels."""
    found = {}
    for name, labels in SAMPLE.findall(text):
        found.setdefault(name, set()).update(re.findall(r'(\w+)="', labels))
    return found


@pytest.fixture(scope="module")
def metrics():
    """What a demo of two DERs tells while its first control is in force and one DER is tripped."""
    with program("dersim", "sim", "--demo", "-N", "2", *FREE_PORTS) as child:
        url = child.ready()["dashboard"]
        held = eventually(
            "a control in force",
            lambda: "control_reaction" in (text := ask(f"{url}/metrics")) and "_limit_vars" in text and text,
        )
        ask(f"{url}/api/dersim/inputs?device=2", {"voltage_pu": 1.3})
        eventually("the trip", lambda: 'dersim_tripped{device="2"} 1' in ask(f"{url}/metrics"))
        ask(f"{url}/api/dersim/inputs?device=2", {"voltage_pu": 1.0})
        back = eventually(
            "the way back", lambda: "return_to_service" in (text := ask(f"{url}/metrics")) and text
        )
        assert child.stop() == 0
    found = families(held)
    for name, labels in families(back).items():
        found.setdefault(name, set()).update(labels)
    return found | ABSENT


@pytest.mark.parametrize(
    ("title", "target"), TARGETS, ids=[f"{title}-{each['refId']}" for title, each in TARGETS]
)
def test_every_metric_and_label_of_the_board_exists(metrics, title, target):
    names = set(re.findall(r"\bdersim_\w+", target["expr"]))
    assert names
    assert names <= set(metrics), title
    inside = re.findall(r"(\w+)\s*=~?", " ".join(re.findall(r"\{([^}]*)\}", target["expr"])))
    grouped = re.findall(r"\w+", " ".join(re.findall(r"\bby \(([^)]*)\)", target["expr"])))
    shown = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
    for name in names:
        assert set(inside) | set(grouped) | set(shown) <= metrics[name] | SCRAPED, (title, name)


def test_the_variables_of_the_board_ask_for_what_exists(metrics):
    for variable in BOARD["templating"]["list"][1:]:
        name, label = re.fullmatch(r"label_values\((\w+).*, (\w+)\)", variable["query"]["query"]).groups()
        assert label in metrics[name] | SCRAPED
    used = set(re.findall(r"\$(\w+)", json.dumps(PANELS))) - {"__rate_interval", "__all"}
    assert used <= {"job", "device"}


def test_the_panels_do_not_overlap():
    taken = set()
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + dx, place["y"] + dy) for dx in range(place["w"]) for dy in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert all(x < 24 for x, _ in cells)
        taken |= cells
    assert len({panel["id"] for panel in BOARD["panels"]}) == len(BOARD["panels"])


def test_prometheus_scrapes_the_default_dashboard():
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    (job,) = config["scrape_configs"]
    assert (job["job_name"], job["metrics_path"]) == ("dersim", "/metrics")
    from dersim.cli.sim import make_parser

    port = make_parser().get_default("website_port")
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{port}"]}]
