// Grid support: each control function, what acts, and what is set from here.
import { card, h, note, show, stamp, troubleLine } from "../dom.js";
import { get, post } from "../api.js";
import { value } from "../format.js";
import { CurveEditor } from "../curve_editor.js";
import { act, poll } from "../shell.js";

const AXIS = {
  opModVoltVar: ["Voltage, %", "Reactive power, %"],
  opModVoltWatt: ["Voltage, %", "Active power limit, %"],
  opModWattVar: ["Active power, %", "Reactive power, %"],
  opModWattPF: ["Active power, %", "Power factor"],
  opModFreqWatt: ["Frequency, Hz", "Active power, %"],
};
const axes = (mode) =>
  AXIS[mode] || (mode.includes("FRT") ? ["Time, s", "Frequency, Hz"] : ["Time, s", "Voltage, %"]);
// "x y, x y" as points.
const curve = (text) => text.split(", ").map((point) => point.split(" ").map(Number));
const START = {
  opModVoltVar: curve("92 44, 98 0, 102 0, 108 -44"),
  opModVoltWatt: curve("106 100, 110 0"),
  opModWattVar: curve("0 0, 50 0, 100 -44"),
  opModWattPF: curve("0 1, 50 1, 100 0.95").map((point) => [...point, "absorb"]),
  opModFreqWatt: curve("60 100, 61.5 0"),
};
const OBJECT = {
  fixed_var: [
    ["percent", 0],
    ["ref", ["setMaxVar", "setMaxW", "statVarAvail"]],
  ],
  power_factor: [
    ["pf", 0.95],
    ["excitation", ["inject", "absorb"]],
  ],
  droop: [
    ["db_of_hz", 0.036],
    ["db_uf_hz", 0.036],
    ["k_of", 0.05],
    ["k_uf", 0.05],
    ["open_loop_s", 5],
  ],
};
// The functions that are used most come first.
const ORDER = (
  "volt-var max-w volt-watt fixed-pf fixed-var freq-droop watt-var watt-pf connect ramp " +
  "enter-service fixed-w target-w storage target-var freq-watt"
).split(" ");
const DOC = { number: "a number", bool: "on or off" };

const EXPLANATION =
  "Set a mode from here and it is in force as source rest: above the default control, below an active " +
  "DERControl. Withdraw it and what was in force before is in force again.";

export function mount(root) {
  const told = h("div", { "aria-live": "polite" });
  const place = h("div", {});
  const trouble = troubleLine();
  const duration = h("input", { type: "number", min: 0, step: 1, placeholder: "no end", id: "duration" });
  show(
    root,
    card(
      "Grid support",
      note(EXPLANATION),
      h("div", { class: "row" }, h("label", { for: "duration" }, "Ends by itself after, s"), duration),
      told,
      trouble,
    ),
    place,
  );
  const editors = new Map();

  async function submit(mode, value) {
    const body = { modes: { [mode]: value } };
    if (value !== null && duration.value) body.duration_s = Number(duration.value);
    const answer = await post("/api/dersim/setpoints", body);
    await load();
    return answer;
  }
  const set = (mode, value) =>
    act(
      told,
      () => submit(mode, value),
      (answer) => verdict(mode, value, answer),
    );

  async function load() {
    const { functions } = await get("/api/dersim/functions");
    if (!editors.size) {
      place.className = "columns";
      show(
        place,
        inOrder(functions).map((each) => functionCard(each, editors, set)),
      );
    }
    for (const { modes } of functions) for (const each of modes) editors.get(each.mode)?.update(each);
  }
  const stop = poll(2, load, trouble);
  return { unmount: stop };
}

// What to tell after a mode was set or withdrawn.
function verdict(mode, value, answer) {
  const ruling = answer.in_force.find((each) => each.mode === mode);
  if (value === null) return `${mode} is withdrawn.`;
  if (ruling && ruling.source === "rest") return `${mode} is in force.`;
  return `${mode} is taken, and ${ruling ? `${ruling.source} rules now` : "overridden by another mode"}.`;
}

function inOrder(functions) {
  const rank = ({ name }) => (ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length);
  return functions.filter(({ modes }) => modes.length).sort((a, b) => rank(a) - rank(b));
}

function functionCard({ name, doc, modes }, editors, set) {
  const nodes = modes.map((each) => {
    const editor = make(each, set);
    editors.set(each.mode, editor);
    return editor.node;
  });
  const title = h("h2", {}, name, h("span", { class: "muted" }, doc ? ` – ${doc}` : ""));
  return h("section", { class: "card", id: `fn-${name}` }, title, nodes);
}

function make(mode, set) {
  const now = h("p", { style: { display: "inline" } });
  const body = mode.kind === "curve" ? curveEditor(mode, set) : plainEditor(mode, set);
  const title = h("summary", {}, h("strong", {}, mode.mode), " ", now);
  const node = h("details", { "data-mode": mode.mode }, title, body.node);
  let last = "";
  let known = false;
  return {
    node,
    update(m) {
      const text = JSON.stringify(m);
      if (text === last) return;
      last = text;
      show(now, inForce(m));
      if (m.in_force && !known) {
        known = true;
        node.open = m.kind === "curve";
      }
      body.update(m);
    },
  };
}

function inForce({ mode, kind, in_force }) {
  if (!in_force) return h("span", { class: "muted" }, "not in force");
  const until = in_force.until ? [", until ", stamp(in_force.until)] : "";
  return h(
    "span",
    {},
    kind === "curve" ? "curve" : value(mode, in_force.value),
    h("span", { class: "muted" }, ` by ${in_force.source}`, until),
  );
}

// A part of a value: its name, the node to edit it, and how to read and write it.
function choice(name, label, values, read = (text) => text) {
  const node = h(
    "select",
    { "aria-label": label },
    values.map(([value, text]) => h("option", { value }, text)),
  );
  const write = (value) => {
    node.value = String(value);
  };
  return { name, node, read: () => read(node.value), write };
}

function numberField(name, label, initial) {
  const node = h("input", { type: "number", step: "any", value: initial, "aria-label": label });
  const write = (value) => {
    node.value = value;
  };
  return { name, node, read: () => Number(node.value), write };
}

// The fields of a mode, and their nodes with labels or units.
function fieldsOf({ mode, kind, high, unit }) {
  if (kind === "bool") {
    const words = [
      ["true", "on"],
      ["false", "off"],
    ];
    const field = choice("", mode, words, (text) => text === "true");
    return [[field], [field.node]];
  }
  if (!OBJECT[kind]) {
    const field = numberField("", `${mode} `, high !== null && high <= 100 ? high : 0);
    return [[field], [field.node, h("span", {}, unit)]];
  }
  const fields = OBJECT[kind].map(([name, initial]) =>
    Array.isArray(initial)
      ? choice(
          name,
          `${mode} ${name}`,
          initial.map((text) => [text, text]),
        )
      : numberField(name, `${mode} ${name}`, initial),
  );
  return [fields, fields.map(({ name, node }) => h("label", {}, name, node))];
}

function plainEditor(mode, set) {
  const [fields, nodes] = fieldsOf(mode);
  const whole = fields.length === 1 && fields[0].name === "";
  const read = () =>
    whole ? fields[0].read() : Object.fromEntries(fields.map((each) => [each.name, each.read()]));
  const withdraw = h("button", { onclick: () => set(mode.mode, null) }, "Withdraw");
  const bounded = mode.kind === "number" && mode.low !== null && mode.high < 1e6;
  const hint = bounded ? `${mode.low} to ${mode.high} ${mode.unit}` : DOC[mode.kind] || "";
  const setButton = h("button", { class: "main", onclick: () => set(mode.mode, read()) }, "Set");
  let shown = null;
  return {
    node: h("div", { class: "row" }, nodes, setButton, withdraw, h("span", { class: "muted" }, hint)),
    update({ rest }) {
      withdraw.disabled = rest === null;
      const text = JSON.stringify(rest);
      const same = text === shown;
      shown = text;
      if (same || rest === null) return;
      fields.forEach((each) => each.write(whole ? rest : rest[each.name]));
    },
  };
}

function curveEditor({ mode }, set) {
  const points = START[mode] || curve("1 50, 10 50");
  const excitation = mode === "opModWattPF";
  const editor = new CurveEditor({ name: mode, points, titles: axes(mode), excitation });
  const openLoop = h("input", {
    type: "number",
    step: "any",
    min: 0,
    "aria-label": `${mode} open loop seconds`,
    oninput: () => {
      editor.touched = true;
    },
  });
  const withdraw = h("button", { onclick: () => withdrawCurve() }, "Withdraw");

  async function setCurve(curve) {
    const extra = openLoop.value ? { open_loop_s: Number(openLoop.value) } : {};
    if (await set(mode, { curve, ...extra })) editor.touched = false;
  }
  function withdrawCurve() {
    editor.touched = false;
    set(mode, null);
  }
  const buttons = [
    h("button", { onclick: () => editor.add() }, "Add a point"),
    h("label", {}, "Open-loop time, s", openLoop),
    h("button", { class: "main", onclick: () => setCurve(editor.points) }, "Set the curve"),
    withdraw,
  ];
  const hint = note("Drag the points or type; dashed is what acts now.");
  return {
    node: h("div", {}, editor.picture, editor.table, h("div", { class: "row" }, buttons), hint),
    update({ rest, in_force }) {
      withdraw.disabled = rest === null;
      editor.standing = in_force?.value?.curve || null;
      const source = rest || in_force?.value;
      if (source?.curve && !editor.touched) {
        editor.offer(source.curve);
        openLoop.value = source.open_loop_s ?? "";
      }
      editor.draw();
    },
  };
}
