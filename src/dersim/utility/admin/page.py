"""The pages of the admin port: `/`, what there is and how to publish; `/faults`; `/docs`, the REST API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path

from dersim.http11 import Response
from dersim.pages.files import SHARED, TYPES, file_in, read

STYLE = "/static/admin.css"
STATIC = "/static/"
_OWN = Path(__file__).parent / "static"

#: The sites of the run that the page may link to, by their keys in the ready line.
_SITES = {"dashboard": "dashboard", "csip_ui": "CSIP management UI", "lab": "lab"}
_READS = {
    "end-devices": "the EndDevices, with what each has PUT",
    "groups": "the groups of devices",
    "programs": "the DERPrograms with their controls",
    "controls": "the DERControls of all programs",
    "responses": "the Responses to controls",
    "mirror-usage-points": "the meter readings",
    "log-events": "the LogEvents",
    "faults": "the faults planted in this server's answers",
    "scenario": "the scenario that is played",
    "requests": "the last exchanges, bodies included, PINs masked",
    "poll-rates": "the poll rates that devices are told, s",
    "violations": "what devices sent against the standard, counted",
    "unexpected-errors": "errors of this server that ended a request",
}
_HEADERS = (
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'",
    ),
    ("referrer-policy", "no-referrer"),
)


def index(prefix: str, url: str, addresses: Mapping[str, str], *, demo: bool) -> Response:
    """The page. url: of this port; addresses: of the run's other sites, by their keys in the ready line."""
    reads = "".join(
        f'<dt><a href="{prefix}/{name}">{name}</a></dt><dd>{escape(doc)}</dd>' for name, doc in _READS.items()
    )
    sites = "".join(
        f'<a href="{escape(addresses[key])}">{title}</a>' for key, title in _SITES.items() if key in addresses
    )
    badge = '<span class="badge">DEMO</span>' if demo else ""
    page = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>dersim 2030.5 server</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{STYLE}">
<script type="module" src="/static/scenario.js"></script>
</head>
<body>
<header><h1>dersim 2030.5 server</h1>{badge}</header>
{f'<nav aria-label="Other sites of this run">{sites}</nav>' if sites else ""}
<main>
<p>Everything can be read, changed and removed by REST: <a href="/docs">all addresses</a>,
<a href="/openapi.json">OpenAPI</a>.</p>
<h2>Read</h2>
<dl>{reads}</dl>
<h2>Scenario</h2>
<p id="scenario-state">&nbsp;</p>
<form id="scenario">
<label for="scenario-file">Scenario file, YAML</label>
<input id="scenario-file" type="file" accept=".yaml,.yml,.json" required>
<button>Begin</button>
<button id="scenario-end" type="button" disabled>End</button>
</form>
<p id="scenario-told" role="alert"></p>
<h2>Faults</h2>
<p>This server can answer badly on purpose, for a while: <a href="/faults">plant a fault</a>, watch it and
remove it.</p>
<h2>Publish a control</h2>
<pre tabindex="0">curl -X POST {url}{prefix}/programs/2/controls \\
  -H 'Content-Type: application/json' \\
  -d '{{"modes": {{"opModMaxLimW": 60}}, "start_in_s": 15, "duration_s": 60, "response_required": 7}}'</pre>
</main>
</body>
</html>
"""
    return Response(200, (("content-type", "text/html; charset=utf-8"), *_HEADERS), page.encode())


def faults() -> Response:
    """The page that plants faults, shows what is left of them and removes them."""
    return _file(_OWN / "faults.html")


def docs() -> Response:
    """The page of all addresses, which its script makes from /openapi.json."""
    return _file(_OWN / "docs.html")


def static_file(path: str) -> Response | None:
    """A file below /static/, ours or one that all sites share; None where there is none."""
    name = path.removeprefix(STATIC)
    found = next((file for folder in (_OWN, SHARED) if (file := file_in(folder, name))), None)
    return None if found is None or found.suffix not in TYPES else _file(found)


def _file(path: Path) -> Response:
    return Response(200, (("content-type", TYPES[path.suffix]), *_HEADERS), read(path).raw)


#: The pages besides `/`, which knows the other sites of the run.
PAGES: dict[str, Callable[[], Response]] = {"/docs": docs, "/redoc": docs, "/faults": faults}
