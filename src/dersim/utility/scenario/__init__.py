"""Scenarios of the companion server: what a utility does in a run, written down in YAML.

    forms.py     what may be written: TypedDicts, and the JSON Schema
    reader.py    `read_scenario(path)`, `parse_scenario(text)`: a `Scenario`, or a mistake with its line
    plan.py      what a checked scenario is
    objects.py   what it has made on a head-end
    events.py    what its events do
    player.py    carries a scenario out on a head-end, when it is due

All times are seconds from the moment at which the scenario begins: with the server, or when it is uploaded.
"""
