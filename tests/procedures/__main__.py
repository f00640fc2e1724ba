"""Print the table of all procedures: `python -m tests.procedures [--write]`.

--write puts it into docs/ieee1547_1.md. Exit code 1 where a criterion does not hold.
"""

import re
import sys

from tests.interop.processes import ROOT
from tests.procedures.suite import PROCEDURES, table

PAGE = ROOT / "docs" / "ieee1547_1.md"


def main(args):
    rows = [row for procedure in PROCEDURES for row in procedure()]
    lines = table(rows)
    print("\n".join(lines))
    wrong = [row for row in rows if not row.holds]
    for row in wrong:
        print(row)
    print(f"{len(rows) - len(wrong)} of {len(rows)} criteria hold")
    if "--write" in args:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(
            re.sub(r"\| Procedure.*\|\n", "\n".join(lines) + "\n", text, flags=re.DOTALL), encoding="utf-8"
        )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
