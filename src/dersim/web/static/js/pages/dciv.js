// The PV array's I-V and P-V curves with the operating point.
import { card, h, pairs, show, table } from "../dom.js";
import { get } from "../api.js";
import { num } from "../format.js";
import { chart } from "../chart.js";
import { poll } from "../shell.js";

export function mount(root) {
  const place = h("div", { class: "scroll" }),
    facts = h("div", {}),
    rows = h("div", {}),
    trouble = h("p", { class: "trouble", hidden: true });
  show(
    root,
    card(
      "DC I-V curve",
      trouble,
      place,
      h(
        "p",
        { class: "note" },
        "Solid: current, left axis. Dashed: power, right axis. The dot is where the inverter operates; the ring is the maximum power point.",
      ),
    ),
    h(
      "div",
      { class: "grid" },
      card("Operating point", facts),
      card("As a table", h("details", {}, h("summary", {}, "Samples"), rows)),
    ),
  );
  let none = false;
  const stop = poll(
    2,
    async () => {
      if (none) return;
      const d = await get("/api/dersim/dc-iv").catch((error) => {
        none = error.status === 409;
        if (!none) throw error;
        return null;
      });
      if (none) {
        show(
          root,
          card(
            "DC I-V curve",
            h("p", { class: "empty" }, "This device has no PV array, and so no I-V curve."),
          ),
        );
        return;
      }
      const best = d.curve.reduce((a, b) => (b.p > a.p ? b : a), d.curve[0]);
      const p = d.operating_point;
      show(
        place,
        chart({
          width: Math.max(520, Math.min(place.clientWidth || 760, 1100)),
          height: 380,
          label: `I-V curve: operating at ${num(p.v, 1)} V, ${num(p.i, 2)} A, ${num(p.p / 1000, 2)} kW`,
          x: { title: "V", low: 0 },
          y: { title: "A", low: 0 },
          y2: { title: "kW", low: 0 },
          lines: [
            { points: d.curve.map((c) => [c.v, c.i]), color: "var(--c-i)" },
            { points: d.curve.map((c) => [c.v, c.p / 1000]), color: "var(--c-p)", dash: "6 4", right: true },
          ],
          marks: [
            { x: best.v, y: best.p / 1000, right: true, color: "none" },
            { x: p.v, y: p.i, color: "var(--c-i)", label: `${num(p.v, 1)} V, ${num(p.i, 2)} A` },
            { x: p.v, y: p.p / 1000, right: true, color: "var(--c-p)" },
          ],
        }),
      );
      show(
        facts,
        pairs([
          ["Voltage", `${num(p.v, 1)} V`],
          ["Current", `${num(p.i, 2)} A`],
          ["Power", `${num(p.p / 1000, 3)} kW`],
          ["Maximum power", `${num(best.p / 1000, 3)} kW at ${num(best.v, 1)} V`],
          ["Irradiance", `${num(d.irradiance_w_m2, 0)} W/m²`],
          ["Cell temperature", `${num(d.cell_temperature_c, 1)} °C`],
        ]),
      );
      show(
        rows,
        table(
          [
            { title: "V", n: 1 },
            { title: "A", n: 1 },
            { title: "kW", n: 1 },
          ],
          d.curve.map((c) =>
            h(
              "tr",
              {},
              [num(c.v, 1), num(c.i, 3), num(c.p / 1000, 3)].map((t) => h("td", { class: "n" }, t)),
            ),
          ),
        ),
      );
    },
    trouble,
  );
  return { unmount: stop };
}
