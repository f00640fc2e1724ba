"""The taps of all regulators and the steps of all capacitors, read from OpenDSS and written back."""

from __future__ import annotations

from typing import Any

from dersim.plugin import ConfigError

Positions = dict[str, list[int]]


def positions_of(circuit: Any) -> Positions:
    """Where they stand."""
    regulators, capacitors = circuit.RegControls, circuit.Capacitors
    taps, steps = [], []
    left = regulators.First
    while left:
        taps.append(int(regulators.TapNumber))
        left = regulators.Next
    left = capacitors.First
    while left:
        steps += [int(state) for state in capacitors.States]
        left = capacitors.Next
    return {"taps": taps, "steps": steps}


def set_positions(circuit: Any, positions: Positions, what: str) -> None:
    """Take over what `positions_of` gave; ConfigError for those of another feeder. what: this one's name."""
    now = positions_of(circuit)
    if {key: len(each) for key, each in now.items()} != {key: len(positions[key]) for key in now}:
        raise ConfigError(f"{what}: the kept state is of another feeder; give that one, or start without it")
    taps, steps = iter(positions["taps"]), list(positions["steps"])
    regulators, capacitors = circuit.RegControls, circuit.Capacitors
    left = regulators.First
    while left:
        regulators.TapNumber = next(taps)
        left = regulators.Next
    left = capacitors.First
    while left:
        count = len(capacitors.States)
        capacitors.States, steps = steps[:count], steps[count:]
        left = capacitors.Next
