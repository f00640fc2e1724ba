"""The PV array: DC power from irradiance, air temperature and wind, and its current-voltage curve.

Cell temperature by Faiman (2008): T_cell = T_air + G / (U0 + U1 * wind), with U0 = 25 and U1 = 6.84 as in
IEC 61853-2 practice. Power by the PVWatts DC model (Dobos 2014): P = P_dc0 * G / 1000 * (1 + gamma * (T_cell
- 25)). The inverter has the efficiency of `part_load.py`. It starts when the array has the start-up power and
stops below the shut-down power. MPPT is ideal.

The curve has the shape of EN 50530 (annex C): I = I_sc - I_0 * (exp(V / (V_oc * C)) - 1) with the
technology's ratios V_mpp / V_oc and I_mpp / I_sc. I_0 and C do not follow the standard's closed form; they
are solved so that the maximum of the curve is exactly the power of the PVWatts model. So the operating point
on the dashboard matches the power on the AC side.
"""

# ruff: noqa: ARG002 - the signatures are those of Source
from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

from dersim.grid.conditions import Conditions
from dersim.hardware.nameplate import Nameplate
from dersim.hardware.part_load import efficiency_of
from dersim.hardware.source import DcPoint

_U0_W_M2_K = 25.0
_U1_W_S_M3_K = 6.84
#: EN 50530 table of technologies, crystalline silicon: V_mpp / V_oc and I_mpp / I_sc.
_V_RATIO = 0.8
_I_RATIO = 0.9
#: Voltage temperature coefficient of crystalline silicon, per kelvin.
_BETA_PER_K = -0.003
#: EN 50530: V_mpp at 100 W/m2 over V_mpp at 1,000 W/m2 is 0.95; a logarithm between.
_V_LOW_LIGHT = 0.05
_NEWTON_STEPS = 20


def cell_temperature_c(irradiance_w_m2: float, ambient_c: float, wind_m_s: float) -> float:
    """Faiman's cell temperature (C) from irradiance in the plane (W/m2), air (C) and wind (m/s)."""
    return ambient_c + irradiance_w_m2 / (_U0_W_M2_K + _U1_W_S_M3_K * wind_m_s)


class IVCurve(NamedTuple):
    """A PV array's curve at one instant: I(V) = i_sc - i_0 * (exp(V / v_t) - 1); the maximum power point."""

    i_sc: float
    i_0: float
    v_t: float
    v_oc: float
    mpp: DcPoint

    def current(self, v: float) -> float:
        """Current (A) at v (V)."""
        return self.i_sc - self.i_0 * math.expm1(v / self.v_t) if self.v_t else 0.0

    def at_power(self, p_w: float) -> DcPoint:
        """The point right of the MPP where the array gives p_w: the operating point under curtailment."""
        i_sc, i_0, v_t, v, mpp = self
        if p_w >= mpp.p or mpp.p <= 0:
            return mpp
        # V * I(V) is concave and falls from the MPP to open circuit: Newton from there never overshoots.
        for _ in range(_NEWTON_STEPS):
            lost = i_0 * math.exp(v / v_t)
            current = i_sc + i_0 - lost
            step = (v * current - p_w) / (current - v * lost / v_t)
            v -= step
            if abs(step) < 1e-9 * v:
                break
        return DcPoint(v, p_w / v, p_w)

    def samples(self, count: int = 60) -> list[DcPoint]:
        """Points from V = 0 to open circuit, dense around the knee, the MPP among them."""
        if self.v_oc <= 0:
            return [DcPoint(0.0, 0.0, 0.0)]
        flat = [self.mpp.v * 0.8 * k / (count // 4) for k in range(count // 4)]
        start = self.mpp.v * 0.8
        knee = [start + (self.v_oc - start) * k / (count - 1) for k in range(count)]
        voltages = sorted({*flat, *knee, self.mpp.v})
        points = [DcPoint(v, max(0.0, self.current(v)), v * max(0.0, self.current(v))) for v in voltages]
        return [self.mpp if p.v == self.mpp.v else p for p in points]


_DARK = IVCurve(0.0, 0.0, 0.0, 0.0, DcPoint(0.0, 0.0, 0.0))


def _knee(i_ratio: float) -> float:
    # With x = V_mpp / v_t: the slope condition d(VI)/dV = 0 at the MPP reads
    # i_ratio = (1 - i_ratio) * x * e^x / (e^x - 1); solved once by fixed-point iteration.
    x = i_ratio / (1 - i_ratio)
    for _ in range(60):
        x = i_ratio / (1 - i_ratio) * -math.expm1(-x)
    return x


_X_MPP = _knee(_I_RATIO)


def iv_curve(p_mpp_w: float, v_mpp_v: float) -> IVCurve:
    """The curve whose maximum power point is (v_mpp_v, p_mpp_w / v_mpp_v)."""
    if p_mpp_w <= 0 or v_mpp_v <= 0:
        return _DARK
    i_mpp = p_mpp_w / v_mpp_v
    i_sc = i_mpp / _I_RATIO
    v_t = v_mpp_v / _X_MPP
    i_0 = (i_sc - i_mpp) / math.expm1(_X_MPP)
    v_oc = v_t * math.log1p(i_sc / i_0)
    return IVCurve(i_sc, i_0, v_t, v_oc, DcPoint(v_mpp_v, i_mpp, p_mpp_w))


class PvArray:
    """A PV array behind an inverter; see `source.Source`."""

    KEPT: ClassVar[tuple[str, ...]] = (
        "_awake",
        "_weather",
        "_irradiance",
        "_dc_w",
        "available_w",
        "cell_temperature_c",
    )

    def __init__(self, nameplate: Nameplate) -> None:
        self._dc0_w = nameplate.pv_w
        self._v0 = nameplate.pv_v
        self._gamma = nameplate.pv_gamma_per_k
        self._efficiency = efficiency_of(nameplate)
        self._start_w, self._stop_w = nameplate.start_up_w, nameplate.shut_down_w
        self._awake = False
        self._weather: tuple[float, float, float] | None = None
        self._irradiance = 0.0
        self._dc_w = 0.0
        self._curve: IVCurve | None = None
        self.available_w = 0.0
        self.rest_w = math.inf
        self.charge_w = 0.0
        self.soc_pct: float | None = None
        self.cell_temperature_c = 25.0
        self.settled = True

    def see(self, conditions: Conditions, dt_s: float) -> None:
        """Compute the available power; only when the weather changed."""
        weather = conditions[2:5]
        if weather == self._weather:
            return
        self._weather = weather
        self._curve = None
        irradiance, ambient, wind = weather
        self._irradiance = irradiance
        self.cell_temperature_c = cell = cell_temperature_c(irradiance, ambient, wind)
        self._dc_w = max(0.0, self._dc0_w * irradiance / 1000 * (1 + self._gamma * (cell - 25)))
        self._awake = self._dc_w >= (self._stop_w if self._awake else self._start_w)
        self.available_w = self._efficiency.ac(self._dc_w) if self._awake else 0.0

    def drew(self, p_w: float, dt_s: float) -> None:
        """Do nothing: PV stores no energy."""

    def curve(self) -> IVCurve:
        """The I-V curve under the last conditions seen."""
        if self._curve is None:
            self._curve = self._work_out_curve()
        return self._curve

    def _work_out_curve(self) -> IVCurve:
        if self._dc_w <= 0:
            return _DARK
        low_light = 1 + _V_LOW_LIGHT * math.log10(max(self._irradiance, 1.0) / 1000)
        v_mpp = self._v0 * max(0.1, 1 + _BETA_PER_K * (self.cell_temperature_c - 25)) * low_light
        return iv_curve(self._dc_w, v_mpp)

    def dc(self, p_w: float) -> DcPoint:
        """The operating point on the curve while the AC side delivers p_w."""
        return self.curve().at_power(self._efficiency.dc(max(0.0, p_w)))


class MeteredArray(PvArray):
    """A PV array that counts its own energy: at part load it does not follow from that of the AC side."""

    KEPT = (*PvArray.KEPT, "delivered_wh", "ac_net_wh")

    def __init__(self, nameplate: Nameplate) -> None:
        super().__init__(nameplate)
        self.delivered_wh = self.taken_wh = self.ac_net_wh = 0.0
        self.settled = False

    def drew(self, p_w: float, dt_s: float) -> None:
        """Count the energy of dt_s."""
        given_w = max(0.0, p_w)
        self.delivered_wh += self._efficiency.dc(given_w) * dt_s / 3600
        self.ac_net_wh += given_w * dt_s / 3600


def pv_array(nameplate: Nameplate) -> PvArray:
    """The PV array of a nameplate."""
    return MeteredArray(nameplate) if nameplate.part_load else PvArray(nameplate)
