"""Few file descriptors mean few connections, and one line a minute about the rest."""

import contextlib
from types import SimpleNamespace

import pytest
import trio

from dersim import descriptors


@pytest.mark.parametrize(
    ("allowed", "expected"), [(60, 4), (80, 10), (1_024, 324), (100_000, 500), (-1, 500)]
)
def test_few_file_descriptors_mean_few_connections(monkeypatch, allowed, expected):
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, allowed))
    probe = contextlib.nullcontext(SimpleNamespace(fileno=lambda: 50))
    monkeypatch.setattr(descriptors.socket, "socket", lambda: probe)
    assert descriptors.connection_limit(500) == expected


async def test_refusals_are_told_once_a_minute_with_their_number(autojump_clock):
    lines = []
    refusals = descriptors.Refusals(lines.append)
    for _ in range(5):
        refusals.note("too many")
    assert lines == ["connections refused: too many"]
    await trio.sleep(60)
    refusals.note("too many")
    assert lines[1:] == ["connections refused: too many; 5 since the last such line"]
