// What a plot shows as tables and as CSV.
import { h, note, stamp, table } from "./dom.js";
import { num } from "./format.js";

const ROWS = 120;

// The newest first, evenly left out where there are many. indices: of the first and one after the last.
export function samplesTable(samples, traces, [from, to]) {
  const stride = Math.max(1, Math.ceil((to - from) / ROWS));
  const rows = [];
  for (let i = to - 1; i >= from; i -= stride) {
    const values = traces.map(({ key, decimals = 2 }) => num(samples.columns[key][i], decimals));
    const cells = values.map((text) => h("td", { class: "n" }, text));
    rows.push(h("tr", {}, h("td", { class: "t" }, stamp(samples.time[i])), cells));
  }
  const heads = traces.map(({ label, unit }) => `${label}, ${unit}`);
  const told = stride > 1 ? note(`One of ${stride} samples; the CSV has all.`) : null;
  return [told, table(["Time", ...heads], rows, { numbers: heads })];
}

export function eventTable(bands) {
  const rows = bands.map(({ lane, text, start, end }) => {
    const cells = [lane, text, stamp(start), end === null ? "still" : stamp(end)];
    return h(
      "tr",
      {},
      cells.map((cell) => h("td", {}, cell)),
    );
  });
  return table(["Event", "What", "From", "To"], rows, { empty: "No event in this window." });
}

export function csvOf(samples, [from, to]) {
  const { keys } = samples;
  const lines = [["time", ...keys].join(",")];
  for (let i = from; i < to; i++) {
    const values = keys.map((key) => samples.columns[key][i]);
    const texts = values.map((each) => (Number.isNaN(each) ? "" : each));
    lines.push([new Date(samples.time[i]).toISOString(), ...texts].join(","));
  }
  return `${lines.join("\n")}\n`;
}
