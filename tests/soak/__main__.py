"""Run a demo for an hour and watch what a month would use up: `python -m tests.soak [--minutes 60] [-N 10]`.

`--faults` takes a server of its own, which misbehaves or is restarted every 5 to 15 minutes (`faults.py`);
then the Responses that it got are counted: none twice, none lost. Flags for `dersim sim` follow `--`.

Every minute it reads the process's memory and open files, and what its bounded buffers hold. In the second
half the memory beyond the buffers may grow by 1 MB and the number of open files not at all. Exit code 1 where
it does, or where an unexpected error was counted.
"""

import argparse
import contextlib
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import httpx
from tests.interop.processes import CERTS, ROOT, Program, program
from tests.soak.answers import Answers
from tests.soak.faults import drawn

MOST_GROWTH_MB = 1.0
FREE_PORTS = ("--website_port", "0", "--csip_website_port", "0")


class Sample(NamedTuple):
    """Of one instant. rss_mb: resident memory; buffers_mb: what /metrics says the bounded buffers hold."""

    minute: float
    rss_mb: float
    buffers_mb: float
    files: int
    errors: int
    violations: int = 0

    @property
    def own_mb(self):
        """The memory that is no buffer's."""
        return self.rss_mb - self.buffers_mb


def take(minute, pid, metrics):
    """A sample; `metrics` is the text of /metrics."""
    status = Path(f"/proc/{pid}/status").read_text()
    rss_kb = int(re.search(r"VmRSS:\s+(\d+)", status)[1])
    held = sum(
        float(value) for value in re.findall(r"^dersim_buffer_bytes\{.*\} (\S+)$", metrics, re.MULTILINE)
    )
    errors = re.findall(r"^dersim_unexpected_errors_total\{.*\} (\S+)$", metrics, re.MULTILINE)
    violations = re.findall(r"^dersim_invariant_violations_total\{.*\} (\S+)$", metrics, re.MULTILINE)
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(minute, rss_kb / 1024, held / 1024**2, files, whole(errors), whole(violations))


def whole(counts):
    """The sum of counters."""
    return int(sum(map(float, counts)))


def verdict(samples):
    """What is wrong with a run, as lines; empty where nothing is."""
    half = samples[len(samples) // 2 :]
    # The mean of a few: a garbage collection or a page more or less is not growth.
    few = max(1, len(half) // 6)
    begin, end = (sum(each.own_mb for each in part) / few for part in (half[:few], half[-few:]))
    out = []
    if end - begin > MOST_GROWTH_MB:
        out.append(f"memory beyond the buffers grew by {end - begin:.2f} MB in the second half")
    if max(each.files for each in half[-few:]) > max(each.files for each in half[:few]):
        out.append(f"open files grew from {half[0].files} to {half[-1].files} in the second half")
    if samples[-1].errors:
        out.append(f"{samples[-1].errors} unexpected errors were counted")
    if samples[-1].violations:
        out.append(f"{samples[-1].violations} violations of invariants were counted")
    return out


class Utility:
    """The companion server with its cycle of controls, which may be restarted on the same ports and state."""

    def __init__(self, folder):
        self._argv = ["dersim", "server", "--cycle", "yes", "--state", str(folder / "utility.db")]
        self._ports = ("0", "0")
        self.child = None
        self.start()

    def start(self):
        argv = [sys.executable, "-m", *self._argv, "--port", self._ports[0], "--admin_port", self._ports[1]]
        self.child = Program(argv, ROOT)
        ready = self.child.ready(60)
        self.port = ready["utility"].rpartition(":")[2]
        self.admin = ready["utility_admin"]
        self._ports = (self.port, self.admin.rpartition(":")[2])

    def restart(self, how):
        """how: one of `faults.RESTARTS`."""
        if how == "killed":
            self.child.process.kill()
        else:
            self.child.stop(20)
        self.child.close()
        self.start()

    def plant(self, fault):
        """A fault of `faults.PLANTED`."""
        answer = httpx.post(self.admin + "/api/utility/faults", json=fault, timeout=30, trust_env=False)
        answer.raise_for_status()

    def responses(self, after):
        """The Responses that came after the one with this id."""
        query = {"after": after}
        return httpx.get(
            self.admin + "/api/utility/responses", params=query, timeout=30, trust_env=False
        ).json()


def parsed(args):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("-N", dest="count", type=int, default=10)
    parser.add_argument("--faults", action="store_true", help="a server of its own, with faults and restarts")
    parser.add_argument("--seed", type=int, default=1, help="of the faults")
    parser.add_argument("flags", nargs="*", help="more flags for dersim sim, after --")
    return parser.parse_args(args)


def watched(options, sim, utility, folder, began):
    """Run to the end; the samples, the calm ones among them, and what is wrong with the Responses."""
    url = sim.ready(120)["dashboard"] + "/metrics"
    pending = list(drawn(options.seed, options.minutes * 60)) if utility else []
    planned, samples, answers = list(pending), [], Answers()
    next_s = 0.0
    while (at_s := time.monotonic() - began) <= options.minutes * 60:
        if pending and at_s >= pending[0].start_s:
            act(utility, pending.pop(0), at_s)
        if at_s >= next_s:
            sample = take(at_s / 60, sim.process.pid, httpx.get(url, timeout=30, trust_env=False).text)
            calm = not any(fault.disturbs(at_s) for fault in planned)
            samples.append((sample, calm))
            if utility:
                answers.take(utility.responses(answers.newest), at_s, calm=calm)
            show(sample, calm, answers)
            next_s += min(60.0, options.minutes * 60 / 12)
        time.sleep(0.5)
    return samples, told_wrong(answers, options.minutes * 60 - 300)


def told_wrong(answers, before_s):
    """What is wrong with the Responses to controls that began before this time, as lines."""
    doubled, lost = answers.doubled(), answers.unfinished(before_s)
    print(
        f"{len(answers)} Responses, {answers.repeated} repeated during faults, "
        f"{len(doubled)} doubled, {len(lost)} lost",
        flush=True,
    )
    wrong = [f"Response {status} of {lfdi} to {subject} came twice" for subject, lfdi, status in doubled]
    return wrong + [f"{lfdi} began {subject} and never ended it" for subject, lfdi in lost]


def act(utility, fault, at_s):
    print(f"{at_s / 60:6.1f} min  fault: {fault.name}, {fault.lasts_s:g} s", flush=True)
    if fault.planted is None:
        utility.restart(fault.name)
    else:
        utility.plant(fault.planted)


def show(sample, calm, answers):
    print(
        f"{sample.minute:6.1f} min  {sample.rss_mb:7.2f} MB, of them {sample.buffers_mb:6.2f} in buffers"
        f" = {sample.own_mb:7.2f}  {sample.files} files  {sample.errors} errors"
        f"  {sample.violations} violations  {len(answers)} Responses{'' if calm else '  (fault)'}",
        flush=True,
    )


def main(args):
    options = parsed(args)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder, utility = Path(name), None
        argv = ["dersim", "sim", "-N", str(options.count), *FREE_PORTS, *options.flags]
        if options.faults:
            utility = Utility(folder)
            stack.callback(lambda: utility.child.close())  # noqa: PLW0108 - a restart makes another child
            argv += ["--csip_client_enable", "yes", "--csip_server_ip", "127.0.0.1", "--mb_port", "0"]
            argv += ["--csip_server_port", utility.port, "--use_test_pki_certs", str(CERTS)]
        else:
            argv += ["--demo", "--csip_server_port", "0", "--admin_port", "0"]
        sim = stack.enter_context(program(*argv))
        samples, wrong = watched(options, sim, utility, folder, time.monotonic())
        code = sim.stop(10)
    wrong += verdict([sample for sample, calm in samples if calm])
    wrong += [f"exit code {code}"] if code else []
    print("\n".join(wrong) or "steady")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
