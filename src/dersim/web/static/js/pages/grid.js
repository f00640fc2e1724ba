// Grid support: each control function, what acts, and what is set from here.
import { card, h, show } from "../dom.js";
import { get, post } from "../api.js";
import { clock, value } from "../format.js";
import { chart } from "../chart.js";
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
const START = {
  opModVoltVar: [
    [92, 44],
    [98, 0],
    [102, 0],
    [108, -44],
  ],
  opModVoltWatt: [
    [106, 100],
    [110, 0],
  ],
  opModWattVar: [
    [0, 0],
    [50, 0],
    [100, -44],
  ],
  opModWattPF: [
    [0, 1, "absorb"],
    [50, 1, "absorb"],
    [100, 0.95, "absorb"],
  ],
  opModFreqWatt: [
    [60, 100],
    [61.5, 0],
  ],
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
// What people reach for first stands first.
const ORDER = [
  "volt-var",
  "max-w",
  "volt-watt",
  "fixed-pf",
  "fixed-var",
  "freq-droop",
  "watt-var",
  "watt-pf",
  "connect",
  "ramp",
  "enter-service",
  "fixed-w",
  "target-w",
  "target-var",
  "freq-watt",
];
const DOC = { number: "a number", bool: "on or off" };

export function mount(root) {
  const told = h("div", { "aria-live": "polite" }),
    place = h("div", {}),
    trouble = h("p", { class: "trouble", hidden: true });
  const duration = h("input", { type: "number", min: 0, step: 1, placeholder: "for ever", id: "duration" });
  show(
    root,
    card(
      "Grid support",
      h(
        "p",
        { class: "note" },
        "Set a mode from here and it stands as source rest: above the default control, below an active DERControl. Withdraw it and what stood before rules again.",
      ),
      h("div", { class: "row" }, h("label", { for: "duration" }, "Ends by itself after, s"), duration),
      told,
      trouble,
    ),
    place,
  );
  const editors = new Map();
  const set = (mode, v) =>
    act(
      told,
      async () => {
        const body = { modes: { [mode]: v } };
        if (v !== null && duration.value) body.duration_s = Number(duration.value);
        const answer = await post("/api/dersim/setpoints", body);
        await load();
        return answer;
      },
      (answer) => {
        const ruling = answer.in_force.find((each) => each.mode === mode);
        if (v === null) return `${mode} is withdrawn.`;
        return ruling && ruling.source === "rest"
          ? `${mode} is in force.`
          : `${mode} is taken, and ${ruling ? `${ruling.source} rules now` : "overridden by another mode"}.`;
      },
    );

  async function load() {
    const found = await get("/api/dersim/functions");
    if (!editors.size) {
      place.className = "columns";
      const rank = (f) => {
        const at = ORDER.indexOf(f.name);
        return at < 0 ? ORDER.length : at;
      };
      show(
        place,
        found.functions
          .filter((f) => f.modes.length)
          .sort((a, b) => rank(a) - rank(b))
          .map((f) =>
            h(
              "section",
              { class: "card", id: `fn-${f.name}` },
              h("h2", {}, f.name, h("span", { class: "muted" }, f.doc ? ` – ${f.doc}` : "")),
              f.modes.map((m) => {
                const editor = make(m, set);
                editors.set(m.mode, editor);
                return editor.node;
              }),
            ),
          ),
      );
    }
    for (const f of found.functions) for (const m of f.modes) editors.get(m.mode)?.update(m);
  }
  const stop = poll(2, load, trouble);
  return { unmount: stop };
}

function make(mode, set) {
  const now = h("p", {}),
    picture = h("div", {});
  const body = mode.kind === "curve" ? curveEditor(mode, set, picture) : plainEditor(mode, set);
  const node = h(
    "details",
    { "data-mode": mode.mode },
    h("summary", {}, h("strong", {}, mode.mode), " ", now),
    picture,
    body.node,
  );
  let last = "";
  return {
    node,
    update(m) {
      const text = JSON.stringify(m);
      if (text === last) return;
      last = text;
      const f = m.in_force;
      now.style.display = "inline";
      show(
        now,
        f
          ? h(
              "span",
              {},
              m.kind === "curve" ? "curve" : value(m.mode, f.value),
              h("span", { class: "muted" }, ` by ${f.source}${f.until ? `, until ${clock(f.until)}` : ""}`),
            )
          : h("span", { class: "muted" }, "not in force"),
      );
      if (f && !node.dataset.known) {
        node.dataset.known = "1";
        node.open = m.kind === "curve";
      }
      body.update(m);
    },
  };
}

function plainEditor(mode, set) {
  const fields = [];
  const input = (name, initial) => {
    if (Array.isArray(initial)) {
      const el = h(
        "select",
        { "aria-label": `${mode.mode} ${name}` },
        initial.map((t) => h("option", {}, t)),
      );
      fields.push([
        name,
        () => el.value,
        (v) => {
          el.value = v;
        },
      ]);
      return el;
    }
    const el = h("input", {
      type: "number",
      step: "any",
      value: initial,
      "aria-label": `${mode.mode} ${name}`,
    });
    fields.push([
      name,
      () => Number(el.value),
      (v) => {
        el.value = v;
      },
    ]);
    return el;
  };
  let parts;
  if (mode.kind === "bool") {
    const el = h(
      "select",
      { "aria-label": mode.mode },
      h("option", { value: "true" }, "on"),
      h("option", { value: "false" }, "off"),
    );
    fields.push([
      "",
      () => el.value === "true",
      (v) => {
        el.value = String(v);
      },
    ]);
    parts = [el];
  } else if (OBJECT[mode.kind])
    parts = OBJECT[mode.kind].map(([name, initial]) => h("label", {}, name, input(name, initial)));
  else parts = [input("", mode.high !== null && mode.high <= 100 ? mode.high : 0), h("span", {}, mode.unit)];
  const read = () =>
    fields.length === 1 && fields[0][0] === ""
      ? fields[0][1]()
      : Object.fromEntries(fields.map(([name, get]) => [name, get()]));
  let mine = null;
  const withdraw = h("button", { onclick: () => set(mode.mode, null) }, "Withdraw");
  return {
    node: h(
      "div",
      { class: "row" },
      parts,
      h("button", { class: "main", onclick: () => set(mode.mode, read()) }, "Set"),
      withdraw,
      h(
        "span",
        { class: "muted" },
        mode.kind === "number" && mode.low !== null && mode.high < 1e6
          ? `${mode.low} to ${mode.high} ${mode.unit}`
          : DOC[mode.kind] || "",
      ),
    ),
    update(m) {
      withdraw.disabled = m.rest === null;
      const text = JSON.stringify(m.rest);
      if (text === mine || m.rest === null) {
        mine = text;
        return;
      }
      mine = text;
      fields.forEach(([name, , put]) => put(name === "" ? m.rest : m.rest[name]));
    },
  };
}

function curveEditor(mode, set, picture) {
  let points = (
      START[mode.mode] || [
        [1, 50],
        [10, 50],
      ]
    ).map((p) => [...p]),
    touched = false,
    standing = null;
  const pf = mode.mode === "opModWattPF";
  const table = h("div", {}),
    openLoop = h("input", {
      type: "number",
      step: "any",
      min: 0,
      "aria-label": `${mode.mode} open loop seconds`,
      oninput: () => {
        touched = true;
      },
    });
  const withdraw = h(
    "button",
    {
      onclick: () => {
        touched = false;
        set(mode.mode, null);
      },
    },
    "Withdraw",
  );
  const [xTitle, yTitle] = axes(mode.mode);
  const xy = (list) => list.map((p) => [p[0], pf ? p[1] : p[1]]);
  function draw() {
    const lines = [];
    if (standing) lines.push({ points: xy(standing), color: "var(--muted)", dash: "5 4" });
    lines.push({ points: xy(points), color: "var(--accent)" });
    show(
      picture,
      chart({
        lines,
        x: { title: xTitle, pad: 0.12 },
        y: { title: yTitle, pad: 0.15 },
        label: `${mode.mode}: ${points.map((p) => `(${p.join(", ")})`).join(" ")}`,
        handles: {
          points: xy(points),
          color: "var(--accent)",
          moved(index, x, y, end) {
            touched = true;
            if (end) {
              draw();
              rows();
              return;
            }
            const low = index ? points[index - 1][0] : -Infinity,
              high = index < points.length - 1 ? points[index + 1][0] : Infinity;
            const digits = Math.abs(xSpan()) > 20 ? 1 : 2;
            points[index][0] = Number(Math.min(high, Math.max(low, x)).toFixed(digits));
            points[index][1] = Number(y.toFixed(pf ? 3 : 1));
            rows();
          },
        },
      }),
    );
  }
  const xSpan = () => points[points.length - 1][0] - points[0][0];
  function rows() {
    show(
      table,
      h(
        "table",
        { class: "points" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, "Point"),
            h("th", { scope: "col" }, xTitle),
            h("th", { scope: "col" }, yTitle),
            pf ? h("th", { scope: "col" }, "Excitation") : null,
            h("th", {}, ""),
          ),
        ),
        h(
          "tbody",
          {},
          points.map((p, i) =>
            h(
              "tr",
              {},
              h("td", {}, i + 1),
              [0, 1].map((k) =>
                h(
                  "td",
                  {},
                  h("input", {
                    type: "number",
                    step: "any",
                    value: p[k],
                    "aria-label": `${mode.mode} point ${i + 1} ${k ? "y" : "x"}`,
                    onchange: (e) => {
                      touched = true;
                      p[k] = Number(e.target.value);
                      draw();
                    },
                  }),
                ),
              ),
              pf
                ? h(
                    "td",
                    {},
                    h(
                      "select",
                      {
                        value: p[2],
                        onchange: (e) => {
                          touched = true;
                          p[2] = e.target.value;
                        },
                      },
                      ["inject", "absorb"].map((t) => h("option", { selected: p[2] === t }, t)),
                    ),
                  )
                : null,
              h(
                "td",
                {},
                h(
                  "button",
                  {
                    "aria-label": `Remove point ${i + 1}`,
                    disabled: points.length < 2,
                    onclick: () => {
                      touched = true;
                      points.splice(i, 1);
                      draw();
                      rows();
                    },
                  },
                  "Remove",
                ),
              ),
            ),
          ),
        ),
      ),
    );
  }
  const add = () => {
    if (points.length >= 10) return;
    touched = true;
    const last = points[points.length - 1];
    points.push([last[0] + 1, ...last.slice(1)]);
    draw();
    rows();
  };
  draw();
  rows();
  return {
    node: h(
      "div",
      {},
      table,
      h(
        "div",
        { class: "row" },
        h("button", { onclick: add }, "Add a point"),
        h("label", {}, "Open-loop time, s", openLoop),
        h(
          "button",
          {
            class: "main",
            onclick: async () => {
              if (
                await set(mode.mode, {
                  curve: points,
                  ...(openLoop.value ? { open_loop_s: Number(openLoop.value) } : {}),
                })
              )
                touched = false;
            },
          },
          "Set the curve",
        ),
        withdraw,
      ),
      h("p", { class: "note" }, "Drag the points or type; dashed is what acts now."),
    ),
    update(m) {
      withdraw.disabled = m.rest === null;
      standing = m.in_force?.value?.curve || null;
      const source = m.rest || m.in_force?.value;
      if (source?.curve && !touched) {
        points = source.curve.map((p) => [...p]);
        openLoop.value = source.open_loop_s ?? "";
        rows();
      }
      draw();
    },
  };
}
