// DERCapability, DERSettings, DERStatus, DERAvailability: what the server took and what is true now, in plain
// units and words with the wire value beside.
import { card, h, note, show, stamp, table, troubleLine } from "../dom.js";
import { get } from "../api.js";
import { poll } from "../shell.js";

const ALL = [
  ["der-capability", "DERCapability"],
  ["der-settings", "DERSettings"],
  ["der-status", "DERStatus"],
  ["der-availability", "DERAvailability"],
];

export function mount(root) {
  const place = h("div", { class: "grid" });
  show(root, place);
  const stop = showResources(place);
  return { unmount: stop };
}

// The four cards in this place, kept up to date until the function that this returns is called.
export function showResources(place) {
  const cards = ALL.map(([path, title]) => new ResourceCard(path, title));
  place.append(...cards.map(({ node }) => node));
  const stops = cards.map((each) => poll(3, () => each.load(), each.trouble));
  return () => stops.forEach((stop) => stop());
}

class ResourceCard {
  constructor(path, title) {
    this.path = path;
    this.trouble = troubleLine();
    this.where = note();
    this.now = h("div", {});
    this.taken = h("div", {});
    const taken = h("details", {}, h("summary", {}, "As the server last took it"), this.taken);
    this.node = card(title, this.trouble, this.where, this.now, taken);
  }

  async load() {
    const found = await get(`/api/csip/${this.path}`);
    const text = JSON.stringify(found);
    if (this.text === text) return;
    this.text = text;
    show(this.where, found.href ? `PUT to ${found.href}` : "The server has no place for it yet.");
    show(this.now, elements(found.current_words, "Nothing to tell yet."));
    show(this.taken, elements(found.sent_words, "Not sent yet."));
  }
}

const LONG = 60;

function elements(told, empty) {
  return table(["Element", "Value, and on the wire"], told.map(element), { empty });
}

// A long list, as the modes of a bitmap, has the whole width.
function element({ name, text, wire, since }) {
  const value = [
    valueOf(text),
    wire ? [" ", h("span", { class: "muted wire" }, wire)] : null,
    since ? h("span", { class: "muted" }, " since ", stamp(since)) : null,
  ];
  if (text.length > LONG) return h("tr", {}, h("td", { class: "wrap", colspan: 2 }, h("p", {}, name), value));
  return h("tr", {}, h("td", {}, name), h("td", { class: "wrap" }, value));
}

const valueOf = (text) =>
  /^\d{4}-\d\d-\d\dT/.test(text) ? stamp(text) : text.replace(/^-/, "\u2212");
