// The past of the feeder: voltage, power at the head, losses, curtailment, loading; controls are marked.
import { timeTicks, zoneName } from "/static/js/axes.js";
import { chart } from "/static/js/chart.js";
import { h } from "/static/js/dom.js";
import { clock } from "/static/js/format.js";
import { HIGH, LOW, sample } from "/panels/feeder/profile.js";

const MOST_POINTS = 400;
const DOTS = "2 3";
const FIGURES = [
  {
    title: "Lowest and highest voltage",
    unit: "Voltage, pu",
    keys: [
      ["v_max_pu", "highest"],
      ["v_min_pu", "lowest"],
    ],
    least: [LOW - 0.005, HIGH + 0.005],
    rules: [LOW, HIGH],
  },
  {
    title: "Into the feeder at its head, negative: it exports",
    unit: "kW, kvar",
    keys: [
      ["head_kw", "P, kW"],
      ["head_kvar", "Q, kvar"],
    ],
  },
  {
    title: "Losses and curtailed power",
    unit: "Power, kW",
    keys: [
      ["losses_kw", "losses"],
      ["curtailed_kw", "curtailed"],
    ],
    least: [0, 1],
  },
  {
    title: "Highest loading of a transformer",
    unit: "% of its rating",
    keys: [["loading_max_pct", "loading"]],
    least: [0, 110],
    rules: [100],
  },
];
const COLORS = ["var(--c-p)", "var(--c-q)"];
// Names of controls that are nearer to one another than this part of the axis would cover one another.
const APART = 0.2;
const MINUTE_MS = 60000;

export function pastCharts(history, markers) {
  if (!history.time.length) return h("p", { class: "empty" }, "Nothing yet.");
  const every = Math.max(1, Math.ceil(history.time.length / MOST_POINTS));
  const kept = history.time.map((_, index) => index).filter((index) => index % every === 0);
  const last = history.time.length - 1;
  if (kept.at(-1) !== last) kept.push(last);
  const at = kept.map((index) => Date.parse(history.time[index]));
  const span = [at[0], Math.max(at.at(-1), at[0] + 1000)];
  const marks = markers
    .map((each) => ({ ...each, x: Date.parse(each.time) }))
    .filter(({ x }) => x >= span[0] && x <= span[1]);
  return FIGURES.map((figure) => drawn(figure, history, kept, { at, span }, named(marks, span)));
}

// Each with the text that stands at it, where there is room for one.
function named(marks, [first, end]) {
  let free = -Infinity;
  return marks.map((each) => {
    if (!each.began || each.x < free) return { ...each, text: null };
    free = each.x + APART * (end - first);
    return { ...each, text: each.modes.map((mode) => mode.replace("opMod", "")).join(", ") };
  });
}

function drawn({ title, unit, keys, least = [], rules = [] }, history, kept, { at, span }, marks) {
  const columns = keys.map(([key]) => kept.map((index) => history[key][index]));
  const all = columns.flat();
  const [low, high] = [Math.min(...least, ...all), Math.max(...least, ...all)];
  const room = (high - low) * 0.05 || 1;
  const top = high + 3 * room; // the names of controls stand there
  const across = (y) => span.map((x) => [x, y]);
  const upright = (x) => [low, top].map((y) => [x, y]);
  const picture = chart({
    lines: [
      ...rules.map((y) => ({ points: across(y), color: "var(--bad)", dash: "6 4" })),
      ...marks.map(({ x, began }) => markLine(upright(x), began)),
      ...columns.map((values, k) => ({ points: values.map((y, i) => [at[i], y]), color: COLORS[k] })),
    ],
    marks: marks.filter(({ text }) => text).map(({ x, text }) => markName(x, top, text)),
    x: { title: `Time of day, ${zoneName(span[1])}`, low: span[0], high: span[1], ticks: times },
    y: { title: unit, low: low - (low === 0 ? 0 : room), high: top },
    height: 240,
    label: `${title}; ${keys.map(([, word]) => word).join(" and ")} over the time of the run`,
  });
  const legend = keys.map(([, word], k) => [sample(COLORS[k]), ` ${word} `]);
  return h("div", {}, h("p", { class: "note" }, title, keys.length > 1 ? [": ", legend] : null), picture);
}

// In a short run several labels are within a minute.
const times = ([start, end], most) =>
  timeTicks(start, end, most).map((time) => [time, clock(time, end - start < most * MINUTE_MS)]);

const markName = (x, y, label) => ({ x, y, color: "var(--muted)", label });

const markLine = (points, began) => ({ points, color: "var(--muted)", dash: began ? null : DOTS });
