"""Recorded exchanges with two public servers: all of them are read, or refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dersim.errors import RemoteProtocolError
from dersim.ieee2030_5 import decode

CAPTURES = Path(__file__).parents[2] / ".." / "shared" / "data" / "captures"
FOREIGN = b"https://csipaus.org/ns"


def bodies() -> list[tuple[str, bytes]]:
    found = []
    for file in sorted(CAPTURES.glob("*/*.http")):
        request, _, response = file.read_bytes().partition(b"### RESPONSE\n")
        for side, message in (("request", request.partition(b"### REQUEST\n")[2]), ("response", response)):
            body = message.partition(b"\r\n\r\n")[2]
            if body.strip():
                found.append((f"{file.parent.name}/{file.name} {side}", body))
    return found


def is_2030_5(body: bytes) -> bool:
    """Whether the body is well-formed and its root in the namespace of the standard; judged without us."""
    import xml.etree.ElementTree as ET

    try:
        return ET.fromstring(body).tag.startswith("{urn:ieee:std:2030.5:ns}")
    except ET.ParseError:
        return False


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="the recorded exchanges are not beside the repository")
def test_all_recorded_documents_are_read() -> None:
    read = refused = 0
    for name, body in bodies():
        if is_2030_5(body):
            decoded = decode(body)
            assert decoded.resource is not None, name
            read += 1
        else:
            with pytest.raises(RemoteProtocolError) as caught:
                decode(body)
            assert "\n" not in str(caught.value)
            refused += 1
    assert read > 80
    assert refused > 5
