"""A process that is stopped for a while, as by a debugger or a frozen machine, goes on as after a pause."""

import os
import re
import signal
import time

import pytest
from tests.interop.processes import eventually, get_json
from tests.process_faults.running import SERVER_PORTS, SIM_PORTS, cpu_share, program


def frozen(running, for_s):
    os.kill(running.process.pid, signal.SIGSTOP)
    try:
        time.sleep(for_s)
    finally:
        os.kill(running.process.pid, signal.SIGCONT)


def energy_kwh(overview):
    """All energy counters of an overview, by path."""
    found, todo = {}, [("", overview)]
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            todo += [(f"{path}/{name}", each) for name, each in value.items()]
        elif "/energy_" in path:
            found[path] = value
    return found


def goes_on(for_s, whom):
    """Freeze the simulator or the server; both must be well again within 15 s, with nothing counted back."""
    with program("dersim", "server", *SERVER_PORTS, "--cycle", "yes") as server:
        port = server.ready()["utility"].rpartition(":")[2]
        flags = ("--use_test_pki_certs", "certs", "--csip_pin", "111115", "--csip_server_port", port)
        with program("dersim", "sim", *SIM_PORTS, *flags, "--watch_invariants") as sim:
            base = sim.ready()["dashboard"]
            client = lambda: get_json(f"{base}/api/dersim/csip-client")["state"] == "connected"  # noqa: E731
            eventually("connection", client)
            before = energy_kwh(get_json(f"{base}/api/dersim/overview"))
            assert before
            frozen({"sim": sim, "server": server}[whom], for_s)
            eventually("connection after the pause", client, timeout_s=15)
            after = energy_kwh(get_json(f"{base}/api/dersim/overview"))
            assert all(after[path] >= value for path, value in before.items())
            assert cpu_share(sim, 1.0) < 0.6
            sim.stop()
            # The pause itself is a lag of the event loop (I9); nothing else may have come of it.
            assert not [line for line in sim.err if re.search(r"invariant I(?!9 )\d+ violated", line)]
            assert "internal error" not in "".join(sim.err)
            assert server.stop() == 0


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("whom", ["sim", "server"])
@pytest.mark.parametrize("for_s", [2, 60])
def test_it_goes_on_after_a_pause(for_s, whom):
    goes_on(for_s, whom)
