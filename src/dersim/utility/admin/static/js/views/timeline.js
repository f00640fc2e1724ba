// Timeline: what was ordered, by program and mode, over the power that the mirrors report.
import { getPlain } from "../api.js";
import { h, instant, options, show, showChanged, troubleLine } from "../dom.js";
import { clock } from "../format.js";
import { DeviceChoice } from "../device_choice.js";
import { TimelineBase } from "../pages/timeline_base.js";
import { FILL } from "../pages/timeline_drawing.js";
import { Samples } from "../samples.js";
import { poll } from "../shell.js";
import { TRACES } from "../traces.js";

const SECONDS = 2;
const RAMP = "rampTms";
const PROGRAMS_EVERY_MS = 20000;
const MOST_LANES = 24;
const KEYS = ["power_kw", "reactive_power_kvar"];
const REPORTED = TRACES.filter(({ key }) => KEYS.includes(key)).map(({ area: _, ...trace }) => trace);
const LEGEND =
  "Above: each order by program and mode (dashed: scheduled, full: active, grey: done, dotted: cancelled " +
  "or superseded), then what acts by default. Below: the power that the mirrors report, summed over the " +
  "devices; each holds its last value until it is too old. The red line is now.";

class Orders extends TimelineBase {
  constructor(root, lfdi, trouble, open) {
    super({ samples: new Samples(KEYS), empty: "Choose a bar to see the order." });
    this.traces = REPORTED;
    this.open = open;
    this.program = h("select", { "aria-label": "Program", onchange: () => this.again() });
    this.offeredAt = -Infinity;
    const chosen = (found) => open(...["timeline", found].filter(Boolean));
    this.device = new DeviceChoice({ lfdi, chosen });
    this.more = h("p", { class: "note" });
    const title = "What was ordered, and what the devices report";
    show(
      root,
      this.cards({ title, choices: [this.device.node, this.program], trouble, legend: LEGEND, why: "Order" }),
      this.more,
    );
  }

  again() {
    this.load().catch(() => {});
  }

  async load() {
    const asked = { seconds: this.back, lfdi: this.device.lfdi };
    const [data, power] = await Promise.all([
      getPlain("/api/utility/timeline", { ...asked, program: this.program.value }),
      getPlain("/api/utility/power", asked),
      this.offerPrograms(),
    ]);
    this.data = data;
    this.samples = samplesOf(power);
    this.draw();
  }

  // There may be one for each device.
  async offerPrograms() {
    if (performance.now() - this.offeredAt < PROGRAMS_EVERY_MS) return;
    this.offeredAt = performance.now();
    const programs = await getPlain("/api/utility/programs", { controls: "no" });
    const words = ({ description, primacy }) => `${description}, primacy ${primacy}`;
    const entries = programs.map((each) => [each.id, words(each)]);
    const { value } = this.program;
    showChanged(this.program, entries, () => options([["", "all programs"], ...entries], ""));
    this.program.value = value || "";
  }

  drawBars(drawing) {
    const lanes = [...this.lanes()];
    const { defaults, more } = this.data;
    for (const [title, bars] of lanes.slice(0, MOST_LANES)) drawing.lane(title, bars);
    if (!lanes.length) drawing.lane("No order in this window", [], true);
    drawing.rule();
    drawing.y += 6;
    for (const each of defaults.filter(({ modes }) => modes.length).slice(0, MOST_LANES))
      drawing.lane(`default of ${each.program_description}`, [this.defaultBar(each)]);
    drawing.rule();
    drawing.y += 10;
    const left = [
      lanes.length > MOST_LANES ? `${lanes.length - MOST_LANES} more rows are not drawn` : "",
      more ? "older orders of this window are left out" : "",
    ].filter(Boolean);
    this.more.textContent = left.length ? `${left.join("; ")}: choose a device or a program.` : "";
  }

  // Bars by program and mode.
  lanes() {
    const lanes = new Map();
    for (const order of this.data.orders)
      for (const told of order.modes) {
        if (told.mode === RAMP && order.modes.length > 1) continue; // belongs to the others
        const title = `${order.program_description} · ${told.mode}`;
        if (!lanes.has(title)) lanes.set(title, []);
        lanes.get(title).push(barOf(order, told));
      }
    return lanes;
  }

  defaultBar({ program, program_description, primacy, modes }) {
    const all = modes.map(({ mode, text }) => `${mode} ${text}`).join("; ");
    const short = `${modes[0].mode} ${shortly(modes[0].text)}`;
    const text = modes.length > 1 ? `${short} and ${modes.length - 1} more` : short;
    const [from, to] = this.viewport.window();
    return {
      key: `default ${program}`,
      from,
      to,
      look: ["var(--soft)", "var(--muted)", null],
      text,
      words: `default of ${program_description}: ${all}`,
      entries: () => [
        ["Default control", elementsOf(modes)],
        ["Program", `${program_description}, primacy ${primacy}`],
      ],
    };
  }

  starts() {
    return (this.data?.orders || []).map(({ start }) => Date.parse(start));
  }

  ends() {
    return (this.data?.orders || []).map(({ end }) => Date.parse(end));
  }
}

// A curve has too many numbers for a bar.
const shortly = (text) => (text.startsWith("(") ? "curve" : text);
const elementsOf = (modes) => modes.map(({ mode, text }) => h("div", {}, `${mode} ${text}`));

// From the first report on: a young server has no gap to show.
function samplesOf({ time, power_w, reactive_power_var }) {
  const begin = power_w.findIndex((value, index) => value !== null || reactive_power_var[index] !== null);
  const from = begin < 0 ? time.length : begin;
  const kilo = (values) => values.slice(from).map((value) => (value === null ? null : value / 1000));
  const samples = new Samples(KEYS);
  samples.load({
    time: time.slice(from),
    power_kw: kilo(power_w),
    reactive_power_kvar: kilo(reactive_power_var),
  });
  return samples;
}

function barOf(order, { mode, text }) {
  const { mRID, start, end, status_text, program_description, primacy, groups, description } = order;
  const [state] = status_text.split(" ");
  return {
    key: `${mRID} ${mode}`,
    from: Date.parse(start),
    to: Date.parse(end),
    look: FILL[state] || FILL.completed,
    text: shortly(text),
    words: `${program_description}: ${mode} ${text}, ${status_text}, ${clock(start)} to ${clock(end)}`,
    entries: () => [
      ["Order", elementsOf(order.modes)],
      ["Description", description || "none"],
      ["Status", status_text],
      ["mRID", h("span", { class: "mono" }, mRID)],
      ["Program", `${program_description}, primacy ${primacy}`],
      ["For", groups.join(", ")],
      ["In force", [instant(start), " to ", instant(end)]],
      ["Planned until", instant(order.planned_end)],
    ],
  };
}

export const view = {
  title: "Timeline",
  show(root, { parts, open }) {
    const trouble = troubleLine();
    const orders = new Orders(root, parts[0], trouble, open);
    return poll(SECONDS, () => orders.load(), trouble);
  },
};
