// The fields of one mode's value. They show and keep everything of a value: read unedited, it is the same.
import { h } from "./dom.js";
import { ChoiceField, NumberField } from "./fields.js";
import { CurveEditor } from "./curve_editor.js";

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

// mode: {mode, kind, unit, fields: [{path, unit, low, high}], references: [{y_ref_type, words}]}.
// changed: called when the user changes something.
class ModeFields {
  constructor(mode, changed) {
    this.mode = mode;
    this.changed = changed;
    this.base = null;
  }

  part([name, words, unit, optional = false]) {
    const { mode, changed } = this;
    const label = `${mode.mode} ${name}`.trim();
    const common = { name, label, words, changed };
    if (Array.isArray(unit)) return new ChoiceField({ ...common, values: unit });
    const { low, high, ...known } = mode.fields.find(({ path }) => path === name) || {};
    return new NumberField({ ...common, unit: known.unit || unit, low, high, optional });
  }

  // True where the value is fit to be sent; else says why not, at the first field that is wrong.
  check() {
    const [wrong] = this.fields.filter((field) => !field.check());
    if (wrong) wrong.input.focus();
    return !wrong && this.checkMore();
  }

  checkMore() {
    return true;
  }

  update(mode) {
    this.mode = mode;
  }
}

// A value without points: a number, on or off, or a few parts.
class PlainFields extends ModeFields {
  constructor(mode, changed) {
    super(mode, changed);
    const parts = PARTS[mode.kind] || [["", "", mode.kind === "bool" ? ON_OFF : mode.unit]];
    this.whole = !PARTS[mode.kind];
    this.fields = parts.map((each) => this.part(each));
    const nodes = this.fields.map(({ node }) => node);
    this.nodes = [h("div", { class: "parts" }, nodes)];
  }

  read() {
    if (this.whole) return this.fields[0].value;
    return { ...this.base, ...partsOf(this.fields, this.base) };
  }

  write(value) {
    this.base = value;
    for (const field of this.fields) field.write(this.whole ? value : value?.[field.name]);
  }
}

// What is blank and was absent stays absent.
function partsOf(fields, base) {
  const known = fields.filter(({ name, value }) => value !== null || (base || {})[name] !== undefined);
  return Object.fromEntries(known.map(({ name, value }) => [name, value]));
}

class CurveFields extends ModeFields {
  constructor(mode, changed) {
    super(mode, changed);
    const range = (path) => mode.fields.find((each) => each.path === path) || null;
    this.curve = new CurveEditor({
      name: mode.mode,
      titles: axes(mode.mode),
      excitation: mode.mode === "opModWattPF",
      ranges: [range("x"), range("y")],
      changed,
    });
    this.reference = new ChoiceField({
      name: "y_ref_type",
      label: `${mode.mode} yRefType`,
      words: "y is in",
      values: mode.references.map(({ y_ref_type, words }) => [y_ref_type, words]),
      changed: () => {
        changed();
        this.showReference();
      },
    });
    this.fields = PARTS.curve.map((each) => this.part(each));
    const add = h("button", { type: "button", onclick: () => this.curve.add() }, "Add a point");
    const parts = [this.reference.node, this.fields.map(({ node }) => node)];
    this.nodes = [
      this.curve.picture,
      h("div", { class: "scroll" }, this.curve.table),
      h("div", { class: "row" }, add),
      h("div", { class: "parts" }, parts),
    ];
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
    this.base = value;
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

export const fieldsOf = (mode, changed) =>
  mode.kind === "curve" ? new CurveFields(mode, changed) : new PlainFields(mode, changed);
