"""Sweep the grid voltage over one DER and print what Volt-Var makes of it. Offline: no ports, no waiting.

python examples/volt_var_sweep.py
"""

from dersim.modes import modes_from_json
from dersim.plugin import ManualClock, SetpointChange, SetpointSource, Verdict, make_device

#: The default curve of IEEE 1547-2018 Category B: voltage in percent, reactive power in percent of setMaxVar.
CURVE = [[92, 100], [98, 0], [102, 0], [108, -100]]
SETTLE_S = 60


def main() -> None:
    clock = ManualClock()
    device = make_device(device_type="PV-3Phase", clock=clock)
    device.step(clock.time_s)
    curve = modes_from_json({"opModVoltVar": {"curve": CURVE, "open_loop_s": 5}})["opModVoltVar"]
    [outcome] = device.setpoints.submit(SetpointChange(SetpointSource.OPERATOR, "opModVoltVar", curve))
    if outcome.verdict is not Verdict.ACCEPTED:
        raise SystemExit(f"the curve was refused: {outcome}")

    print(f"{'V (pu)':>8} {'P (kW)':>8} {'Q (kvar)':>9}")
    for hundredths in range(91, 110, 2):
        device.inputs.set(voltage_pu=hundredths / 100)
        clock.time_s += SETTLE_S
        device.step(clock.time_s)
        state = device.state
        print(f"{hundredths / 100:8.2f} {state.p_w / 1000:8.2f} {state.q_var / 1000:9.2f}")


if __name__ == "__main__":
    main()
