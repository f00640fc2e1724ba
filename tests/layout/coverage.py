"""Branch coverage package by package, from coverage.py's JSON report: `python -m tests.layout.coverage FILE`.

Prints the table of docs/coverage.md. Exit code 1 where a protocol core is below its bound.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

#: Protocol cores: no I/O of their own or little, so that nothing excuses an untested branch.
CORES = ("ieee2030_5", "http11", "tls")
LEAST_PCT = 95.0


def packages(report):
    """{package: (covered, all) statements and branches}; modules at the top level count as "(top)"."""
    found = defaultdict(lambda: [0, 0])
    for name, entry in report["files"].items():
        parts = Path(name).parts
        inside = parts[parts.index("dersim") + 1 :]
        package = inside[0] if len(inside) > 1 else "(top)"
        summary = entry["summary"]
        found[package][0] += summary["covered_lines"] + summary["covered_branches"]
        found[package][1] += summary["num_statements"] + summary["num_branches"]
    return {package: tuple(counts) for package, counts in sorted(found.items())}


def main(path):
    found = packages(json.loads(Path(path).read_text()))
    print("| Package | Statements and branches | Covered |\n|---|---:|---:|")
    for package, (covered, of) in found.items():
        print(f"| `{package}` | {of} | {100 * covered / of:.1f} % |")
    covered, of = (sum(counts) for counts in zip(*found.values(), strict=True))
    print(f"| all | {of} | {100 * covered / of:.1f} % |")
    low = [package for package in CORES if 100 * found[package][0] < LEAST_PCT * found[package][1]]
    if low:
        print(f"below {LEAST_PCT:g} %: {', '.join(low)}", file=sys.stderr)
    return int(bool(low))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
