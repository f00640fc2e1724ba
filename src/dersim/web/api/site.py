"""`/api/dersim/site`: what the meter of a site measures, a DER and a load behind one connection."""

from __future__ import annotations

from typing import Annotated, Any, TypedDict

from dersim.hardware.state import MeterEnergy, SiteState
from dersim.json_schema import described, unit
from dersim.pages.problems import Problem
from dersim.pages.routes import Route
from dersim.timestamps import rfc3339
from dersim.web.context import Call, WebContext

SiteKilowatts = Annotated[float, unit("kW", "of the DER less the load; > 0 exports")]
SiteKilovars = Annotated[float, unit("kvar", "of the DER less the load; > 0 exports")]
LoadKilowatts = Annotated[float, unit("kW", "> 0 consumes")]
LoadKilovars = Annotated[float, unit("kvar", "> 0 is inductive")]


class SiteMetrics(TypedDict):
    """The site in the overview."""

    power_kw: SiteKilowatts
    reactive_power_kvar: SiteKilovars
    load_kw: LoadKilowatts
    load_kvar: LoadKilovars
    energy_imported_kwh: Annotated[float, unit("kWh", "from the grid")]
    energy_exported_kwh: Annotated[float, unit("kWh", "to the grid")]


class Energy(TypedDict):
    """Registers that count up only; quadrant 1 imports W and var, 2 only var, 3 nothing, 4 only W."""

    imported_kwh: Annotated[float, unit("kWh")]
    exported_kwh: Annotated[float, unit("kWh")]
    q1_kvarh: Annotated[float, unit("kvarh")]
    q2_kvarh: Annotated[float, unit("kvarh")]
    q3_kvarh: Annotated[float, unit("kvarh")]
    q4_kvarh: Annotated[float, unit("kvarh")]


class SitePhase(TypedDict):
    """One phase, A first."""

    power_kw: SiteKilowatts
    reactive_power_kvar: SiteKilovars
    current_a: Annotated[float, unit("A")]
    energy: Energy


class SiteDocument(TypedDict):
    """The meter of a site."""

    time: Annotated[str, described("simulated time", format="date-time")]
    device: int
    power_kw: SiteKilowatts
    reactive_power_kvar: SiteKilovars
    apparent_power_kva: Annotated[float, unit("kVA")]
    load_kw: LoadKilowatts
    load_kvar: LoadKilovars
    energy: Annotated[Energy, described("of the net power of all phases")]
    phases: list[SitePhase]


def site_metrics(site: SiteState | None) -> dict[str, Any] | None:
    """The site in the overview; None without a load."""
    if site is None:
        return None
    return {
        "power_kw": _kilo(site.p_w),
        "reactive_power_kvar": _kilo(site.q_var),
        "load_kw": _kilo(site.load_w),
        "load_kvar": _kilo(site.load_var),
        "energy_imported_kwh": _kilo(site.energy.imported_wh),
        "energy_exported_kwh": _kilo(site.energy.exported_wh),
    }


def _get(context: WebContext, call: Call) -> dict[str, Any]:
    del context
    state = call.device.state
    site = state.site
    if site is None:
        detail = f"{call.device.name} has no load behind its meter"
        raise Problem("conflict", detail, hint="Start with --site_load 0 and set load_w in the inputs.")
    return {
        "time": rfc3339(state.time_s),
        "device": call.device.number,
        "power_kw": _kilo(site.p_w),
        "reactive_power_kvar": _kilo(site.q_var),
        "apparent_power_kva": _kilo(site.s_va),
        "load_kw": _kilo(site.load_w),
        "load_kvar": _kilo(site.load_var),
        "energy": _energy(site.energy),
        "phases": [
            {
                "power_kw": _kilo(site.phase_p_w[i]),
                "reactive_power_kvar": _kilo(site.phase_q_var[i]),
                "current_a": round(site.current_a[i], 4),
                "energy": _energy(energy),
            }
            for i, energy in enumerate(site.phase_energy)
        ],
    }


def _energy(energy: MeterEnergy) -> dict[str, float]:
    return {name.replace("_", "_k"): _kilo(value) for name, value in energy._asdict().items()}


def _kilo(value: float) -> float:
    return round(value / 1000, 6) + 0.0  # no -0.0


ROUTES = [
    Route(
        method="GET",
        path="/api/dersim/site",
        handler=_get,
        summary="The meter of a site: a DER and the load behind its meter.",
        response=SiteDocument,
        tag="Inputs",
        problems=("conflict",),
    )
]
