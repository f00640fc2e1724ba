// An x-y chart in SVG: lines, points, labelled axes.
import { s } from "./dom.js";
import { ticks } from "./axes.js";

const AROUND = 62;
const LABEL_PX = 62;
const LETTER_PX = 7;
const LEAST_LEFT = 52;
const TITLE_PX = 28;

// lines: [{points: [[x, y]], color, dash, right, width, cap}], or with parts: [points, ...], strokes that do
// not touch, instead of points; marks: [{x, y, color, label, told, right}], told: on hovering, or the label.
// x, y, y2: {title, low, high, pad}; x may have ticks(range, most), [value, text] pairs; what has `right` is
// measured by y2, whose axis is on the right.
export function chart({
  lines = [],
  marks = [],
  x,
  y,
  y2 = null,
  width: asked = 520,
  height = 300,
  label,
  handles,
}) {
  // Never wider than the window: a picture that is scaled down has labels that nobody can read.
  const width = Math.min(asked, Math.max(260, document.documentElement.clientWidth - AROUND));
  const values = (place, right) =>
    lines
      .filter((line) => right === undefined || Boolean(line.right) === right)
      .flatMap((line) => partsOf(line).flatMap((points) => points.map((point) => point[place])));
  const [rx, ry] = [range(x, values(0)), range(y, values(1, false))];
  const box = { l: leftOf(ry), r: y2 ? 52 : 20, t: 14, b: 40 };
  const f = { width, height, box, rx, ry };
  f.r2 = y2 ? range(y2, values(1, true)) : null;
  f.px = (value) => box.l + ((value - f.rx[0]) / (f.rx[1] - f.rx[0])) * (width - box.l - box.r);
  f.py = (value, r = f.ry) => height - box.b - ((value - r[0]) / (r[1] - r[0])) * (height - box.t - box.b);
  const svg = s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    grid(f, x.ticks ?? ticks),
    titles(f, x, y, y2),
    zeroLine(f),
    lines.map((line) => stroke(f, line)),
    marks.map((mark) => dot(f, mark)),
  );
  if (handles) drag(svg, handles, f);
  return svg;
}

const partsOf = ({ parts, points }) => parts ?? [points];

// Room for the title and the longest of the labels beside it.
function leftOf(range) {
  const longest = Math.max(0, ...ticks(range, 5).map(([, text]) => text.length));
  return Math.max(LEAST_LEFT, TITLE_PX + longest * LETTER_PX);
}

function range(axis, values) {
  let low = axis.low ?? values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = axis.high ?? values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!Number.isFinite(low)) [low, high] = [0, 1];
  if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
  const pad = (high - low) * (axis.pad ?? 0.05);
  return [axis.low ?? low - pad, axis.high ?? high + pad];
}

function grid({ width, height, box, rx, ry, r2, px, py }, across) {
  const foot = height - box.b;
  return [
    ticks(ry, 5).map(([value, text]) => [
      s("line", { class: "axis", x1: box.l, x2: width - box.r, y1: py(value), y2: py(value) }),
      s("text", { class: "soft", x: box.l - 6, y: py(value) + 4, "text-anchor": "end" }, text),
    ]),
    across(rx, Math.min(7, Math.floor((width - box.l - box.r) / LABEL_PX))).map(([value, text]) => [
      s("line", { class: "axis", x1: px(value), x2: px(value), y1: foot, y2: foot + 4 }),
      px(value) + (text.length * LETTER_PX) / 2 > width
        ? null // it would be cut off
        : s("text", { class: "soft", x: px(value), y: foot + 17, "text-anchor": "middle" }, text),
    ]),
    (r2 ? ticks(r2, 5) : []).map(([value, text]) =>
      s("text", { class: "soft", x: width - box.r + 6, y: py(value, r2) + 4 }, text),
    ),
  ];
}

function titles({ width, height, box }, x, y, y2) {
  const middle = box.t + (height - box.t - box.b) / 2;
  const upright = (at, turn, title) => {
    const place = { x: at, y: middle, transform: `rotate(${turn} ${at} ${middle})` };
    return s("text", { class: "soft", "text-anchor": "middle", ...place }, title);
  };
  const center = { x: (box.l + width - box.r) / 2, y: height - 6, "text-anchor": "middle" };
  return [
    s("text", { class: "soft", ...center }, x.title),
    upright(12, -90, y.title),
    y2 ? upright(width - 10, 90, y2.title) : null,
  ];
}

function zeroLine({ width, box, ry, py }) {
  if (ry[0] >= 0 || ry[1] <= 0) return null;
  return s("line", { x1: box.l, x2: width - box.r, y1: py(0), y2: py(0), stroke: "var(--muted)" });
}

function stroke({ px, py, ry, r2 }, line) {
  const place = ([x, y]) => `${px(x).toFixed(1)},${py(y, line.right ? r2 : ry).toFixed(1)}`;
  const look = {
    fill: "none",
    stroke: line.color,
    "stroke-width": line.width ?? 2,
    "stroke-linecap": line.cap,
    "stroke-dasharray": line.dash || null,
  };
  if (!line.parts) return s("polyline", { ...look, points: line.points.map(place).join(" ") });
  return s("path", { ...look, d: line.parts.map((points) => `M${points.map(place).join("L")}`).join("") });
}

function dot({ width, box, px, py, ry, r2 }, mark) {
  const x = px(mark.x);
  const y = py(mark.y, mark.right ? r2 : ry);
  const late = x + 8 + (mark.label || "").length * LETTER_PX > width - box.r;
  const look = { r: 5, fill: mark.color, stroke: mark.color === "none" ? "var(--text)" : "var(--card)" };
  const place = { x: x + (late ? -8 : 8), y: y + 20, "text-anchor": late ? "end" : "start" };
  return [
    s("circle", { cx: x, cy: y, ...look }, s("title", {}, mark.told || mark.label || "")),
    mark.label ? s("text", { class: "mark", ...place }, mark.label) : null,
  ];
}

// Points that can be dragged; handles: {points, color, moved(index, x, y)}.
function drag(svg, handles, f) {
  handles.points.forEach((point, index) => {
    const dot = s(
      "circle",
      {
        cx: f.px(point[0]),
        cy: f.py(point[1]),
        r: 7,
        fill: handles.color,
        stroke: "var(--card)",
        "stroke-width": 2,
        style: { cursor: "grab", "touch-action": "none" },
      },
      s("title", {}, `Point ${index + 1}`),
    );
    dot.addEventListener("pointerdown", (e) => {
      dot.setPointerCapture(e.pointerId);
      e.preventDefault();
    });
    dot.addEventListener("pointermove", (e) => {
      if (!dot.hasPointerCapture(e.pointerId)) return;
      const at = svg.getBoundingClientRect(),
        scale = f.width / at.width;
      const x =
        f.rx[0] +
        (((e.clientX - at.left) * scale - f.box.l) / (f.width - f.box.l - f.box.r)) * (f.rx[1] - f.rx[0]);
      const y =
        f.ry[0] +
        ((f.height - f.box.b - (e.clientY - at.top) * scale) / (f.height - f.box.t - f.box.b)) *
          (f.ry[1] - f.ry[0]);
      dot.setAttribute("cx", f.px(x));
      dot.setAttribute("cy", f.py(y));
      handles.moved(index, x, y, false);
    });
    dot.addEventListener("pointerup", () => handles.moved(index, null, null, true));
    svg.append(dot);
  });
}
