// The load that this process puts on its server, where it is measured: below the table of DERs.
import { card, h, note, pairs, say, show, stamp, table } from "../dom.js";
import { getPlain } from "../api.js";
import { chart } from "../chart.js";
import { num } from "../format.js";

const QUANTILES = ["p50", "p95", "p99", "max"];
const COLUMNS = ["Request", "Count", "1/s", "Errors", ...QUANTILES.map((name) => `${name}, ms`)];
const STEPS = ["seen", "started", "applied", "response 1", "response 2", "response 3"];
const MOST_CONTROLS = 10;
const OFF = "Load is not measured in this run; the flag --load measures it.";
const MEANING = "Latencies count from when a request was due. The charts show the last five minutes.";

export class LoadSection {
  constructor() {
    this.off = note();
    this.saturated = h("p", { class: "trouble", hidden: true });
    this.body = h("div", {});
    this.node = card("Load", this.off, this.saturated, this.body);
  }

  async load() {
    const { measured } = await getPlain("/api/dersim/load", {});
    say(this.off, measured ? MEANING : OFF);
    if (!measured) return;
    this.saturated.hidden = !measured.saturated;
    if (measured.saturated) say(this.saturated, saturation(measured));
    show(this.body, sums(measured), charts(measured.series), requests(measured), controls(measured));
  }
}

const ms = (value) => (value === undefined ? "–" : num(value, value < 10 ? 2 : value < 100 ? 1 : 0));

const saturation = ({ lag_ms }) =>
  `Client saturated: its own loop lag has a p99 of ${ms(lag_ms.p99)} ms (above 50 ms); ` +
  "the latencies are partly its own.";

function sums(measured) {
  const { latency_ms, lag_ms, handshakes } = measured;
  const made = ["full", "resumed"].map((name) => `${handshakes[name]?.count ?? 0} ${name}`);
  const share = num(measured.error_rate * 100, 2);
  const shown = (times, names) =>
    times ? names.map((name) => `${name} ${ms(times[name])} ms`).join(", ") : "–";
  return pairs([
    ["Requests", `${measured.requests}, ${num(measured.rate_per_s, 1)} a second`],
    ["Errors", `${measured.errors}, ${share} %`],
    ["Latency, all", shown(latency_ms, QUANTILES)],
    ["Handshakes", made.join(", ")],
    ["Own loop lag", shown(lag_ms, ["p50", "p99", "max"])],
  ]);
}

function charts(series) {
  const count = series.requests_per_s.length;
  const points = (values) =>
    values.flatMap((value, place) => (value === null ? [] : [[(place + 1 - count) * series.width_s, value]]));
  const draw = (title, lines) =>
    chart({
      lines: lines.map(([name, color]) => ({ points: points(series[name]), color })),
      x: { title: "seconds", low: Math.min(-60, (1 - count) * series.width_s), high: 0 },
      y: { title, low: 0 },
      height: 200,
      label: `${title} over the last minutes`,
    });
  const key = (color, text) => h("span", { style: { color } }, text);
  return h(
    "div",
    { class: "grid" },
    h(
      "div",
      {},
      h("p", { class: "row" }, key("var(--c-q)", "requests, 1/s"), key("var(--c-p)", "errors, 1/s")),
      draw("1/s", [
        ["requests_per_s", "var(--c-q)"],
        ["errors_per_s", "var(--c-p)"],
      ]),
    ),
    h(
      "div",
      {},
      h("p", { class: "row" }, key("var(--accent)", "latency, p95 of 10 s"), key("var(--c-s)", "loop lag")),
      draw("ms", [
        ["p95_ms", "var(--accent)"],
        ["lag_ms", "var(--c-s)"],
      ]),
    ),
  );
}

function requests({ kinds, handshakes }) {
  const made = Object.entries(handshakes).map(([name, each]) => ({ kind: `handshake, ${name}`, ...each }));
  const rows = [...kinds, ...made].map((each) => {
    const failed = (each.errors || []).map(({ error, count }) => `${count} ${error}`).join(", ");
    const rate = each.rate_per_s === undefined ? "–" : num(each.rate_per_s, 2);
    const times = QUANTILES.map((name) => h("td", { class: "n" }, ms(each.latency_ms?.[name])));
    const before = [each.count, rate].map((text) => h("td", { class: "n" }, text));
    const errors = h("td", { class: failed ? "n bad" : "n" }, failed || "0");
    return h("tr", {}, h("td", {}, each.kind), before, errors, times);
  });
  return table(COLUMNS, rows, { numbers: COLUMNS.slice(1), empty: "No request yet." });
}

function controls(measured) {
  const newest = measured.controls.slice(-MOST_CONTROLS).reverse();
  if (!newest.length) return null;
  const titles = ["Control", "Published", "Seen by", "Never seen", ...STEPS];
  const rows = newest.map((each) => {
    const steps = STEPS.map((step) => num(each.steps[step]?.p95, 2));
    const cells = [`${each.seen_by} of ${each.devices}`, each.never_seen ?? "open", ...steps];
    const name = h("td", { title: each.mrid }, `${each.mrid.slice(0, 8)}… ${each.modes}`);
    const when = h("td", { class: "t" }, stamp(each.published));
    return h(
      "tr",
      {},
      name,
      when,
      cells.map((text) => h("td", { class: "n" }, text)),
    );
  });
  const title = h("h3", {}, "Reaction to controls: p95 over the DERs, in seconds");
  return [title, table(titles, rows, { numbers: titles.slice(2) })];
}
