// The editor of one mode. It shows and keeps everything of a value: set unedited, nothing changes.
// It begins with what was set over REST, else what is in force, else what acts by default, else a proposal.
import { h, note, say, show } from "../dom.js";
import { clock } from "../format.js";
import { ChoiceField, NumberField } from "../fields.js";
import { CurveEditor } from "../curve_editor.js";

const AXIS = {
  opModVoltVar: ["Voltage, %", "Reactive power, %"],
  opModVoltWatt: ["Voltage, %", "Active power limit, %"],
  opModWattVar: ["Active power, %", "Reactive power, %"],
  opModWattPF: ["Active power, %", "Power factor"],
  opModFreqWatt: ["Frequency, Hz", "Active power, %"],
};
const axes = (mode) => AXIS[mode] || ["Time, s", /[HL]FRT/.test(mode) ? "Frequency, Hz" : "Voltage, %"];

const ON_OFF = [
  [true, "on"],
  [false, "off"],
];
const EXCITATION = [
  ["inject", "injecting (over-excited)"],
  ["absorb", "absorbing (under-excited)"],
];
const VAR_REFERENCE = [
  ["setMaxVar", "% of setMaxVar"],
  ["setMaxW", "% of setMaxW"],
  ["statVarAvail", "% of the var available now (statVarAvail)"],
];
// By kind the parts of a value: name, words, unit or choices, whether it may be absent.
const PARTS = {
  fixed_var: [
    ["percent", "Reactive power", "%"],
    ["ref", "", VAR_REFERENCE],
  ],
  power_factor: [
    ["pf", "Power factor", ""],
    ["excitation", "", EXCITATION],
  ],
  droop: [
    ["db_of_hz", "Dead-band above", "Hz"],
    ["db_uf_hz", "Dead-band below", "Hz"],
    ["k_of", "Slope above (kOF)", "pu/pu"],
    ["k_uf", "Slope below (kUF)", "pu/pu"],
    ["open_loop_s", "Open-loop response time", "s", true],
    ["p_min_w", "Lowest power (pMin)", "W", true],
  ],
  curve: [
    ["open_loop_s", "Open-loop response time", "s", true],
    ["v_ref", "vRef", "% of setVRef", true],
    ["autonomous_v_ref", "Autonomous VRef", ON_OFF],
    ["autonomous_v_ref_s", "its time constant", "s", true],
    ["ramp_dec_pct_s", "rampDecTms", "%/s", true],
    ["ramp_inc_pct_s", "rampIncTms", "%/s", true],
    ["ramp_pt1_s", "rampPT1Tms", "s", true],
  ],
};

// What the editor begins with, and of whom it is.
function shownValue({ rest, in_force, by_default, proposal }) {
  if (rest !== null) return [rest, "what is set from here"];
  if (in_force) return [in_force.value, `what is in force by ${in_force.source}`];
  if (by_default) return [by_default.value, `what acts by ${by_default.source}`];
  return [proposal, proposal === null ? "" : "a proposal for this machine; nothing acts"];
}

// Common to both kinds of editor: fields, messages, and that nothing typed is lost when news arrive.
class ModeEditor {
  constructor(mode, set) {
    this.mode = mode;
    this.set = set;
    this.edits = 0; // since a value was offered
    this.base = null;
    this.changed = () => {
      this.edits += 1;
      this.showOrigin();
    };
    this.told = h("div", { "aria-live": "polite" });
    this.origin = note();
    this.duration = new NumberField({
      name: "",
      label: `${mode.mode} ends after, s`,
      words: "Ends after",
      unit: "s",
      low: 0.1,
      high: 4294967,
      optional: true,
      changed: () => {},
    });
    this.withdrawButton = h("button", { onclick: () => this.withdraw() }, "Withdraw");
    this.undoButton = h("button", { onclick: () => this.undo() }, "Undo");
  }

  part([name, words, unit, optional = false]) {
    const { mode, changed } = this;
    const label = `${mode.mode} ${name}`.trim();
    const common = { name, label, words, changed };
    if (Array.isArray(unit)) return new ChoiceField({ ...common, values: unit });
    const { low, high, ...known } = this.mode.fields.find(({ path }) => path === name) || {};
    return new NumberField({ ...common, unit: known.unit || unit, low, high, optional });
  }

  buttons(word) {
    const main = h("button", { class: "main", onclick: () => this.submit() }, word);
    const row = h("div", { class: "row" }, main, this.undoButton, this.withdrawButton, this.duration.node);
    return [row, this.told];
  }

  update(mode) {
    this.mode = mode;
    this.withdrawButton.disabled = mode.rest === null;
    this.duration.input.placeholder = mode.rest_until ? `at ${clock(mode.rest_until)}` : "no end";
    if (!this.edits) this.offer(shownValue(mode)[0]);
    this.showOrigin();
  }

  showOrigin() {
    const [, of] = shownValue(this.mode);
    const text = this.edits ? "Edited, not set yet." : of && `Shown: ${of}.`;
    say(this.origin, text);
    this.undoButton.disabled = !this.edits;
  }

  offer(value) {
    const text = JSON.stringify(value);
    if (text === this.offered) return;
    this.offered = text;
    this.base = value;
    this.write(value);
  }

  undo() {
    this.edits = 0;
    this.offered = undefined;
    show(this.told);
    this.update(this.mode);
  }

  async submit() {
    show(this.told);
    const [wrong] = [...this.fields, this.duration].filter((field) => !field.check());
    if (wrong) wrong.input.focus();
    if (wrong || !this.checkMore()) return;
    const before = this.edits;
    const done = await this.set(this.told, this.mode.mode, this.read(), this.duration.value);
    if (!done) return;
    this.duration.write(null);
    if (this.edits === before) this.undoQuietly();
  }

  async withdraw() {
    if (await this.set(this.told, this.mode.mode, null, null)) this.undoQuietly();
  }

  // What was set is what is shown from now on.
  undoQuietly() {
    this.edits = 0;
    this.offered = undefined;
    this.update(this.mode);
  }

  checkMore() {
    return true;
  }
}

// A value without points: a number, on or off, or a few parts.
export class PlainEditor extends ModeEditor {
  constructor(mode, set) {
    super(mode, set);
    const parts = PARTS[mode.kind] || [["", "", mode.kind === "bool" ? ON_OFF : mode.unit]];
    this.whole = !PARTS[mode.kind];
    this.fields = parts.map((each) => this.part(each));
    const nodes = this.fields.map(({ node }) => node);
    this.node = h("div", { class: "editor" }, h("div", { class: "parts" }, nodes), this.buttons("Set"));
    this.node.append(this.origin);
  }

  read() {
    if (this.whole) return this.fields[0].value;
    return { ...this.base, ...partsOf(this.fields, this.base) };
  }

  write(value) {
    for (const field of this.fields) field.write(this.whole ? value : value?.[field.name]);
  }
}

// What is blank and was absent stays absent.
function partsOf(fields, base) {
  const known = fields.filter(({ name, value }) => value !== null || (base || {})[name] !== undefined);
  return Object.fromEntries(known.map(({ name, value }) => [name, value]));
}

export class CurveModeEditor extends ModeEditor {
  constructor(mode, set) {
    super(mode, set);
    const range = (path) => mode.fields.find((each) => each.path === path) || null;
    this.curve = new CurveEditor({
      name: mode.mode,
      titles: axes(mode.mode),
      excitation: mode.mode === "opModWattPF",
      ranges: [range("x"), range("y")],
      changed: this.changed,
    });
    this.reference = new ChoiceField({
      name: "y_ref_type",
      label: `${mode.mode} yRefType`,
      words: "y is in",
      values: mode.references.map(({ y_ref_type, words }) => [y_ref_type, words]),
      changed: () => {
        this.changed();
        this.showReference();
      },
    });
    this.fields = PARTS.curve.map((each) => this.part(each));
    const add = h("button", { onclick: () => this.curve.add() }, "Add a point");
    const parts = [this.reference.node, this.fields.map(({ node }) => node)];
    this.node = h(
      "div",
      { class: "editor" },
      this.curve.picture,
      h("div", { class: "scroll" }, this.curve.table),
      h("div", { class: "row" }, add),
      h("div", { class: "parts" }, parts),
      this.buttons("Set the curve"),
      this.origin,
      note("Drag the points or type; dashed is what acts now."),
    );
  }

  update(mode) {
    super.update(mode);
    this.curve.showActing((mode.in_force || mode.by_default)?.value.curve || null);
    this.showReference();
  }

  showReference() {
    const chosen = this.reference.value;
    const same = this.mode.references.find(({ y_ref_type }) => y_ref_type === chosen);
    this.curve.showReference(same || null);
  }

  checkMore() {
    return this.curve.check();
  }

  read() {
    const parts = partsOf(this.fields, this.base);
    if (!parts.autonomous_v_ref && this.base.autonomous_v_ref === undefined) delete parts.autonomous_v_ref;
    return { ...this.base, curve: this.curve.points, y_ref_type: this.reference.value, ...parts };
  }

  write(value) {
    this.curve.offer(value.curve);
    this.reference.write(value.y_ref_type);
    for (const field of this.fields) {
      field.write(field.name === "autonomous_v_ref" ? Boolean(value[field.name]) : value[field.name]);
      field.node.hidden = !this.has(field.name, value);
    }
  }

  // Whether the machine knows this part of a curve, or the value has it.
  has(name, value) {
    const of = name === "autonomous_v_ref" ? "autonomous_v_ref_s" : name;
    const known = this.mode.fields.some(({ path }) => path === of);
    return known || (value[name] !== null && value[name] !== undefined);
  }
}

export const editorOf = (mode, set) =>
  mode.kind === "curve" ? new CurveModeEditor(mode, set) : new PlainEditor(mode, set);
