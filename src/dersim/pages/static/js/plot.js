// A live time-series plot on a canvas: several traces, an axis per quantity, and the same as text.
// Traces are drawn as minimum and maximum of each pixel column, so that four hours cost what an hour does.
import { h, say } from "./dom.js";
import { clock, num } from "./format.js";

export const TRACES = [
  { key: "power_kw", label: "P", unit: "kW", axis: "power", color: "--c-p" },
  { key: "reactive_power_kvar", label: "Q", unit: "kvar", axis: "power", color: "--c-q" },
  { key: "apparent_power_kva", label: "S", unit: "kVA", axis: "power", color: "--c-s", dash: [7, 4] },
  { key: "current_a", label: "I", unit: "A", axis: "current", color: "--c-i", dash: [2, 3] },
  { key: "voltage_ll_v", label: "V L-L", unit: "V", axis: "vll", color: "--c-vll" },
  { key: "voltage_ln_v", label: "V L-N", unit: "V", axis: "vln", color: "--c-vln" },
];
const AXES = {
  power: { title: "kW, kvar, kVA", least: 1 },
  current: { title: "A", least: 1 },
  vll: { title: "V L-L", least: 10 },
  vln: { title: "V L-N", least: 6 },
  soc: { title: "%", least: 0, fixed: [0, 100] },
};

// A good step for about `count` divisions of a span.
export function niceStep(width, count) {
  const raw = width / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 2.5, 5, 10].find((m) => m * power >= raw * 0.999);
}

// Digits behind the point that the steps of an axis need.
export function decimalsOf(step) {
  const power = Math.floor(Math.log10(step) + 1e-9);
  const quarter = Math.abs(step / 10 ** power - 2.5) < 1e-6;
  return Math.max(0, -power + (quarter ? 1 : 0));
}

// A thin line, level or upright, on whole pixels.
function line(g, color, x1, y1, x2, y2) {
  g.strokeStyle = color;
  g.beginPath();
  g.moveTo(x1 === x2 ? Math.round(x1) + 0.5 : x1, y1 === y2 ? Math.round(y1) + 0.5 : y1);
  g.lineTo(x1 === x2 ? Math.round(x2) + 0.5 : x2, y1 === y2 ? Math.round(y2) + 0.5 : y2);
  g.stroke();
}

const AXIS_WIDTH = 46;
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400].map(
  (t) => t * 1000,
);

export class Plot {
  constructor({ seconds = 900, traces = TRACES, label = "Measurements" } = {}) {
    this.seconds = seconds;
    this.traces = traces;
    this.hidden = new Set();
    this.time = [];
    this.data = Object.fromEntries(traces.map((t) => [t.key, []]));
    this.canvas = h("canvas", { role: "img", "aria-label": label, tabindex: 0 });
    this.label = label;
    this.at = h("div", { class: "at", "aria-live": "off" });
    this.buttons = new Map(traces.map((t) => [t.key, this.button(t)]));
    this.node = h(
      "div",
      { class: "plot" },
      this.canvas,
      this.at,
      h("div", { class: "legend" }, [...this.buttons.values()]),
    );
    this.cursor = null;
    this.asked = false;
    this.canvas.addEventListener("pointermove", (e) => this.point(e.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.point(null));
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.canvas);
    this.redraw = () => this.draw();
    addEventListener("themechange", this.redraw);
  }

  button(trace) {
    return h(
      "button",
      {
        "aria-pressed": "true",
        style: { "--key": `var(${trace.color})` },
        onclick: () => this.toggle(trace.key),
      },
      trace.label,
    );
  }

  toggle(key) {
    this.hidden.has(key) ? this.hidden.delete(key) : this.hidden.add(key);
    this.buttons.get(key).setAttribute("aria-pressed", String(!this.hidden.has(key)));
    this.draw();
  }

  destroy() {
    this.watch.disconnect();
    removeEventListener("themechange", this.redraw);
  }

  // A whole history document.
  setHistory(document_) {
    this.time = document_.time.map((t) => Date.parse(t));
    for (const trace of this.traces) this.data[trace.key] = document_[trace.key].slice();
    this.draw();
  }

  // One overview document; what is older than the window goes.
  append(overview) {
    const time = Date.parse(overview.time);
    if (this.time.length && time <= this.time[this.time.length - 1]) return;
    this.time.push(time);
    for (const trace of this.traces) this.data[trace.key].push(overview.metrics[trace.key]);
    const oldest = time - this.seconds * 1000;
    if (this.time[0] < oldest - this.seconds * 100) {
      let cut = 0;
      while (this.time[cut] < oldest) cut++;
      this.time.splice(0, cut);
      for (const trace of this.traces) this.data[trace.key].splice(0, cut);
    }
    this.draw();
  }

  draw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  }

  shown() {
    return this.traces.filter((t) => !this.hidden.has(t.key));
  }

  window() {
    const end = this.time.length ? this.time[this.time.length - 1] : Date.now();
    // A young history fills the width; its window grows to what was asked for.
    const age = this.time.length ? end - this.time[0] : Infinity;
    return [end - Math.min(this.seconds * 1000, Math.max(age, 60000)), end];
  }

  first(start) {
    let low = 0,
      high = this.time.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      this.time[mid] < start ? (low = mid + 1) : (high = mid);
    }
    return low;
  }

  ranges(from) {
    const found = {};
    for (const trace of this.shown()) {
      const values = this.data[trace.key];
      const range = (found[trace.axis] ||= [Infinity, -Infinity]);
      for (let i = from; i < values.length; i++) {
        const v = values[i];
        if (v === null) continue;
        if (v < range[0]) range[0] = v;
        if (v > range[1]) range[1] = v;
      }
    }
    for (const [axis, range] of Object.entries(found)) {
      if (AXES[axis]?.fixed) {
        [range[0], range[1]] = AXES[axis].fixed;
        continue;
      }
      if (range[0] > range[1]) [range[0], range[1]] = [0, 1];
      if (axis === "power" || axis === "current") {
        range[0] = Math.min(range[0], 0);
        range[1] = Math.max(range[1], 0);
      }
      const lack = AXES[axis] ? AXES[axis].least - (range[1] - range[0]) : 0;
      if (lack > 0) {
        range[1] += lack / (range[0] === 0 ? 1 : 2);
        if (range[0] !== 0) range[0] -= lack / 2;
      }
      const pad = (range[1] - range[0]) * 0.06;
      if (range[0] !== 0) range[0] -= pad;
      range[1] += pad;
    }
    return found;
  }

  paint() {
    const view = this.view();
    if (!view) return;
    const from = this.first(view.start);
    const ranges = this.ranges(from);
    const axes = Object.keys(ranges);
    const right = 10 + (view.wide ? AXIS_WIDTH * Math.max(0, axes.length - 1) : 0);
    const box = { x: 46, y: 18, w: view.width - 46 - right, h: view.height - 18 - 22 };
    this.box = box;
    view.x = (t) => box.x + ((t - view.start) / (view.end - view.start)) * box.w;
    view.y = (value, [low, high]) => box.y + box.h - ((value - low) / (high - low)) * box.h;
    axes
      .slice(0, view.wide ? axes.length : 1)
      .forEach((axis, index) => this.paintAxis(view, axis, ranges[axis], index));
    this.paintTimes(view);
    this.paintTraces(view, from, ranges);
    this.readout(view.g, view.x, view.color, view.start);
  }

  // The cleared canvas at the screen's resolution, and what is drawn on it; null while it is not shown.
  view() {
    const canvas = this.canvas;
    const ratio = devicePixelRatio || 1;
    const width = canvas.clientWidth;
    const height = canvas.clientHeight;
    if (!width) return null;
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.clearRect(0, 0, width, height);
    g.font = "11px system-ui, sans-serif";
    g.lineWidth = 1;
    const css = getComputedStyle(document.documentElement);
    const color = (name) => css.getPropertyValue(name).trim();
    const [start, end] = this.window();
    return { g, width, height, wide: width > 560, start, end, color };
  }

  // The first axis is on the left and has grid lines; the others are on the right.
  paintAxis({ g, height, color, y }, axis, range, index) {
    const box = this.box;
    const step = niceStep(range[1] - range[0], height > 200 ? 5 : 3);
    const decimals = decimalsOf(step);
    const at = index ? box.x + box.w + 6 + AXIS_WIDTH * (index - 1) : box.x - 6;
    g.textAlign = index ? "left" : "right";
    g.fillStyle = color(index ? this.traces.find((t) => t.axis === axis).color : "--muted");
    g.textBaseline = "alphabetic";
    g.fillText((AXES[axis] || { title: "" }).title.split(",")[0], at, 11);
    g.textBaseline = "middle";
    for (let value = Math.ceil(range[0] / step) * step; value <= range[1]; value += step) {
      const level = y(value, range);
      if (!index) line(g, color("--line"), box.x, level, box.x + box.w, level);
      g.fillText(num(value, decimals), at, level);
    }
  }

  paintTimes({ g, width, height, start, end, color, x }) {
    const box = this.box;
    const many = Math.max(2, Math.floor(box.w / 90));
    const step = TIME_STEPS.find((t) => (end - start) / t <= many) || TIME_STEPS[TIME_STEPS.length - 1];
    const zone = new Date(end).getTimezoneOffset() * 60000;
    g.fillStyle = color("--muted");
    g.textBaseline = "alphabetic";
    g.textAlign = "center";
    for (let t = Math.ceil((start - zone) / step) * step + zone; t <= end; t += step) {
      const px = x(t);
      if (px > box.x + 18 && px < width - 24) g.fillText(clock(t, step < 60000), px, height - 6);
      line(g, color("--line"), px, box.y + box.h, px, box.y + box.h + 4);
    }
  }

  paintTraces({ g, color, x, y }, from, ranges) {
    const box = this.box;
    g.save();
    g.beginPath();
    g.rect(box.x, box.y - 2, box.w + 1, box.h + 4);
    g.clip();
    for (const trace of this.shown().reverse()) {
      this.trace(g, trace, from, x, (value) => y(value, ranges[trace.axis]), color(trace.color));
    }
    g.restore();
  }

  trace(g, trace, from, x, y, stroke) {
    const values = this.data[trace.key],
      time = this.time;
    g.strokeStyle = stroke;
    g.lineWidth = 1.6;
    g.lineJoin = "round";
    g.setLineDash(trace.dash || []);
    g.beginPath();
    let column = null,
      low = 0,
      high = 0,
      last = 0,
      pen = false;
    const flush = () => {
      const top = y(high),
        foot = y(low),
        end = y(last);
      pen ? g.lineTo(column, top) : g.moveTo(column, top);
      if (foot - top > 0.5) g.lineTo(column, foot);
      if (Math.abs(end - foot) > 0.5) g.lineTo(column, end);
      pen = true;
    };
    for (let i = Math.max(0, from - 1); i < values.length; i++) {
      const v = values[i];
      if (v === null) {
        if (column !== null) flush();
        column = null;
        pen = false;
        continue;
      }
      const px = Math.round(x(time[i]) * 2) / 2;
      if (px === column) {
        if (v < low) low = v;
        if (v > high) high = v;
        last = v;
        continue;
      }
      if (column !== null) flush();
      column = px;
      low = high = last = v;
    }
    if (column !== null) flush();
    g.stroke();
    g.setLineDash([]);
  }

  point(offset) {
    const box = this.box;
    if (offset === null || !box || !this.time.length) this.cursor = null;
    else {
      const [start, end] = this.window();
      const t = start + ((offset - box.x) / box.w) * (end - start);
      this.cursor = Math.min(this.time.length - 1, Math.max(this.first(start), this.first(t)));
    }
    this.draw();
  }

  key(event) {
    const move = { ArrowLeft: -1, ArrowRight: 1, PageUp: -30, PageDown: 30 }[event.key];
    if (event.key === "Escape") this.cursor = null;
    else if (move && this.time.length)
      this.cursor = Math.min(this.time.length - 1, Math.max(0, (this.cursor ?? this.time.length - 1) + move));
    else return;
    event.preventDefault();
    this.draw();
  }

  readout(g, x, color, start) {
    const index = this.cursor ?? this.time.length - 1;
    if (index >= 0 && this.cursor !== null && this.time[index] >= start) {
      const px = Math.round(x(this.time[index])) + 0.5;
      g.strokeStyle = color("--muted");
      g.setLineDash([3, 3]);
      g.beginPath();
      g.moveTo(px, this.box.y);
      g.lineTo(px, this.box.y + this.box.h);
      g.stroke();
      g.setLineDash([]);
    }
    const words = [];
    for (const trace of this.traces) {
      const text = `${trace.label} ${num(this.data[trace.key][index], 2)} ${trace.unit}`;
      say(this.buttons.get(trace.key), text);
      if (!this.hidden.has(trace.key)) words.push(text);
    }
    say(this.at, this.cursor === null ? "" : `At ${clock(this.time[index])}`);
    const spoken = `${this.label}${index >= 0 ? ` at ${clock(this.time[index])}: ${words.join(", ")}` : ""}`;
    if (!this.spokenAt || Date.now() - this.spokenAt > 5000 || this.cursor !== null) {
      this.canvas.setAttribute("aria-label", spoken);
      this.spokenAt = Date.now();
    }
  }

  csv() {
    const [start] = this.window();
    const head = ["time", ...this.traces.map((t) => t.key)].join(",");
    const lines = [];
    for (let i = this.first(start); i < this.time.length; i++)
      lines.push(
        [new Date(this.time[i]).toISOString(), ...this.traces.map((t) => this.data[t.key][i] ?? "")].join(
          ",",
        ),
      );
    return `${head}\n${lines.join("\n")}\n`;
  }
}

export function download(name, text, type = "text/csv") {
  const url = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}
