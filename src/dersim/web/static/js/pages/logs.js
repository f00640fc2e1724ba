// Logs: by module and level, live.
import { card, h, headRow, options, show, troubleLine } from "../dom.js";
import { getPlain } from "../api.js";
import { clockMs, utc } from "../format.js";

const LEVELS = ["Debug", "Info", "Warning", "Error"];
const TINT = { Warning: "warn", Error: "bad", Debug: "muted" };
const KEEP = 500;

export function mount(root) {
  const page = new LogPage(root);
  page.load();
  return { unmount: () => page.close() };
}

class LogPage {
  constructor(root) {
    this.after = 0;
    this.timer = 0;
    this.polling = true;
    this.gone = false;
    this.level = "Info";
    this.known = "";
    this.asked = new URLSearchParams(location.hash.split("?")[1] || "").get("module");
    const every = h("option", { value: "" }, "all modules");
    this.module = h("select", { id: "log-module", onchange: () => this.reset() }, every);
    this.chips = LEVELS.map((name) => {
      const pressed = String(name === this.level);
      return h("button", { "aria-pressed": pressed, onclick: () => this.setLevel(name) }, name);
    });
    this.run = h("button", { onclick: () => this.toggle() }, "Stop polling");
    this.head = h("tr", {});
    this.body = h("tbody", {});
    this.trouble = troubleLine();
    this.count = h("span", { class: "muted" });
    const table = h("table", { class: "logs" }, h("thead", {}, this.head), this.body);
    show(root, card("Logs", this.controls(), this.trouble, h("div", { class: "scroll" }, table)));
  }

  controls() {
    return h(
      "div",
      { class: "row" },
      h("label", { for: "log-module" }, "Module"),
      this.module,
      h("span", { class: "muted" }, "from level"),
      this.chips,
      this.run,
      this.count,
    );
  }

  setLevel(name) {
    this.level = name;
    for (const chip of this.chips) chip.setAttribute("aria-pressed", String(chip.textContent === name));
    this.reset();
  }

  toggle() {
    this.polling = !this.polling;
    this.run.textContent = this.polling ? "Stop polling" : "Start polling";
    if (this.polling) this.load();
  }

  reset() {
    this.after = 0;
    show(this.body);
    this.load();
  }

  row({ timestamp, level, module, device, message }) {
    return h(
      "tr",
      { class: TINT[level] || null },
      h("td", { class: "t", title: utc(timestamp) }, clockMs(timestamp)),
      h("td", {}, level),
      this.module.value ? null : h("td", {}, module),
      h("td", { class: "n" }, device || ""),
      h("td", { class: "msg" }, message),
    );
  }

  async load() {
    clearTimeout(this.timer);
    try {
      await this.loadNew();
      this.trouble.hidden = true;
    } catch (error) {
      this.trouble.hidden = false;
      this.trouble.textContent = error.message;
    }
    if (this.polling && !this.gone) this.timer = setTimeout(() => this.load(), 1000);
  }

  async loadNew() {
    const query = { modules: this.module.value, level: this.level, limit: KEEP, after: this.after || null };
    const { logs, modules, last_id } = await getPlain("/api/dersim/logs", query);
    if (modules.join() !== this.known) this.offerModules(modules);
    const middle = this.module.value ? [] : ["Module"];
    show(this.head, [...headRow(["Time", "Level", ...middle, "DER", "Message"]).children]);
    for (const entry of logs) this.body.prepend(this.row(entry));
    while (this.body.children.length > KEEP) this.body.lastChild.remove();
    this.after = this.after && logs.length === KEEP ? logs[KEEP - 1].id : last_id;
    this.count.textContent = `${this.body.children.length} entries, newest first`;
  }

  offerModules(modules) {
    this.known = modules.join();
    const entries = [["", "all modules"], ...modules.map((name) => [name, name])];
    show(this.module, options(entries, this.module.value || this.asked || ""));
  }

  close() {
    this.gone = true;
    clearTimeout(this.timer);
  }
}
