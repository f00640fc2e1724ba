// The past of the feeder: voltage, power at the head, losses, curtailment, loading; controls are marked.
import { chart } from "/static/js/chart.js";
import { h } from "/static/js/dom.js";
import { HIGH, LOW } from "/panels/feeder/profile.js";

const MOST_POINTS = 400;
const DOTS = "2 3";
const FIGURES = [
  {
    title: "Lowest and highest voltage, pu",
    keys: [
      ["v_max_pu", "highest"],
      ["v_min_pu", "lowest"],
    ],
    least: [LOW - 0.005, HIGH + 0.005],
    rules: [LOW, HIGH],
  },
  {
    title: "At the head: kW and kvar",
    keys: [
      ["head_kw", "kW"],
      ["head_kvar", "kvar"],
    ],
  },
  {
    title: "Losses and curtailed power, kW",
    keys: [
      ["losses_kw", "losses"],
      ["curtailed_kw", "curtailed"],
    ],
    least: [0, 1],
  },
  {
    title: "Highest loading of a transformer, %",
    keys: [["loading_max_pct", "loading"]],
    least: [0, 110],
    rules: [100],
  },
];
const COLORS = ["var(--c-p)", "var(--c-q)"];

const MINUTE_MS = 60000;
const HOUR_MS = 3600000;
// As long as a run is shorter, time is in minutes.
const SHORT_MS = 6 * HOUR_MS;

export function pastCharts(history, markers) {
  if (!history.time.length) return h("p", { class: "empty" }, "Nothing yet.");
  const begin = Date.parse(history.time[0]);
  const short = Date.parse(history.time.at(-1)) - begin < SHORT_MS;
  const zero = short ? begin : Date.parse(`${history.time[0].slice(0, 10)}T00:00:00Z`);
  const unit = short ? MINUTE_MS : HOUR_MS;
  const title = short ? `minutes since ${history.time[0].slice(11, 16)} UTC` : "hour of the day, UTC";
  const placed = (time) => (Date.parse(time) - zero) / unit;
  const every = Math.max(1, Math.ceil(history.time.length / MOST_POINTS));
  const kept = history.time.map((_, index) => index).filter((index) => index % every === 0);
  const last = history.time.length - 1;
  if (kept.at(-1) !== last) kept.push(last);
  const at = kept.map((index) => placed(history.time[index]));
  const marks = markers
    .map((each) => ({ ...each, x: placed(each.time) }))
    .filter(({ x }) => x >= at[0] && x <= at.at(-1));
  return FIGURES.map((figure) => drawn(figure, history, kept, { title, at }, marks));
}

function drawn({ title, keys, least = [], rules = [] }, history, kept, { title: axis, at }, marks) {
  const columns = keys.map(([key]) => kept.map((index) => history[key][index]));
  const all = columns.flat();
  const [low, high] = [Math.min(...least, ...all), Math.max(...least, ...all)];
  const room = (high - low) * 0.05 || 1;
  const [first, end] = [at[0], Math.max(at.at(-1), at[0] + 0.01)];
  const across = (y) => [
    [first, y],
    [end, y],
  ];
  const upright = (x) => [
    [x, low],
    [x, high],
  ];
  const picture = chart({
    lines: [
      ...rules.map((y) => ({ points: across(y), color: "var(--bad)", dash: "6 4" })),
      ...marks.map(({ x, began }) => markLine(upright(x), began)),
      ...columns.map((values, k) => ({ points: values.map((y, i) => [at[i], y]), color: COLORS[k] })),
    ],
    x: { title: axis, low: first, high: end },
    y: { title: "", low: low - (low === 0 ? 0 : room), high: high + room },
    height: 220,
    label: `${title}; ${keys.map(([, word]) => word).join(" and ")} over the time of the run`,
  });
  const legend = keys.map(([, word], k) => [sample(COLORS[k]), ` ${word} `]);
  return h("div", {}, h("p", { class: "note" }, title, keys.length > 1 ? [": ", legend] : null), picture);
}

const markLine = (points, began) => ({ points, color: "var(--muted)", dash: began ? null : DOTS });

const sample = (color) => h("span", { "aria-hidden": "true", style: { color } }, "\u2501");
