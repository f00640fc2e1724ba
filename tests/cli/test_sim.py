"""`dersim sim`: what is refused before anything starts."""

from __future__ import annotations

import pytest

from dersim.cli import main, sim

resource = pytest.importorskip("resource", reason="Windows has no such limit")


@pytest.mark.parametrize(
    ("flags", "each"),
    [
        ((), 2),
        (("--mb_enable", "no"), 1),
        (("--pcap",), 2),
        (("--plugins", "csip"), 1),
        (("--csip_client_enable", "no"), 1),
        (("--demo", "--mb_enable", "no"), 2),
    ],
)
def test_each_der_needs_descriptors_for_what_runs(flags: tuple[str, ...], each: int) -> None:
    options, registry = sim.configure(["-N", "100", *flags])
    assert sim.descriptors_needed(options, registry) == 100 * each


def test_more_ders_than_files_may_be_open_are_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1_024, 1_024))
    code = main.main(["sim", "-N", "1000"])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("dersim: -N 1000: needs 2064 file descriptors, and this process may have 1024; ")
    assert err.count("\n") == 1
