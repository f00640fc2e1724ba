"""Run a demo for an hour and watch what a month would use up: `python -m tests.soak [--minutes 60] [-N 10]`.

Every minute it reads the process's memory and open files, and what its bounded buffers hold. In the second
half the memory beyond the buffers may grow by 1 MB and the number of open files not at all. Exit code 1 where
it does, or where an unexpected error was counted.
"""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import NamedTuple

import httpx
from tests.interop.processes import program

MOST_GROWTH_MB = 1.0
FREE_PORTS = (
    "--csip_server_port",
    "0",
    "--admin_port",
    "0",
    "--website_port",
    "0",
    "--csip_website_port",
    "0",
)


class Sample(NamedTuple):
    """Of one instant. rss_mb: resident memory; buffers_mb: what /metrics says the bounded buffers hold."""

    minute: float
    rss_mb: float
    buffers_mb: float
    files: int
    errors: int

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
    files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(minute, rss_kb / 1024, held / 1024**2, files, int(sum(map(float, errors))))


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
    return out


def main(args):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("-N", dest="count", type=int, default=10)
    options = parser.parse_args(args)
    samples = []
    argv = ("dersim", "sim", "--demo", "-N", str(options.count), *FREE_PORTS)
    with program(*argv) as child:
        url = child.ready()["dashboard"] + "/metrics"
        began = time.monotonic()
        while (minute := (time.monotonic() - began) / 60) <= options.minutes:
            metrics = httpx.get(url, timeout=30, trust_env=False).text
            samples.append(sample := take(minute, child.process.pid, metrics))
            print(
                f"{minute:6.1f} min  {sample.rss_mb:7.2f} MB, of them {sample.buffers_mb:6.2f} in buffers"
                f" = {sample.own_mb:7.2f}  {sample.files} files  {sample.errors} errors",
                flush=True,
            )
            time.sleep(min(60.0, options.minutes * 60 / 12))
        code = child.stop(10)
    wrong = verdict(samples) + ([f"exit code {code}"] if code else [])
    print("\n".join(wrong) or "steady")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
