"""From a feeder file to OpenDSS's commands: follows the wires from the head, checks every reference."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dersim.plugin import YamlDocument, hint, read_yaml
from dersim_feeder.document import schema
from dersim_feeder.load_profile import LoadProfile, LoadSpec, constant, read_profile, residential
from dersim_feeder.voltage_controls import capacitor, regulator
from dersim_feeder.wires import Wires

_SQRT_3 = math.sqrt(3)
_NODES = {"A": 1, "B": 2, "C": 3}
#: Outside these the engine turns a constant power into an impedance.
WIDE = "model=1 vminpu=0.4 vmaxpu=1.6"
_AMPS = 400.0
#: How many names a message lists.
_SHOWN = 8


@dataclass(slots=True)
class Layout:
    """A feeder as commands. places: the buses at which DERs may be connected."""

    name: str
    commands: list[str]
    places: list[str]
    loads: list[LoadSpec] = field(default_factory=list)
    profiles: dict[str, LoadProfile] = field(default_factory=dict)


def read_layout(path: Path) -> Layout:
    """The layout in a feeder file. FileError for the first mistake in it."""
    return layout_of(read_yaml(path), path.parent)


def layout_of(document: YamlDocument, folder: Path) -> Layout:
    """The layout in a document; CSV files in it are relative to `folder`."""
    document.require(schema())
    return _Drawing(document, folder).layout()


class _Drawing:
    """Makes the commands of a document that has the form of the schema."""

    def __init__(self, document: YamlDocument, folder: Path) -> None:
        self._document = document
        self._value: Mapping[str, Any] = document.value
        self._folder = folder
        self._wires: dict[str, Wires] = {}
        self._commands: list[str] = []
        self._codes: set[str] = set()
        self._layout = Layout(self._value["name"], self._commands, [])

    def layout(self) -> Layout:
        self._profiles()
        self._head()
        self._follow()
        for index, group in enumerate(self._value["customers"]):
            self._customers(group, f"/customers/{index}")
        for index, load in enumerate(self._value.get("loads", ())):
            self._load(f"load-{index + 1}", self._known(load["at"], f"/loads/{index}/at"), load["at"], load)
        for index, bank in enumerate(self._value.get("capacitors", ())):
            self._capacitor(bank, index)
        self._commands.append("makebuslist")
        for bus, wires in self._wires.items():
            self._commands.append(f"setkvbase bus={bus} kvln={wires.kv_ln:.9g}")
        return self._layout

    def _profiles(self) -> None:
        self._layout.profiles.update(residential=residential(), constant=constant())
        for name, text in self._value.get("profiles", {}).items():
            if name in self._layout.profiles:
                raise self._document.error(f"/profiles/{name}", f"{name} is built in; choose another name")
            self._layout.profiles[name] = read_profile(self._folder / text)

    def _head(self) -> None:
        head = self._value["head"]
        bus, kv, mva = head.get("bus", "head"), head["kv"], head["short_circuit_mva"]
        ratio, pu = head.get("x_r", 8.0), head.get("source_pu", 1.0)
        self._commands += [
            "clear",
            f"new circuit.feeder basekv={kv} pu={pu} phases=3 bus1={bus} "
            f"mvasc3={mva} mvasc1={mva} x1r1={ratio} x0r0={ratio}",
        ]
        self._wires[bus] = Wires((1, 2, 3), kv / _SQRT_3, low=False)

    def _follow(self) -> None:
        """Lay every branch whose feeding bus is known, until none is left."""
        left = list(self._branches())
        while left:
            later = []
            for kind, pointer, branch in left:
                if branch["at"] in self._wires:
                    self._lay(kind, pointer, branch)
                else:
                    later.append((kind, pointer, branch))
            if len(later) == len(left):
                _, pointer, branch = later[0]
                self._known(branch["at"], f"{pointer}/at")
            left = later

    def _branches(self) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        for kind in ("lines", "regulators", "transformers", "secondaries"):
            for index, branch in enumerate(self._value.get(kind, ())):
                yield kind, f"/{kind}/{index}", branch

    def _lay(self, kind: str, pointer: str, branch: Mapping[str, Any]) -> None:
        to, feeding = branch["to"], self._wires[branch["at"]]
        if to in self._wires:
            detail = (
                f"bus {to} is fed already; a ring cannot be described here, give the feeder as a .dss file"
            )
            raise self._document.error(f"{pointer}/to", detail)
        if kind == "transformers":
            self._wires[to] = self._transformer(branch, feeding, pointer)
            return
        low = kind == "secondaries"
        if feeding.low != low:
            word = "low" if feeding.low else "medium"
            detail = f"bus {branch['at']} has {word} voltage; write this branch under " + (
                "lines" if low else "secondaries"
            )
            raise self._document.error(f"{pointer}/at", detail)
        if kind == "regulators":
            self._commands += regulator(branch, feeding)
            self._wires[to] = feeding
            return
        wires = self._part_of(feeding, branch.get("phases"), f"{pointer}/phases")
        km = branch["m"] / 1000 if low else branch["km"]
        self._line(branch["at"], to, wires, km, (branch["conductor"], f"{pointer}/conductor"))
        self._wires[to] = wires

    def _known(self, bus: str, pointer: str) -> Wires:
        if bus not in self._wires:
            detail = f"no line or transformer leads to bus {bus}; {shorter(hint(bus, self._wires))}"
            raise self._document.error(pointer, detail)
        return self._wires[bus]

    def _part_of(self, wires: Wires, phases: str | None, pointer: str) -> Wires:
        if phases is None:
            return wires
        nodes = tuple(_NODES[phase] for phase in phases)
        if not set(nodes) <= set(wires.nodes):
            there = "".join("ABC"[node - 1] for node in wires.nodes)
            raise self._document.error(pointer, f"{phases}: the bus that feeds it has {there} only")
        return wires._replace(nodes=nodes)

    def _line(self, at: str, to: str, wires: Wires, km: float, conductor: tuple[str, str]) -> None:
        """conductor: its name, and where that is written."""
        count = len(wires.nodes)
        code = self._code(*conductor, count)
        self._commands.append(
            f"new line.{to} bus1={at}{wires.suffix} bus2={to}{wires.suffix} phases={count} "
            f"linecode={code} length={km:.9g} units=km"
        )

    def _code(self, name: str, pointer: str, count: int) -> str:
        """The line code of a conductor for so many phases; written at its first use."""
        conductors = self._value["conductors"]
        if name not in conductors:
            raise self._document.error(pointer, f"conductor {name} is not known; {hint(name, conductors)}")
        code = f"{name}_{count}"
        if code not in self._codes:
            self._codes.add(code)
            of = conductors[name]
            amps = of.get("amps", _AMPS)
            matrices = (
                f"{key}matrix=({_matrix(of[key], of.get(key + '0', 3 * of[key]), count)})" for key in "rx"
            )
            self._commands.append(
                f"new linecode.{code} nphases={count} {' '.join(matrices)} "
                f"cmatrix=({_matrix(0, 0, count)}) units=km normamps={amps} emergamps={1.5 * amps}"
            )
        return code

    def _transformer(self, branch: Mapping[str, Any], feeding: Wires, pointer: str) -> Wires:
        kind, at, to = branch.get("kind", "three_phase"), branch["at"], branch["to"]
        kva, kv, r = branch["kva"], branch["volts"] / 1000, branch.get("r_pct", 1.0)
        x = branch.get("x_pct", 2.0 if kind == "split_phase" else 4.0)
        head, rated = f"new transformer.{to}", f"normhkva={kva} emerghkva={1.5 * kva}"
        if kind == "three_phase":
            if len(feeding.nodes) < 3:
                raise self._document.error(f"{pointer}/at", f"bus {at} does not have three phases")
            self._commands.append(
                f"{head} phases=3 windings=2 buses=({at} {to}) conns=(delta wye) "
                f"kvs=({feeding.kv:.9g} {kv:.9g}) kvas=({kva} {kva}) xhl={x} %rs=({r / 2} {r / 2}) {rated}"
            )
            return Wires((1, 2, 3), kv / _SQRT_3, low=True)
        wires = self._part_of(feeding, branch.get("phase", "A"), f"{pointer}/phase")
        feed, high = f"{at}{wires.suffix}", f"{wires.kv:.9g}"
        if kind == "single_phase":
            self._commands.append(
                f"{head} phases=1 windings=2 buses=({feed} {to}{wires.suffix}) "
                f"kvs=({high} {kv:.9g}) kvas=({kva} {kva}) xhl={x} %rs=({r / 2} {r / 2}) {rated}"
            )
            return Wires(wires.nodes, kv, low=True)
        self._commands.append(
            f"{head} phases=1 windings=3 buses=({feed} {to}.1.0 {to}.0.2) "
            f"kvs=({high} {kv / 2:.9g} {kv / 2:.9g}) kvas=({kva} {kva} {kva}) "
            f"xhl={x} xht={x} xlt={x * 2 / 3:.6g} %rs=({r / 2} {r} {r}) {rated}"
        )
        return Wires((1, 2), kv / 2, low=True)

    def _capacitor(self, bank: Mapping[str, Any], index: int) -> None:
        pointer, at = f"/capacitors/{index}", bank["at"]
        wires = self._known(at, f"{pointer}/at")
        if ("on_pu" in bank) != ("off_pu" in bank):
            raise self._document.error(pointer, "on_pu and off_pu belong together; give both or neither")
        if "on_pu" in bank and bank["off_pu"] <= bank["on_pu"]:
            raise self._document.error(f"{pointer}/off_pu", f"not above on_pu, {bank['on_pu']:g}")
        if "on_pu" in bank and all(line["to"] != at for line in self._value.get("lines", ())):
            detail = f"bus {at} is not at the end of a line, where its control could measure"
            raise self._document.error(f"{pointer}/at", detail)
        self._commands += capacitor(f"capacitor-{index + 1}", bank, wires)

    def _customers(self, group: Mapping[str, Any], pointer: str) -> None:
        at, service = group["at"], group.get("service")
        feeding = self._known(at, f"{pointer}/at")
        if not feeding.low:
            raise self._document.error(
                f"{pointer}/at", f"bus {at} has medium voltage; customers need a transformer"
            )
        name = group.get("name", f"{at}-c")
        for index in range(group["count"]):
            wires = self._phase_of(feeding, group.get("phases", "all"), index, f"{pointer}/phases")
            bus, own = at, f"{name}-{index + 1}"
            if service is not None:
                bus = own
                if bus in self._wires:
                    raise self._document.error(pointer, f"bus {bus} is there already; give another name")
                self._line(
                    at,
                    bus,
                    wires,
                    service["m"] / 1000,
                    (service["conductor"], f"{pointer}/service/conductor"),
                )
                self._wires[bus] = wires
            if group.get("ders", True) and bus not in self._layout.places[-1:]:
                self._layout.places.append(bus)
            if (load := group.get("load")) is not None:
                self._load(own, wires, bus, load, f"{pointer}/load/profile")

    def _phase_of(self, feeding: Wires, phases: str, index: int, pointer: str) -> Wires:
        if phases == "all":
            return feeding
        if phases == "rotate":
            return feeding._replace(nodes=(feeding.nodes[index % len(feeding.nodes)],))
        return self._part_of(feeding, phases, pointer)

    def _load(self, name: str, wires: Wires, bus: str, load: Mapping[str, Any], pointer: str = "") -> None:
        profile = load.get("profile", "residential")
        if profile not in self._layout.profiles:
            where = pointer or f"/loads/{int(name.rpartition('-')[2]) - 1}/profile"
            detail = f"profile {profile} is not known; {hint(profile, self._layout.profiles)}"
            raise self._document.error(where, detail)
        self._commands.append(
            f"new load.{name} bus1={bus}{wires.suffix} phases={len(wires.nodes)} kv={wires.kv:.9g} "
            f"kw={load['kw']} kvar=0 {WIDE} status=fixed"
        )
        factor, spread = load.get("power_factor", 1.0), load.get("spread", 0.3)
        self._layout.loads.append(LoadSpec(name, load["kw"], factor, profile, spread))


def _matrix(one: float, zero: float, count: int) -> str:
    """Self and mutual impedance of a transposed line, from its sequence impedances, as OpenDSS reads them."""
    own, mutual = (zero + 2 * one) / 3, (zero - one) / 3
    rows = ((own if row == column else mutual for column in range(count)) for row in range(count))
    return " | ".join(" ".join(f"{value:.9g}" for value in row) for row in rows)


def shorter(near: str) -> str:
    """A hint that does not name a thousand buses."""
    words = near.split(", ")
    return near if len(words) <= _SHOWN else ", ".join(words[:_SHOWN]) + f" and {len(words) - _SHOWN} more"
