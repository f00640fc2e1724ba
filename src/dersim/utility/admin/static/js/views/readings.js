// Readings: each quantity that a device reports as a plot with its unit, and the files of --state.
import { follow, getPlain } from "../api.js";
import { card, h, note, options, show, showChanged, troubleLine } from "../dom.js";
import { DeviceChoice } from "../device_choice.js";
import { Plot } from "../plot.js";
import { poll } from "../shell.js";

const SECONDS = 3;
const SPANS = [
  [900, "15 min"],
  [3600, "1 h"],
  [7200, "2 h"],
];
const COLORS = ["--c-p", "--c-q", "--c-s", "--c-i", "--c-vll", "--c-vln"];
const SUMMED = ["W", "var", "VA"];
const DASHES = [undefined, [9, 4], [4, 3], [2, 2]];
const KEPT =
  "The server keeps the newest 120 values of each quantity here, and with --state all of them in its file, " +
  "for --state_days days.";
// Of one unit in one plot, so that phases can be compared.
const MOST_IN_ONE = 4;

class Readings {
  constructor(root, lfdi, { open, server }) {
    this.open = open;
    this.kept = server?.keeps_readings;
    this.lfdi = lfdi;
    this.trouble = troubleLine();
    this.device = new DeviceChoice({
      lfdi,
      placeholder: "number or LFDI",
      chosen: (found) => open(...["readings", found].filter(Boolean)),
    });
    const onchange = () => this.restart();
    this.span = h("select", { "aria-label": "Span", onchange }, options(SPANS, 900));
    this.files = h("div", { class: "row" });
    this.plots = h("div", {});
    this.shown = [];
    const tools = h("div", { class: "row" }, this.device.node, h("label", {}, "Span", this.span));
    show(root, card("Readings of a device", this.trouble, tools, this.files, note(KEPT)), this.plots);
    this.showFiles();
  }

  // What the mirrors sent, received within the last day.
  showFiles() {
    const link = (format, title, lfdi) => {
      const query = new URLSearchParams({ format, ...(lfdi ? { lfdi } : {}) });
      const href = `/api/utility/readings?${query}`;
      return h("a", { class: "button", href, download: `readings.${format}`, onclick: follow }, title);
    };
    if (!this.kept) return;
    const own = this.lfdi ? [link("csv", "CSV of this device", this.lfdi)] : [];
    show(this.files, own, link("csv", "CSV of all, one day"), link("parquet", "Parquet of all, one day"));
  }

  restart() {
    this.destroy();
    this.load().catch(() => {});
  }

  async load() {
    if (!this.lfdi) {
      const [first] = await this.device.offer();
      if (first) this.open("readings", first.lfdi);
      else show(this.plots, card(null, h("p", { class: "empty" }, "No device is registered yet.")));
      return;
    }
    const seconds = Number(this.span.value);
    const path = `/api/utility/end-devices/${encodeURIComponent(this.lfdi)}/readings`;
    const { meters } = await getPlain(path, { seconds });
    const groups = groupsOf(meters.filter(({ time }) => time.length));
    const facts = groups.map(({ title, meters: own }) => [title, own.map(({ mRID }) => mRID)]);
    if (JSON.stringify(facts) !== this.facts) this.build(groups, seconds);
    this.facts = JSON.stringify(facts);
    groups.forEach((group, index) => this.shown[index].setHistory(historyOf(group.meters)));
  }

  build(groups, seconds) {
    this.destroy();
    this.shown = groups.map(({ title, meters }) => {
      const traces = meters.map((meter, index) => traceOf(meter, index));
      return new Plot({ seconds, traces, label: title, name: `readings-${title}` });
    });
    const cards = groups.map(({ title }, index) => card(title, this.shown[index].node));
    const empty = card(null, h("p", { class: "empty" }, "This device has not reported a reading yet."));
    show(this.plots, cards.length ? h("div", { class: "grid" }, cards) : empty);
  }

  destroy() {
    for (const plot of this.shown) plot.destroy();
    this.shown = [];
    this.facts = null;
  }
}

const traceOf = ({ mRID, description, quantity, unit }, index) => ({
  key: mRID,
  label: nameOf(description || quantity, unit),
  unit,
  color: COLORS[index % COLORS.length],
  dash: DASHES[index % DASHES.length],
  least: unit === "Hz" ? 0.05 : 1,
  decimals: unit === "Hz" ? 3 : 1,
});

// Without the unit, which the plot shows beside it: "W A" is A, "W" is the total.
function nameOf(text, unit) {
  const starts = unit && text.toLowerCase().startsWith(unit.toLowerCase());
  const rest = (starts ? text.slice(unit.length) : text).replace(/^[\s,]+/, "");
  return rest || (SUMMED.includes(unit) ? "total" : "value");
}

// Quantities of one unit together, no more than can be told apart; those of a site apart from the DER's.
function groupsOf(meters) {
  const byUnit = new Map();
  for (const meter of [...meters].sort((a, b) => a.of_site - b.of_site)) {
    const unit = (meter.of_site ? "Site, " : "") + (meter.unit || "no unit");
    if (!byUnit.has(unit)) byUnit.set(unit, []);
    byUnit.get(unit).push(meter);
  }
  const groups = [];
  for (const [unit, own] of byUnit)
    for (let at = 0; at < own.length; at += MOST_IN_ONE) {
      const part = own.slice(at, at + MOST_IN_ONE);
      groups.push({ title: at ? `${unit}, part ${at / MOST_IN_ONE + 1}` : unit, meters: part });
    }
  return groups;
}

// One axis of time for all; each column has its own values on it.
function historyOf(meters) {
  const time = [...new Set(meters.flatMap((meter) => meter.time))].sort();
  const place = new Map(time.map((each, index) => [each, index]));
  const columns = meters.map(({ mRID, time: own, value }) => {
    const column = new Array(time.length).fill(null);
    own.forEach((each, index) => (column[place.get(each)] = value[index]));
    return [mRID, column];
  });
  return { time, ...Object.fromEntries(columns) };
}

export const view = {
  title: "Readings",
  show(root, context) {
    const readings = new Readings(root, context.parts[0], context);
    const stop = poll(SECONDS, () => readings.load(), readings.trouble);
    return () => {
      stop();
      readings.destroy();
    };
  },
};
