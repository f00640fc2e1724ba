// The form of a control: for whom, which modes, when; with the XML as it would be served.
import { getPlain, postPlain } from "./api.js";
import { card, h, note, options, show } from "./dom.js";
import { NumberField, tell, verdictLine } from "./fields.js";
import { span } from "./format.js";
import { ModeList } from "./mode_list.js";
import { Target } from "./control_target.js";
import { xmlText } from "./xml.js";

const PAUSE_MS = 350;
const RESPONSES = [
  [1, "when it is received"],
  [2, "when it starts and ends"],
  [4, "when the customer acts on it"],
];

export class ControlForm {
  // published: called with the mRID.
  constructor(root, published) {
    this.root = root;
    this.published = published;
    this.said = h("div", {});
    this.preview = h("div", {});
    this.edition = "2018";
  }

  async start(target) {
    const [offered, groups, programs] = await Promise.all([
      getPlain("/api/utility/control-options"),
      getPlain("/api/utility/groups"),
      getPlain("/api/utility/programs", { controls: "no" }),
    ]);
    const changed = () => this.changed();
    this.target = new Target(groups, programs, changed, target);
    this.modes = new ModeList(offered.modes, { changed });
    this.when = new When(offered, changed);
    this.more = new More(offered, changed);
    const publish = h("button", { class: "main" }, "Publish");
    const onsubmit = (event) => {
      event.preventDefault();
      this.publish(publish);
    };
    const form = h(
      "form",
      { onsubmit, novalidate: true },
      card("For", this.target.node),
      card("Modes", this.modes.node),
      card("When", this.when.node),
      card("More", this.more.node),
      h("div", { class: "row" }, publish),
      this.said,
    );
    const preview = card("Preview", this.preview);
    preview.classList.add("beside");
    show(this.root, h("div", { class: "grid" }, form, preview));
    this.modes.add("opModMaxLimW");
    this.changed();
  }

  changed() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PAUSE_MS);
  }

  stop() {
    clearTimeout(this.timer);
  }

  body() {
    return { modes: this.modes.read(), ...this.when.read(), ...this.more.read() };
  }

  // The documents as they would be served now, or why there are none.
  async look() {
    const mine = (this.turn = (this.turn || 0) + 1);
    if (this.when.waits || this.target.waits) {
      show(this.preview, note("Nothing to show yet: say for whom it is and when it starts."));
      return;
    }
    const body = { ...this.body(), ...this.target.named() };
    try {
      const found = await postPlain("/api/utility/control-preview", body);
      if (mine === this.turn) this.showPreview(found);
    } catch (error) {
      if (mine === this.turn) show(this.preview, note("Nothing to show yet: ", error.message));
    }
  }

  showPreview({ program, primacy, made, devices, documents }) {
    const found = documents.find(({ edition }) => edition === this.edition) || documents[0];
    const tabs = documents.map(({ edition }) => {
      const pressed = String(edition === found.edition);
      const onclick = () => {
        this.edition = edition;
        this.showPreview({ program, primacy, made, devices, documents });
      };
      return h("button", { type: "button", "aria-pressed": pressed, onclick }, `Edition ${edition}`);
    });
    const where = `${made ? "New program" : "Program"} “${program}”, primacy ${primacy}, for `;
    show(
      this.preview,
      note(where, `${devices} ${devices === 1 ? "device" : "devices"}.`),
      h("div", { class: "row" }, tabs),
      xmlText(found.xml),
      found.curves.map(({ href, xml }) => [note("The curve ", h("code", {}, href)), xmlText(xml)]),
      note("As it is served; the mRID is another one when it is published."),
      h("details", {}, h("summary", {}, "Publish it with curl"), h("pre", { tabindex: 0 }, this.curl())),
    );
  }

  curl() {
    const body = JSON.stringify(this.body()).replaceAll("'", "'\\''");
    const head = `curl -X POST ${location.origin}${this.target.path()}`;
    return `${head} \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  }

  async publish(button) {
    const parts = [this.target, this.modes, this.when, this.more];
    if (!parts.map((part) => part.check()).every(Boolean)) return;
    button.disabled = true;
    try {
      const { mRID } = await postPlain(this.target.path(), this.body());
      this.published(mRID);
    } catch (error) {
      this.complain(error);
    }
    button.disabled = false;
  }

  // Each error beside its field; what has none below the form.
  complain(error) {
    const left = (error.errors || []).filter(({ pointer, detail }) => !this.complainAt(pointer, detail));
    const rest = error.errors?.length ? left.map(({ detail }) => detail).join(" ") : error.message;
    const line = rest ? h("p", { class: "trouble", role: "alert" }, rest) : null;
    show(this.said, line);
  }

  complainAt(pointer, detail) {
    const [, name, mode] = pointer.split("/");
    if (name === "modes" && mode) return this.modes.complain(mode, detail);
    return [this.when, this.more].some((part) => part.complain(name, detail));
  }
}

// Start, duration and their randomization.
class When {
  constructor({ max_duration_s, max_randomization_s }, changed) {
    const number = (name, words, low, high, label = words) =>
      new NumberField({ name, label, words, unit: "s", low, high, optional: true, changed });
    this.kind = h(
      "select",
      { "aria-label": "Start", onchange: () => this.choose() },
      options([
        ["in", "starts in"],
        ["at", "starts at"],
      ]),
    );
    this.changed = changed;
    this.start_in_s = number("start_in_s", "", undefined, undefined, "Starts in, s");
    this.start = h("input", { type: "datetime-local", step: 1, "aria-label": "Starts at", oninput: changed });
    this.wrong = verdictLine();
    this.duration_s = number("duration_s", "Lasts", 1, max_duration_s);
    this.words = h("span", { class: "muted" });
    const most = max_randomization_s;
    this.randomize_start_s = number("randomize_start_s", "Start randomized by", -most, most);
    this.randomize_duration_s = number("randomize_duration_s", "Duration randomized by", -most, most);
    this.start_in_s.write(0);
    this.duration_s.write(300);
    this.duration_s.input.addEventListener("input", () => this.say());
    this.node = h(
      "div",
      {},
      h("div", { class: "row" }, this.kind, this.start_in_s.node, this.start),
      this.wrong,
      h("div", { class: "row" }, this.duration_s.node, this.words),
      h("div", { class: "parts" }, this.randomize_start_s.node, this.randomize_duration_s.node),
      note("Negative: that much earlier or shorter at most. Left out: not randomized."),
    );
    this.choose();
    this.say();
  }

  get fields() {
    return [this.duration_s, this.randomize_start_s, this.randomize_duration_s];
  }

  choose() {
    this.relative = this.kind.value === "in";
    this.start_in_s.node.hidden = !this.relative;
    this.start.hidden = this.relative;
    if (!this.relative) this.start.value ||= localMinute(Date.now() + 300_000);
    this.changed();
  }

  say() {
    const seconds = this.duration_s.value;
    this.words.textContent = seconds >= 120 ? span(seconds) : "";
  }

  // Whether the start is to be given still.
  get waits() {
    return !this.relative && !this.start.value;
  }

  read() {
    const at = this.start.value ? new Date(this.start.value) : null;
    const start = this.relative ? { start_in_s: this.start_in_s.value ?? 0 } : { start: at && toRfc3339(at) };
    const given = this.fields.map(({ name, value }) => [name, value]).filter(([, value]) => value !== null);
    return { ...start, ...Object.fromEntries(given) };
  }

  check() {
    tell(this.wrong, this.waits ? "A time is needed." : "");
    if (this.duration_s.value === null) this.duration_s.complain("a number is needed");
    const known = [...this.fields, this.start_in_s].map((field) => field.check()).every(Boolean);
    return known && !this.waits && this.duration_s.value !== null;
  }

  complain(name, text) {
    if (name === "start") tell(this.wrong, text);
    else if (!this[name]?.complain) return false;
    else this[name].complain(text);
    return true;
  }
}

// In the reader's zone, as a field of date and time has it.
const localMinute = (ms) =>
  new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toJSON().slice(0, 16);

const toRfc3339 = (date) => `${date.toJSON().slice(0, 19)}Z`;

// What devices are to answer, which of them it is for, and its description.
class More {
  constructor({ categories, max_description_chars }, changed) {
    const box = (words, checked, value) => {
      const input = h("input", { type: "checkbox", checked, onchange: changed, "data-value": value });
      return [input, h("label", {}, input, words)];
    };
    this.responses = RESPONSES.map(([bit, words]) => box(words, true, bit));
    this.categories = categories.map(({ bit, words }) => box(words, false, bit));
    this.text = h("input", { type: "text", maxlength: max_description_chars, oninput: changed });
    this.wrong = verdictLine();
    const labels = (boxes) => h("div", { class: "parts" }, boxes.map(([, label]) => label));
    this.node = h(
      "div",
      {},
      h("div", { class: "row" }, h("label", {}, "Description", this.text)),
      this.wrong,
      h("h3", {}, "Devices answer"),
      labels(this.responses),
      h("details", {}, h("summary", {}, "For some categories of devices only"), labels(this.categories)),
    );
  }

  read() {
    const sum = (boxes, weight) =>
      boxes.filter(([input]) => input.checked).reduce((all, [input]) => all + weight(input), 0);
    const bits = sum(this.categories, (input) => 2 ** Number(input.dataset.value));
    const category = bits ? { device_category: bits.toString(16).toUpperCase().padStart(8, "0") } : {};
    const description = this.text.value.trim();
    return {
      response_required: sum(this.responses, (input) => Number(input.dataset.value)),
      ...(description ? { description } : {}),
      ...category,
    };
  }

  check() {
    tell(this.wrong, "");
    return true;
  }

  complain(name, text) {
    if (!["description", "device_category", "response_required"].includes(name)) return false;
    tell(this.wrong, text);
    return true;
  }
}
