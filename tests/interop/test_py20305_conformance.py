"""py20305 as the client under test of `dersim conformance`: verdicts that do not hang on the machine's speed.

The whole table is in docs/conformance.md; `python -m tests.interop.conformance_py20305` runs it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.interop.conformance_py20305 import run_one

from dersim.conformance.kit import Kit, make_kit

pytest.importorskip("py20305", reason="py20305 is not installed: pip install dersim[test]")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCALE = 0.25


@pytest.fixture(scope="module")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return make_kit(tmp_path_factory.mktemp("kit"))


def failed(found: dict[str, Any]) -> list[str]:
    """What was found of the criteria that failed."""
    assert found["error"] is None
    return [each["found"] for each in found["criteria"] if each["verdict"] == "fail"]


@pytest.mark.parametrize("name", ["COMM-003", "COMM-004C", "COMM-004G"])
def test_it_passes(name: str, kit: Kit, tmp_path: Path) -> None:
    found = run_one(name, kit, tmp_path, SCALE)
    assert (found["conformance"], found["compatibility"], failed(found)) == ("pass", "pass", [])


@pytest.mark.parametrize("name", ["COMM-004D", "COMM-004E", "COMM-004F"])
def test_it_accepts_chains_that_it_must_refuse(name: str, kit: Kit, tmp_path: Path) -> None:
    found = run_one(name, kit, tmp_path, SCALE)
    assert failed(found) == ["GET /dcap was sent to a server with this chain"]


def test_its_clock_does_not_follow_the_servers_in_der_status(kit: Kit, tmp_path: Path) -> None:
    [why] = failed(run_one("CORE-005", kit, tmp_path, SCALE))
    assert why.startswith("readingTime is 7")
    assert why.endswith(" s behind")


def test_it_does_not_fetch_what_it_has_put(kit: Kit, tmp_path: Path) -> None:
    found = run_one("CORE-009", kit, tmp_path, SCALE)
    assert (found["conformance"], found["compatibility"]) == ("fail", "warn")
    [why] = failed(found)
    assert why.startswith("not fetched after the PUT: ")


def test_it_does_not_answer_where_the_end_device_has_no_lfdi(kit: Kit, tmp_path: Path) -> None:
    found = run_one("BASIC-010", kit, tmp_path, SCALE)
    assert found["compatibility"] == "fail"
    refused = [each for each in found["exchanges"] if each["method"] == "POST" and each["status"] == 403]
    assert refused
    assert all("<endDeviceLFDI/>" in each["sent"] for each in refused)
