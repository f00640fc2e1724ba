"""The thread of the engine."""

import subprocess
import sys
import threading

import pytest
from dersim_feeder.opendss import in_thread

GROWING = """
import os, trio
from dersim_feeder.opendss import DSS, in_thread

for number in range(2000):
    os.environ[f"DERSIM_TEST_{number}"] = "x" * 100
print(trio.run(in_thread, lambda: DSS.NewContext().Version))
"""


def test_it_works_after_the_environment_has_grown():
    """Its run-time library reads freed memory then, in a thread that is new to it."""
    words = [sys.executable, "-c", GROWING]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "DSS" in done.stdout) == (0, True), done.stderr


async def test_all_calls_are_made_in_one_thread_and_their_errors_come_back():
    threads = {await in_thread(threading.get_ident) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    with pytest.raises(ZeroDivisionError):
        await in_thread(lambda: 1 / 0)
