// Simulation inputs: grid and weather, changed here, acting at once.
import { card, h, note, show, troubleLine } from "../dom.js";
import { get, post } from "../api.js";
import { act, poll } from "../shell.js";

const FIELDS = [
  ["a", "Voltage A", "pu", 0, 1.5, 0.001],
  ["b", "Voltage B", "pu", 0, 1.5, 0.001],
  ["c", "Voltage C", "pu", 0, 1.5, 0.001],
  ["frequency_hz", "Frequency", "Hz", 45, 66, 0.01],
  ["irradiance_w_m2", "Irradiance", "W/m²", 0, 1200, 1],
  ["temperature_c", "Ambient temperature", "°C", -40, 60, 0.5],
  ["wind_m_s", "Wind", "m/s", 0, 30, 0.5],
];
// Raised here only: nothing in the simulation does.
const ALARMS = [
  ["current_imbalance", "Current imbalance"],
  ["phase_rotation", "Phase rotation"],
  ["emergency_local", "Emergency, local"],
  ["emergency_remote", "Emergency, remote"],
];
const PHASES = ["a", "b", "c"];
const QUICK = [
  ["Nominal", { voltage_pu: 1, frequency_hz: 60, angle_deg: 0, grid_lost: false }],
  ["Sag to 0.7 pu", { voltage_pu: 0.7 }],
  ["Over-voltage 1.12 pu", { voltage_pu: 1.12 }],
  ["Over-frequency 60.6 Hz", { frequency_hz: 60.6 }],
  ["Under-frequency 59.2 Hz", { frequency_hz: 59.2 }],
  ["To 59.2 Hz at 1 Hz/s", { frequency_hz: 59.2, rocof_hz_s: 1 }],
  ["Phase angle 20° ahead", { angle_deg: 20 }],
  ["Phase B 60° behind", { angle_deg: [0, -60, 0] }],
  ["Grid lost", { grid_lost: true }],
  ["Cloud, 200 W/m²", { irradiance_w_m2: 200 }],
  ["Full sun, 1000 W/m²", { irradiance_w_m2: 1000 }],
];

export function mount(root) {
  const trouble = troubleLine();
  const page = new InputsPage(root, trouble);
  const stop = poll(1, () => page.load(), trouble);
  return { unmount: stop };
}

class InputsPage {
  constructor(root, trouble) {
    this.told = h("div", { "aria-live": "polite" });
    this.source = h("span", {});
    this.together = h("input", { type: "checkbox", checked: true, id: "together" });
    // By key: the number and the slider.
    this.inputs = {};
    this.busy = false;
    const fields = FIELDS.map((each) => this.field(...each));
    const choices = [
      h("label", { for: "together" }, this.together, "all phases together"),
      h("button", { onclick: () => this.send({ source: "csv" }) }, "Back to the profile"),
      h("button", { onclick: () => this.send({ source: "const" }) }, "Freeze"),
    ];
    const source = h("p", {}, "Source: ", this.source);
    const row = h("div", { class: "row" }, choices);
    const quick = QUICK.map(([name, body]) => h("button", { onclick: () => this.send(body) }, name));
    this.alarms = ALARMS.map(([key]) => this.alarm(key));
    const labels = ALARMS.map(([, name], i) => h("label", {}, this.alarms[i], name));
    const raised = note("Each shows in DERStatus, LogEvents and registers, and changes no power.");
    const hint = note("Watch what the inverter does on Overview or Analytics.");
    show(
      root,
      h(
        "div",
        { class: "grid" },
        card("Grid and weather", trouble, source, row, fields, this.told),
        h(
          "div",
          {},
          card("Quick changes", h("div", { class: "row" }, quick), hint),
          card("Raise an alarm", h("div", { class: "row" }, labels), raised),
        ),
      ),
    );
  }

  field(key, name, unit, min, max, step) {
    const id = `in-${key}`;
    const typed = () => this.changed(key, number.value);
    const number = h("input", { type: "number", id, step: "any", onchange: typed });
    const slider = h("input", { type: "range", min, max, step, "aria-label": name });
    slider.addEventListener("input", () => {
      number.value = slider.value;
    });
    slider.addEventListener("change", () => this.changed(key, slider.value));
    this.inputs[key] = { number, slider };
    return h("div", { class: "field" }, h("label", { for: id }, `${name}, ${unit}`), number, slider);
  }

  alarm(key) {
    const box = h("input", { type: "checkbox", id: `in-${key}` });
    box.addEventListener("change", () => this.send({ [key]: box.checked }));
    return box;
  }

  async load() {
    if (!this.busy) this.take(await get("/api/dersim/inputs"));
  }

  send(body) {
    return act(this.told, () => this.post(body), "Changed.");
  }

  async post(body) {
    this.busy = true;
    try {
      this.take(await post("/api/dersim/inputs", body));
    } finally {
      this.busy = false;
    }
  }

  changed(key, text) {
    const value = Number(text);
    if (!PHASES.includes(key)) return this.send({ [key]: value });
    const volts = PHASES.map((each) => (each === key ? value : Number(this.inputs[each].number.value)));
    return this.send({ voltage_pu: this.together.checked ? value : volts });
  }

  // What is in use is not overwritten.
  take(inputs) {
    const { voltage_pu, grid_source, weather_source } = inputs;
    const volts = Array.isArray(voltage_pu) ? voltage_pu : PHASES.map(() => voltage_pu);
    const values = { ...inputs, a: volts[0], b: volts[1], c: volts[2] };
    for (const [key, { number, slider }] of Object.entries(this.inputs)) {
      if (document.activeElement === number || document.activeElement === slider) continue;
      number.value = Number(values[key].toFixed(4));
      slider.value = values[key];
    }
    ALARMS.forEach(([key], i) => {
      this.alarms[i].checked = inputs[key];
    });
    const hint = inputs.source === "csv" ? "; a value set here makes that input constant" : "";
    const lost = inputs.grid_lost ? "; grid lost" : "";
    this.source.textContent = `grid ${grid_source}, weather ${weather_source}${hint}${lost}`;
  }
}
