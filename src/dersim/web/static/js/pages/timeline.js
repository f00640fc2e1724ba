// Controls timeline: what the utility told, what the inverter was asked, and the power, on one axis of time.
import { get } from "../api.js";
import { card, h, note, options, pairs, say, show, showChanged, stamp, table, troubleLine } from "../dom.js";
import { clock, modes, value } from "../format.js";
import { addGestures, moveButtons } from "../gestures.js";
import { heldSamples } from "../held.js";
import { download } from "../plot.js";
import { poll } from "../shell.js";
import { Viewport } from "../viewport.js";
import { Drawing } from "./timeline_drawing.js";
import { drawCursor, drawPower, wordsAt } from "./timeline_power.js";

const WINDOWS = [
  [120, "2 min back"],
  [300, "5 min back"],
  [900, "15 min back"],
  [3600, "1 h back"],
];
const LEGEND =
  "Upper part: each control the utility sent (dashed: scheduled, full: active, grey: done, dotted: " +
  "cancelled or superseded). Middle: what was asked of the inverter, by whom; then what held P and Q where " +
  "they were (red: out of service). Below: the power. The red line is now.";
const KEYS_HELP =
  "Timeline. Arrow keys read values, + and - zoom, Shift with an arrow key pans, 0 follows live again.";

export function mount(root) {
  const trouble = troubleLine();
  const page = new Timeline(root, trouble);
  const update = ({ time, metrics }) => page.samples.append(Date.parse(time), metrics);
  return { update, unmount: poll(1, () => page.load(), trouble) };
}

// The page: what was fetched, what is chosen, and where it is drawn.
class Timeline {
  constructor(root, trouble) {
    Object.assign(this, { back: 300, chosen: null, data: null, cursor: null, picked: null, drawing: null });
    this.samples = heldSamples();
    this.loaded = 0;
    this.viewport = new Viewport(
      () => this.span(),
      () => this.draw(),
    );
    this.moves = moveButtons(this);
    this.at = h("p", { class: "at" });
    this.picture = h("div", { class: "gantt", tabindex: 0, role: "group", "aria-label": KEYS_HELP });
    addGestures(this.picture, this);
    this.detail = h("div", {}, h("p", { class: "empty" }, "Choose a bar to see why it is as it is."));
    this.list = h("div", {});
    const onchange = () => this.setWindow(Number(this.windows.value));
    this.windows = h("select", { "aria-label": "Window", onchange }, options(WINDOWS, this.back));
    this.settings = h("input", { type: "checkbox", id: "settings", onchange: () => this.draw() });
    const choices = [h("label", { for: "settings" }, this.settings, "settings too"), this.windows];
    const title = h("h2", {}, "Controls: what was asked and what was done");
    const head = h("div", { class: "row spread" }, title, h("div", { class: "row" }, choices));
    const moves = { class: "row tools", role: "group", "aria-label": "Zoom and pan" };
    const tools = h("div", moves, this.moves.nodes, this.at);
    const save = h("button", { onclick: () => download("dersim-timeline.csv", csvOf(this.data)) }, "CSV");
    show(
      root,
      card(null, head, trouble, tools, this.picture, note(LEGEND)),
      card("Why", this.detail),
      card("As a list", this.list, h("div", { class: "row" }, save)),
    );
  }

  setWindow(seconds) {
    this.back = seconds;
    this.viewport.follow();
    this.load().catch(() => {});
  }

  pick(key, entries) {
    this.chosen = key;
    show(this.detail, pairs(entries));
    this.draw();
  }

  async load() {
    const seconds = this.back;
    this.data = await get("/api/dersim/timeline", { seconds });
    if (this.loaded < seconds) this.samples.load(await get("/api/dersim/history", { seconds: seconds + 5 }));
    this.loaded = Math.max(this.loaded, seconds);
    this.draw();
  }

  draw() {
    if (!this.data) return;
    const controls = this.data.controls
      .slice()
      .sort((a, b) => Date.parse(a.effective_start) - Date.parse(b.effective_start));
    const drawing = new Drawing(this);
    drawing.controls(controls);
    drawing.applied(this.lanes());
    drawing.bound(this.data.bound);
    drawPower(drawing, this.samples);
    drawing.bottom = drawing.y;
    drawing.times();
    this.drawing = drawing;
    this.box = { x: drawing.left, w: drawing.edge - drawing.left };
    this.showPicture(drawing.svg());
    this.tell();
    showChanged(this.list, controls, () => listOf(controls));
  }

  // The crosshair, and the same in words.
  tell() {
    const { samples, cursor, picked, viewport } = this;
    const index = cursor === null ? -1 : samples.at(cursor);
    drawCursor(this.drawing, samples, { cursor, index, picked });
    const [start, end] = viewport.window();
    const part = viewport.live ? "" : `${clock(start)} to ${clock(end)}. `;
    say(this.at, cursor === null ? part : `${part}At ${clock(cursor)}: ${wordsAt(samples, index)}`);
    this.moves.show();
  }

  point(time) {
    const [start, end] = this.viewport.window();
    this.cursor = time === null ? null : Math.min(Math.max(time, start), end);
    if (this.drawing) this.tell();
  }

  step(by) {
    const { samples } = this;
    if (!samples.length) return;
    const from = this.cursor ?? Math.min(samples.newest, this.viewport.window()[1]);
    const index = Math.min(Math.max(samples.nearest(from) + by, 0), samples.length - 1);
    this.point(samples.time[index]);
  }

  select(times) {
    this.picked = times;
    if (this.drawing) this.tell();
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

  // Focus and scroll position stay.
  showPicture(svg) {
    const { picture } = this;
    const active = document.activeElement;
    const focus = active?.closest?.("svg") ? [...picture.querySelectorAll(".bar")].indexOf(active) : -1;
    const scrolled = picture.scrollLeft;
    show(picture, svg);
    picture.scrollLeft = scrolled;
    if (focus >= 0) picture.querySelectorAll(".bar")[focus]?.focus();
  }

  // From when to when there is something to see, ms.
  span() {
    const { controls, now: text } = this.data || { controls: [], now: new Date() };
    const now = Date.parse(text);
    const past = this.samples.length ? this.samples.oldest - 5000 : now;
    const begun = Math.min(past, ...controls.map((c) => Date.parse(c.effective_start) - 5000));
    const start = Math.max(now - this.back * 1000, Math.min(begun, now - 60000));
    const ends = controls.map((c) => Date.parse(c.effective_end)).filter((t) => t > now);
    const ahead = Math.max((now - start) / 4, ...ends.map((t) => t - now + this.back * 20));
    return [start, now + Math.min(this.back * 1000, ahead)];
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
