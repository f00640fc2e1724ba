// The feeder: voltages over distance and over the day, its diagram, and what the DERs do to it.
import { getPlain } from "/static/js/api.js";
import { card, h, note, options, pairs, show, showChanged } from "/static/js/dom.js";
import { stamp, table, troubleLine } from "/static/js/dom.js";
import { clock, num } from "/static/js/format.js";
import { poll } from "/static/js/shell.js";
import { Diagram } from "/panels/feeder/diagram.js";
import { pastCharts } from "/panels/feeder/past.js";
import { phaseLegend, profileChart } from "/panels/feeder/profile.js";

const API = "/api/feeder/";
const SECONDS = 3;
const PROFILE_LEGEND =
  "A line is a branch, a dot a bus with a DER; an upright line spans the lowest and the highest voltage of " +
  "today at a bus. Dashed: 0.95 and 1.05 pu. Phases that are alike cover one another.";
const PAST_LEGEND = "An upright line: a control began; dotted: it ended. Dashed: the limits. As CSV: ";
// Two pictures of their own width beside one another, or one.
const PAIRS = { "grid-template-columns": "repeat(auto-fit, minmax(min(30rem, 100%), 1fr))" };
const TABLES = ["history", "buses", "ders", "transformers"];

export function mount(root, context) {
  const page = new FeederPage(root, context);
  return { unmount: poll(SECONDS, () => page.load(), page.trouble) };
}

class FeederPage {
  constructor(root, context) {
    this.trouble = troubleLine();
    this.facts = h("div", {});
    this.loop = note();
    const narrow = { "max-width": "100%" }; // the words of a marker are wider than a phone
    const again = () => this.load();
    this.before = h("select", { "aria-label": "Voltages before", onchange: again, style: narrow });
    this.profiles = h("div", { class: "grid", style: PAIRS });
    this.phases = note();
    this.past = h("div", { class: "grid", style: PAIRS });
    this.diagram = new Diagram(context);
    this.transformers = h("div", {});
    this.fixed = null;
    show(root, this.trouble, this.cards());
  }

  cards() {
    const files = TABLES.map((of) => [
      h("a", { href: `${API}table?of=${of}`, download: `feeder-${of}.csv` }, of),
      of === TABLES.at(-1) ? "." : ", ",
    ]);
    const compare = [note("Beside it, the voltages before:"), this.before];
    return [
      card("Feeder", this.facts, this.loop),
      card("Voltage over distance", compare, this.profiles, this.phases, note(PROFILE_LEGEND)),
      card("The day so far", this.past, note(PAST_LEGEND, files)),
      card("Diagram", this.diagram.node),
      card("Transformers", this.transformers),
    ];
  }

  // Piece by piece, so that what is there is shown, and the page answers in between on a large feeder, too.
  async load() {
    const now = await getPlain(`${API}overview`);
    const transformers = await getPlain(`${API}transformers`);
    this.showFacts(now, transformers);
    showChanged(this.transformers, transformers, () => transformerTable(transformers));
    this.fixed ||= await getPlain(`${API}branches`);
    const buses = await getPlain(`${API}buses`);
    await turn();
    this.diagram.draw(this.fixed, buses, transformers);
    const markers = await getPlain(`${API}markers`);
    showChanged(this.phases, buses.length, () => phaseLegend(buses));
    this.offer(markers);
    await this.showProfiles(buses, markers);
    const history = await getPlain(`${API}history`);
    await turn();
    show(this.past, pastCharts(history, markers));
  }

  showFacts(now, transformers) {
    const { today } = now;
    const most = transformers.reduce((a, b) => (b.loading_pct > (a?.loading_pct ?? -1) ? b : a), null);
    const loading = most ? `${num(most.loading_pct, 0)} % of ${num(most.kva, 0)} kVA at ${most.name}` : null;
    show(
      this.facts,
      h("div", { class: "columns" }, [
        pairs([
          ["Time", stamp(now.time)],
          ["Highest voltage", `${num(now.highest.pu, 4)} pu at ${now.highest.bus}`],
          ["Lowest voltage", `${num(now.lowest.pu, 4)} pu at ${now.lowest.bus}`],
          ["Today above 1.05 pu", `${num(today.hours_above, 2)} h`],
          ["Today below 0.95 pu", `${num(today.hours_below, 2)} h`],
          ["Highest loading", loading],
        ]),
        pairs([
          ["At the head", headWords(now)],
          ["Exported today", `${num(today.head_export_kwh, 1)} kWh`],
          ["Imported today", `${num(today.head_import_kwh, 1)} kWh`],
          [`${now.ders} DERs`, derWords(now)],
          ["Losses", `${num(now.losses_kw, 2)} kW, today ${num(today.losses_kwh, 1)} kWh`],
          ["Curtailed", `${num(now.curtailed_kw, 1)} kW, in all ${num(now.curtailed_kwh, 2)} kWh`],
        ]),
      ]),
    );
    show(this.loop, loopLine(now));
  }

  offer(markers) {
    const entries = markers.map((each) => [String(each.number), markerWords(each)]).reverse();
    const chosen = this.before.value;
    showChanged(this.before, entries, () => options([["", "nothing"], ...entries], ""));
    const newest = this.touched ? "" : (entries.at(-1)?.[0] ?? "");
    this.before.value = entries.some(([value]) => value === chosen) ? chosen : newest;
    if (this.before.value) this.touched = true;
  }

  async showProfiles(buses, markers) {
    const number = this.before.value;
    const found = number ? await getPlain(`${API}profile`, { marker: number }) : null;
    const marker = markers.find((each) => String(each.number) === number);
    const then = found ? beforeOf(buses, found.points) : null;
    await turn();
    const now = profileChart(this.fixed, buses, "Now", then);
    await turn();
    const before = then && profileChart(this.fixed, then, `Before ${markerWords(marker)}`, buses);
    show(this.profiles, before, now);
  }
}

// Lets the browser do what waits.
const turn = () => new Promise((done) => setTimeout(done));

// The buses with the voltages of another instant; without the extremes of the day.
function beforeOf(buses, points) {
  const voltages = new Map(points.map(({ bus, node, pu }) => [`${bus}.${node}`, pu]));
  const nodes = ({ bus, nodes: now }) =>
    now.map(({ node }) => ({ node, pu: voltages.get(`${bus}.${node}`) ?? null }));
  return buses.map((each) => ({ ...each, nodes: nodes(each) }));
}

// A power in words, so that no sign is left to be guessed.
const flow = (power, positive, negative) =>
  `${num(power, 1).startsWith("\u2212") ? negative : positive} ${num(Math.abs(power), 1)}`;

const headWords = ({ head_kw: kw, head_kvar: kvar }) =>
  `${flow(kw, "imports", "exports")} kW, ${flow(kvar, "imports", "exports")} kvar`;

const derWords = ({ ders_kw: kw, ders_kvar: kvar }) =>
  `${flow(kw, "deliver", "take")} kW, ${flow(kvar, "deliver", "take")} kvar`;

function markerWords({ modes, began, ders, time }) {
  const many = `${ders} ${ders === 1 ? "DER" : "DERs"}`;
  return `${modes.join(", ")} ${began ? "began" : "ended"} on ${many}, ${clock(time, false)}`;
}

function loopLine({ rate, effective_rate: real, step_s: step, gain, stable_below: bound, damping, ...now }) {
  const asked = rate === 1 ? "" : ` of ${num(rate, 0)} asked for`;
  const speed = `${num(real, 1)} simulated seconds a second${asked}`;
  const steps = step === null ? "steps as long as the tick" : `steps of at most ${num(step, 2)} s`;
  const loop =
    gain === null
      ? "no DER follows the voltage"
      : `loop gain ${num(gain, 2)}, stable below ${bound === null ? "any" : num(bound, 2)}`;
  const damped = damping < 1 ? `, changes of voltage damped by ${num(damping, 2)}` : "";
  const failed = now.not_converged ? `; ${now.not_converged} power flows without a solution` : "";
  return `${speed}; ${steps}; ${loop}${damped}${failed}.`;
}

// The most loaded first.
function transformerTable(transformers) {
  const sorted = [...transformers].sort((a, b) => b.loading_max_pct - a.loading_max_pct);
  const rows = sorted.map(({ name, bus, kva, loading_pct: now, loading_max_pct: most }) =>
    h(
      "tr",
      {},
      h("td", {}, name),
      h("td", {}, bus),
      [kva, now, most].map((value, index) =>
        h("td", { class: index && value > 100 ? "n bad" : "n" }, num(value, index ? 1 : 0)),
      ),
    ),
  );
  const columns = ["Transformer", "Bus", "kVA", "Loading, %", "Highest today, %"];
  return table(columns, rows, { numbers: columns.slice(2), empty: "This feeder has no transformer." });
}
