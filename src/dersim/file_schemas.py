"""The JSON Schemas of the files that users write, and of a report, as they are in docs/schemas.

`python -m dersim.file_schemas docs/schemas` writes them; the readers use the same schemas.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dersim.conformance.report_schema import report_schema
from dersim.fleet_file import fleet_schema
from dersim.hardware.nameplate_schema import nameplate_schema
from dersim.json_schema import Schema
from dersim.recorded.lines import line_schema
from dersim.replay_scenario import scenario_schema
from dersim.utility.scenario.forms import scenario_schema as server_scenario_schema

#: The dialect of all of them.
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def file_schemas() -> dict[str, Schema]:
    """Each schema by the name of its file."""
    schemas = {
        "conformance-report.json": report_schema(),
        "fleet.json": fleet_schema(),
        "nameplate.json": nameplate_schema(),
        "record-line.json": line_schema(),
        "replay-scenario.json": scenario_schema(),
        "server-scenario.json": server_scenario_schema(),
    }
    return {name: {"$schema": DIALECT} | _with_units(schema) for name, schema in schemas.items()}


def _with_units(value: Any, name: str = "") -> Any:
    """A schema whose properties have titles, and units in the text that editors show."""
    if isinstance(value, list):
        return [_with_units(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _with_units(each) for key, each in value.items() if key != "properties"}
    if "properties" in value:
        named = {key: _with_units(each, key) for key, each in value["properties"].items()}
        schema["properties"] = named
    if name and "title" not in schema:
        schema = {"title": name} | schema
    if unit := value.get("x-unit"):
        words = f"{value['description']}; " if value.get("description") else ""
        schema["description"] = f"{words}unit: {unit}"
    return schema


def main(args: Sequence[str]) -> None:
    """Write all schemas into the folder that is the only argument."""
    if len(args) != 1:
        sys.exit("usage: python -m dersim.file_schemas FOLDER")
    folder = Path(args[0])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in file_schemas().items():
            (folder / name).write_text(json.dumps(schema, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        sys.exit(f"{folder}: {error.strerror or error}; name a folder that can be written")


if __name__ == "__main__":
    main(sys.argv[1:])
