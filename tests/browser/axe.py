"""axe-core on a page. Importable without it: what calls it is skipped."""

import pytest
from tests.browser.conftest import PHONE

COUNTED = ("critical", "serious", "moderate")
#: Width and whether dark.
LOOKS = [(1280, False), (1280, True), (PHONE, False), (PHONE, True)]


def violations(page, where):
    """One line for each element that axe-core objects to."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed: tox -e browser"
    )
    found = axe.Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    return [
        f"{where}: {each['impact']} {each['id']} at {node['target']}: {node['failureSummary']}"
        for each in found
        if each["impact"] in COUNTED
        for node in each["nodes"]
    ]
