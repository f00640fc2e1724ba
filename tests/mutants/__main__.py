"""Plant one defect at a time and see whether a test of its room fails: `python -m tests.mutants [WORD ...]`.

The defects are in mutants.toml. Each is planted in a copy of the sources, never in the working tree, and its
tests run there until the first one fails. WORD: only the defects whose file or text contains it. Exit code 1
where more than 10 % survive.
"""

import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.mutants.planting import MUTANTS, noticed

MOST_SURVIVORS = 0.10


def main(words):
    chosen = [each for each in MUTANTS if not words or any(word in str(each) for word in words)]
    if not chosen:
        print(f"no defect has {' or '.join(words)} in its file or text: see tests/mutants/mutants.toml")
        return 2
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        places = [Path(folder) / str(number) for number in range(len(chosen))]
        verdicts = list(pool.map(noticed, chosen, places))
    survivors = [each for each, seen in zip(chosen, verdicts, strict=True) if not seen]
    for each in survivors:
        print(f"survived: {each.file}: {each.find!r} -> {each.replace!r}")
    share = len(survivors) / len(chosen)
    print(f"{len(chosen)} defects, {len(survivors)} survived ({share:.0%}), {time.monotonic() - began:.0f} s")
    return int(share > MOST_SURVIVORS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
