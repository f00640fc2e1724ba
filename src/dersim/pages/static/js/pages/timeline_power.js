// P and Q below the timeline's bars, each on an axis of its own, and the crosshair over both.
import { axisRange, ticks } from "../axes.js";
import { s, show } from "../dom.js";
import { clock, num } from "../format.js";
import { pieces } from "../plot_paint.js";
import { TRACES } from "../traces.js";

const SHOWN = TRACES.filter(({ label }) => label === "P" || label === "Q");
const HEIGHT = 76;
const GAP = 10;
const MOST = 5;

// Adds the panels to a drawing of the timeline.
export function drawPower(drawing, samples, traces = SHOWN) {
  const { start, end } = drawing;
  const from = Math.max(0, samples.first(start) - 1);
  const to = Math.min(samples.length, samples.first(end) + 1);
  const gaps = samples.gaps(start, end);
  const breaks = new Set(gaps.map(([, after]) => samples.first(after)));
  drawing.panels = traces.map((trace) => {
    const panel = panelOf(drawing, samples, trace, from, to);
    const parts = pieces(samples.columns[trace.key], from, to, breaks);
    drawing.parts.push(
      gaps.map((gap) => noData(drawing, panel, gap)),
      axisOf(drawing, panel),
      trace.area ? parts.map((piece) => areaOf(drawing, samples, panel, piece)) : null,
      parts.map((piece) => lineOf(drawing, samples, panel, piece)),
    );
    drawing.y = panel.top + HEIGHT + GAP;
    return panel;
  });
}

function panelOf(drawing, samples, trace, from, to) {
  const found = [trace.key, trace.area].filter(Boolean).map((key) => samples.range(key, from, to));
  const known = found.filter(Boolean).flat();
  const range = axisRange(known.length ? [Math.min(...known), Math.max(...known)] : null, trace, MOST);
  const top = drawing.y + (drawing.narrow ? 24 : 6);
  const y = (power) => top + HEIGHT - ((power - range[0]) / (range[1] - range[0])) * HEIGHT;
  return { trace, range, top, y };
}

// Grid lines with their numbers, and the name at the left; above on a phone.
function axisOf({ left, edge, narrow }, { trace, range, top, y }) {
  const at = narrow ? top - 11 : top + 12;
  const color = `var(${trace.color})`;
  const look = { stroke: color, "stroke-width": 2, "stroke-dasharray": trace.dash?.join(" ") };
  const name = `${trace.label}, ${trace.unit}`;
  return [
    ticks(range, MOST - 1).map(([power, text]) => [
      s("line", { class: "axis", x1: left, x2: edge, y1: y(power), y2: y(power) }),
      s("text", { class: "soft", x: left - 6, y: y(power) + 4, "text-anchor": "end" }, text),
    ]),
    s("line", { x1: 0, x2: 24, y1: at - 4, y2: at - 4, ...look }),
    s("text", { x: 30, y: at, style: { fill: color, "font-weight": 600 } }, name),
    trace.area
      ? s("text", { class: "soft", x: narrow ? 80 : 0, y: narrow ? at : at + 18 }, "shaded: available")
      : null,
  ];
}

function noData(drawing, { top }, [start, end]) {
  const x = drawing.x(start);
  const width = Math.max(1, drawing.x(end) - x);
  const middle = { x: x + width / 2, y: top + HEIGHT / 2, "text-anchor": "middle", class: "soft" };
  return [
    s("rect", { x, y: top, width, height: HEIGHT, fill: "var(--soft)" }),
    width > 56 ? s("text", middle, "no data") : null,
  ];
}

// Through the lowest and highest value of each pixel column.
function corners(drawing, samples, values, y, [begin, end]) {
  const out = [];
  let [column, low, high] = [NaN, 0, 0];
  const flush = () => {
    if (column !== column) return;
    out.push(`${column},${y(high).toFixed(1)}`);
    if (low !== high) out.push(`${column},${y(low).toFixed(1)}`);
  };
  for (let i = begin; i < end; i++) {
    const px = Math.round(drawing.x(samples.time[i]) * 2) / 2;
    if (px !== column) {
      flush();
      [column, low, high] = [px, values[i], values[i]];
    }
    low = Math.min(low, values[i]);
    high = Math.max(high, values[i]);
  }
  flush();
  return out;
}

function lineOf(drawing, samples, { trace, y }, piece) {
  const points = corners(drawing, samples, samples.columns[trace.key], y, piece).join(" ");
  const look = { fill: "none", stroke: `var(${trace.color})`, "stroke-width": 1.7 };
  return s("polyline", { points, "stroke-dasharray": trace.dash?.join(" "), ...look });
}

function areaOf(drawing, samples, { trace, y }, [begin, end]) {
  const values = samples.columns[trace.area];
  const x = (index) => drawing.x(samples.time[index]).toFixed(1);
  const top = corners(drawing, samples, values, y, [begin, end]);
  const points = [`${x(begin)},${y(0)}`, ...top, `${x(end - 1)},${y(0)}`].join(" ");
  return s("polygon", { points, fill: `var(${trace.color})`, "fill-opacity": 0.13 });
}

// The line at the cursor, a dot and the value on each panel, and the part that is being picked.
export function drawCursor(drawing, samples, { cursor, index, picked }) {
  const { over, panels, bottom } = drawing;
  const parts = [];
  if (cursor !== null) {
    const x = drawing.x(cursor);
    const look = { stroke: "var(--text)", "stroke-dasharray": "3 3" };
    parts.push(s("line", { x1: x, x2: x, y1: 0, y2: bottom, ...look }));
    for (const panel of panels) if (index >= 0) parts.push(valueAt(drawing, panel, samples, index, x));
    const late = x > drawing.width - 60;
    const place = { x: x + (late ? -5 : 5), y: bottom - 3, "text-anchor": late ? "end" : "start" };
    parts.push(s("text", { class: "mark", ...place }, clock(cursor)));
  }
  if (picked) {
    const [left, right] = picked.map((time) => drawing.x(time)).sort((a, b) => a - b);
    parts.push(s("rect", { x: left, y: 0, width: right - left, height: bottom, fill: "var(--shade)" }));
  }
  show(over, ...parts);
}

function valueAt(drawing, { trace, y }, samples, index, x) {
  const value = samples.columns[trace.key][index];
  if (value !== value) return [];
  const late = x > drawing.width - 90;
  const place = { x: x + (late ? -7 : 7), y: y(value) - 6, "text-anchor": late ? "end" : "start" };
  return s(
    "g",
    {},
    s("circle", { cx: x, cy: y(value), r: 3.5, fill: `var(${trace.color})`, stroke: "var(--card)" }),
    s("text", { class: "mark", ...place }, `${num(value, 2)} ${trace.unit}`),
  );
}

// The values at the cursor in words.
export function wordsAt({ panels }, samples, index) {
  if (index < 0) return "no data";
  const told = ({ trace: { key, label, unit } }) => `${label} ${num(samples.columns[key][index], 2)} ${unit}`;
  return panels.map(told).join(", ");
}
