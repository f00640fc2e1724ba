// Simulation inputs: grid and weather, changed here, acting at once.
import { card, h, show } from "../dom.js";
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
const PHASES = ["a", "b", "c"];
const QUICK = [
  ["Nominal", { voltage_pu: 1, frequency_hz: 60 }],
  ["Sag to 0.7 pu", { voltage_pu: 0.7 }],
  ["Over-voltage 1.12 pu", { voltage_pu: 1.12 }],
  ["Over-frequency 60.6 Hz", { frequency_hz: 60.6 }],
  ["Under-frequency 59.2 Hz", { frequency_hz: 59.2 }],
  ["Cloud, 200 W/m²", { irradiance_w_m2: 200 }],
  ["Full sun, 1000 W/m²", { irradiance_w_m2: 1000 }],
];

export function mount(root) {
  const told = h("div", { "aria-live": "polite" }),
    trouble = h("p", { class: "trouble", hidden: true }),
    source = h("span", {});
  const together = h("input", { type: "checkbox", checked: true, id: "together" });
  const inputs = {};
  let busy = false;
  const send = (body) =>
    act(
      told,
      async () => {
        busy = true;
        try {
          take(await post("/api/dersim/inputs", body));
        } finally {
          busy = false;
        }
      },
      "Changed.",
    );
  function changed(key, text) {
    const v = Number(text);
    if (!PHASES.includes(key)) return send({ [key]: v });
    return send({
      voltage_pu: together.checked ? v : PHASES.map((p) => (p === key ? v : Number(inputs[p].number.value))),
    });
  }
  const fields = FIELDS.map(([key, name, unit, low, high, step]) => {
    const number = h("input", {
      type: "number",
      id: `in-${key}`,
      step: "any",
      onchange: () => changed(key, number.value),
    });
    const slider = h("input", {
      type: "range",
      min: low,
      max: high,
      step,
      "aria-label": name,
      oninput: () => {
        number.value = slider.value;
      },
      onchange: () => changed(key, slider.value),
    });
    inputs[key] = { number, slider };
    return h("div", { class: "field" }, h("label", { for: `in-${key}` }, `${name}, ${unit}`), number, slider);
  });
  function take(doc) {
    const volts = Array.isArray(doc.voltage_pu) ? doc.voltage_pu : PHASES.map(() => doc.voltage_pu);
    const values = { ...doc, a: volts[0], b: volts[1], c: volts[2] };
    for (const [key, { number, slider }] of Object.entries(inputs)) {
      if (document.activeElement === number || document.activeElement === slider) continue;
      number.value = Number(values[key].toFixed(4));
      slider.value = values[key];
    }
    source.textContent = `grid ${doc.grid_source}, weather ${doc.weather_source}${doc.source === "csv" ? "; a value set here makes that input constant" : ""}`;
  }
  show(
    root,
    h(
      "div",
      { class: "grid" },
      card(
        "Grid and weather",
        trouble,
        h("p", {}, "Source: ", source),
        h(
          "div",
          { class: "row" },
          h("label", { for: "together" }, together, "all phases together"),
          h("button", { onclick: () => send({ source: "csv" }) }, "Back to the profile"),
          h("button", { onclick: () => send({ source: "const" }) }, "Freeze"),
        ),
        fields,
        told,
      ),
      card(
        "Quick changes",
        h(
          "div",
          { class: "row" },
          QUICK.map(([name, body]) => h("button", { onclick: () => send(body) }, name)),
        ),
        h("p", { class: "note" }, "Watch what the inverter does on Overview or Analytics."),
      ),
    ),
  );
  const stop = poll(
    1,
    async () => {
      if (!busy) take(await get("/api/dersim/inputs"));
    },
    trouble,
  );
  return { unmount: stop };
}
