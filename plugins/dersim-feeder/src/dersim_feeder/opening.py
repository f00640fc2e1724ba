"""From `--feeder` and `--feeder_map` to a feeder with the DERs of a run at their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import as_file, files
from pathlib import Path

from dersim.plugin import ConfigError, hint
from dersim_feeder.engine import Array, Bus, Connection, Engine
from dersim_feeder.feeder import Feeder
from dersim_feeder.layout import Layout, read_layout
from dersim_feeder.load_profile import Loads
from dersim_feeder.placing import Der, place, read_map
from dersim_feeder.results import DEAD_PU
from dersim_feeder.topology import read_topology

BUNDLED = ("bundled-30", "bundled-1000")
_YAML = (".yaml", ".yml", ".json")
_LOW_KV = 1.0


def open_feeder(
    source: str, ders: Sequence[Der], *, map_path: Path | None = None, seed: int = 0, offset_s: float = 0.0
) -> Feeder:
    """The feeder that `source` names: a bundled one, a .yaml or a .dss file.

    ConfigError, one line: it cannot be read, has no solution, a bus is missing or dead, phases do not fit.
    offset_s: of local time to UTC; profiles of loads are in local time.
    """
    engine, name, places, loads = _opened(source, seed)
    buses, topology = engine.buses(), read_topology(engine.circuit)
    if map_path is not None:
        connections = read_map(map_path, ders, buses.get, buses)
    else:
        places = places or _load_buses(engine, buses)
        connections = place(ders, places, buses, topology, source)
    in_order = {der.number: connections[der.number] for der in ders}
    _check_voltages(engine, in_order, buses)
    engine.connect(list(in_order.values()), buses)
    return Feeder(name, engine, topology, buses, in_order, loads=loads, offset_s=offset_s)


def _opened(source: str, seed: int) -> tuple[Engine, str, list[str], Loads | None]:
    """The circuit, its name, its places for DERs (none: where its loads are) and what moves its loads."""
    if source in BUNDLED:
        with as_file(files("dersim_feeder") / "data" / f"{source}.yaml") as path:
            return _of_layout(read_layout(path), source, seed)
    path, kind = Path(source), Path(source).suffix.lower()
    if kind in _YAML:
        return _of_layout(read_layout(path), source, seed)
    if kind == ".dss":
        return Engine.of_file(path), path.stem, [], None
    raise ConfigError(
        f"--feeder {source}: not a .dss or .yaml file and none that is bundled; {hint(source, BUNDLED)}"
    )


def _of_layout(layout: Layout, what: str, seed: int) -> tuple[Engine, str, list[str], Loads | None]:
    engine = Engine.of_commands(layout.commands, what)
    loads = Loads(layout.loads, layout.profiles, seed) if layout.loads else None
    return engine, layout.name, layout.places, loads


def _load_buses(engine: Engine, buses: dict[str, Bus]) -> list[str]:
    """The buses of a .dss file with a load, those of low voltage where there are any."""
    found: dict[str, None] = {}
    loads = engine.circuit.Loads
    left = loads.First
    while left:
        found[engine.circuit.ActiveCktElement.BusNames[0].partition(".")[0].lower()] = None
        left = loads.Next
    if not found:
        raise ConfigError(f"{engine.what}: no load in it, so no place for DERs; give a --feeder_map")
    voltage = engine.voltages()
    live = [bus for bus in found if not _dead(voltage, buses[bus], buses[bus].nodes)]
    if not live:
        raise ConfigError(f"{engine.what}: no bus with a load has a voltage without DERs; check the feeder")
    return [bus for bus in live if buses[bus].kv_ln < _LOW_KV] or live


def _dead(voltage: Array, bus: Bus, nodes: Iterable[int]) -> bool:
    """Whether one of these nodes has no voltage: an open end, or a collapse."""
    return any(voltage[bus.rows[bus.nodes.index(node)]] < DEAD_PU for node in nodes)


def _check_voltages(engine: Engine, connections: Mapping[int, Connection], buses: Mapping[str, Bus]) -> None:
    """No DER is where there is no voltage: it would never deliver."""
    voltage = engine.voltages()
    for number, (bus, nodes, _) in connections.items():
        if _dead(voltage, buses[bus], nodes):
            raise ConfigError(
                f"{engine.what}: bus {bus} of DER {number} has no voltage without DERs; "
                "check what feeds it and its loads"
            )
