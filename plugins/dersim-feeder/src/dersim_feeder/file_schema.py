"""Writes the JSON Schema of feeder files: `python -m dersim_feeder.file_schema FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from dersim_feeder.document import schema


def text() -> str:
    """The schema as it is in feeder.schema.json."""
    named = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | schema()
    return json.dumps(named, indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(text(), encoding="utf-8")
