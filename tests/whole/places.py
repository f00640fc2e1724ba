"""Reads each place where a DER tells something, by its real encoder.

Registers as bytes with their scale factors, 2030.5 bodies as XML, readings of the mirror, documents of REST.
"""

from __future__ import annotations

from functools import cached_property
from types import SimpleNamespace
from typing import Any, NamedTuple

from tests.sunspec.conftest import Bench

from dersim.csip import mirror
from dersim.csip.documents import Documents
from dersim.csip.reporting import Reporter
from dersim.csip.site_mirror import site_quantities
from dersim.grid.conditions import Conditions
from dersim.grid.inputs import Inputs
from dersim.grid.site_load import SiteLoad
from dersim.hardware.state import DeviceState
from dersim.ieee2030_5 import Edition, decode, encode
from dersim.web.api import inputs, nameplate, overview, setpoints, site
from dersim.web.metrics import exposition

LFDI = "AB" * 20
#: Decimal digits of REST values, by the end of their names.
_DIGITS = {
    **dict.fromkeys(("_kw", "_kvar", "_kva", "_kwh", "_kvarh"), 6),
    "_v": 3,
    "_a": 4,
    "_hz": 4,
    "_pct": 3,
    "_m2": 2,
    "_factor": 4,
}
_BODIES = ("DERCapability", "DERSettings", "DERStatus", "DERAvailability")


class Told(NamedTuple):
    """What a place tells, and by how much it may differ from the exact value."""

    value: Any
    resolution: float = 0.0


class Look:
    """All places of one DER at one instant, each read when it is asked for."""

    def __init__(self, bench: Any, reporters: dict[Edition, Reporter]) -> None:
        self.device = bench.device
        self.state: DeviceState = bench.device.state
        self.plate = bench.device.nameplate
        self._bench = bench
        self._reporters = reporters
        self._models: dict[int, dict[str, Any]] = {}

    def tell(self, where: str) -> list[Told]:
        """What a place tells, in each edition of 2030.5 where none is named; empty if there is no such place.

        `701.W` (10x: 101 to 103, 20x: 201 to 203); `DERStatus.x`, `2018 DERStatus.x`; `mirror W`; `dersim_x`
        of `/metrics`; else the path in a REST document.
        """
        where = where.replace("[last]", f"[{len(self.state.dc_sides) - 1}]")
        root, _, rest = where.partition(".")
        if root in ("10x", "20x"):
            return self._register(int(root[0]) * 100 + self.plate.phases, rest)
        if root.isdigit():
            return self._register(int(root), rest)
        if where.startswith("mirror "):
            found = self._mirror.get(where.removeprefix("mirror "))
            return [Told("no such reading") if found is None else found]
        if where.startswith("dersim_"):
            return [Told(self._prometheus[where], 1e-9)] if where in self._prometheus else []
        edition, _, name = root.rpartition(" ")
        if name in _BODIES:
            editions = [Edition(edition)] if edition else list(Edition)
            return [_quantity(getattr(self._bodies[each, name], rest)) for each in editions]
        return self._rest(root, rest)

    def _register(self, model: int, path: str) -> list[Told]:
        block = next((each for each in self._bench.unit.blocks if each.model_id == model), None)
        if block is None:
            return []
        if model not in self._models:
            self._models[model] = block.shown()
        if path not in self._models[model]:
            return [Told("no such point")]
        point = block.point(path)
        step = 10.0**point.exponent if point.scale or point.exponent else 1.0
        exact = point.kind.startswith(("enum", "bitfield")) or point.is_text
        share = 0.0 if exact else 1.0 if point.kind.startswith("acc") else 0.5
        value = self._models[model][path]
        return [Told(value, abs(value or 0.0) * 1e-6 if point.is_float else share * step)]

    @cached_property
    def _mirror(self) -> dict[str, Told]:
        items = mirror.quantities(self.plate.phases)
        if self.state.site is not None:
            items += site_quantities(self.plate.phases)
        told = mirror.readings(LFDI, items, self.state, 0)
        return {
            item.key: Told(each.Reading.value * 10.0**item.multiplier, 0.5 * 10.0**item.multiplier)
            for item, each in zip(items, told, strict=True)
        }

    @cached_property
    def _bodies(self) -> dict[tuple[Edition, str], Any]:
        return {
            (edition, name): decode(encode(reporter.body(name), edition)).resource
            for edition, reporter in self._reporters.items()
            for name in _BODIES
        }

    @cached_property
    def _documents(self) -> dict[str, Any]:
        s, call = self.state, SimpleNamespace(device=self.device, query={"journal": 0})
        clock = SimpleNamespace(rate=1.0, now_s=self._bench.clock.now_s)
        context: Any = SimpleNamespace(engine=SimpleNamespace(clock=clock))
        meter: Any = None if s.site is None else site.ROUTES[0].handler(context, call)
        return {
            "metrics": overview.metrics(s),
            "phases": overview.phases(s, self.plate.phases),
            "status": overview.status(s),
            "devices": overview.entry(self.device),
            "sources": {each["kind"]: each for each in overview.sources(s)},
            "site": site.site_metrics(s.site),
            "meter": meter,
            "meter_phases": meter and meter["phases"],
            "inputs": inputs.ROUTES[0].handler(context, call),
            "nameplate": nameplate.ROUTES[0].handler(context, call),
            "setpoints": setpoints.ROUTES[0].handler(context, call),
        }

    @cached_property
    def _prometheus(self) -> dict[str, float]:
        clock = SimpleNamespace(effective_rate=1.0, lag_s=0.0, now_s=self._bench.clock.now_s)
        fleet, fences = SimpleNamespace(devices=[self.device]), SimpleNamespace(counts={})
        engine = SimpleNamespace(
            fleet=fleet, clock=clock, buffers={}, metrics={}, fences=fences, service=lambda *_: None
        )
        context: Any = SimpleNamespace(engine=engine)
        lines = [line.split() for line in exposition(context).splitlines() if "{device=" in line]
        return {name.partition("{")[0]: float(value) for name, value in lines}

    def _rest(self, root: str, rest: str) -> list[Told]:
        name, _, index = root.rstrip("]").partition("[")
        found = self._documents[name]
        if index:
            if index.isdigit():
                found = found[int(index)] if int(index) < len(found) else None
            else:
                found = found.get(index)
        for key in filter(None, rest.split(".")):
            found = None if found is None else found[key]
        digits = next((digits for end, digits in _DIGITS.items() if rest.endswith(end)), 9)
        kilo = 1000.0 if rest.endswith(("_kw", "_kvar", "_kva", "_kwh", "_kvarh")) else 1.0
        if isinstance(found, float | int) and not isinstance(found, bool):
            return [Told(found * kilo, 0.5 * kilo / 10**digits)]
        return [Told(found)]


def _quantity(value: Any) -> Told:
    """A number of 2030.5 with its power of ten; a stamped value without its stamp."""
    if hasattr(value, "displacement"):
        return Told(value.displacement * 10.0**value.multiplier, 0.5 * 10.0**value.multiplier)
    if hasattr(value, "multiplier"):
        return Told(value.value * 10.0**value.multiplier, 0.5 * 10.0**value.multiplier)
    return Told(getattr(value, "value", value), 0.5)


class Scene(NamedTuple):
    """A DER on its bench; each call looks at it anew."""

    bench: Any
    reporters: dict[Edition, Reporter]

    def __call__(self) -> Look:
        """All places of this instant."""
        return Look(self.bench, self.reporters)


#: Device types whose DER has a load behind its meter, here.
WITH_LOAD = ("PV-1Phase", "Batt-2Phase", "HybridDC-3Phase")


def scene(kind: str) -> Scene:
    """A DER of this type."""
    bench: Any = Bench(device_type=kind, inputs=_inputs(kind))

    def reporter(edition: Edition) -> Reporter:
        session: Any = SimpleNamespace(codec=SimpleNamespace(edition=edition))
        fence: Any = None
        return Reporter(bench.device, session, lambda *_: None, lambda: 0.0, None, fence, Documents())

    return Scene(bench, {edition: reporter(edition) for edition in Edition})


def _inputs(kind: str) -> Inputs:
    if kind not in WITH_LOAD:
        return Inputs(Conditions())
    load = SiteLoad(int(kind.removesuffix("Phase")[-1]), 0.9)
    return Inputs(Conditions()._replace(**load.completed({"load_w": 1500.0})), site=load)
