// The page of the site: what it exports, and the limit.
import { get, post } from "/static/js/api.js";
import { card, h, pairs, show, troubleLine } from "/static/js/dom.js";
import { num } from "/static/js/format.js";
import { act, poll } from "/static/js/shell.js";

const MODEL = 64910;

export function mount(root) {
  const figures = h("div", {}),
    told = h("div", {}),
    trouble = troubleLine();
  show(root, trouble, figures, limitForm(told), told);
  const stop = poll(2, async () => showSite(figures), trouble);
  return { unmount: stop };
}

async function showSite(place) {
  const { points } = await get("/api/dersim/grid-support", { model: MODEL });
  const rows = [
    ["Export", `${num(points.ExportW / 1000)} kW`],
    ["Load", `${num(points.LoadW / 1000)} kW`],
    ["Limit", points.LimEna ? `${num(points.LimW / 1000)} kW` : "none"],
  ];
  show(place, card("Site", pairs(rows)));
}

function limitForm(told) {
  const field = h("input", { type: "number", min: 0, max: 1000, step: "any", required: true });
  const set = (points) => act(told, () => post("/api/dersim/grid-support", { model: MODEL, points }), "Set.");
  const form = h(
    "form",
    { class: "row" },
    h("label", {}, "Limit of the export, kW ", field),
    h("button", { type: "submit" }, "Set"),
    h("button", { type: "button", onclick: () => set({ LimEna: 0 }) }, "No limit"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    set({ LimEna: 1, LimW: Number(field.value) * 1000 });
  });
  return form;
}
