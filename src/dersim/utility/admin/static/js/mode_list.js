// The modes of a control or a default: chosen from what the server offers, each with the fields of its value.
import { h, note, show } from "./dom.js";
import { tell, verdictLine } from "./fields.js";
import { fieldsOf } from "./mode_fields.js";

export class ModeList {
  // offered: the modes of /control-options; defaults: whether those that only a default can carry are among
  // them.
  constructor(offered, { defaults = false, changed = () => {} } = {}) {
    this.offered = new Map(
      offered.filter((each) => defaults || !each.default_only).map((each) => [each.mode, each]),
    );
    this.changed = changed;
    this.chosen = new Map();
    this.place = h("div", {});
    this.choice = h("select", { "aria-label": "Mode to add", onchange: () => this.addChosen() });
    this.wrong = verdictLine();
    this.node = h("div", {}, this.place, h("div", { class: "row" }, this.choice), this.wrong);
    this.offer();
  }

  offer() {
    const free = [...this.offered.values()].filter(({ mode }) => !this.chosen.has(mode));
    const of = (wanted) => free.filter(wanted).map(({ mode }) => h("option", { value: mode }, mode));
    const groups = [
      ["DERControlBase", (each) => each.edition === "2018" && !each.default_only],
      ["DefaultDERControl", (each) => each.default_only],
      ["2023 edition; no DER of dersim has them", (each) => each.edition === "2023"],
    ].map(([label, wanted]) => [label, of(wanted)]);
    const shown = groups.filter(([, list]) => list.length);
    show(
      this.choice,
      h("option", { value: "" }, "Add a mode…"),
      shown.map(([label, list]) => h("optgroup", { label }, list)),
    );
  }

  addChosen() {
    if (!this.choice.value) return;
    this.add(this.choice.value);
    this.changed();
  }

  add(mode, value = undefined) {
    const offer = this.offered.get(mode);
    if (!offer || this.chosen.has(mode)) return;
    const fields = fieldsOf(offer, () => {
      tell(wrong, "");
      this.changed();
    });
    const wrong = verdictLine();
    const drop = h("button", { type: "button", onclick: () => this.drop(mode) }, "Leave out");
    drop.setAttribute("aria-label", `Leave out ${mode}`);
    const head = h("div", { class: "row spread" }, h("strong", {}, mode), drop);
    const node = h("div", { class: "editor mode", "data-mode": mode }, head, fields.nodes, wrong);
    if (offer.edition === "2023") node.append(note("A document with this mode is one of the 2023 edition."));
    fields.write(value ?? offer.proposal);
    if (offer.kind === "curve") fields.update(offer);
    this.chosen.set(mode, { fields, wrong, node });
    this.place.append(node);
    this.offer();
  }

  drop(mode) {
    this.chosen.get(mode).node.remove();
    this.chosen.delete(mode);
    this.offer();
    this.changed();
  }

  write(modes) {
    for (const mode of [...this.chosen.keys()]) this.drop(mode);
    for (const [mode, value] of Object.entries(modes)) this.add(mode, value);
  }

  read() {
    return Object.fromEntries([...this.chosen].map(([mode, { fields }]) => [mode, fields.read()]));
  }

  // Whether every value is fit to be sent; else its field says why not.
  check() {
    tell(this.wrong, this.chosen.size ? "" : "Add at least one mode.");
    return Boolean(this.chosen.size) && [...this.chosen.values()].every(({ fields }) => fields.check());
  }

  // What the server says of a mode, beside it; false where none is meant.
  complain(mode, text) {
    const place = this.chosen.get(mode)?.wrong;
    if (place) tell(place, text);
    return Boolean(place);
  }
}
