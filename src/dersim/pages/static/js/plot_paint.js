// What a plot draws on its canvases. A trace of more samples than pixels is drawn as the lowest and highest
// value of each pixel column.
import { axisRange, ticks, timeTicks, zoneName } from "./axes.js";
import { clock, num } from "./format.js";
import { AXIS } from "./plot_layout.js";

const FONT = '11px system-ui, "DejaVu Sans", sans-serif';
const BOLD = '600 12px system-ui, "DejaVu Sans", sans-serif';
const LINE = 1.6;
const LABEL_PX = 64;
const LABEL_PY = 14;

// The cleared canvas at the screen's resolution; null while it is not shown.
export function cleared(canvas, height) {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  if (!width) return null;
  const size = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== size[0]) canvas.width = size[0];
  if (canvas.height !== size[1]) canvas.height = size[1];
  const g = canvas.getContext("2d");
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = FONT;
  g.lineWidth = 1;
  return g;
}

// The colours of the theme by their names, each asked for once.
export function palette() {
  const css = getComputedStyle(document.documentElement);
  const known = {};
  return (name) => (known[name] ??= css.getPropertyValue(name).trim());
}

// A thin line, level or upright, on whole pixels.
function line(g, color, x1, y1, x2, y2, dash = []) {
  const sharp = (px) => Math.round(px) + 0.5;
  g.strokeStyle = color;
  g.setLineDash(dash);
  g.beginPath();
  g.moveTo(x1 === x2 ? sharp(x1) : x1, y1 === y2 ? sharp(y1) : y1);
  g.lineTo(x1 === x2 ? sharp(x2) : x2, y1 === y2 ? sharp(y2) : y2);
  g.stroke();
  g.setLineDash([]);
}

// s: the scene: {g, color, layout, samples, start, end, x(time), gaps, bands}.
export function paintScene(s) {
  for (const panel of s.layout.panels) paintGround(s, panel);
  paintTimes(s);
  for (const panel of s.layout.panels) paintPanel(s, panel);
  for (const lane of s.layout.lanes) paintLane(s, lane);
  const { more, box } = s.layout;
  s.g.textAlign = "left";
  s.g.fillStyle = s.color("--muted");
  if (more.count) s.g.fillText(`and ${more.count} more, in the table`, box.x, more.y);
}

// Behind the traces: events in force, and times without data.
function paintGround(s, panel) {
  const { g, color } = s;
  clipped(s, panel, () => {
    for (const { start, end, kind } of s.bands) {
      g.globalAlpha = kind === "trip" ? 0.2 : 0.6;
      g.fillStyle = color(kind === "trip" ? "--bad" : "--shade");
      g.fillRect(s.x(start), panel.y, Math.max(1, s.x(end ?? s.end) - s.x(start)), panel.h);
    }
    g.globalAlpha = 1;
    for (const gap of s.gaps) paintGap(s, panel, gap);
  });
}

function paintGap({ g, color, x }, panel, [start, end]) {
  const left = x(start);
  const width = x(end) - left;
  g.fillStyle = color("--soft");
  g.fillRect(left, panel.y, width, panel.h);
  line(g, color("--muted"), left, panel.y, left, panel.y + panel.h, [2, 3]);
  line(g, color("--muted"), left + width, panel.y, left + width, panel.y + panel.h, [2, 3]);
  if (width < 56) return;
  g.fillStyle = color("--muted");
  g.textAlign = "center";
  g.textBaseline = "middle";
  g.fillText("no data", left + width / 2, panel.y + panel.h / 2);
}

function clipped({ g, layout }, panel, work) {
  g.save();
  g.beginPath();
  g.rect(layout.box.x, panel.y - 2, layout.box.w + 1, panel.h + 4);
  g.clip();
  work();
  g.restore();
}

function paintPanel(s, panel) {
  const { g, color, layout, samples } = s;
  const { trace } = panel;
  const from = Math.max(0, samples.first(s.start) - 1);
  const to = Math.min(samples.length, samples.first(s.end) + 1);
  const most = Math.max(3, Math.floor(panel.h / LABEL_PY));
  const range = axisRange(rangeOf(samples, trace, from, to), trace, most);
  const y = (value) => panel.y + panel.h - ((value - range[0]) / (range[1] - range[0])) * panel.h;
  panel.level = y;
  g.textAlign = "right";
  g.textBaseline = "middle";
  for (const [value, text] of ticks(range, most - 1)) {
    line(g, color("--line"), layout.box.x, y(value), layout.box.x + layout.box.w, y(value));
    g.fillStyle = color("--muted");
    g.fillText(text, AXIS - 6, y(value));
  }
  clipped(s, panel, () => {
    if (trace.area) paintArea(s, trace, from, to, y);
    paintTrace(s, trace, from, to, y);
  });
  paintTitle(s, panel);
}

function rangeOf(samples, trace, from, to) {
  const found = [trace.key, trace.area]
    .filter(Boolean)
    .map((key) => samples.range(key, from, to))
    .filter(Boolean);
  if (!found.length) return null;
  return [Math.min(...found.map(([low]) => low)), Math.max(...found.map(([, high]) => high))];
}

// Name and unit above a panel, after a piece of the line as it is drawn.
function paintTitle({ g, color, layout }, { trace, titleY }) {
  g.lineWidth = 2;
  line(g, color(trace.color), layout.box.x, titleY - 4, layout.box.x + 22, titleY - 4, trace.dash);
  g.lineWidth = 1;
  g.textAlign = "left";
  g.textBaseline = "alphabetic";
  g.font = BOLD;
  g.fillStyle = color(trace.color);
  g.fillText(`${trace.label}, ${trace.unit}`, layout.box.x + 28, titleY);
  const wide = g.measureText(`${trace.label}, ${trace.unit}`).width;
  g.font = FONT;
  if (!trace.areaLabel || layout.narrow) return;
  g.fillStyle = color("--muted");
  g.fillText(`shaded: ${trace.areaLabel}`, layout.box.x + 40 + wide, titleY);
}

function paintTrace(s, trace, from, to, y) {
  const { g, samples } = s;
  const values = samples.columns[trace.key];
  g.strokeStyle = g.fillStyle = s.color(trace.color);
  if (to - from > s.layout.box.w) {
    paintColumns(g, columnsOf(s, values, from, to), trace.dash, y);
    return;
  }
  g.lineWidth = LINE;
  g.lineJoin = "round";
  g.setLineDash(trace.dash || []);
  for (const [begin, end] of pieces(values, from, to, s.breaks)) {
    g.beginPath();
    for (let i = begin; i < end; i++) g.lineTo(s.x(samples.time[i]), y(values[i]));
    // A sample alone between two gaps is a dot.
    if (end === begin + 1) g.lineTo(s.x(samples.time[begin]) + 1, y(values[begin]));
    g.stroke();
  }
  g.setLineDash([]);
  g.lineWidth = 1;
}

// Each column as an upright bar that meets the one before it; a path of so many lines takes twice as long.
// Level parts have the dashes of the trace.
function paintColumns(g, columns, dash, y) {
  const shown = dashes(dash);
  for (const { px, low, high } of columns) {
    const top = y(high) - LINE / 2;
    const height = y(low) - top + LINE / 2;
    if (height > 3 || shown(px)) g.fillRect(px, top, 1, height);
  }
}

// Whether a dashed line is drawn at a pixel.
function dashes(lengths) {
  if (!lengths) return () => true;
  const pattern = lengths.flatMap((length, index) => Array(length).fill(index % 2 === 0));
  return (px) => pattern[px % pattern.length];
}

// The lowest and highest value of each pixel column, reaching to the last one of the column before.
function columnsOf({ layout, start, end, samples, breaks }, values, from, to) {
  const { time } = samples;
  const { x, w } = layout.box;
  const scale = w / (end - start);
  const found = [];
  let column = null;
  let last = NaN;
  for (let i = from; i < to; i++) {
    const value = values[i];
    if (value !== value || breaks.has(i)) last = NaN;
    if (value !== value) continue;
    const px = Math.round(x + (time[i] - start) * scale);
    if (!column || px !== column.px) {
      column = { px, low: value, high: value };
      found.push(column);
      if (last < value) column.low = last;
      if (last > value) column.high = last;
    } else if (value < column.low) column.low = value;
    else if (value > column.high) column.high = value;
    last = value;
  }
  return found;
}

// From 0 to the values, in the softest colour.
function paintArea(s, trace, from, to, y) {
  const { g, samples } = s;
  const values = samples.columns[trace.area];
  g.fillStyle = s.color(trace.color);
  g.globalAlpha = 0.13;
  for (const [begin, end] of pieces(values, from, to, s.breaks)) {
    const stride = Math.max(1, Math.floor((to - from) / s.layout.box.w));
    g.beginPath();
    g.moveTo(s.x(samples.time[begin]), y(0));
    for (let i = begin; i < end; i += stride) g.lineTo(s.x(samples.time[i]), y(values[i]));
    g.lineTo(s.x(samples.time[end - 1]), y(values[end - 1]));
    g.lineTo(s.x(samples.time[end - 1]), y(0));
    g.fill();
  }
  g.globalAlpha = 1;
}

// Stretches of values without a gap, as [first, one after the last].
export function pieces(values, from, to, breaks) {
  const found = [];
  let begin = -1;
  for (let i = from; i <= to; i++) {
    const here = i < to && values[i] === values[i];
    if (begin >= 0 && (!here || breaks.has(i))) {
      found.push([begin, i]);
      begin = -1;
    }
    if (here && begin < 0) begin = i;
  }
  return found;
}

// A lane of events: its name, what each asks where there is room for it, and the bars below.
function paintLane(s, lane) {
  const { g, color } = s;
  const { box } = s.layout;
  g.textAlign = "left";
  g.textBaseline = "alphabetic";
  g.font = BOLD;
  g.fillStyle = color("--text");
  g.fillText(lane.name, box.x, lane.y + 11);
  let taken = box.x + g.measureText(lane.name).width + 8;
  g.font = FONT;
  line(g, color("--line"), box.x, lane.y + 22, box.x + box.w, lane.y + 22);
  for (const band of lane.bands) {
    const left = Math.max(box.x, s.x(band.start));
    const right = Math.min(box.x + box.w, s.x(band.end ?? s.end));
    g.fillStyle = color(lane.kind === "trip" ? "--bad" : "--accent");
    g.fillRect(left, lane.y + 15, Math.max(2, right - left), 7);
    const wide = g.measureText(band.text).width;
    const at = Math.max(left, taken);
    if (!wide || at > Math.max(left, right - wide / 2) || at + wide > box.x + box.w) continue;
    g.fillStyle = color("--muted");
    g.fillText(band.text, at, lane.y + 11);
    taken = at + wide + 8;
  }
}

function paintTimes({ g, color, layout, start, end, x }) {
  const { box, foot, panels } = layout;
  layout.timeLabels = [];
  g.textBaseline = "alphabetic";
  g.textAlign = "center";
  line(g, color("--muted"), box.x, foot, box.x + box.w, foot);
  for (const time of timeTicks(start, end, box.w / LABEL_PX)) {
    const px = x(time);
    for (const panel of panels) line(g, color("--soft"), px, panel.y, px, panel.y + panel.h);
    line(g, color("--muted"), px, foot, px, foot + 4);
    if (px < box.x + 24 || px > layout.width - 28) continue;
    g.fillStyle = color("--muted");
    g.fillText(clock(time), px, foot + 17);
    layout.timeLabels.push(px);
  }
  g.textAlign = "right";
  g.fillText(zoneName(end), AXIS - 6, foot + 17);
}

// Above the traces: the value of each panel at its right, and the crosshair with a dot on each trace.
// index: of the sample whose values are told, -1 where there is no data.
export function paintCursor(s, { time, index, pick }) {
  const { g, color, layout, samples } = s;
  const { box } = layout;
  const px = time === null ? null : s.x(time);
  if (px !== null) line(g, color("--text"), px, layout.panels[0]?.y ?? 0, px, layout.foot, [3, 3]);
  for (const { trace, titleY, level } of layout.panels) {
    const value = index < 0 ? NaN : samples.columns[trace.key][index];
    g.textAlign = "right";
    g.font = BOLD;
    g.fillStyle = color("--text");
    g.fillText(`${num(value, trace.decimals ?? 2)} ${trace.unit}`, box.x + box.w, titleY);
    if (px === null || value !== value) continue;
    g.beginPath();
    g.arc(px, level(value), 3.5, 0, 7);
    g.fillStyle = color(trace.color);
    g.fill();
    g.strokeStyle = color("--card");
    g.stroke();
  }
  if (px !== null) timeFlag(s, time, px);
  if (!pick) return;
  const [left, right] = pick.map(s.x).sort((a, b) => a - b);
  g.fillStyle = color("--shade");
  g.fillRect(left, 0, right - left, layout.foot);
  line(g, color("--accent"), left, 0, left, layout.foot);
  line(g, color("--accent"), right, 0, right, layout.foot);
}

// The cursor's time on the axis, instead of the labels that it would cover in part.
function timeFlag({ g, color, layout }, time, px) {
  const text = clock(time);
  const wide = g.measureText(text).width + 10;
  const left = Math.min(Math.max(px - wide / 2, 0), layout.width - wide);
  g.fillStyle = color("--card");
  for (const middle of layout.timeLabels)
    if (Math.abs(middle - px) < wide) g.fillRect(middle - wide / 2, layout.foot + 5, wide, 17);
  g.fillStyle = color("--text");
  g.fillRect(left, layout.foot + 4, wide, 18);
  g.fillStyle = color("--card");
  g.textAlign = "left";
  g.fillText(text, left + 5, layout.foot + 17);
}
