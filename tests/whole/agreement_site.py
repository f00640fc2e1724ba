"""Where the meter of a site is told, of a DER with a load behind its meter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.whole.agreement import Place, Row, row
from tests.whole.places import Look

from dersim.hardware.state import MeterEnergy, SiteState

_QUADRANTS = ("TotVArhImpQ1", "TotVArhImpQ2", "TotVArhExpQ3", "TotVArhExpQ4")


def _minus(value: float) -> float:
    return -value


def _imported(*places: str) -> tuple[Place, ...]:
    """Places where > 0 is imported."""
    return tuple(Place(where, _minus, note="with the other sign") for where in places)


def _site(read: Callable[[SiteState], float]) -> Callable[[Look], float | None]:
    return lambda look: None if look.state.site is None else float(read(look.state.site))


def _phase(read: Callable[[SiteState, int], float]) -> Callable[[Look, int], float | None]:
    return lambda look, i: None if look.state.site is None else float(read(look.state.site, i))


def _energy(name: str) -> Callable[[Look], float | None]:
    return _site(lambda site: getattr(site.energy, name))


def _phase_energy(name: str) -> Callable[[Look, int], float | None]:
    return _phase(lambda site, i: getattr(site.phase_energy[i], name))


def _power_factor(look: Look) -> float | None:
    site = look.state.site
    return None if site is None or site.s_va < 0.01 else -100 * site.p_w / site.s_va


def _frequency(look: Look) -> float | None:
    return None if look.state.site is None else look.state.frequency_hz


def _quadrant(index: int, point: str) -> tuple[Row, Row]:
    name = MeterEnergy._fields[2 + index]
    rest = name.replace("_", "_k")
    title = f"site, var in quadrant {index + 1}"
    return (
        row(title, _energy(name), f"20x.{point}, meter.energy.{rest}"),
        row(
            f"{title} of a phase",
            _phase_energy(name),
            f"20x.{point}Ph{{x}}, meter_phases[{{i}}].energy.{rest}",
            phases=True,
        ),
    )


def _load(name: str) -> Callable[[Look], Any]:
    return lambda look: None if look.state.site is None else sum(getattr(look.device.inputs.constants, name))


SITE = (
    row(
        "P of the site, > 0 exported",
        _site(lambda site: site.p_w),
        *_imported("20x.W", "mirror site W"),
        "site.power_kw, meter.power_kw, dersim_site_power_watts",
    ),
    row(
        "Q of the site, > 0 exported",
        _site(lambda site: site.q_var),
        *_imported("20x.VAR", "mirror site VAr"),
        "site.reactive_power_kvar, meter.reactive_power_kvar",
    ),
    row("S of the site", _site(lambda site: site.s_va), "20x.VA, mirror site VA, meter.apparent_power_kva"),
    row("power factor of the site, sign of its import", _power_factor, "20x.PF"),
    row("load, P", _load("load_w"), "site.load_kw, meter.load_kw"),
    row("load, Q", _load("load_var"), "site.load_kvar, meter.load_kvar"),
    row("frequency at the site", _frequency, "20x.Hz, mirror site Hz"),
    row(
        "P of a phase of the site",
        _phase(lambda site, i: site.phase_p_w[i]),
        *_imported("20x.Wph{x}", "mirror site W {x}"),
        "meter_phases[{i}].power_kw",
        phases=True,
    ),
    row(
        "Q of a phase of the site",
        _phase(lambda site, i: site.phase_q_var[i]),
        *_imported("20x.VARph{x}", "mirror site VAr {x}"),
        "meter_phases[{i}].reactive_power_kvar",
        phases=True,
    ),
    row(
        "A of a phase of the site",
        _phase(lambda site, i: site.current_a[i]),
        "20x.Aph{x}, mirror site A {x}, meter_phases[{i}].current_a",
        phases=True,
    ),
    row(
        "V of a phase at the site",
        lambda look, i: None if look.state.site is None else float(look.state.voltage_ln_v[i]),
        "20x.PhVph{x}, mirror site V {x}",
        phases=True,
    ),
    row(
        "energy imported by the site",
        _energy("imported_wh"),
        "20x.TotWhImp, mirror site Wh delivered, site.energy_imported_kwh, meter.energy.imported_kwh",
        "dersim_site_imported_watthours_total",
    ),
    row(
        "energy exported by the site",
        _energy("exported_wh"),
        "20x.TotWhExp, mirror site Wh received, site.energy_exported_kwh, meter.energy.exported_kwh",
        "dersim_site_exported_watthours_total",
    ),
    row(
        "energy imported by a phase of the site",
        _phase_energy("imported_wh"),
        "20x.TotWhImpPh{x}, mirror site Wh delivered {x}, meter_phases[{i}].energy.imported_kwh",
        phases=True,
    ),
    row(
        "energy exported by a phase of the site",
        _phase_energy("exported_wh"),
        "20x.TotWhExpPh{x}, mirror site Wh received {x}, meter_phases[{i}].energy.exported_kwh",
        phases=True,
    ),
    *(line for index, point in enumerate(_QUADRANTS) for line in _quadrant(index, point)),
)
