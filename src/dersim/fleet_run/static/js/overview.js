// The whole fleet: tiles, shards, workers, and what the command has logged.
import { card, h, note, say, show, showChanged, stamp, table } from "/static/js/dom.js";
import { num } from "/static/js/format.js";

const LOOKS = { connected: "good", connecting: "warn", silent: "bad", waiting: "muted" };
const SHARDS = ["DERs", "State", "Connected", "Requests", "Errors", "Restarts", "Lag, ms", "Worker"];
const WORKERS = ["Worker", "Shards", "DERs", "CPU, s", "Peak, MiB"];
const LAST_LINES = 30;

const numbers = (...values) => values.map((value) => h("td", { class: "n" }, value));

class Tile {
  constructor(name) {
    this.value = h("div", { class: "value" }, "–");
    this.unit = h("div", { class: "unit" });
    this.node = h("div", { class: "tile" }, h("div", { class: "name" }, name), this.value, this.unit);
  }

  show(value, unit = "") {
    say(this.value, String(value));
    say(this.unit, unit);
  }
}

export class FleetPage {
  constructor() {
    this.connected = new Tile("Connected");
    this.requests = new Tile("Requests");
    this.errors = new Tile("Errors");
    this.power = new Tile("Power");
    this.restarts = new Tile("Restarts");
    this.lag = new Tile("Slowest loop lag");
    const tiles = [this.connected, this.requests, this.errors, this.power, this.restarts, this.lag];
    this.shards = h("div", {});
    this.workers = h("div", {});
    this.log = h("div", {});
    this.node = h(
      "div",
      {},
      h("div", { class: "tiles" }, ...tiles.map(({ node }) => node)),
      card("Shards", this.shards),
      card("Workers", this.workers),
      card("Log of this command", this.log),
    );
  }

  update(news) {
    this.updateTiles(news);
    showChanged(this.shards, news.shards, () => shardsOf(news));
    showChanged(this.workers, news.workers, () => workersOf(news));
    showChanged(this.log, news.logs.at(-1)?.id, () => linesOf(news.logs));
  }

  updateTiles(news) {
    const { counters, rates } = news;
    const others = Object.entries(news.states).filter(([state]) => state !== "connected");
    this.connected.show(
      `${news.connected} of ${news.ders}`,
      others.map(([state, count]) => `${count} ${state}`).join(", "),
    );
    this.requests.show(`${num(rates.requests, 1)}/s`, `${counters.requests ?? 0} in all`);
    this.errors.show(counters.errors ?? 0, `${num(rates.errors, 1)}/s`);
    const held = `${news.controls} control${news.controls === 1 ? "" : "s"} in force`;
    this.power.show(`${num(news.power_kw, 1)} kW`, `${num(news.reactive_power_kvar, 1)} kvar; ${held}`);
    this.restarts.show(news.restarts, `${news.lost_workers} workers lost`);
    this.lag.show(`${num(news.lag_ms, 0)} ms`, news.lag_ms > 50 ? "above 50 ms: client saturated" : "");
  }
}

const COUNTED = SHARDS.slice(2, 7);

const shardsOf = ({ shards }) => table(SHARDS, shards.map(shardRow), { numbers: COUNTED });

function shardRow(shard) {
  const last = shard.first + shard.count - 1;
  return h(
    "tr",
    {},
    h("td", {}, h("a", { href: `#der/${shard.first}` }, `${shard.first} to ${last}`)),
    h("td", {}, h("span", { class: LOOKS[shard.state] }, shard.state)),
    numbers(`${shard.connected} of ${shard.count}`, shard.requests, shard.errors, shard.restarts),
    numbers(num(shard.lag_ms, 0)),
    h("td", { class: "mono" }, shard.worker || "–"),
  );
}

function workersOf({ workers }) {
  const rows = workers.map((each) =>
    h(
      "tr",
      {},
      h("td", { class: "mono" }, each.worker, each.there ? null : h("span", { class: "bad" }, " lost")),
      numbers(each.shards.length, each.ders, num(each.cpu_s, 1), each.peak_mib),
    ),
  );
  const counts = workers.filter(({ there }) => there).map(({ shards }) => shards.length);
  const uneven = counts.length > 1 && Math.max(...counts) - Math.min(...counts) > 1;
  const told = uneven ? note("Uneven: a shard moves to the emptiest worker within ten seconds.") : null;
  return [told, table(WORKERS, rows, { numbers: WORKERS.slice(1) })];
}

function linesOf(logs) {
  const rows = logs
    .slice(-LAST_LINES)
    .reverse()
    .map((line) =>
      h(
        "tr",
        {},
        h("td", { class: "t" }, stamp(line.timestamp)),
        h("td", { class: line.level === "Info" ? "wrap" : "wrap warn" }, line.message),
      ),
    );
  return show(h("div", { class: "list" }), table(["Time", "What"], rows));
}
