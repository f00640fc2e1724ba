"""Regulators and capacitor banks of a feeder file as commands of OpenDSS; their volts are on 120 V."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dersim_feeder.wires import Wires

_BASE_V = 120.0
_PU, _BAND_PU, _DELAY_S, _TAP_DELAY_S = 1.02, 1 / 60, 30.0, 2.0


def regulator(entry: Mapping[str, Any], wires: Wires) -> Iterator[str]:
    """A unit for each phase, with a control of its own."""
    at, to, kva = entry["at"], entry["to"], entry["kva"] / len(wires.nodes)
    volts = _BASE_V * entry.get("pu", _PU)
    band = _BASE_V * entry.get("band_pu", _BAND_PU)
    for node in wires.nodes:
        yield (
            f"new transformer.{to}_{node} phases=1 windings=2 buses=({at}.{node} {to}.{node}) "
            f"kvs=({wires.kv_ln:.9g} {wires.kv_ln:.9g}) kvas=({kva} {kva}) xhl=0.01 %rs=(0.001 0.001) "
            f"normhkva={kva} emerghkva={1.5 * kva}"
        )
        yield (
            f"new regcontrol.{to}_{node} transformer={to}_{node} winding=2 vreg={volts:.6g} band={band:.6g} "
            f"ptratio={_ratio(wires):.9g} delay={entry.get('delay_s', _DELAY_S)} tapdelay={_TAP_DELAY_S}"
        )


def capacitor(name: str, entry: Mapping[str, Any], wires: Wires) -> Iterator[str]:
    """The bank, and its control if it has one, which measures at the end of the line to its bus."""
    at = entry["at"]
    yield (
        f"new capacitor.{name} bus1={at}{wires.suffix} phases={len(wires.nodes)} kv={wires.kv:.9g} "
        f"kvar={entry['kvar']}"
    )
    if "on_pu" in entry:
        delay_s = entry.get("delay_s", _DELAY_S)
        yield (
            f"new capcontrol.{name} element=line.{at} terminal=2 capacitor={name} type=voltage "
            f"ptratio={_ratio(wires):.9g} onsetting={_BASE_V * entry['on_pu']:.6g} "
            f"offsetting={_BASE_V * entry['off_pu']:.6g} delay={delay_s} delayoff={delay_s} deadtime=0"
        )


def _ratio(wires: Wires) -> float:
    return wires.kv_ln * 1000 / _BASE_V
