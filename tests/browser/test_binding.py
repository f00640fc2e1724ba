"""What binds the power and when the DER returns, read on the overview and the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.browser.pages import go
from tests.interop.processes import ROOT, program

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed: tox -e browser")

ALONE = ("dersim", "sim", "--without", "csip,csip_ui,modbus", "--website_port", "0")


class Alone:
    """A simulator without a utility; `url`: its dashboard."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.post("inputs", irradiance_w_m2=800, temperature_c=25)

    def post(self, path: str, **body: Any) -> Any:
        answer = httpx.post(f"{self.url}/api/dersim/{path}", json=body, timeout=10, trust_env=False)
        assert answer.is_success, answer.text
        return answer.json()


@pytest.fixture
def alone(chromium: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Alone]:
    """With the plug-in dersim-csip-aus, as if it were installed."""
    plugin = ROOT / "plugins" / "dersim-csip-aus" / "src"
    facts = tmp_path / "dersim_csip_aus-0.1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: dersim-csip-aus\nVersion: 0.1.0\n")
    (facts / "entry_points.txt").write_text("[dersim]\ncsip-aus = dersim_csip_aus\n")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}:{plugin}:{tmp_path}")
    with program(*ALONE) as child:
        yield Alone(child.ready()["dashboard"])
        assert child.stop() == 0


def limit(page: Any, head: str, rest: str) -> None:
    """Wait until the tile says so."""
    tile = page.locator(".tile", has=page.locator(".name:text-is('Limit in force')"))
    tile.locator(f".value:text-is('{head}')").wait_for()
    tile.locator(f".unit:text-is('{rest}')").wait_for()


def test_the_limit_under_volt_watt_a_plugin_and_nothing(alone: Alone, open_page: Any) -> None:
    page = open_page(alone.url).page
    limit(page, "None", "Nothing holds the power back.")
    alone.post("setpoints", modes={"opModVoltWatt": {"curve": [[100, 100], [105, 30]], "open_loop_s": 0}})
    alone.post("inputs", voltage_pu=1.05)
    limit(page, "30 %", "by Volt-Watt (REST), 3.0 kW")
    alone.post("setpoints", modes={"opModExpLimW": 2000})
    limit(page, "2000 W", "by csip-aus-limits (opModExpLimW) (REST), 2.0 kW")
    page.wait_for_selector("dd:text-is('2000 W by csip-aus-limits (opModExpLimW) (REST), 2.0 kW')")


def test_a_trip_tells_what_it_waits_for_when_it_returns_and_its_ramp(
    alone: Alone, open_page: Any, picture: Any
) -> None:
    page = open_page(alone.url).page
    alone.post("setpoints", modes={"setESDelay": 20, "setESRampTms": 60})
    alone.post("inputs", voltage_pu=1.3)
    limit(page, "Tripped", "no current (1547 default)")
    status = page.locator(".tile", has=page.locator(".name:text-is('Inverter')")).locator(".unit")
    status.locator("text=Waits for voltage to come within 91.7 to 105 % (now 130)").wait_for()
    alone.post("inputs", voltage_pu=1.0)
    status.locator("text=/Returns in 1\\d s if the grid stays good/").wait_for()
    status.locator("text=/Entering service: \\d+ % of setMaxW allowed, 5\\d s left/").wait_for()
    go(page, "timeline")
    page.locator(".bar[aria-label*='P bound by: Tripped']").click()
    page.wait_for_selector("dt:text-is('P bound by') + dd:text-is('Tripped (1547 default)')")
    picture(page, "timeline-after-a-trip")
