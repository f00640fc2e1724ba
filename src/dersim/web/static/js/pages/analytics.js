// Analytics: longer windows, each trace on or off, figures and a file.
import { card, h, note, show, table, troubleLine } from "../dom.js";
import { get, currentDevice } from "../api.js";
import { loadBands } from "../events.js";
import { clock, num } from "../format.js";
import { heldSamples } from "../held.js";
import { Plot } from "../plot.js";
import { poll } from "../shell.js";

const WINDOWS = [
  [900, "15 min"],
  [2700, "45 min"],
  [7200, "2 h"],
  [14400, "4 h"],
];
const FIRST = 7200;
const NUMBERS = ["Lowest", "Mean", "Highest", "Last"];
const FIGURES_EVERY_S = 2;
const NONE = [null, null, null, null];

export function mount(root) {
  const page = new Analytics(root);
  page.choose(FIRST);
  const stops = [poll(4, () => page.loadEvents()), poll(FIGURES_EVERY_S, () => page.showFigures())];
  return {
    update: (overview) => page.plot.append(overview),
    unmount() {
      page.plot.destroy();
      stops.forEach((stop) => stop());
    },
  };
}

class Analytics {
  constructor(root) {
    const name = `dersim-${currentDevice()}`;
    this.plot = new Plot({ seconds: FIRST, label: "Analytics", name, samples: heldSamples() });
    this.plot.onSilence = () => this.choose(this.plot.seconds);
    this.figures = h("div", {});
    this.trouble = troubleLine();
    this.buttons = WINDOWS.map(([seconds, name]) =>
      h("button", { "aria-pressed": "false", onclick: () => this.choose(seconds) }, name),
    );
    const windows = h("div", { class: "row", role: "group", "aria-label": "Window" }, this.buttons);
    show(root, card("Analytics", windows, this.trouble, this.plot.node), card("Figures", this.figures));
  }

  async choose(seconds) {
    const { plot } = this;
    const pressed = (index) => String(WINDOWS[index][0] === seconds);
    this.buttons.forEach((button, index) => button.setAttribute("aria-pressed", pressed(index)));
    plot.seconds = seconds;
    plot.viewport.follow();
    try {
      plot.setHistory(await get("/api/dersim/history", { seconds }));
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
    await Promise.all([this.showFigures(), this.loadEvents().catch(() => {})]);
  }

  async loadEvents() {
    this.plot.setBands(await loadBands(this.plot.seconds));
  }

  // Of the part of the time that the plot shows.
  async showFigures() {
    const { samples, traces } = this.plot;
    const [from, to] = this.plot.indices();
    const rows = traces.map((trace) => figuresRow(trace, samples.columns[trace.key].subarray(from, to)));
    const [start, end] = this.plot.viewport.window();
    const have =
      to > from
        ? `${to - from} samples, ${clock(Math.max(start, samples.time[from]))} to ${clock(end)}.`
        : "No samples.";
    const shown = rows.filter(Boolean);
    const heads = [...NUMBERS, "Unit"];
    show(this.figures, table(["Trace", ...heads], shown, { numbers: heads }), note(have));
  }
}

function figuresRow({ label, unit, optional }, all) {
  const values = all.filter((each) => !Number.isNaN(each));
  if (optional && !values.length) return null;
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity);
  const highest = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const figures = values.length ? [lowest, mean, highest, values[values.length - 1]] : NONE;
  const cells = figures.map((each) => h("td", { class: "n" }, num(each, 3)));
  return h("tr", {}, h("td", {}, label), cells, h("td", { class: "n" }, unit));
}
