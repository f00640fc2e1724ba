// The documents that plug-ins have added to a device: a form for each, with what is kept in it.
import { put, remove } from "./api.js";
import { card, h, note, show } from "./dom.js";
import { act } from "./shell.js";

export class DeviceResources {
  // path: of the device in REST; changed: called when one was set or removed.
  constructor(path, changed) {
    this.path = path;
    this.changed = changed;
    this.node = h("div", { class: "columns" });
    this.forms = new Map();
  }

  // kinds: GET /device-resources; kept: the device's members by the documents' names.
  show(kinds, kept) {
    const text = JSON.stringify(kinds);
    if (text !== this.offered) {
      this.offered = text;
      this.forms = new Map(kinds.map((kind) => [kind.name, this.form(kind)]));
      show(
        this.node,
        [...this.forms.values()].map(({ card: each }) => each),
      );
    }
    for (const [name, { fields, state }] of this.forms) {
      const values = kept[name];
      const now = JSON.stringify(values ?? null);
      if (state.now === now) continue;
      state.now = now;
      for (const [member, field] of fields) field.value = values?.[member] ?? "";
    }
  }

  form({ name, title, element, members }) {
    const fields = members.map(({ name: member, kind }) => [member, fieldOf(kind), kind]);
    const told = h("div", {});
    const at = `${this.path}/resources/${encodeURIComponent(name)}`;
    const done = async (work, words) => {
      await act(told, work, words);
      await this.changed();
    };
    const onsubmit = (event) => {
      event.preventDefault();
      const body = Object.fromEntries(fields.map(([member, field, kind]) => [member, valueOf(kind, field)]));
      done(() => put(at, body), "It is set; the device reads it at its link.");
    };
    const onclick = () => done(() => remove(at), "It is removed.");
    const clear = h("button", { type: "button", onclick }, "Remove");
    const labels = fields.map(([member, field]) => h("label", {}, member, field));
    const form = h("form", { class: "row", onsubmit }, labels, h("button", {}, "Set"), clear);
    const words = note(`${element}, which the device may set itself.`);
    return { card: card(title, words, form, told), fields, state: {} };
  }
}

const isNumber = (kind) => kind === "int" || kind === "hex_int";

function fieldOf(kind) {
  const numeric = isNumber(kind) ? { type: "number", step: 1 } : {};
  return h("input", { required: true, autocomplete: "off", ...numeric });
}

function valueOf(kind, { value }) {
  if (isNumber(kind)) return Number(value);
  return kind === "bool" ? value.trim() === "true" : value.trim();
}
