"""The commands of the Conversation page, run by sh against the server that the simulator speaks with."""

import shutil
import subprocess

import pytest
from tests.interop.processes import eventually, get_json
from tests.interop.test_demo import demo


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_get_and_a_put_are_repeated_by_curl():
    with demo() as running:

        def exchanges():
            found = get_json(f"{running.api}/conversation")["exchanges"]
            return found if any(each["method"] == "PUT" for each in found) else []

        found = eventually("a PUT", exchanges)
        for method, good in (("GET", "HTTP/1.1 200"), ("PUT", "HTTP/1.1 204")):
            number = next(each["id"] for each in found if each["method"] == method)
            whole = get_json(f"{running.api}/conversation/exchange?id={number}")
            ran = subprocess.run(
                ["sh", "-c", whole["curl"]], check=False, capture_output=True, text=True, timeout=20
            )
            assert ran.stdout.startswith(good), (whole["curl"], ran.stdout, ran.stderr)
