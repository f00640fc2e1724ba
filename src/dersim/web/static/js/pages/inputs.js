// Simulation inputs: grid and weather, changed here, acting at once.
import { card, h, note, show, troubleLine } from "../dom.js";
import { get, post } from "../api.js";
import { objection, tell, verdictLine } from "../fields.js";
import { act, poll } from "../shell.js";

// Key, name, unit, what is allowed, what the slider spans, and its step; of the frequency around nominal.
const FIELDS = [
  ["a", "Voltage A", "pu", [0, 2], [0, 1.5], 0.001],
  ["b", "Voltage B", "pu", [0, 2], [0, 1.5], 0.001],
  ["c", "Voltage C", "pu", [0, 2], [0, 1.5], 0.001],
  ["frequency_hz", "Frequency", "Hz", [30, 90], [-10, 6], 0.01],
  ["irradiance_w_m2", "Irradiance", "W/m²", [0, 2000], [0, 1200], 1],
  ["temperature_c", "Ambient temperature", "°C", [-60, 80], [-40, 60], 0.5],
  ["wind_m_s", "Wind", "m/s", [0, 100], [0, 30], 0.5],
];
// Only where there is a load behind the DER's meter; the slider spans twice the rating.
const LOAD = ["load_w", "Load behind the meter", "W", [-1e9, 1e9], [0, 1], 10];
// Raised here only: nothing in the simulation does.
const ALARMS = [
  ["current_imbalance", "Current imbalance"],
  ["phase_rotation", "Phase rotation"],
  ["emergency_local", "Emergency, local"],
  ["emergency_remote", "Emergency, remote"],
];
const PHASES = ["a", "b", "c"];
const hertz = (value) => Number(value.toFixed(3));
// What is changed quickly, on a grid of this nominal frequency.
const quick = (hz) => [
  ["Nominal", { voltage_pu: 1, frequency_hz: hz, angle_deg: 0, grid_lost: false }],
  ["Sag to 0.7 pu", { voltage_pu: 0.7 }],
  ["Over-voltage 1.12 pu", { voltage_pu: 1.12 }],
  [`Over-frequency ${hertz(hz + 0.6)} Hz`, { frequency_hz: hertz(hz + 0.6) }],
  [`Under-frequency ${hertz(hz - 0.8)} Hz`, { frequency_hz: hertz(hz - 0.8) }],
  [`To ${hertz(hz - 0.8)} Hz at 1 Hz/s`, { frequency_hz: hertz(hz - 0.8), rocof_hz_s: 1 }],
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
    for (const name of ["told", "quickTold", "alarmTold"]) this[name] = h("div", { "aria-live": "polite" });
    this.source = h("span", {});
    this.together = h("input", { type: "checkbox", checked: true, id: "together" });
    // By key: the number, the slider, what is wrong, and whether something typed is not accepted yet.
    this.inputs = {};
    this.values = {};
    this.hz = null;
    this.busy = false;
    const fields = FIELDS.map((each) => this.field(...each));
    this.load_w = h("div", { hidden: true }, this.field(...LOAD));
    const source = h("p", {}, "Source: ", this.source);
    const row = h("div", { class: "row" }, this.choices());
    this.quick = h("div", { class: "row" });
    this.alarms = ALARMS.map(([key]) => this.alarm(key));
    const labels = ALARMS.map(([, name], i) => h("label", {}, this.alarms[i], name));
    const raised = note("Each shows in DERStatus, LogEvents and registers, and changes no power.");
    const hint = note("Watch what the inverter does on Overview or Analytics.");
    show(
      root,
      h(
        "div",
        { class: "grid" },
        card("Grid and weather", trouble, source, row, fields, this.load_w, this.told),
        h(
          "div",
          {},
          card("Quick changes", this.quick, this.quickTold, hint),
          card("Raise an alarm", h("div", { class: "row" }, labels), this.alarmTold, raised),
        ),
      ),
    );
  }

  choices() {
    const button = (source, text) => h("button", { onclick: () => this.send(source) }, text);
    this.back = button({ grid_source: "grid" }, "Back to the grid");
    return [
      h("label", { for: "together" }, this.together, "all phases together"),
      button({ source: "csv" }, "Back to the profile"),
      this.back,
      button({ source: "const" }, "Freeze"),
    ];
  }

  field(key, name, unit, [low, high], [least, most], step) {
    const id = `in-${key}`;
    const typed = () => this.changed(key, number.value, { low, high, unit });
    const number = h("input", { type: "number", id, step: "any", onchange: typed });
    const slider = h("input", { type: "range", min: least, max: most, step, "aria-label": name });
    const each = { number, slider, wrong: verdictLine(), edited: false };
    number.addEventListener("input", () => {
      each.edited = true;
    });
    slider.addEventListener("input", () => {
      each.edited = true;
      number.value = slider.value;
    });
    slider.addEventListener("change", typed);
    this.inputs[key] = each;
    const label = h("label", { for: id }, `${name}, ${unit}`);
    return [h("div", { class: "field" }, label, number, slider), each.wrong];
  }

  alarm(key) {
    const box = h("input", { type: "checkbox", id: `in-${key}` });
    box.addEventListener("change", () => this.send({ [key]: box.checked }, this.alarmTold));
    return box;
  }

  async load() {
    if (this.hz === null) this.suit(await get("/api/dersim/nameplate"));
    if (!this.busy) this.take(await get("/api/dersim/inputs"));
  }

  suit({ frequency_hz: hz, ratings }) {
    this.hz = hz;
    const { slider } = this.inputs.frequency_hz;
    [slider.min, slider.max] = [hz - 10, hz + 6];
    this.inputs.load_w.slider.max = 2 * ratings.rtgMaxW;
    show(
      this.quick,
      quick(hz).map(([name, body]) => h("button", { onclick: () => this.send(body, this.quickTold) }, name)),
    );
  }

  // A change from a button: what was typed and refused before is shown no longer.
  async send(body, told = this.told) {
    const done = await act(told, () => this.post(body), "Changed.");
    if (!done) return;
    for (const key of Object.keys(this.inputs)) this.accept(key);
    this.take(done);
  }

  async post(body) {
    this.busy = true;
    try {
      return await post("/api/dersim/inputs", body);
    } finally {
      this.busy = false;
    }
  }

  accept(key) {
    this.inputs[key].edited = false;
    this.complain(key, "");
  }

  // At the field, whose value stays as it was typed.
  complain(key, text) {
    const { number, wrong } = this.inputs[key];
    tell(wrong, text && text[0].toUpperCase() + text.slice(1) + ".");
    text ? number.setAttribute("aria-invalid", "true") : number.removeAttribute("aria-invalid");
  }

  async changed(key, text, range) {
    show(this.told);
    const said = objection(text, range);
    this.complain(key, said);
    if (said) return;
    try {
      const now = await this.post(this.changeOf(key, Number(text)));
      if (this.inputs[key].number.value === text) this.accept(key);
      this.take(now);
      show(this.told, h("p", { class: "done", role: "status" }, "Changed."));
    } catch (error) {
      this.complain(key, error.message.replace(/\.$/, ""));
    }
  }

  // The other phases keep their exact values, whatever is rounded on the page.
  changeOf(key, value) {
    if (!PHASES.includes(key)) return { [key]: value };
    const volts = PHASES.map((each) => (each === key ? value : this.values[each]));
    return { voltage_pu: this.together.checked ? value : volts };
  }

  // What is in use, or typed and not accepted, is not overwritten.
  take(inputs) {
    const { voltage_pu, grid_source, weather_source, load_source, load_w } = inputs;
    const volts = Array.isArray(voltage_pu) ? voltage_pu : PHASES.map(() => voltage_pu);
    const load = Array.isArray(load_w) ? load_w.reduce((a, b) => a + b) : load_w;
    this.load_w.hidden = load === null;
    const values = { ...inputs, a: volts[0], b: volts[1], c: volts[2], load_w: load ?? 0 };
    this.values = values;
    for (const [key, { number, slider, edited }] of Object.entries(this.inputs)) {
      if (edited || document.activeElement === number || document.activeElement === slider) continue;
      number.value = Number(values[key].toFixed(4));
      slider.value = values[key];
    }
    ALARMS.forEach(([key], i) => {
      this.alarms[i].checked = inputs[key];
    });
    const hint = inputs.source === "const" ? "" : "; a value set here makes that input constant";
    const lost = inputs.grid_lost ? "; grid lost" : "";
    const ofLoad = load === null ? "" : `, load ${load_source}`;
    this.source.textContent = `grid ${grid_source}, weather ${weather_source}${ofLoad}${hint}${lost}`;
    this.back.hidden = inputs.offered_by_grid.length === inputs.held_by_grid.length;
  }
}
