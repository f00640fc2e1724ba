"""The pages of the dashboard and how a test opens one; needs no Playwright to be imported."""

PAGES = (
    "overview",
    "fleet",
    "csip",
    "timeline",
    "conversation",
    "grid",
    "inputs",
    "dciv",
    "analytics",
    "nameplate",
    "logs",
    "plugins",
    "api",
)
#: Something that is there once a page shows what it is for.
SIGNS = {
    "overview": ".tile .value:has-text('.')",
    "fleet": "tbody tr td a",
    "csip": ".pill:has-text('connected')",
    "timeline": "svg .bar",
    "conversation": "tbody tr.pick",
    "grid": "[data-mode=opModMaxLimW]",
    "inputs": "#in-irradiance_w_m2",
    "dciv": "svg polyline",
    "analytics": "tbody tr",
    "nameplate": "text=rtgMaxW",
    "logs": ".logs tbody tr",
    "plugins": "text=volt-var",
    "api": "code:has-text('/api/dersim/overview')",
}


def go(page, name):
    page.evaluate("name => { location.hash = name; }", name)
    page.wait_for_selector(f"nav a[aria-current][href='#{name}']", state="attached")
    page.wait_for_selector(SIGNS[name])
