// Logs: by module, level and text, live, newest first.
import { card, h, headRow, options, show, stamp, troubleLine } from "../dom.js";
import { getPlain } from "../api.js";

const LEVELS = ["Debug", "Info", "Warning", "Error"];
const TINT = { Warning: "warn", Error: "bad", Debug: "muted" };
// How many entries are shown; more while someone reads older ones.
const KEEP = 500,
  KEEP_READING = 5000;
const KEPT = "log-filters";

export function mount(root) {
  const page = new LogPage(root);
  page.load();
  return { unmount: () => page.close() };
}

class LogPage {
  constructor(root) {
    this.after = 0;
    this.turn = 0;
    this.timer = 0;
    this.polling = true;
    this.gone = false;
    this.known = "";
    const kept = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
    this.filters = { level: "Info", module: "", text: "", ...kept };
    this.module = h("select", { id: "log-module", onchange: () => this.choose("module", this.module.value) });
    this.offerModules([]);
    this.text = h("input", { type: "search", placeholder: "text of the message", "aria-label": "Search" });
    this.text.value = this.filters.text;
    this.text.addEventListener("input", () => this.search());
    this.chips = LEVELS.map((name) => h("button", { onclick: () => this.choose("level", name) }, name));
    this.run = h("button", { onclick: () => this.toggle() }, "Stop polling");
    this.files = ["txt", "jsonl"].map((kind) => h("a", { class: "button", download: `dersim-log.${kind}` }));
    this.head = h("tr", {});
    this.body = h("tbody", {});
    this.trouble = troubleLine();
    this.count = h("span", { class: "muted" });
    const table = h("table", { class: "logs" }, h("thead", {}, this.head), this.body);
    show(root, card("Logs", this.controls(), this.trouble, table));
    this.showFilters();
  }

  controls() {
    return h(
      "div",
      { class: "row" },
      h("label", { for: "log-module" }, "Module"),
      this.module,
      h("span", { class: "muted" }, "from level"),
      this.chips,
      this.text,
      this.run,
      this.files,
      this.count,
    );
  }

  search() {
    clearTimeout(this.typing);
    this.typing = setTimeout(() => this.choose("text", this.text.value), 250);
  }

  choose(name, value) {
    this.filters[name] = value;
    sessionStorage.setItem(KEPT, JSON.stringify(this.filters));
    this.showFilters();
    this.after = 0;
    this.load();
  }

  showFilters() {
    const { level, module } = this.filters;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.textContent === level));
    for (const link of this.files) {
      const kind = link.download.split(".")[1];
      link.textContent = kind === "txt" ? "Download text" : "Download JSONL";
      link.href = `/api/dersim/logs/export.${kind}?${new URLSearchParams(this.query())}`;
    }
    const middle = module ? [] : ["Module"];
    show(this.head, [...headRow(["Time", "Level", ...middle, "DER", "Message"]).children]);
  }

  query() {
    const { level, module, text } = this.filters;
    return { modules: module, level, text };
  }

  toggle() {
    this.polling = !this.polling;
    this.run.textContent = this.polling ? "Stop polling" : "Start polling";
    if (this.polling) this.load();
  }

  row({ timestamp, level, module, device, message }) {
    return h(
      "tr",
      { class: TINT[level] || null },
      h("td", { class: "t" }, stamp(timestamp, true)),
      h("td", {}, level),
      this.filters.module ? null : h("td", {}, module),
      h("td", { class: "n" }, device || ""),
      h("td", { class: "msg" }, message),
    );
  }

  async load() {
    clearTimeout(this.timer);
    const turn = ++this.turn;
    try {
      await this.loadNew(turn);
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
    if (turn === this.turn && this.polling && !this.gone) this.timer = setTimeout(() => this.load(), 1000);
  }

  async loadNew(turn) {
    const { after } = this;
    const query = { ...this.query(), limit: KEEP, after: after || null };
    const { logs, modules, last_id } = await getPlain("/api/dersim/logs", query);
    if (turn !== this.turn || this.gone) return; // the filters have changed meanwhile
    if (modules.join() !== this.known) this.offerModules(modules);
    const rows = logs.map((entry) => this.row(entry)).reverse();
    if (after) this.putAbove(rows);
    else show(this.body, rows);
    this.after = after && logs.length === KEEP ? logs[KEEP - 1].id : last_id;
    const count = this.body.children.length;
    this.count.textContent = count ? `${count} entries, newest first` : "No entry passes these filters.";
  }

  // Whoever has scrolled down reads on at the same line.
  putAbove(rows) {
    const { body } = this;
    const first = body.firstChild;
    const reading = first && first.getBoundingClientRect().top < 0;
    const before = reading ? first.getBoundingClientRect().top : 0;
    body.prepend(...rows);
    while (body.children.length > (reading ? KEEP_READING : KEEP)) body.lastChild.remove();
    if (reading) scrollBy(0, first.getBoundingClientRect().top - before);
  }

  offerModules(modules) {
    this.known = modules.join();
    const chosen = this.filters.module;
    const names = new Set([...modules, ...(chosen ? [chosen] : [])]);
    show(this.module, options([["", "all modules"], ...[...names].map((name) => [name, name])], chosen));
  }

  close() {
    this.gone = true;
    clearTimeout(this.timer);
  }
}
