const VOLTS = { least: 8, decimals: 1 };

// What the pages plot, from top to bottom. zero: the axis always shows 0; least: its least height.
export const TRACES = [
  {
    key: "power_kw",
    label: "P",
    unit: "kW",
    color: "--c-p",
    zero: true,
    weight: 1.6,
    area: "available_power_kw",
    areaLabel: "available from the source",
  },
  {
    key: "site_power_kw",
    label: "Site",
    unit: "kW",
    color: "--c-vll",
    dash: [6, 3],
    zero: true,
    optional: true,
  },
  { key: "reactive_power_kvar", label: "Q", unit: "kvar", color: "--c-q", dash: [9, 4], zero: true },
  { key: "apparent_power_kva", label: "S", unit: "kVA", color: "--c-s", dash: [4, 3], zero: true },
  { key: "current_a", label: "I", unit: "A", color: "--c-i", dash: [2, 2], zero: true },
  { key: "voltage_ll_v", label: "V L-L", unit: "V", color: "--c-vll", dash: [12, 3, 2, 3], ...VOLTS },
  { key: "voltage_ln_v", label: "V L-N", unit: "V", color: "--c-vln", dash: [9, 3, 2, 3, 2, 3], ...VOLTS },
  { key: "soc_pct", label: "SoC", unit: "%", color: "--c-s", fixed: [0, 100], decimals: 1, optional: true },
];
