"""The watchdog ends a process whose event loop does not run, and says what held it."""

import os
import subprocess
import sys

import pytest

PROGRAM = """
import fractions, time, trio
from dersim.cli import sim

class Simulator:
    def __init__(self):
        self.stopping = trio.Event()
        self.stop = self.stopping.set
    async def run(self, announce):
        announce("ready")
        self.work()
        await self.stopping.wait()
    def work(self):
        {work}

async def main():
    await sim.run_until_stopped(Simulator(), {limit_s})

trio.run(main)
"""


@pytest.fixture
def run_program():
    """Starts the program, sends SIGTERM once it is ready; the exit code and stderr."""

    def run(work, limit_s=0.2):
        command = [sys.executable, "-c", PROGRAM.format(work=work, limit_s=limit_s)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout.readline() == "ready\n"
                process.terminate()
                _, err = process.communicate(timeout=30)
            finally:
                process.kill()
        return process.returncode, err

    return run


@pytest.mark.skipif(os.name == "nt", reason="a signal to another process")
@pytest.mark.parametrize(
    "work",
    [
        "time.sleep(1000)",
        pytest.param("while True: pass", marks=pytest.mark.slow),
        "while True: fractions.Fraction(1, 3) + 1",
    ],
)
def test_a_signal_ends_a_process_whose_event_loop_does_not_run(run_program, work):
    code, err = run_program(work)
    assert code == 1
    assert err.startswith("dersim: the stop took longer than 0.2 s: __main__:")
    assert err.endswith(" (work) does not return to the event loop; the process ends without it\n")


@pytest.mark.skipif(os.name == "nt", reason="a signal to another process")
def test_a_signal_ends_a_process_that_is_well_with_exit_code_0(run_program):
    assert run_program("pass", limit_s=20) == (0, "")  # the machine may be busy
