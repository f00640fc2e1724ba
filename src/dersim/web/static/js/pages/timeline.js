// Controls timeline: what the utility told, what the inverter was asked, and the power, on one axis of time.
import { get } from "../api.js";
import { card, h, show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { modes, value } from "../format.js";
import { heldSamples } from "../held.js";
import { download } from "../plot.js";
import { poll } from "../shell.js";
import { TimelineBase } from "./timeline_base.js";

const LEGEND =
  "Upper part: each control the utility sent (dashed: scheduled, full: active, grey: done, dotted: " +
  "cancelled or superseded). Middle: what was asked of the inverter, by whom; then what held P and Q where " +
  "they were (red: out of service). Below: the power. The red line is now.";

export function mount(root) {
  const trouble = troubleLine();
  const page = new Timeline(root, trouble);
  const update = ({ time, metrics }) => page.samples.append(Date.parse(time), metrics);
  return { update, unmount: poll(1, () => page.load(), trouble) };
}

// The page: what was fetched, what is chosen, and where it is drawn.
class Timeline extends TimelineBase {
  constructor(root, trouble) {
    super({ samples: heldSamples() });
    this.loaded = 0;
    this.list = h("div", {});
    this.settings = h("input", { type: "checkbox", id: "settings", onchange: () => this.draw() });
    const choices = h("label", { for: "settings" }, this.settings, "settings too");
    const title = "Controls: what was asked and what was done";
    const save = h("button", { onclick: () => download("dersim-timeline.csv", csvOf(this.data)) }, "CSV");
    show(
      root,
      this.cards({ title, choices, trouble, legend: LEGEND }),
      card("As a list", this.list, h("div", { class: "row" }, save)),
    );
  }

  async load() {
    const seconds = this.back;
    this.data = await get("/api/dersim/timeline", { seconds });
    if (this.loaded < seconds) this.samples.load(await get("/api/dersim/history", { seconds: seconds + 5 }));
    this.loaded = Math.max(this.loaded, seconds);
    this.draw();
  }

  drawBars(drawing) {
    this.controls = this.data.controls
      .slice()
      .sort((a, b) => Date.parse(a.effective_start) - Date.parse(b.effective_start));
    drawing.controls(this.controls);
    drawing.applied(this.lanes());
    drawing.bound(this.data.bound);
  }

  afterDraw() {
    showChanged(this.list, this.controls, () => listOf(this.controls));
  }

  starts() {
    return (this.data?.controls || []).map((each) => Date.parse(each.effective_start));
  }

  ends() {
    return (this.data?.controls || []).map((each) => Date.parse(each.effective_end));
  }

  // What was applied, by mode and source.
  lanes() {
    const lanes = new Map();
    for (const each of this.data.applied) {
      if (each.mode.startsWith("set") && !this.settings.checked) continue;
      const key = `${each.mode} · ${each.source}`;
      if (!lanes.has(key)) lanes.set(key, []);
      lanes.get(key).push(each);
    }
    return lanes;
  }
}

function listOf(controls) {
  const rows = controls.map((control) =>
    h(
      "tr",
      { "data-mrid": control.mRID },
      h("td", {}, modes(control.modes)),
      h("td", {}, control.phase),
      h("td", { class: "t" }, stamp(control.effective_start)),
      h("td", { class: "t" }, stamp(control.effective_end)),
      h("td", {}, control.why),
    ),
  );
  return table(["Control", "Phase", "From", "To", "Why"], rows, { empty: "No control in this window." });
}

function csvOf(data) {
  const quoted = (text) => `"${String(text ?? "").replaceAll('"', '""')}"`;
  const controls = (data?.controls || []).map((each) => [
    "control",
    modes(each.modes),
    each.phase,
    each.effective_start,
    each.effective_end,
    `${each.mRID}: ${each.why}`,
  ]);
  const applied = (data?.applied || []).map((each) => [
    "applied",
    `${each.mode} ${value(each.mode, each.value)}`,
    each.source,
    each.start,
    each.end,
    each.detail,
  ]);
  const bound = (data?.bound || []).map((each) => [
    `${each.quantity} bound by`,
    each.mode,
    each.source,
    each.start,
    each.end,
    each.text,
  ]);
  const lines = [["what", "of", "state or source", "from", "to", "why"], ...controls, ...applied, ...bound];
  return lines.map((line) => line.map(quoted).join(",") + "\n").join("");
}
