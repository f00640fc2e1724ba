// A live time-series plot: small panels below each other with one axis of time, events as bands under them,
// and the same as a table and as CSV.
import { h, say, show } from "./dom.js";
import { clock, num } from "./format.js";
import { addGestures, moveButtons } from "./gestures.js";
import { layoutOf } from "./plot_layout.js";
import { cleared, paintCursor, paintScene, palette } from "./plot_paint.js";
import { csvOf, eventTable, samplesTable } from "./plot_table.js";
import { Samples } from "./samples.js";
import { lineSample } from "./swatch.js";
import { TRACES } from "./traces.js";
import { Viewport } from "./viewport.js";

const YOUNGEST_MS = 60000;
const SPOKEN_EVERY_MS = 5000;
const SILENCE_MS = 5000;
const TABLE_EVERY_MS = 2000;
const KEYS_HELP =
  "Arrow keys read values, + and - zoom, Shift with an arrow key pans, 0 follows live again.";

// What a plot of these traces needs of a history document.
export const keysOf = (traces = TRACES) => [
  ...new Set(traces.flatMap(({ key, area }) => (area ? [key, area] : [key]))),
];

export class Plot {
  // name: of the file that is saved; samples: held by an earlier plot of the same traces.
  constructor({ seconds = 900, traces = TRACES, label = "Measurements", name = "dersim", samples } = {}) {
    Object.assign(this, { seconds, traces, label, name });
    this.samples = samples || new Samples(keysOf(traces));
    this.hidden = new Set();
    this.bands = [];
    this.cursor = null;
    this.picked = null;
    this.viewport = new Viewport(
      () => this.limits(),
      () => this.draw(),
    );
    this.build();
    addGestures(this.canvas, this);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.node);
    this.redraw = () => this.draw();
    addEventListener("themechange", this.redraw);
  }

  build() {
    const { label } = this;
    this.under = h("canvas", { "aria-hidden": "true" });
    this.canvas = h("canvas", { class: "over", role: "img", "aria-label": label, tabindex: 0 });
    this.at = h("p", { class: "at", "aria-live": "off" });
    this.buttons = new Map(this.traces.map((trace) => [trace.key, this.legendButton(trace)]));
    const name = `${label}: table`;
    this.twin = h("div", { class: "twin", hidden: true, tabindex: 0, role: "region", "aria-label": name });
    this.stage = h("div", { class: "stage" }, this.under, this.canvas);
    const legend = h("div", { class: "legend" }, [...this.buttons.values()]);
    this.node = h("div", { class: "plot" }, this.tools(), this.stage, legend, this.twin);
  }

  tools() {
    this.moves = moveButtons(this);
    this.twinButton = h("button", { "aria-pressed": "false", onclick: () => this.flipTwin() }, "Table");
    const save = h("button", { onclick: () => download(`${this.name}.csv`, this.csv()) }, "CSV");
    const group = { class: "row tools", role: "group", "aria-label": `${this.label}: zoom, pan, table` };
    return h("div", group, this.moves.nodes, this.at, this.twinButton, save);
  }

  legendButton(trace) {
    const text = h("span", {}, trace.label);
    const onclick = () => this.toggle(trace.key);
    const button = h("button", { "aria-pressed": "true", onclick }, lineSample(trace), text);
    button.text = text;
    return button;
  }

  toggle(key) {
    if (this.hidden.has(key)) this.hidden.delete(key);
    else this.hidden.add(key);
    this.buttons.get(key).setAttribute("aria-pressed", String(!this.hidden.has(key)));
    this.draw();
  }

  destroy() {
    this.watch.disconnect();
    removeEventListener("themechange", this.redraw);
  }

  setHistory(past) {
    this.samples.load(past);
    this.draw();
  }

  // bands: [{start, end (ms, null: not over), lane, text, kind: "control" | "trip"}], by their start.
  setBands(bands) {
    this.bands = bands;
    this.draw();
  }

  // One overview document; after a silence `onSilence` asks the history whether the simulator was stopped.
  // What is older than the window goes, unless it is being looked at.
  append(overview) {
    const time = Date.parse(overview.time);
    const { metrics, site } = overview;
    if (!this.samples.append(time, { ...metrics, site_power_kw: site?.power_kw })) return;
    if (performance.now() - this.heardAt > SILENCE_MS) this.onSilence?.();
    this.heardAt = performance.now();
    const oldest = time - this.seconds * 1000;
    const surplus = this.samples.oldest < oldest - this.seconds * 100;
    if (surplus && this.viewport.live) this.samples.forget(oldest);
    this.draw();
  }

  // The whole window; a young history fills the width and its window grows to what was asked for.
  limits() {
    const { samples, seconds } = this;
    const end = samples.length ? samples.newest : Date.now();
    const age = samples.length ? end - samples.oldest : Infinity;
    return [end - Math.min(seconds * 1000, Math.max(age, YOUNGEST_MS)), end];
  }

  shown() {
    const { samples } = this;
    const there = ({ key, optional }) => !optional || samples.range(key, 0, samples.length) !== null;
    return this.traces.filter((trace) => there(trace) && !this.hidden.has(trace.key));
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  }

  paint() {
    const [start, end] = this.viewport.window();
    const bands = this.bands.filter((band) => band.start <= end && (band.end ?? end) >= start);
    const layout = layoutOf(this.stage.clientWidth, this.shown(), bands);
    const height = `${layout.height}px`;
    if (this.stage.style.height !== height) this.stage.style.height = height;
    const g = cleared(this.under, layout.height);
    if (!g) return;
    const { samples } = this;
    const { box } = layout;
    const x = (time) => box.x + ((time - start) / (end - start)) * box.w;
    const gaps = samples.gaps(start, end);
    const breaks = new Set(gaps.map(([, after]) => samples.first(after)));
    this.box = box;
    this.scene = { g, color: palette(), layout, samples, start, end, x, gaps, breaks, bands };
    paintScene(this.scene);
    this.paintOver();
    this.tell();
    if (!this.painted && samples.length) performance.mark("first-plot");
    this.painted ||= samples.length > 0;
  }

  paintOver() {
    const g = cleared(this.canvas, this.scene.layout.height);
    if (g) paintCursor({ ...this.scene, g }, { time: this.cursor, index: this.told(), pick: this.picked });
  }

  // The sample whose values are told: the newest, or that at the cursor; -1 where there is no data.
  told() {
    const { samples, cursor } = this;
    return cursor === null ? samples.length - 1 : samples.at(cursor);
  }

  // Moves the crosshair to a time, or away.
  point(time) {
    const { samples } = this;
    const [start, end] = this.viewport.window();
    this.cursor = time === null || !samples.length ? null : Math.min(Math.max(time, start), end);
    const index = this.told();
    if (this.cursor !== null && index >= 0) this.cursor = Math.min(Math.max(samples.time[index], start), end);
    this.moved();
  }

  // Moves the crosshair by so many samples, at least to the next pixel.
  step(by) {
    const { samples } = this;
    if (!samples.length) return;
    const [start, end] = this.viewport.window();
    const [from, to] = [samples.first(start), Math.max(0, samples.first(end + 1) - 1)];
    const stride = Math.max(1, Math.floor((to - from) / (this.box?.w || 400)));
    const now = this.cursor === null ? to : samples.nearest(this.cursor);
    this.cursor = samples.time[Math.min(Math.max(now + by * stride, from), to)];
    this.moved();
  }

  select(times) {
    this.picked = times;
    this.moved();
  }

  // Only what is above the traces is drawn anew.
  moved() {
    if (this.asked || !this.scene) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paintOver();
      this.tell();
    });
  }

  // The same in words: values beside the legend, time and events in a line, and for screen readers.
  tell() {
    const { samples, cursor } = this;
    const index = this.told();
    const words = [];
    for (const trace of this.traces) {
      const value = index < 0 ? NaN : samples.columns[trace.key][index];
      const text = `${trace.label} ${num(value, trace.decimals ?? 2)} ${trace.unit}`;
      const button = this.buttons.get(trace.key);
      say(button.text, text);
      button.hidden = Boolean(trace.optional) && samples.range(trace.key, 0, samples.length) === null;
      if (!this.hidden.has(trace.key) && !button.hidden) words.push(text);
    }
    say(this.at, this.line(index));
    this.moves.show();
    if (this.spokenAt && Date.now() - this.spokenAt < SPOKEN_EVERY_MS && cursor === null) return;
    this.spokenAt = Date.now();
    const when = samples.length ? ` at ${clock(cursor ?? samples.newest)}: ${words.join(", ")}` : "";
    this.canvas.setAttribute("aria-label", `${this.label}${when}. ${KEYS_HELP}`);
    this.drawTwin();
  }

  line(index) {
    const { cursor, viewport } = this;
    const [start, end] = viewport.window();
    const part = viewport.live ? "" : `${clock(start)} to ${clock(end)}; live values wait. `;
    if (cursor === null) return part;
    const events = this.bands
      .filter((band) => band.start <= cursor && cursor <= (band.end ?? Infinity))
      .map(({ lane, text }) => `${lane} ${text}`.trim());
    const told = [index < 0 ? "no data" : "", ...events].filter(Boolean).join("; ");
    return `${part}At ${clock(cursor)}${told ? `: ${told}` : ""}`;
  }

  flipTwin() {
    this.twin.hidden = !this.twin.hidden;
    this.twinButton.setAttribute("aria-pressed", String(!this.twin.hidden));
    this.spokenAt = this.twinAt = 0;
    this.tell();
  }

  drawTwin() {
    if (this.twin.hidden || Date.now() - (this.twinAt || 0) < TABLE_EVERY_MS) return;
    this.twinAt = Date.now();
    show(this.twin, samplesTable(this.samples, this.shown(), this.indices()), eventTable(this.bands));
  }

  // First and one after the last sample of what is shown.
  indices() {
    const [start, end] = this.viewport.window();
    return [this.samples.first(start), this.samples.first(end + 1)];
  }

  csv() {
    return csvOf(this.samples, this.indices());
  }
}

export function download(name, text, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
