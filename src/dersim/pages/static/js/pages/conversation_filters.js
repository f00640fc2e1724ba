// The filters of the conversation: the fields, the query that they make, and the page's address, which has
// the filters and the exchange that is open: #conversation/12?verdict=invalid
import { h, options } from "../dom.js";
import { currentDevice } from "../api.js";

const WORDS = ["valid", "violations", "invalid", "not judged", "no body", "error status", "no answer"];
const CHOICES = {
  method: [["", "any method"], ...["GET", "PUT", "POST", "DELETE"].map((each) => [each, each])],
  status: [
    ["", "any status"],
    ["2xx", "2xx good"],
    ["3xx", "3xx redirect"],
    ["4xx", "4xx refused"],
    ["5xx", "5xx server error"],
    ["4xx,5xx,none", "4xx, 5xx or no answer"],
    ["none", "no answer"],
  ],
  verdict: [
    ["", "any verdict"],
    ["violations,invalid", "violations or invalid"],
    ...WORDS.map((each) => [each, each]),
  ],
};
const TITLES = { method: "Method", status: "Status", verdict: "Verdict" };
const TEXTS = {
  resource: ["Resource", "path or name"],
  cause: ["Cause", "e.g. poll derc"],
  text: ["Text", "in the bodies"],
  lfdi: ["Device", "number or LFDI"],
};
const NAMES = ["resource", "method", "status", "verdict", "cause", "text", "all", "lfdi"];

export class Filters {
  // changed: called when one was changed, for text once the typing pauses. ofServer: of the server's side,
  // where devices have LFDIs and requests no cause.
  constructor(changed, ofServer) {
    this.ofServer = ofServer;
    this.changed = changed;
    const [id, query] = location.hash.split("/").slice(1).join("/").split("?");
    this.asked = Number(id) || null;
    this.values = Object.fromEntries(
      [...new URLSearchParams(query || "")].filter(([name]) => NAMES.includes(name)),
    );
  }

  fields(count) {
    const both = [this.text("resource"), ...Object.keys(CHOICES).map((name) => this.choice(name))];
    if (this.ofServer) return [this.text("lfdi"), ...both, this.text("text")];
    const all = h("input", { type: "checkbox", id: "all-devices", checked: Boolean(this.values.all) });
    all.addEventListener("change", () => this.set("all", all.checked ? "1" : ""));
    return [
      ...both,
      this.text("cause"),
      this.text("text"),
      count > 1 || this.values.all ? h("label", { for: "all-devices" }, all, "all DERs") : null,
    ];
  }

  text(name) {
    const [title, placeholder] = TEXTS[name];
    const field = h("input", { type: "search", id: `by-${name}`, placeholder, size: 12 });
    field.value = this.values[name] || "";
    let typing = 0;
    field.addEventListener("input", () => {
      clearTimeout(typing);
      typing = setTimeout(() => this.set(name, field.value), 250);
    });
    return h("label", { for: field.id }, title, field);
  }

  choice(name) {
    const entries = CHOICES[name];
    const known = entries.some(([value]) => value === (this.values[name] || ""));
    const offered = known ? entries : [...entries, [this.values[name], this.values[name]]];
    const field = h("select", { id: `by-${name}` }, options(offered, this.values[name] || ""));
    field.addEventListener("change", () => this.set(name, field.value));
    return h("label", { for: field.id }, TITLES[name], field);
  }

  set(name, value) {
    if ((this.values[name] || "") === value) return;
    this.values[name] = value;
    this.changed();
  }

  // What the REST API takes.
  query() {
    const { all, ...rest } = this.values;
    if (this.ofServer) return rest;
    return { ...rest, device: all ? null : currentDevice() };
  }

  given() {
    return Object.entries(this.query()).filter(([, value]) => value);
  }

  // The page's address with the open exchange: to be kept, and to be sent to others.
  address(id) {
    const parts = new URLSearchParams(Object.entries(this.values).filter(([, value]) => value));
    const rest = `${id || ""}${String(parts) ? `?${parts}` : ""}`;
    return rest ? `#conversation/${rest}` : "#conversation";
  }
}
