"""`dersim sim --watch_invariants`: the flag, the secrets that it looks for, and the exit code."""

import io
from argparse import Namespace

import pytest

from dersim.cli import watching
from dersim.cli.sim import configure
from dersim.fleet import Fleet
from dersim.invariants import Violation, Watcher
from dersim.logbuffer import LogBuffer
from dersim.plugin.builtin import make_device
from dersim.plugin.services import Services


class Simulator:
    """What is needed of one."""

    def __init__(self):
        self.fleet, self.services, self.buffers, self.fences = Fleet([make_device()]), Services(), {}, None


def watch_of(**options):
    simulator, log = Simulator(), LogBuffer(stream=io.StringIO())
    found = watching.InvariantWatch.of(Namespace(**options), simulator, None, log)
    return simulator, log, found


def test_a_variable_makes_the_flag_the_default(monkeypatch):
    assert configure(["--plugins", "modbus"])[0].watch_invariants  # of all tests
    monkeypatch.delenv(watching.VARIABLE)
    assert not configure(["--plugins", "modbus"])[0].watch_invariants
    assert configure(["--plugins", "modbus", "--watch_invariants"])[0].watch_invariants


def test_without_the_flag_nothing_watches():
    simulator, _, watch = watch_of(watch_invariants=False)
    assert watch is None
    assert simulator.services.find(Watcher) is None


@pytest.mark.parametrize(("fail_fast", "code"), [(True, 1), (False, 0)])
def test_a_violation_is_an_exit_code_under_fail_fast(fail_fast, code, capsys):
    simulator, log, watch = watch_of(watch_invariants=True, fail_fast=fail_fast)
    watcher = simulator.services.find(Watcher)
    assert watch.finish() == 0
    watcher.counts["I5"] += 1
    watcher.violations.append(Violation("I5", 3, 0.0, "this", "that"))
    assert watch.finish() == code
    assert [each.level for each in log.entries()] == ["Info", "Error"]
    assert ("1 violation (I5: 1)" in capsys.readouterr().err) == fail_fast


def test_the_secrets_are_those_of_the_run(monkeypatch):
    monkeypatch.setenv("DERSIM_CSIP_PIN", "222228")
    simulator = Simulator()
    found = watching.secrets_of(Namespace(csip_pin=111115, token="T-1"), simulator)
    assert found == ["111115", "222228", "T-1"]
