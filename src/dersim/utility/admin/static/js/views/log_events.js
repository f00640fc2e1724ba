// Log events in words, the newest first.
import { getPlain } from "../api.js";
import { card, h, note, options, say, show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { DeviceChoice } from "../device_choice.js";
import { shortId } from "../format.js";
import { poll } from "../shell.js";

const SECONDS = 3;
const ROWS = 100;
const SETS = [
  ["", "any"],
  [11, "DER"],
  [0, "general"],
  [4, "Response"],
  [6, "metering"],
  [12, "time"],
  [18, "configuration"],
  [19, "security"],
];
const COLUMNS = ["Time", "Device", "Event", "Details", "Function set", { title: "Code", n: true }, "Profile"];
// Of the standard's own codes.
const STANDARD_PEN = 40732;

class LogEvents {
  constructor(root, lfdi, open) {
    this.rows = ROWS;
    this.trouble = troubleLine();
    this.count = note();
    this.body = h("div", {});
    const again = () => this.load().catch(() => {});
    const chosen = (found) => open(...["log-events", found].filter(Boolean));
    this.device = new DeviceChoice({ lfdi, chosen });
    this.set = h("select", { onchange: again }, options(SETS, ""));
    this.text = h("input", { type: "search", placeholder: "e.g. over voltage", oninput: again });
    const more = () => {
      this.rows += ROWS;
      again();
    };
    this.more = h("button", { onclick: more, hidden: true }, "Show older");
    const filters = [
      this.device.node,
      h("label", {}, "Function set", this.set),
      h("label", {}, "Text", this.text),
    ];
    const fields = h("div", { class: "filters" }, filters);
    show(root, card("Log events", this.trouble, fields, this.count, this.body, this.more));
  }

  async load() {
    const turn = (this.turn = (this.turn || 0) + 1);
    const events = await getPlain("/api/utility/log-events", {
      lfdi: this.device.lfdi,
      function_set: this.set.value,
      text: this.text.value.trim(),
      limit: this.rows + 1,
    });
    if (turn !== this.turn) return;
    const rest = events.length > this.rows;
    const shown = events.slice(rest ? 1 : 0).reverse();
    this.more.hidden = !rest;
    const all = shown.length === 1 ? "1 event." : `${shown.length} events.`;
    say(this.count, rest ? `The newest ${shown.length}.` : all);
    const empty = "No such event. A device posts one when an alarm begins or ends.";
    showChanged(this.body, shown, () => table(COLUMNS, shown.map(rowOf), { empty }));
  }
}

function rowOf({ id, lfdi, time, text, details, function_set, logEventCode, logEventPEN, profileID }) {
  const over = text.endsWith("back to normal") || text.startsWith("code");
  const owner = logEventPEN === STANDARD_PEN ? "" : `, PEN ${logEventPEN}`;
  return h(
    "tr",
    { "data-event": id },
    h("td", { class: "t" }, stamp(time)),
    h("td", { class: "t" }, h("a", { href: `#devices/${lfdi}`, title: lfdi }, shortId(lfdi, 6, 4))),
    h("td", { class: over ? "" : "warn" }, text),
    h("td", { class: "wrap" }, details || "–"),
    h("td", {}, function_set),
    h("td", { class: "n" }, logEventCode),
    h("td", {}, `${profileID}${owner}`),
  );
}

export const view = {
  title: "Log events",
  show(root, { parts, open }) {
    const events = new LogEvents(root, parts[0], open);
    return poll(SECONDS, () => events.load(), events.trouble);
  },
};
