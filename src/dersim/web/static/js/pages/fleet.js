// Fleet: every DER in a table, sorted by a click, opened by another.
import { card, cardRow, h, note, scroller, show, troubleLine } from "../dom.js";
import { currentDevice, getPlain } from "../api.js";
import { num } from "../format.js";
import { poll } from "../shell.js";
import { LoadSection } from "./fleet_load.js";

// Key, title, decimals (null: a text), and the value.
const COLUMNS = [
  ["device", "DER", null, (d) => d.device],
  ["name", "Name", null, (d) => d.name],
  ["state", "State", null, (d) => d.state],
  ["csip", "CSIP", null, (d) => d.csip],
  ["power_kw", "kW", 3, (d) => d.power_kw],
  ["reactive_power_kvar", "kvar", 3, (d) => d.reactive_power_kvar],
  ["voltage_ln_v", "V L-N", 1, (d) => d.metrics.voltage_ln_v],
  ["frequency_hz", "Hz", 3, (d) => d.metrics.frequency_hz],
  ["energy_exported_kwh", "kWh exported", 3, (d) => d.metrics.energy_exported_kwh],
];
const TITLES = COLUMNS.map(([, title]) => title);
const PAGE = 100;

export function mount(root, context) {
  const trouble = troubleLine();
  const page = new FleetTable(root, context, trouble);
  const stop = poll(2, () => page.load(), trouble);
  return { unmount: stop };
}

class FleetTable {
  constructor(root, context, trouble) {
    this.context = context;
    this.sort = 0;
    this.down = false;
    this.start = 1;
    this.rows = [];
    this.total = 0;
    this.sums = note();
    this.body = h("tbody", {});
    this.place = h("span", { class: "muted" });
    this.heads = COLUMNS.map(([, title, decimals], index) => {
      const button = h("button", { onclick: () => this.sortBy(index) }, title);
      return h("th", { scope: "col", class: decimals === null ? null : "n" }, button);
    });
    const table = h("table", { class: "cards sorted" }, h("thead", {}, h("tr", {}, this.heads)), this.body);
    const buttons = [
      h("button", { onclick: () => this.turn(-PAGE) }, "Previous"),
      h("button", { onclick: () => this.turn(PAGE) }, "Next"),
    ];
    const foot = h("div", { class: "row" }, buttons, this.place);
    this.measured = new LoadSection();
    show(root, card("Fleet", trouble, this.sums, scroller(table), foot), this.measured.node);
  }

  sortBy(index) {
    this.down = this.sort === index ? !this.down : false;
    this.sort = index;
    this.draw();
  }

  turn(by) {
    this.start = Math.max(1, Math.min(this.start + by, this.total - ((this.total - 1) % PAGE)));
    this.load();
  }

  async load() {
    const [page, client] = await Promise.all([
      getPlain("/api/dersim/devices", { start: this.start, limit: PAGE }),
      getPlain("/api/dersim/csip-client", {}),
    ]);
    const states = new Map(client.devices.map((each) => [each.device, each.state]));
    this.total = page.total;
    this.rows = page.devices.map((d) => ({ ...d, csip: states.get(d.device) || "–" }));
    this.draw();
    await this.measured.load();
  }

  draw() {
    const key = COLUMNS[this.sort][3];
    const way = this.down ? -1 : 1;
    const sorted = [...this.rows].sort((a, b) => way * (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0));
    this.heads.forEach((th, index) => {
      if (index === this.sort) th.setAttribute("aria-sort", this.down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    show(
      this.body,
      sorted.map((d) => this.row(d)),
    );
    const [from, to] = [this.rows[0], this.rows.at(-1)].map((d) => d?.device);
    this.place.textContent = `DER ${from} to ${to}, ${this.total} in all`;
    this.sums.textContent = sumsOf(this.rows);
  }

  row(d) {
    const cells = COLUMNS.map(([key, , decimals, get]) => {
      if (decimals !== null) return h("td", { class: "n" }, num(get(d), decimals));
      if (key === "name") return h("td", {}, this.link(d));
      return h("td", {}, key === "state" ? d.state.replaceAll("_", " ") : get(d));
    });
    const row = h("tr", { "aria-selected": d.device === currentDevice() ? "true" : null }, cells);
    return cardRow(row, TITLES);
  }

  link({ device, name }) {
    const onclick = (event) => {
      event.preventDefault();
      location.hash = "overview";
      this.context.choose(device);
    };
    return h("a", { href: "#overview", onclick }, name);
  }
}

function sumsOf(rows) {
  const total = (key) => rows.reduce((sum, d) => sum + d[key], 0);
  const states = [...new Set(rows.map((d) => d.state))]
    .map((state) => `${rows.filter((d) => d.state === state).length} ${state.replaceAll("_", " ")}`)
    .join(", ");
  const connected = rows.filter((d) => d.csip === "connected").length;
  const power = `${num(total("power_kw"), 2)} kW, ${num(total("reactive_power_kvar"), 2)} kvar`;
  return `These ${rows.length}: ${power}; ${states}; ${connected} connected over CSIP.`;
}
