// The PV array's I-V and P-V curves with the operating point.
import { card, h, note, pairs, show, table, troubleLine } from "../dom.js";
import { currentDevice, get } from "../api.js";
import { num } from "../format.js";
import { chart } from "../chart.js";
import { download } from "../plot.js";
import { poll } from "../shell.js";

const LEGEND =
  "Solid: current, left axis. Dashed: power, right axis. The dot is where the inverter operates; the " +
  "ring is the maximum power point.";
const NO_ARRAY = "This device has no PV array, and so no I-V curve.";

export function mount(root) {
  const place = h("div", { class: "scroll" });
  const facts = h("div", {});
  const rows = h("div", {});
  const name = () => `dersim-${currentDevice()}-dc-iv.csv`;
  const save = h("button", { onclick: () => download(name(), csv(curve)) }, "CSV");
  let curve = [];
  const trouble = troubleLine();
  show(
    root,
    card("DC I-V curve", trouble, place, note(LEGEND)),
    h(
      "div",
      { class: "grid" },
      card("Operating point", facts),
      card("As a table", h("details", {}, h("summary", {}, "Samples"), rows), save),
    ),
  );
  let none = false;
  async function load() {
    if (none) return;
    const dcIv = await get("/api/dersim/dc-iv").catch((error) => {
      none = error.status === 409;
      if (!none) throw error;
      return null;
    });
    if (none) {
      show(root, card("DC I-V curve", h("p", { class: "empty" }, NO_ARRAY)));
      return;
    }
    curve = dcIv.curve;
    const best = dcIv.curve.reduce((a, b) => (b.p > a.p ? b : a), dcIv.curve[0]);
    show(place, picture(dcIv, best, Math.min(place.clientWidth || 760, 1100)));
    show(facts, pairs(factsOf(dcIv, best)));
    show(rows, samples(dcIv.curve));
  }
  const stop = poll(2, load, trouble);
  return { unmount: stop };
}

function picture({ curve, operating_point: point }, best, width) {
  const { v, i, p } = point;
  const current = curve.map((each) => [each.v, each.i]);
  const power = curve.map((each) => [each.v, each.p / 1000]);
  return chart({
    width,
    height: 380,
    label: `I-V curve: operating at ${num(v, 1)} V, ${num(i, 2)} A, ${num(p / 1000, 2)} kW`,
    x: { title: "Voltage, V", low: 0 },
    y: { title: "Current, A", low: 0 },
    y2: { title: "Power, kW", low: 0 },
    lines: [
      { points: current, color: "var(--c-i)" },
      { points: power, color: "var(--c-p)", dash: "6 4", right: true },
    ],
    marks: [
      { x: best.v, y: best.p / 1000, right: true, color: "none" },
      { x: v, y: i, color: "var(--c-i)", label: `${num(v, 1)} V, ${num(i, 2)} A` },
      { x: v, y: p / 1000, right: true, color: "var(--c-p)" },
    ],
  });
}

const factsOf = ({ operating_point: point, irradiance_w_m2, cell_temperature_c }, best) => [
  ["Voltage", `${num(point.v, 1)} V`],
  ["Current", `${num(point.i, 2)} A`],
  ["Power", `${num(point.p / 1000, 3)} kW`],
  ["Maximum power", `${num(best.p / 1000, 3)} kW at ${num(best.v, 1)} V`],
  ["Irradiance", `${num(irradiance_w_m2, 0)} W/m²`],
  ["Cell temperature", `${num(cell_temperature_c, 1)} °C`],
];

const csv = (curve) => ["v,a,w", ...curve.map(({ v, i, p }) => `${v},${i},${p}`)].join("\n") + "\n";

function samples(curve) {
  const columns = ["V", "A", "kW"];
  const rows = curve.map(({ v, i, p }) => {
    const cells = [num(v, 1), num(i, 3), num(p / 1000, 3)];
    return h(
      "tr",
      {},
      cells.map((text) => h("td", { class: "n" }, text)),
    );
  });
  return table(columns, rows, { numbers: columns });
}
