// Fields of an editor: what is typed, its unit and range beside it, and below what is wrong with it.
import { h, say } from "./dom.js";
import { plain } from "./format.js";

// Where an editor says what is wrong with a field, or what became of a request.
export const verdictLine = () => h("p", { class: "fault", role: "alert", hidden: true });

export function tell(line, text) {
  say(line, text || "");
  line.hidden = !text;
}

export function spanOf({ low, high, unit = "" }) {
  const known = typeof low === "number" && typeof high === "number" && Math.abs(high) < 1e9;
  return known ? `${plain(low)} to ${plain(high)} ${unit}`.trim() : "";
}

// What is wrong with a typed number, "" for nothing.
export function objection(text, { low, high, unit = "", optional = false }) {
  if (text === "") return optional ? "" : "a number is needed";
  const value = Number(text);
  if (Number.isNaN(value)) return "a number is needed";
  const below = typeof low === "number" && value < low;
  const above = typeof high === "number" && value > high;
  if (!below && !above) return "";
  const span = spanOf({ low, high, unit });
  if (span) return `${plain(value)} is outside ${span}`;
  return `${below ? "at least" : "at most"} ${plain(below ? low : high)} ${unit}`.trim();
}

// name: the part of the value, "" for the whole; label: for a screen reader, shown where `words` is given.
export class NumberField {
  constructor({ name, label, words = "", unit = "", low, high, optional = false, changed }) {
    this.name = name;
    this.range = { low, high, unit, optional };
    this.input = h("input", { type: "number", step: "any", "aria-label": label });
    this.input.addEventListener("input", () => {
      this.complain("");
      changed();
    });
    this.wrong = verdictLine();
    const hint = spanOf({ low, high });
    const tail = hint && !optional ? `${unit}, ${hint}` : unit;
    const end = h("span", { class: "muted unit" }, tail.replace(/^, /, ""));
    this.node = h("div", { class: "part" }, h("label", {}, words, this.input, end), this.wrong);
  }

  get value() {
    return this.input.value === "" ? null : Number(this.input.value);
  }

  write(value) {
    this.input.value = value ?? "";
    this.complain("");
  }

  // True where the number is fit to be sent; else says why not, at the field.
  check() {
    const bad = this.input.validity.badInput;
    const text = bad ? "a number is needed" : objection(this.input.value, this.range);
    this.complain(text);
    return !text;
  }

  complain(text) {
    tell(this.wrong, text && text[0].toUpperCase() + text.slice(1) + ".");
    text ? this.input.setAttribute("aria-invalid", "true") : this.input.removeAttribute("aria-invalid");
  }
}

// values: [[value, words]]; a value that is none of them is shown as it is, and kept.
export class ChoiceField {
  constructor({ name, label, words = "", values, changed }) {
    this.name = name;
    this.values = values;
    this.input = h("select", { "aria-label": label });
    this.input.addEventListener("change", changed);
    this.node = h("div", { class: "part" }, h("label", {}, words, this.input));
    this.offer(values);
  }

  offer(values) {
    const chosen = this.input.value;
    this.values = values;
    this.input.replaceChildren(
      ...values.map(([value, words]) => h("option", { value: String(value) }, words)),
    );
    if (chosen) this.input.value = chosen;
  }

  get value() {
    return this.values.find(([value]) => String(value) === this.input.value)[0];
  }

  write(value) {
    if (value === null || value === undefined) return;
    if (!this.values.some(([known]) => known === value)) this.offer([...this.values, [value, String(value)]]);
    this.input.value = String(value);
  }

  check() {
    return true;
  }
}
