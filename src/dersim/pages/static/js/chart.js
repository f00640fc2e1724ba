// An x-y chart in SVG: lines, points, labelled axes. For curves, not for time.
import { s } from "./dom.js";
import { niceStep } from "./plot.js";
import { num } from "./format.js";

// lines: [{points: [[x, y]], color, dash, label}]; marks: [{x, y, color, label}].
export function chart({
  lines = [],
  marks = [],
  x,
  y,
  y2 = null,
  width = 520,
  height = 300,
  label,
  handles = null,
}) {
  const box = { l: 52, r: y2 ? 52 : 14, t: 14, b: 40 };
  const range = (axis, pick) => {
    const values = lines
      .filter((l) => (l.right ? y2 : y) === axis || axis === x)
      .flatMap((l) => l.points.map(pick));
    let low = axis.low ?? Math.min(...values),
      high = axis.high ?? Math.max(...values);
    if (!Number.isFinite(low)) [low, high] = [0, 1];
    if (high - low < 1e-9) [low, high] = [low - 1, high + 1];
    const pad = axis.pad ?? 0.05;
    return [axis.low ?? low - (high - low) * pad, axis.high ?? high + (high - low) * pad];
  };
  const rx = range(x, (p) => p[0]),
    ry = range(y, (p) => p[1]),
    r2 = y2 ? range(y2, (p) => p[1]) : null;
  const px = (v) => box.l + ((v - rx[0]) / (rx[1] - rx[0])) * (width - box.l - box.r);
  const py = (v, r = ry) => height - box.b - ((v - r[0]) / (r[1] - r[0])) * (height - box.t - box.b);
  const parts = [];
  const ticks = (r, count) => {
    const step = niceStep(r[1] - r[0], count),
      out = [];
    for (let v = Math.ceil(r[0] / step) * step; v <= r[1] + 1e-9; v += step) out.push(v);
    return [out, Math.max(0, -Math.floor(Math.log10(step) + 1e-9) + (String(step).includes("25") ? 1 : 0))];
  };
  const [tx, dx] = ticks(rx, 7),
    [ty, dy] = ticks(ry, 5);
  for (const v of ty)
    parts.push(
      s("line", { class: "axis", x1: box.l, x2: width - box.r, y1: py(v), y2: py(v) }),
      s("text", { class: "soft", x: box.l - 6, y: py(v) + 4, "text-anchor": "end" }, num(v, dy)),
    );
  for (const v of tx)
    parts.push(
      s("line", { class: "axis", x1: px(v), x2: px(v), y1: height - box.b, y2: height - box.b + 4 }),
      s("text", { class: "soft", x: px(v), y: height - box.b + 17, "text-anchor": "middle" }, num(v, dx)),
    );
  if (r2) {
    const [t2, d2] = ticks(r2, 5);
    for (const v of t2)
      parts.push(s("text", { class: "soft", x: width - box.r + 6, y: py(v, r2) + 4 }, num(v, d2)));
  }
  parts.push(
    s(
      "text",
      { class: "soft", x: (box.l + width - box.r) / 2, y: height - 6, "text-anchor": "middle" },
      x.title,
    ),
    s(
      "text",
      {
        class: "soft",
        x: 12,
        y: box.t + (height - box.t - box.b) / 2,
        "text-anchor": "middle",
        transform: `rotate(-90 12 ${box.t + (height - box.t - box.b) / 2})`,
      },
      y.title,
    ),
  );
  if (y2) {
    const my = box.t + (height - box.t - box.b) / 2;
    parts.push(
      s(
        "text",
        {
          class: "soft",
          x: width - 10,
          y: my,
          "text-anchor": "middle",
          transform: `rotate(90 ${width - 10} ${my})`,
        },
        y2.title,
      ),
    );
  }
  if (ry[0] < 0 && ry[1] > 0)
    parts.push(s("line", { x1: box.l, x2: width - box.r, y1: py(0), y2: py(0), stroke: "var(--muted)" }));
  for (const line of lines) {
    const r = line.right ? r2 : ry;
    parts.push(
      s("polyline", {
        fill: "none",
        stroke: line.color,
        "stroke-width": 2,
        "stroke-dasharray": line.dash || null,
        points: line.points.map((p) => `${px(p[0]).toFixed(1)},${py(p[1], r).toFixed(1)}`).join(" "),
      }),
    );
  }
  for (const mark of marks)
    parts.push(
      s(
        "circle",
        {
          cx: px(mark.x),
          cy: py(mark.y, mark.right ? r2 : ry),
          r: 5,
          fill: mark.color,
          stroke: "var(--card)",
          "stroke-width": 1.5,
        },
        s("title", {}, mark.label || ""),
      ),
      mark.label
        ? s(
            "text",
            {
              x: px(mark.x) + (px(mark.x) > width * 0.7 ? -8 : 8),
              "text-anchor": px(mark.x) > width * 0.7 ? "end" : "start",
              y: py(mark.y, mark.right ? r2 : ry) + 20,
            },
            mark.label,
          )
        : null,
    );
  const svg = s(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": label },
    parts,
  );
  if (handles) drag(svg, handles, { px, py, rx, ry, box, width, height });
  return svg;
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
