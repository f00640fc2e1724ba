// Grid support: each control function, what acts, and what is set from here.
import { card, h, note, show, troubleLine } from "../dom.js";
import { get, post } from "../api.js";
import { clock, value } from "../format.js";
import { act, poll } from "../shell.js";
import { ModeEditor } from "./mode_editor.js";

// The functions that are used most come first.
const ORDER = (
  "volt-var max-w volt-watt fixed-pf fixed-var freq-droop watt-var watt-pf connect ramp " +
  "enter-service fixed-w target-w storage target-var freq-watt"
).split(" ");

const EXPLANATION =
  "Set a mode from here and it is in force as source rest: above the default control, below an active " +
  "DERControl. Withdraw it and what was in force before is in force again. What acts without a setpoint is " +
  "marked with where it comes from.";

export function mount(root) {
  const place = h("div", {});
  const trouble = troubleLine();
  show(root, card("Grid support", note(EXPLANATION), trouble), place);
  const editors = new Map();

  async function submit(mode, value, seconds) {
    const body = { modes: { [mode]: value } };
    if (seconds !== null) body.duration_s = seconds;
    else if (value !== null) body.keep_end = true;
    const answer = await post("/api/dersim/setpoints", body);
    await load();
    return answer;
  }
  const set = (told, mode, value, seconds) =>
    act(
      told,
      () => submit(mode, value, seconds),
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
  const now = h("span", {});
  const body = new ModeEditor(mode, set);
  const title = h("summary", {}, h("strong", {}, mode.mode), " ", now);
  const node = h("details", { "data-mode": mode.mode }, title, body.node);
  let last = "";
  return {
    node,
    update(m) {
      const text = JSON.stringify(m);
      if (text === last) return;
      if (!last) node.open = Boolean(m.in_force) && m.kind === "curve";
      last = text;
      show(now, inForce(m));
      body.update(m);
    },
  };
}

function inForce({ mode, kind, in_force, by_default }) {
  const acting = in_force || by_default;
  if (!acting) return h("span", { class: "muted" }, "not in force");
  const what = kind === "curve" ? "curve" : value(mode, acting.value);
  if (!in_force) return [what, " ", h("span", { class: "pill muted" }, by_default.source)];
  const until = in_force.until ? `, until ${clock(in_force.until)}` : "";
  return [what, h("span", { class: "muted" }, ` by ${in_force.source}${until}`)];
}
