"""A page of another site, in a real browser, beside a demo on loopback: it can neither read nor do anything.

Chromium's own guard of the local network is switched off; not every browser has one.
"""

from __future__ import annotations

import os
import shutil

import pytest
from tests.browser.conftest import FLAGS, NAMES

UNGUARDED = "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"
ATTACK = """async ([dashboard, csipUi, admin]) => {
  const attempt = promise => promise.then(() => "done", () => "refused");
  const body = '{"command": "stop"}';
  const json = { method: "POST", headers: { "Content-Type": "application/json" }, body };
  const blind = { method: "POST", mode: "no-cors", body };
  const embedded = (tag, url) => new Promise((done, fail) => {
    const element = document.createElement(tag);
    element.onload = done;
    element.onerror = fail;
    element.src = url;
    document.body.append(element);
  });
  const listened = url => new Promise((done, fail) => {
    const socket = new WebSocket(url.replace("http", "ws") + "/api/dersim/telemetry/ws");
    socket.onmessage = done;
    socket.onerror = fail;
  });
  const found = {};
  for (const url of [dashboard, csipUi]) {
    found[url + " read"] = await attempt(fetch(url + "/api/dersim/csip-client"));
    found[url + " json"] = await attempt(fetch(url + "/api/dersim/csip/rediscover", json));
    found[url + " script"] = await attempt(embedded("script", url + "/static/js/format.js"));
    found[url + " listen"] = await attempt(listened(url));
    await attempt(fetch(url + "/api/dersim/csip/rediscover", blind));
    await attempt(fetch(url + "/api/dersim/commands", blind));
    await attempt(fetch(url + "/api/dersim/stop", blind));
  }
  found["admin read"] = await attempt(fetch(admin + "/api/utility/programs"));
  found["admin json"] = await attempt(fetch(admin + "/api/utility/programs", json));
  return found;
}"""


@pytest.fixture
def evil(chromium):
    """A page of http://evil.example, which exists in this browser only."""
    path = os.environ.get("DERSIM_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)))
    flags = FLAGS + (["--no-sandbox"] if os.geteuid() == 0 else [])
    browser = chromium.browser_type.launch(executable_path=path, args=[*flags, UNGUARDED])
    context = browser.new_context()
    context.route(
        "http://evil.example/**",
        lambda route: route.fulfill(body="<title>evil</title><body></body>", content_type="text/html"),
    )
    page = context.new_page()
    page.goto("http://evil.example/")
    yield page
    browser.close()


def test_a_hostile_page_can_do_nothing(start_demo, evil):
    demo = start_demo()
    addresses = [demo.facts[name] for name in ("dashboard", "csip_ui", "utility_admin")]
    heard = []
    evil.on("console", lambda message: heard.append(message.text))
    found = evil.evaluate(ATTACK, addresses)
    assert set(found.values()) == {"refused"}, found
    # It was us who refused, not the browser before it asked.
    assert sum("Unexpected response code: 403" in text for text in heard) == 2, heard
    assert sum("NotSameOrigin" in text for text in heard) == 8, heard
    assert demo.ask("/api/dersim/commands")["commands"] == []
    told = [entry["message"] for entry in demo.ask("/api/dersim/logs?limit=10000")["logs"]]
    assert not [message for message in told if "operator command" in message or "stop asked" in message]
    # A link to the dashboard may be followed, and then all works.
    evil.evaluate("url => { location.href = url; }", demo.url)
    evil.wait_for_selector("#live:has-text('Live')")
    assert demo.stop() == 0
