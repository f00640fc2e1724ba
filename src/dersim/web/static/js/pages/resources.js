// DERCapability, DERSettings, DERStatus, DERAvailability: what the server took and what is true now, in plain
// units and words with the wire value beside.
import { card, h, note, show, troubleLine } from "../dom.js";
import { get } from "../api.js";
import { elements } from "../told.js";
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
