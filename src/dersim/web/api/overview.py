"""`GET /api/dersim/overview`: one DER at a glance; also the document of the WebSocket stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, TypedDict

from dersim.invariants import Watcher
from dersim.json_schema import described, unit
from dersim.pages.routes import Route
from dersim.timestamps import rfc3339
from dersim.web.api.binding import Told, told
from dersim.web.api.site import SiteMetrics, site_metrics
from dersim.web.context import Call, WebContext
from dersim.web.history import mean_of_present

if TYPE_CHECKING:
    from dersim.device import Device
    from dersim.hardware.state import Connection, DeviceState

Kilowatts = Annotated[float, unit("kW", "> 0 generates")]
Kilovars = Annotated[float, unit("kvar", "> 0 injects (over-excited)")]


class DeviceEntry(TypedDict):
    """One line per DER."""

    device: int
    name: str
    device_type: str
    power_kw: Kilowatts
    reactive_power_kvar: Kilovars
    state: Annotated[str, described("inverter status in a word, or tripped")]


class Metrics(TypedDict):
    """What the DER measures; voltages and current are means over its phases."""

    power_kw: Kilowatts
    reactive_power_kvar: Kilovars
    apparent_power_kva: Annotated[float, unit("kVA")]
    voltage_ll_v: Annotated[float, unit("V")]
    voltage_ln_v: Annotated[float, unit("V")]
    current_a: Annotated[float, unit("A")]
    frequency_hz: Annotated[float, unit("Hz")]
    power_factor: Annotated[float | None, described("P / S; null without power")]
    irradiance_w_m2: Annotated[float, unit("W/m2")]
    available_power_kw: Annotated[float, unit("kW", "what the DC sources could give now")]
    charge_available_power_kw: Annotated[float, unit("kW", "what could be absorbed now")]
    energy_exported_kwh: Annotated[float, unit("kWh")]
    energy_imported_kwh: Annotated[float, unit("kWh")]
    soc_pct: Annotated[float | None, unit("%", "null without a battery")]


class Source(TypedDict):
    """One DC source: the PV array, the battery, or another generator."""

    kind: Annotated[str, described("pv, battery or generator")]
    power_kw: Annotated[float, unit("kW", "DC; > 0 flows into the inverter, < 0 charges")]
    voltage_v: Annotated[float, unit("V")]
    current_a: Annotated[float, unit("A")]
    ac_power_kw: Annotated[float, unit("kW", "its share of the active power")]
    available_power_kw: Annotated[float, unit("kW", "what it could give now, on the AC side")]
    energy_delivered_kwh: Annotated[float, unit("kWh", "DC, since the start")]
    energy_taken_kwh: Annotated[float, unit("kWh", "DC, since the start")]


class Phase(TypedDict):
    """One phase, A first."""

    power_kw: Kilowatts
    reactive_power_kvar: Kilovars
    voltage_ln_v: Annotated[float, unit("V")]
    current_a: Annotated[float, unit("A")]


class Status(TypedDict):
    """Status words after 2030.5 DERStatus."""

    inverter: str
    connect: str
    connect_flags: list[str]
    operational: str
    alarms: list[str]
    tripped: bool


class CommEntry(TypedDict):
    """One front-end: its state in a word, and a line of detail."""

    state: str
    detail: str


class Overview(Told):
    """One DER at a glance, and a line for each of the fleet."""

    time: Annotated[str, described("simulated time", format="date-time")]
    device: int
    devices: list[DeviceEntry]
    metrics: Metrics
    phases: list[Phase]
    sources: list[Source]
    status: Status
    comm: dict[str, CommEntry]
    site: SiteMetrics | None
    violations: Annotated[int | None, described("of invariants, by this process; null: not watched")]


def document(context: WebContext, device: Device) -> dict[str, Any]:
    """The overview document of one DER."""
    state = device.state
    context.history.watch(device)
    return {
        "time": rfc3339(state.time_s),
        "device": device.number,
        "devices": context.of_fleet("lines", lambda: [entry(each) for each in context.engine.fleet.devices]),
        **measured(device),
        "comm": comm(context, device),
        "violations": violations_of(context),
        **told(device, context.engine.clock.rate),
    }


def violations_of(context: WebContext) -> int | None:
    """How many violations of invariants were found, where they are watched."""
    watcher = context.engine.service(Watcher)
    return None if watcher is None else watcher.total


def measured(device: Device) -> dict[str, Any]:
    """The part of the overview document that is of the DER alone."""
    state = device.state
    return {
        "metrics": metrics(state),
        "phases": phases(state, device.nameplate.phases),
        "sources": sources(state),
        "status": status(state),
        "site": site_metrics(state.site),
    }


def entry(device: Device) -> dict[str, Any]:
    """The line of one DER."""
    state = device.state
    return {
        "device": device.number,
        "name": device.name,
        "device_type": device.device_type.name,
        "power_kw": _kilo(state.p_w),
        "reactive_power_kvar": _kilo(state.q_var),
        "state": state_word(state),
    }


def state_word(state: DeviceState) -> str:
    """`running`, `forced_derating`, `off`, ..., or `tripped` or `failed`."""
    return "tripped" if state.tripped else _inverter(state)


def _inverter(state: DeviceState) -> str:
    return "failed" if state.failed else state.inverter_status.name.lower()


def metrics(state: DeviceState) -> dict[str, Any]:
    """The measurements of one DER."""
    return {
        "power_kw": _kilo(state.p_w),
        "reactive_power_kvar": _kilo(state.q_var),
        "apparent_power_kva": _kilo(state.s_va),
        "voltage_ll_v": round(mean_of_present(state.voltage_ll_v), 3),
        "voltage_ln_v": round(mean_of_present(state.voltage_ln_v), 3),
        "current_a": round(mean_of_present(state.current_a), 4),
        "frequency_hz": round(state.frequency_hz, 4),
        "power_factor": round(state.p_w / state.s_va, 4) if state.s_va > 0.01 else None,
        "irradiance_w_m2": round(state.irradiance_w_m2, 2),
        "available_power_kw": _kilo(state.available_w),
        "charge_available_power_kw": _kilo(state.charge_available_w),
        "energy_exported_kwh": _kilo(sum(state.exported_wh)),
        "energy_imported_kwh": _kilo(sum(state.imported_wh)),
        "soc_pct": None if state.soc_pct is None else round(state.soc_pct, 3),
    }


def phases(state: DeviceState, count: int) -> list[dict[str, Any]]:
    """The phases of a DER that has `count`, A first; one may be without voltage."""
    return [
        {
            "power_kw": _kilo(state.phase_p_w[i]),
            "reactive_power_kvar": _kilo(state.phase_q_var[i]),
            "voltage_ln_v": round(state.voltage_ln_v[i], 3),
            "current_a": round(state.current_a[i], 4),
        }
        for i in range(count)
    ]


def sources(state: DeviceState) -> list[dict[str, Any]]:
    """The DC sources, PV first."""
    return [
        {
            "kind": side.kind,
            "power_kw": _kilo(side.p_w),
            "voltage_v": round(side.v, 3),
            "current_a": round(side.a, 4),
            "ac_power_kw": _kilo(side.ac_w),
            "available_power_kw": _kilo(side.available_w),
            "energy_delivered_kwh": _kilo(side.delivered_wh),
            "energy_taken_kwh": _kilo(side.taken_wh),
        }
        for side in state.dc_sides
    ]


def status(state: DeviceState) -> dict[str, Any]:
    """The status words."""
    flags = _flags(state.connection)
    return {
        "inverter": _inverter(state),
        "connect": "connected" if state.connection.connected else "disconnected",
        "connect_flags": flags,
        "operational": state.operational_mode.name.lower(),
        "alarms": [alarm.name for alarm in state.alarms],
        "tripped": state.tripped,
    }


def _flags(connection: Connection) -> list[str]:
    return [name for name, raised in connection._asdict().items() if raised]


def comm(context: WebContext, device: Device) -> dict[str, Any]:
    """The state of each front-end of this DER, or of the fleet."""
    standings = {**context.engine.statuses(0), **context.engine.statuses(device.number)}
    return {name: {"state": each.state, "detail": each.detail} for name, each in standings.items()}


def _kilo(value: float) -> float:
    return round(value / 1000, 6) + 0.0  # no -0.0


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    return document(context, call.device)


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/overview",
        handler=_get,
        summary="One DER at a glance: measurements, status, front-ends.",
        response=Overview,
        etag=True,
    )
]
