// Analytics: longer windows, each trace on or off, figures and a file.
import { card, h, show, table } from "../dom.js";
import { get, currentDevice } from "../api.js";
import { clock, num } from "../format.js";
import { Plot, TRACES, download } from "../plot.js";

const WINDOWS = [
  [900, "15 min"],
  [2700, "45 min"],
  [7200, "2 h"],
  [14400, "4 h"],
];
const NUMBERS = ["Lowest", "Mean", "Highest", "Last"];
const SOC = { key: "soc_pct", label: "SoC", unit: "%", axis: "soc", color: "--c-s" };

export function mount(root, context) {
  const plot = new Plot({ seconds: 7200, label: "Analytics" });
  const figures = h("div", {}),
    told = h("p", { class: "trouble", hidden: true }),
    soc = h("div", {});
  const buttons = WINDOWS.map(([seconds, name]) =>
    h("button", { "aria-pressed": String(seconds === 7200), onclick: () => choose(seconds) }, name),
  );
  let socPlot = null,
    turn = 0;
  show(
    root,
    card(
      "Analytics",
      h(
        "div",
        { class: "row spread" },
        h("div", { class: "row", role: "group", "aria-label": "Window" }, buttons),
        h("button", { onclick: () => download(`dersim-${currentDevice()}.csv`, plot.csv()) }, "Save as CSV"),
      ),
      told,
      plot.node,
    ),
    soc,
    card("Figures of the window", figures),
  );
  async function choose(seconds) {
    buttons.forEach((b, i) => b.setAttribute("aria-pressed", String(WINDOWS[i][0] === seconds)));
    plot.seconds = seconds;
    try {
      const past = await get("/api/dersim/history", { seconds });
      plot.setHistory(past);
      battery(past, seconds);
      told.hidden = true;
    } catch (error) {
      told.hidden = false;
      told.textContent = error.message;
    }
    sum();
  }
  function battery(past, seconds) {
    if (!past.soc_pct.some((v) => v !== null)) return;
    socPlot?.destroy();
    socPlot = new Plot({ seconds, traces: [SOC], label: "State of charge" });
    socPlot.node.classList.add("small");
    socPlot.setHistory(past);
    show(soc, card("State of charge", socPlot.node));
  }
  function sum() {
    const from = plot.first(plot.window()[0]);
    const rows = TRACES.map((t) => {
      const values = plot.data[t.key].slice(from).filter((v) => v !== null);
      let low = Infinity,
        high = -Infinity,
        total = 0;
      for (const v of values) {
        low = Math.min(low, v);
        high = Math.max(high, v);
        total += v;
      }
      return h(
        "tr",
        {},
        h("td", {}, t.label),
        (values.length
          ? [low, total / values.length, high, values[values.length - 1]]
          : [null, null, null, null]
        ).map((v) => h("td", { class: "n" }, num(v, 3))),
        h("td", {}, t.unit),
      );
    });
    const [start, end] = plot.window();
    const have = plot.time.length
      ? `${plot.time.length - from} samples, ${clock(Math.max(start, plot.time[from]))} to ${clock(end)}`
      : "no samples";
    show(
      figures,
      table(
        ["Trace", ...NUMBERS, "Unit"],
        rows,
        { numbers: NUMBERS },
      ),
      h("p", { class: "note" }, have),
    );
  }
  choose(7200);
  return {
    update(overview) {
      plot.append(overview);
      socPlot?.append(overview);
      if (turn++ % 5 === 0) sum();
    },
    unmount() {
      plot.destroy();
      socPlot?.destroy();
    },
  };
}
