"""The meter of a site with a load: 201 single phase, 202 split phase, 203 three phases.

As in meters of the field W > 0 and VAR > 0 are imported, where 701 and 103 have them < 0.
"""

from __future__ import annotations

import math

from dersim.hardware.state import DeviceState, MeterEnergy, SiteState
from dersim.local_control.view import View
from dersim.sunspec.block import Values
from dersim.sunspec.measurements import Measurement, mean_of_used, power_factor
from dersim.sunspec.points import Value
from dersim.sunspec.scales import Scales, finest

_ENERGIES = ("TotWhImp", "TotWhExp", "TotVArhImpQ1", "TotVArhImpQ2", "TotVArhExpQ3", "TotVArhExpQ4")
#: The room of the registers: so much of the DER's rating, and of its rating and the load that is known.
_ROOM_OF_RATING, _ROOM = 3, 1.5


class SiteMeter(Measurement):
    """201, 202 or 203 by the phases of the DER."""

    def __init__(self, view: View, scales: Scales) -> None:
        super().__init__(view)
        plate = view.plate
        self.model_id = 200 + plate.phases
        rated_va = plate.rtgMaxVA
        largest_va = max(_ROOM_OF_RATING * rated_va, _ROOM * (rated_va + view.device.inputs.peak_load_va))
        power = finest(largest_va, lowest=-1)
        self.scales = {
            "A_SF": finest(largest_va / plate.v_ln_v, lowest=-2),
            "V_SF": scales.v,
            "Hz_SF": -2,
            "W_SF": power,
            "VA_SF": power,
            "VAR_SF": power,
            "PF_SF": -2,
            "TotWh_SF": 0,
            "TotVArh_SF": 0,
        }

    def values(self) -> Values:
        """Totals and phases of current, voltage, power and energy."""
        s, site, phases = self.state, self.site, self.view.plate.phases
        out: dict[str, Value] = {
            "A": sum(site.current_a),
            "PhV": mean_of_used(s.voltage_ln_v),
            "PPV": mean_of_used(s.voltage_ll_v),
            "Hz": s.frequency_hz,
            "W": -site.p_w,
            "VA": site.s_va,
            "VAR": -site.q_var,
            "PF": 100 * power_factor(-site.p_w, site.s_va),
            **_energy(site.energy, ""),
            "Evt": 0,
        }
        for phase in range(phases):
            out |= _phase(s, site, phase)
        for index, pair in enumerate(("AB", "BC", "CA")[: (0, 1, 3)[phases - 1]]):
            out[f"PhVph{pair}"] = s.voltage_ll_v[index]
        return out

    @property
    def site(self) -> SiteState:
        """What the meter measures."""
        site = self.state.site
        if site is None:
            raise ValueError(f"{self.view.device.name} has no load behind its meter")
        return site


def _phase(s: DeviceState, site: SiteState, phase: int) -> dict[str, Value]:
    letter = "ABC"[phase]
    p, q = site.phase_p_w[phase], site.phase_q_var[phase]
    va = math.hypot(p, q)
    return {
        f"Aph{letter}": site.current_a[phase],
        f"PhVph{letter}": s.voltage_ln_v[phase],
        f"Wph{letter}": -p,
        f"VAph{letter}": va,
        f"VARph{letter}": -q,
        f"PFph{letter}": 100 * power_factor(-p, va),
        **_energy(site.phase_energy[phase], f"Ph{letter}"),
    }


def _energy(energy: MeterEnergy, phase: str) -> dict[str, Value]:
    return {f"{name}{phase}": value for name, value in zip(_ENERGIES, energy, strict=True)}
