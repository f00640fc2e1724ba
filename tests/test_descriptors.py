"""Few file descriptors mean few connections, and one line a minute about the rest."""

import contextlib
from types import SimpleNamespace

import pytest
import trio

from dersim import descriptors
from dersim.errors import ConfigError


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


@pytest.fixture
def limits(monkeypatch):
    """`limits(soft, hard)`: the limits of this process; `limits.soft` is what is set."""
    resource = pytest.importorskip("resource", reason="Windows has no such limit")

    def set_limits(soft, hard):
        set_limits.soft = soft
        monkeypatch.setattr(resource, "getrlimit", lambda _: (set_limits.soft, hard))
        monkeypatch.setattr(resource, "setrlimit", lambda _, both: setattr(set_limits, "soft", both[0]))

    return set_limits


def test_the_limit_is_raised_to_the_users_maximum(limits):
    limits(1_024, 4_096)
    descriptors.require(4_096 - descriptors.RESERVE, "-N 4032")
    assert limits.soft == 4_096


def test_what_does_not_fit_is_told_with_the_limit_and_how_to_raise_it(limits):
    limits(1_024, 4_096)
    with pytest.raises(ConfigError) as refused:
        descriptors.require(4_097 - descriptors.RESERVE, "-N 4033")
    assert str(refused.value) == (
        "-N 4033: needs 4097 file descriptors, and this process may have 4096; raise the limit "
        "(ulimit -n 4097 as root, in a systemd unit LimitNOFILE=4097), or run fewer DERs in each of several "
        "processes with --first"
    )


def test_no_limit_is_enough_for_all(limits):
    resource = pytest.importorskip("resource", reason="Windows has no such limit")
    limits(1_024, resource.RLIM_INFINITY)
    descriptors.require(10**9, "-N 1000000000")
