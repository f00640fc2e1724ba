// The elements of a resource as a table: in plain units and words, with the wire value beside.
import { h, stamp, table } from "./dom.js";

const LONG = 60;

// told: [{name, text, wire, since}], a resource in plain units and words.
export function elements(told, empty) {
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
