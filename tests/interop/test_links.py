"""The pages of a run link to each other, and nothing that they name is a 404."""

from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx
import pytest
from tests.interop.processes import get_json, program

FREE_PORTS = [
    "--csip_server_port",
    "0",
    "--admin_port",
    "0",
    "--website_port",
    "0",
    "--csip_website_port",
    "0",
    "--mb_port",
    "0",
]
BROWSER = {
    "Sec-Fetch-Site": "same-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Accept": "text/html",
}


@pytest.fixture(scope="module")
def demo():
    with program("dersim", "sim", "--demo", *FREE_PORTS) as child:
        yield child.ready()
        assert child.stop() == 0


class Links(HTMLParser):
    """The addresses of a page: links, style sheets and scripts."""

    def __init__(self, url):
        super().__init__()
        self.url, self.found = url, set()
        self.feed(visit(url).text)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in ("href", "src") and not value.startswith(("data:", "#")):
                self.found.add(urljoin(self.url, value))


def visit(url):
    return httpx.get(url, headers=BROWSER, timeout=10, trust_env=False)


@pytest.mark.parametrize("site", ["dashboard", "csip_ui"])
def test_each_site_names_the_others_and_that_it_is_a_demo(demo, site):
    info = get_json(f"{demo[site]}/api/dersim/server-info")
    assert info["demo"] is True
    assert info["links"] == {name: demo[name] for name in ("dashboard", "csip_ui", "utility_admin")}
    for url in info["links"].values():
        answer = visit(f"{url}/")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("site", ["dashboard", "csip_ui", "utility_admin"])
def test_whatever_a_page_names_is_there(demo, site):
    found = Links(f"{demo[site]}/").found
    assert len(found) >= 3
    assert {url: visit(url).status_code for url in found} == dict.fromkeys(found, 200)


@pytest.mark.parametrize("site", ["dashboard", "csip_ui"])
def test_what_the_api_page_opens_is_there(demo, site):
    """Each GET of OpenAPI, as its link asks: without parameters, which some answer with 400 or 409."""
    paths = get_json(f"{demo[site]}/openapi.json")["paths"]
    asked = [path for path, methods in paths.items() if "get" in methods and "/ws" not in path]
    assert len(asked) > 10
    missing = [path for path in asked if visit(demo[site] + path).status_code in (404, 500)]
    assert missing == []


@pytest.mark.parametrize("site", ["dashboard", "csip_ui"])
def test_docs_leads_to_the_api_page(demo, site):
    for path in ("/docs", "/redoc"):
        answer = httpx.get(demo[site] + path, follow_redirects=True, trust_env=False)
        assert (answer.status_code, answer.url.fragment) == (200, "api")


def test_the_page_of_the_utility_is_a_demo_that_links_back(demo):
    server = get_json(f"{demo['utility_admin']}/api/utility/server")
    assert server["demo"]
    assert {demo["dashboard"], demo["csip_ui"]} <= set(server["links"].values())


def test_without_the_demo_neither_badge_nor_utility():
    with program("dersim", "sim", "--without", "csip", *FREE_PORTS[4:]) as child:
        facts = child.ready()
        info = get_json(f"{facts['dashboard']}/api/dersim/server-info")
        assert (info["demo"], info["links"]) == (
            False,
            {name: facts[name] for name in ("dashboard", "csip_ui")},
        )


def test_a_server_that_a_lab_started_links_to_the_lab(monkeypatch):
    monkeypatch.setenv("DERSIM_LAB_URL", "http://127.0.0.1:8100")
    with program("dersim", "server", "--port", "0", "--admin_port", "0") as child:
        server = get_json(f"{child.ready()['utility_admin']}/api/utility/server")
    assert (server["demo"], server["links"]) == (False, {"lab": "http://127.0.0.1:8100"})
