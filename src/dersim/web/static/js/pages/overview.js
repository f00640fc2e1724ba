// Overview: the measurements as tiles, the live plot, and why the power is what it is.
import { card, h, note, options, pairs, say, show, stamp, table } from "../dom.js";
import { currentDevice, get, post } from "../api.js";
import { loadBands } from "../events.js";
import { num, shortId, span, value } from "../format.js";
import { heldSamples } from "../held.js";
import { Plot } from "../plot.js";
import { act, poll } from "../shell.js";

const TILES = [
  ["power_kw", "Active power", "kW, + generates", 2],
  ["reactive_power_kvar", "Reactive power", "kvar, + injects", 2],
  ["voltage_ll_v", "Voltage L-L", "V", 1],
  ["current_a", "Current", "A per phase", 2],
  ["frequency_hz", "Frequency", "Hz", 3],
  ["available_power_kw", "Available", "kW from the source", 2],
  ["energy_exported_kwh", "Exported", "kWh", 3],
  ["soc_pct", "State of charge", "%", 1],
];
// Key, name, unit and decimals of what the meter of a site with a load shows.
const SITE_ROWS = [
  ["power_kw", "Site power, + exports", "kW", 3],
  ["reactive_power_kvar", "Site reactive power, + exports", "kvar", 3],
  ["load_kw", "Load", "kW", 3],
  ["load_kvar", "Load, reactive", "kvar", 3],
  ["energy_imported_kwh", "Imported", "kWh", 3],
  ["energy_exported_kwh", "Exported", "kWh", 3],
];

function tile(name, unit) {
  const node = h(
    "div",
    { class: "tile" },
    h("div", { class: "name" }, name),
    h("div", { class: "value" }, "–"),
    h("div", { class: "unit" }, unit),
  );
  return { node, value: node.children[1], unit: node.children[2] };
}

// Of a power that only the source or its goal bounds: the whole match, what is large, and the rest.
const FREE = [null, "None", "Nothing holds the power back."];
const signed = (text) => text.replace(/-(?=\d)/g, "\u2212");

const words = (text) => text[0].toUpperCase() + text.slice(1).replaceAll("_", " ");

const WINDOWS = [
  [300, "last 5 min"],
  [900, "last 15 min"],
  [7200, "last 2 h"],
  [14400, "last 4 h"],
];
const PHASE_NUMBERS = ["kW", "kvar", "V L-N", "A"];
// Key, name and decimals of what each DC source shows; one source is one column.
const SOURCE_ROWS = [
  ["power_kw", "kW", 3],
  ["available_power_kw", "kW available", 3],
  ["voltage_v", "V", 1],
  ["current_a", "A", 2],
  ["energy_delivered_kwh", "kWh delivered", 3],
  ["energy_taken_kwh", "kWh taken", 3],
];

export function mount(root, context) {
  const page = new OverviewPage(root, context);
  page.loadHistory().catch(() => {});
  const stops = [poll(2, () => page.load()), poll(4, () => page.loadEvents())];
  return {
    update: (overview) => page.update(overview),
    unmount() {
      page.plot.destroy();
      stops.forEach((stop) => stop());
    },
  };
}

class OverviewPage {
  constructor(root, context) {
    this.context = context;
    this.tiles = Object.fromEntries(TILES.map(([key, name, unit]) => [key, tile(name, unit)]));
    this.tiles.soc_pct.node.hidden = true;
    this.site = tile("Site", "");
    this.site.node.hidden = true;
    this.csip = tile("CSIP", "");
    this.limit = tile("Limit in force", "");
    this.status = tile("Inverter", "");
    for (const each of [this.csip, this.status]) each.value.classList.add("word");
    const name = `dersim-${currentDevice()}`;
    const label = "Power, current and voltage";
    this.plot = new Plot({ seconds: 900, label, name, samples: heldSamples() });
    this.plot.onSilence = () => this.loadHistory().catch(() => {});
    const look = { "aria-label": "Window", onchange: () => this.loadHistory() };
    this.window = h("select", look, options(WINDOWS, 900));
    for (const name of ["phases", "sources", "comm", "force", "meter"]) this[name] = h("div", {});
    this.told = h("div", { "aria-live": "polite" });
    const title = h("h2", {}, "Power, current and voltage");
    const plotHead = h("div", { class: "row spread" }, title, this.window);
    show(
      root,
      this.tileRow(),
      card(null, plotHead, this.plot.node),
      card("In force, and why", this.force),
      h(
        "div",
        { class: "grid" },
        card("Phases", this.phases),
        card("DC sources", this.sources, note("Positive power flows into the inverter, negative charges.")),
        this.siteCard(),
        card("Front-ends", this.comm),
        this.operatorCard(),
      ),
    );
  }

  siteCard() {
    this.meterCard = card("Site meter", this.meter, note("The DER less the load behind its meter."));
    this.meterCard.hidden = true;
    return this.meterCard;
  }

  tileRow() {
    const nodes = TILES.map(([key]) => this.tiles[key].node);
    const words = [this.csip.node, this.limit.node, this.status.node];
    return h("div", { class: "tiles" }, nodes.slice(0, 5), words, this.site.node, nodes.slice(5));
  }

  operatorCard() {
    const give = (command) =>
      act(this.told, () => post("/api/dersim/commands", { command }), `Command ${command} given.`);
    const buttons = ["start", "stop", "reset"].map((name) =>
      h("button", { onclick: () => give(name) }, words(name)),
    );
    const hint = note("Stop takes the inverter out of service until start; reset forgets a trip.");
    return card("Operator", h("div", { class: "row" }, buttons), hint, this.told);
  }

  async loadHistory() {
    this.plot.seconds = Number(this.window.value);
    this.plot.setHistory(await get("/api/dersim/history", { seconds: this.plot.seconds }));
  }

  async loadEvents() {
    this.plot.setBands(await loadBands(this.plot.seconds));
  }

  async load() {
    const [client, setpoints] = await Promise.all([
      get("/api/dersim/csip-client"),
      get("/api/dersim/setpoints", { journal: 0 }),
    ]);
    const look = { connected: "good", disabled: "muted" }[client.state] || "bad";
    say(this.csip.value, words(client.state));
    this.csip.value.className = `value word ${look}`;
    say(this.csip.unit, contactOf(client, this.context.overview));
    show(this.force, inForce(setpoints, programsOf(client)));
  }

  // The list tells the same as the tile: it is read anew as soon as something else binds.
  followBinding({ p }) {
    const now = p && `${p.mode} ${p.source} ${p.detail}`;
    if (this.bound !== undefined && now !== this.bound) this.load().catch(() => null); // the poll tells why
    this.bound = now;
  }

  // "30 % by Volt-Watt (default), 3.0 kW": the first words large, the others below them.
  showLimit(binding) {
    const [, head, rest] = binding ? signed(binding.text).match(/^(.+?),? (by .+|no current.*)$/) : FREE;
    say(this.limit.value, head);
    say(this.limit.unit, rest);
    this.limit.value.className = `value ${/\d/.test(head) ? "" : "word"}`;
  }

  showStatus({ status, return_to_service }) {
    say(this.status.value, status.tripped ? "Tripped" : words(status.inverter));
    this.status.value.className = `value word ${status.tripped ? "bad" : ""}`;
    const alarms = status.alarms.length ? `Alarms: ${status.alarms.map(inWords).join(", ")}` : "";
    const back = return_to_service && words(return_to_service.text);
    say(this.status.unit, [back, alarms].filter(Boolean).join(". ") || `${status.connect}, no alarm`);
  }

  showSite(site) {
    this.site.node.hidden = this.meterCard.hidden = !site;
    if (!site) return;
    say(this.site.value, num(site.power_kw, 2));
    say(this.site.unit, `kW, + exports; load ${num(site.load_kw, 2)} kW`);
    const rows = SITE_ROWS.map(([key, name, unit, decimals]) =>
      h("tr", {}, h("td", {}, name), h("td", { class: "n" }, `${num(site[key], decimals)} ${unit}`)),
    );
    show(this.meter, table(["Value", "Now"], rows, { numbers: ["Now"] }));
  }

  update(overview) {
    const { metrics, phases, sources, comm } = overview;
    for (const [key, , , decimals] of TILES) say(this.tiles[key].value, num(metrics[key], decimals));
    this.tiles.soc_pct.node.hidden = metrics.soc_pct === null;
    this.showSite(overview.site);
    this.showLimit(overview.binding.p);
    this.followBinding(overview.binding);
    this.showStatus(overview);
    this.plot.append(overview);
    show(this.phases, table(["Phase", ...PHASE_NUMBERS], phases.map(phaseRow), { numbers: PHASE_NUMBERS }));
    show(this.sources, sourceTable(sources));
    show(this.comm, frontends(comm));
  }
}

// OVER_VOLTAGE: over voltage
const inWords = (name) => name.toLowerCase().replaceAll("_", " ");

// The program of each control in force, by the control's mRID: "operator, primacy 5".
function programsOf({ programs, active_controls, default_control }) {
  const told = new Map(programs.map((each) => [each.href, each.description || each.href]));
  // The program of a default that is kept from before a restart is not known.
  const controls = [...active_controls, default_control].filter((each) => each?.program);
  return new Map(
    controls.map(({ mRID, program, primacy }) => {
      const rank = primacy ?? programs.find(({ href }) => href === program)?.primacy;
      return [mRID, `${told.get(program) ?? program}, primacy ${rank}`];
    }),
  );
}

function contactOf({ last_contact, retry_in_s }, overview) {
  if (last_contact && overview) {
    return `last contact ${span((Date.parse(overview.time) - Date.parse(last_contact)) / 1000)} ago`;
  }
  return retry_in_s !== null ? `again in ${span(retry_in_s)}` : "";
}

function phaseRow({ power_kw, reactive_power_kvar, voltage_ln_v, current_a }, index) {
  const numbers = [num(power_kw, 3), num(reactive_power_kvar, 3), num(voltage_ln_v, 1), num(current_a, 2)];
  return numbersRow("ABC"[index], numbers);
}

function sourceTable(sources) {
  const names = sources.map(({ kind }) => (kind === "pv" ? "PV" : words(kind)));
  const rows = SOURCE_ROWS.map(([key, name, decimals]) =>
    numbersRow(
      name,
      sources.map((source) => num(source[key], decimals)),
    ),
  );
  return table(["Value", ...names], rows, { numbers: names });
}

function numbersRow(name, numbers) {
  const cells = numbers.map((text) => h("td", { class: "n" }, text));
  return h("tr", {}, h("td", {}, name), cells);
}

const frontends = (comm) =>
  pairs(
    Object.entries(comm).map(([name, { state, detail }]) => [
      name,
      [h("strong", {}, state), " ", h("span", { class: "muted" }, detail)],
    ]),
  );

function setpointRow({ mode, value: setpoint, source, detail, since, until, by }, programs) {
  const id = detail && detail !== source;
  const short = id ? h("span", { class: "muted", title: detail }, ` ${shortId(detail, 6, 4)}`) : "";
  const time = until ? ["until ", stamp(until)] : ["since ", stamp(since)];
  return h(
    "tr",
    {},
    h("td", {}, mode),
    h("td", {}, value(mode, setpoint)),
    h("td", {}, source, short, programs.has(detail) ? ` (${programs.get(detail)})` : ""),
    h("td", {}, by ? `overridden by ${by}` : time),
  );
}

export function inForce({ in_force, overridden, binding }, programs) {
  const isSetting = ({ mode }) => mode.startsWith("set");
  const modes = in_force.filter((each) => !isSetting(each));
  const settings = in_force.filter(isSetting);
  const heads = ["Mode", "Value", "Source", "When"];
  const empty = "Nothing is asked of the inverter: it gives what the source has.";
  const rows = [...modes, ...overridden].map((each) => setpointRow(each, programs));
  const bound = pairs([
    ["P", binding.p ? signed(binding.p.text) : FREE[2]],
    ["Q", binding.q ? signed(binding.q.text) : "Nobody asks for reactive power."],
  ]);
  return [bound, table(heads, rows, { empty }), settings.length ? note(settingsLine(settings)) : null];
}

function settingsLine(settings) {
  const sources = [...new Set(settings.map(({ source }) => source))].join(" and ");
  const values = settings.map(({ mode, value: setting }) => `${mode} ${value(mode, setting)}`).join(", ");
  return `Settings governed by ${sources}: ${values}.`;
}
