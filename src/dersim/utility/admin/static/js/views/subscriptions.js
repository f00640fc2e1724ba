// Subscriptions: who is notified of what, how that goes, and a button that ends one.
import { getPlain, remove } from "../api.js";
import { card, h, note, options, say, show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { DeviceChoice } from "../device_choice.js";
import { shortId, span } from "../format.js";
import { act, poll } from "../shell.js";

const PATH = "/api/utility/subscriptions";
const SECONDS = 2;
const ROWS = 100;
const STATES = ["up to date", "waiting", "sending", "failing", "ending"];
const LOOKS = { "up to date": "good", failing: "bad", ending: "muted" };
const COLUMNS = [
  "Client",
  "Resource",
  "Notified at",
  "State",
  { title: "Sent", n: true },
  { title: "Failed", n: true },
  "Last",
  "Expires",
  "",
];
const ENDINGS = [
  [1, "cancelled"],
  [3, "definition changed"],
  [4, "deleted"],
];

class Subscriptions {
  constructor(root, lfdi, open) {
    this.after = [0]; // the ids that the pages up to this one begin after
    this.trouble = troubleLine();
    this.told = h("div", {});
    this.body = h("div", {});
    const chosen = (found) => open(...["subscriptions", found].filter(Boolean));
    this.device = new DeviceChoice({ lfdi, label: "Client", chosen });
    const states = [["", "any"], ...STATES.map((each) => [each, each])];
    this.state = h("select", { onchange: () => this.turn([0]) }, options(states, ""));
    this.ending = h("select", {}, options(ENDINGS, 1));
    this.back = h("button", { onclick: () => this.turn(this.after.slice(0, -1)) }, "Previous");
    this.on = h("button", { onclick: () => this.turn([...this.after, this.last]) }, "Next");
    this.count = note();
    const filters = [
      this.device.node,
      h("label", {}, "State", this.state),
      h("label", {}, "End with status", this.ending),
    ];
    const pager = h("div", { class: "row" }, this.back, this.on);
    const fields = h("div", { class: "filters" }, filters);
    show(root, card("Subscriptions", this.trouble, fields, this.told, this.count, this.body, pager));
  }

  turn(after) {
    this.after = after;
    this.load().catch(() => {});
  }

  async load() {
    const after = this.after.at(-1);
    const asked = { lfdi: this.device.lfdi, state: this.state.value, after, limit: ROWS + 1 };
    const found = await getPlain(PATH, asked);
    if (after !== this.after.at(-1)) return;
    const rows = found.slice(0, ROWS);
    this.last = rows.at(-1)?.id;
    this.on.hidden = found.length <= ROWS;
    this.back.hidden = this.after.length === 1;
    say(this.count, rows.length ? `Subscriptions ${rows[0].id} to ${this.last}.` : "");
    const empty = "No subscription. A client posts one to the SubscriptionList of its EndDevice.";
    showChanged(this.body, rows, () => table(COLUMNS, rows.map((each) => this.row(each)), { empty }));
  }

  row({ id, lFDI, subscribedResource, notificationURI, state, words, sent, failed, expires, ...rest }) {
    const link = () => h("a", { href: `#devices/${lFDI}`, title: lFDI }, shortId(lFDI, 6, 4));
    const client = lFDI ? link() : "without TLS";
    const end = h("button", { onclick: () => this.end(id), "aria-label": `End subscription ${id}` }, "End");
    return h(
      "tr",
      { "data-subscription": id },
      h("td", { class: "t" }, client),
      h("td", { class: "mono t" }, subscribedResource),
      h("td", { class: "mono wrap" }, notificationURI),
      h("td", {}, pill(state), words === state ? null : h("div", { class: "muted" }, words)),
      h("td", { class: "n" }, sent),
      h("td", { class: failed ? "n warn" : "n" }, failed),
      h("td", { class: "t" }, stamp(rest.last_sent), h("div", { class: "muted" }, rest.last_answer)),
      h("td", { class: "t" }, remaining(expires), h("div", { class: "muted" }, stamp(expires))),
      h("td", {}, state === "ending" ? null : end),
    );
  }

  async end(id) {
    const status = this.ending.value;
    const words = `Subscription ${id} is ended; its client is told by a last Notification.`;
    await act(this.told, () => remove(`${PATH}/${id}`, { status }), words);
    await this.load();
  }
}

const remaining = (time) => `in ${span((Date.parse(time) - Date.now()) / 1000)}`;
const pill = (state) => h("span", { class: `pill ${LOOKS[state] ?? "warn"}` }, state);

export const view = {
  title: "Subscriptions",
  show(root, { parts, open }) {
    const subscriptions = new Subscriptions(root, parts[0], open);
    return poll(SECONDS, () => subscriptions.load(), subscriptions.trouble);
  },
};
