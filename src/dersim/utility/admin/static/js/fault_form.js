// The form of a fault, made from the JSON Schemas of its kinds in /openapi.json.
import { h, note, options, show } from "./dom.js";
import { ChoiceField, NumberField } from "./fields.js";

// Members that say whom, when and how often, in the order of the form; the others are of the kind.
const COMMON = [
  ["path", "Path"],
  ["method", "Method"],
  ["device", "Device"],
  ["start_in_s", "Begins in"],
  ["duration_s", "Lasts"],
  ["count", "Times"],
  ["probability", "Probability"],
  ["seed", "Seed"],
  ["note", "Note"],
];
const NAMES = new Map(COMMON);
const OWN_NAMES = { retry_after: "Written as", by: "Wrong by" };
const LEFT_OUT =
  "Left out: all paths, methods and devices; at once, until it is removed, any number of times, every time.";
const nothing = () => {};

class TextField {
  constructor({ name, words, hint, required }) {
    this.name = name;
    this.input = h("input", { type: "text", placeholder: hint || null, required, size: 22 });
    this.node = h("div", { class: "part" }, h("label", {}, words, this.input));
  }

  get value() {
    const text = this.input.value.trim();
    return this.name === "device" && /^[0-9]{1,9}$/.test(text) ? Number(text) : text || null;
  }

  check() {
    return this.input.reportValidity();
  }
}

// `bytes_per_s` is "Bytes per s".
function titled(name) {
  const words = name.replace(/_s$/, "").replaceAll("_", " ");
  return NAMES.get(name) || OWN_NAMES[name] || words[0].toUpperCase() + words.slice(1);
}

// The choice of leaving a member out; the schema tells what that means: "answer, if left out".
function leftOut(name, { description = "" }) {
  const [meaning, rest] = description.split(", if left out");
  return ["", name === "method" ? "any" : rest === undefined ? "-" : `default: ${meaning}`];
}

function fieldOf(name, schema, required) {
  const words = titled(name);
  const facts = { name, label: words, words, changed: nothing };
  if (schema.enum) {
    const values = schema.enum.map((value) => [value, String(value).replaceAll("_", " ")]);
    return new ChoiceField({ ...facts, values: required ? values : [leftOut(name, schema), ...values] });
  }
  if (schema.type !== "number" && schema.type !== "integer")
    return new TextField({ name, words, required, hint: name === "path" ? "/derp/*/derc" : "" });
  const unit = schema["x-unit"] || "";
  return new NumberField({
    ...facts,
    unit,
    low: schema.minimum,
    high: schema.maximum,
    optional: !required,
  });
}

export class FaultForm {
  // schemas: of the kinds, as OpenAPI has them.
  constructor(schemas) {
    this.schemas = new Map(schemas.map((each) => [each.properties.kind.enum[0], each]));
    const kinds = [...this.schemas.keys()].map((kind) => [kind, kind.replaceAll("_", " ")]);
    this.kind = h("select", { onchange: () => this.choose() }, options(kinds));
    this.about = note();
    this.own = h("div", { class: "parts" });
    this.scope = h("div", { class: "parts" });
    this.node = h(
      "div",
      {},
      h("div", { class: "row" }, h("label", {}, "Kind", this.kind)),
      this.about,
      this.own,
      this.scope,
      note(LEFT_OUT),
    );
    this.choose();
  }

  choose() {
    const { properties, required, description } = this.schemas.get(this.kind.value);
    const make = (name) => fieldOf(name, properties[name], required.includes(name));
    const own = Object.keys(properties).filter((name) => name !== "kind" && !NAMES.has(name));
    const common = COMMON.map(([name]) => name).filter((name) => name in properties);
    const [ours, theirs] = [own.map(make), common.map(make)];
    this.fields = [...ours, ...theirs];
    this.about.textContent = description;
    show(this.own, ours.map(({ node }) => node));
    show(this.scope, theirs.map(({ node }) => node));
  }

  // The fault as it is written; null where a field is wrong, which it says itself.
  read() {
    if (!this.fields.map((field) => field.check()).every(Boolean)) return null;
    const given = this.fields
      .map(({ name, value }) => [name, value])
      .filter(([, value]) => value !== null && value !== "");
    return { kind: this.kind.value, ...Object.fromEntries(given) };
  }
}
