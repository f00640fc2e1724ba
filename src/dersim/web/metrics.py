"""`/metrics`: the Prometheus text format (version 0.0.4), written by hand.

Up to `LABELLED` DERs each has lines of its own; above that only sums, because a time series per DER and
quantity would cost the scraper and this process more than it is worth.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from dersim import __version__
from dersim.binding import bindings
from dersim.invariants import Watcher
from dersim.load.recorder import LoadRecorder
from dersim.returning import returning
from dersim.web.api.csip import COUNTERS, STATES, client_of
from dersim.web.load_metrics import families

if TYPE_CHECKING:
    from dersim.buffers import Buffers
    from dersim.device import Device
    from dersim.hardware.state import DeviceState, SiteState
    from dersim.plugin.extension import FrontendContext
    from dersim.web.context import WebContext

LABELLED = 50
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class _Quantity(NamedTuple):
    name: str
    kind: str
    help: str
    value: Callable[[DeviceState], float | None]
    sums: bool  # whether a sum over the fleet means anything


def _charge_available(state: DeviceState) -> float | None:
    return None if state.battery is None else state.charge_available_w


def _dc_power(kind: str) -> Callable[[DeviceState], float | None]:
    return lambda state: next((side.p_w for side in state.dc_sides if side.kind == kind), None)


def _of_site(value: Callable[[SiteState], float]) -> Callable[[DeviceState], float | None]:
    return lambda state: None if state.site is None else value(state.site)


_QUANTITIES = (
    _Quantity("dersim_active_power_watts", "gauge", "Active power, > 0 generates.", lambda s: s.p_w, True),
    _Quantity("dersim_reactive_power_vars", "gauge", "Reactive power, > 0 injects.", lambda s: s.q_var, True),
    _Quantity("dersim_available_power_watts", "gauge", "Source power.", lambda s: s.available_w, True),
    _Quantity("dersim_charge_available_watts", "gauge", "Absorbable now.", _charge_available, True),
    _Quantity("dersim_pv_power_watts", "gauge", "DC power of the array.", _dc_power("pv"), True),
    _Quantity("dersim_battery_power_watts", "gauge", "DC, < 0 charges.", _dc_power("battery"), True),
    _Quantity("dersim_voltage_volts", "gauge", "Phase A to neutral.", lambda s: s.voltage_ln_v[0], False),
    _Quantity("dersim_frequency_hertz", "gauge", "Grid frequency.", lambda s: s.frequency_hz, False),
    _Quantity("dersim_state_of_charge_percent", "gauge", "Of the battery.", lambda s: s.soc_pct, False),
    _Quantity("dersim_tripped", "gauge", "1 where a trip rule holds the DER off.", lambda s: s.tripped, True),
    _Quantity(
        "dersim_exported_watthours_total", "counter", "Delivered energy.", lambda s: sum(s.exported_wh), True
    ),
    _Quantity(
        "dersim_imported_watthours_total", "counter", "Taken energy.", lambda s: sum(s.imported_wh), True
    ),
    _Quantity(
        "dersim_site_power_watts", "gauge", "Of the site, > 0 exports.", _of_site(lambda m: m.p_w), True
    ),
    _Quantity(
        "dersim_site_exported_watthours_total",
        "counter",
        "To the grid.",
        _of_site(lambda m: m.energy.exported_wh),
        True,
    ),
    _Quantity(
        "dersim_site_imported_watthours_total",
        "counter",
        "From the grid.",
        _of_site(lambda m: m.energy.imported_wh),
        True,
    ),
)


def exposition(context: WebContext) -> str:
    """The whole page."""
    return "".join(f"{line}\n" for line in _lines(context))


def _lines(context: WebContext) -> Iterator[str]:
    engine = context.engine
    devices, clock = engine.fleet.devices, engine.clock
    yield from _family("dersim_info", "gauge", "Version.", [(f'{{version="{__version__}"}}', 1)])
    yield from _family("dersim_devices", "gauge", "DERs in this process.", [("", len(devices))])
    yield from _family(
        "dersim_effective_rate", "gauge", "Simulated seconds per second.", [("", clock.effective_rate)]
    )
    lag = "Real time from when a step was due until done."
    yield from _family("dersim_loop_lag_seconds", "gauge", lag, [("", clock.lag_s)])
    yield from _family("dersim_simulated_seconds", "gauge", "Simulated UTC.", [("", clock.now_s())])
    labelled = len(devices) <= LABELLED
    for quantity in _QUANTITIES:
        found = [(device.number, quantity.value(device.state)) for device in devices]
        samples = [(f'{{device="{number}"}}', value) for number, value in found if value is not None]
        if not labelled:
            if not quantity.sums:
                continue
            samples = [("", sum(value for _, value in samples))]
        if samples:
            yield from _family(quantity.name, quantity.kind, quantity.help, samples)
    if labelled:
        yield from _binding(devices)
    yield from _csip(context, labelled=labelled)
    if (recorder := engine.service(LoadRecorder)) is not None:
        for family in families(recorder.tally):
            yield from _family(*family)
    if (watcher := engine.service(Watcher)) is not None:
        doc = "Breaches of the simulator's own rules, by invariant (docs/invariants.md)."
        counts = [(f'{{invariant="{name}"}}', watcher.counts[name]) for name in watcher.ids]
        yield from _family("dersim_invariant_violations_total", "counter", doc, counts)
    yield from _added(engine)
    yield from _buffers(engine.buffers)
    if errors := engine.fences.counts:
        yield from _family(
            "dersim_unexpected_errors_total",
            "counter",
            "Units of work that an unforeseen error ended.",
            [(f'{{place="{place}"}}', count) for place, count in sorted(errors.items())],
        )


def _binding(devices: Sequence[Device]) -> Iterator[str]:
    """What binds, one time series per DER and mode, and the way back to service."""
    bound = [(device.number, bindings(device)) for device in devices]
    for name, unit, what in (("p", "watts", "active power"), ("q", "vars", "reactive power")):
        found = [(number, getattr(each, name)) for number, each in bound]
        limits = [
            (f'{{device="{number}",mode="{binding.mode}"}}', binding.limit)
            for number, binding in found
            if binding is not None
        ]
        if limits:
            doc = f"Where {what} is held, by the mode or setting that holds it."
            yield from _family(f"dersim_binding_limit_{unit}", "gauge", doc, limits)
    ways = [(f'{{device="{device.number}"}}', returning(device)) for device in devices]
    for name, state, doc in (
        ("dersim_return_to_service_seconds", "counting", "Simulated seconds, if the grid stays good."),
        ("dersim_enter_service_ramp_seconds", "entering", "Simulated seconds left of the ramp."),
    ):
        left = [(label, way.left_s or 0.0) for label, way in ways if way is not None and way.state == state]
        if left:
            yield from _family(name, "gauge", doc, left)
    progress = [(label, way.progress_pct) for label, way in ways if way is not None]
    allowed = [(label, percent) for label, percent in progress if percent is not None]
    if allowed:
        doc = "Of setMaxW, allowed by the ramp of entering service."
        yield from _family("dersim_enter_service_ramp_percent", "gauge", doc, allowed)


def _added(engine: FrontendContext) -> Iterator[str]:
    """What other parts tell; one that fails leaves out its own."""
    for name, tell in engine.metrics.items():
        with engine.fences.around("metrics", "WS", f"the metrics of {name}"):
            found = [(each, [(_labels(labels), value) for labels, value in each.samples]) for each in tell()]
            yield from (line for f, samples in found for line in _family(f.name, f.kind, f.help, samples))


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    escaped = {name: json.dumps(str(value), ensure_ascii=False) for name, value in labels.items()}
    return f"{{{','.join(f'{name}={value}' for name, value in escaped.items())}}}"


def _buffers(buffers: Buffers) -> Iterator[str]:
    sizes = [(f'{{buffer="{name}"}}', size()) for name, size in sorted(buffers.items())]
    held = [(label, size.held_bytes) for label, size in sizes]
    yield from _family("dersim_buffer_bytes", "gauge", "Held by a bounded buffer.", held)
    limits = [(label, size.limit_bytes) for label, size in sizes]
    yield from _family("dersim_buffer_limit_bytes", "gauge", "The most that it holds.", limits)


def _csip(context: WebContext, *, labelled: bool) -> Iterator[str]:
    found = [(device.number, client_of(context, device)) for device in context.engine.fleet.devices]
    clients = [(number, client.counts(), client.state) for number, client in found if client is not None]
    if not clients:
        return
    states = [state for _, _, state in clients]
    yield from _family(
        "dersim_csip_clients",
        "gauge",
        "CSIP clients by state.",
        [(f'{{state="{state}"}}', states.count(state)) for state in STATES],
    )
    if labelled:
        yield from _reactions(context)
    for name in COUNTERS:
        counts = [(f'{{device="{number}"}}', counted[name]) for number, counted, _ in clients]
        if not labelled:
            counts = [("", sum(count for _, count in counts))]
        yield from _family(f"dersim_csip_{name}_total", "counter", f"CSIP {name}.", counts)


def _reactions(context: WebContext) -> Iterator[str]:
    found = [(device.number, client_of(context, device)) for device in context.engine.fleet.devices]
    reactions = [(number, client.last_reaction_s) for number, client in found if client is not None]
    samples = [(f'{{device="{number}"}}', value) for number, value in reactions if value is not None]
    if samples:
        doc = "From the effective start of the last control until its setpoint."
        yield from _family("dersim_csip_control_reaction_seconds", "gauge", doc, samples)


def _family(name: str, kind: str, doc: str, samples: Iterable[tuple[str, float]]) -> Iterator[str]:
    yield f"# HELP {name} {doc}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{labels} {float(value):.10g}"
