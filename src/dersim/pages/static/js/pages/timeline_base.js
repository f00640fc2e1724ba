// A timeline: bars over the power, one axis of time, zoom and pan, a crosshair in words. What the bars are
// and where they come from, a subclass says.
import { card, h, note, options, pairs, say, show } from "../dom.js";
import { clock } from "../format.js";
import { addGestures, moveButtons } from "../gestures.js";
import { Viewport } from "../viewport.js";
import { Drawing } from "./timeline_drawing.js";
import { drawCursor, drawPower, wordsAt } from "./timeline_power.js";

const WINDOWS = [
  [120, "2 min back"],
  [300, "5 min back"],
  [900, "15 min back"],
  [3600, "1 h back"],
];
const KEYS_HELP =
  "Timeline. Arrow keys read values, + and - zoom, Shift with an arrow key pans, 0 follows live again.";

// Of a subclass: load() fetches `data` ({now}) and `samples`; drawBars(drawing) draws; starts() and ends()
// are when the bars begin and end, ms; afterDraw().
export class TimelineBase {
  // empty: what is said before a bar was chosen.
  constructor({ samples, back = 300, empty = "Choose a bar to see why it is as it is." }) {
    Object.assign(this, { back, chosen: null, data: null, cursor: null, picked: null, drawing: null });
    this.samples = samples;
    this.viewport = new Viewport(
      () => this.span(),
      () => this.draw(),
    );
    this.moves = moveButtons(this);
    this.at = h("p", { class: "at" });
    this.picture = h("div", { class: "gantt", tabindex: 0, role: "group", "aria-label": KEYS_HELP });
    addGestures(this.picture, this);
    this.detail = h("div", {}, h("p", { class: "empty" }, empty));
    const onchange = () => this.setWindow(Number(this.windows.value));
    this.windows = h("select", { "aria-label": "Window", onchange }, options(WINDOWS, this.back));
  }

  // The two cards; choices: beside the title.
  cards({ title, choices, trouble, legend, why = "Why" }) {
    const head = h(
      "div",
      { class: "row spread" },
      h("h2", {}, title),
      h("div", { class: "row" }, choices, this.windows),
    );
    const moves = { class: "row tools", role: "group", "aria-label": "Zoom and pan" };
    const tools = h("div", moves, this.moves.nodes, this.at);
    return [card(null, head, trouble, tools, this.picture, note(legend)), card(why, this.detail)];
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

  draw() {
    if (!this.data) return;
    const drawing = new Drawing(this);
    this.drawBars(drawing);
    drawPower(drawing, this.samples, this.traces);
    drawing.bottom = drawing.y;
    drawing.times();
    this.drawing = drawing;
    this.box = { x: drawing.left, w: drawing.edge - drawing.left };
    this.showPicture(drawing.svg());
    this.tell();
    this.afterDraw?.();
  }

  // The crosshair, and the same in words.
  tell() {
    const { samples, cursor, picked, viewport } = this;
    const index = cursor === null ? -1 : samples.at(cursor);
    drawCursor(this.drawing, samples, { cursor, index, picked });
    const [start, end] = viewport.window();
    const part = viewport.live ? "" : `${clock(start)} to ${clock(end)}. `;
    const values = () => wordsAt(this.drawing, samples, index);
    say(this.at, cursor === null ? part : `${part}At ${clock(cursor)}: ${values()}`);
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
    const now = Date.parse(this.data?.now ?? new Date());
    const past = this.samples.length ? this.samples.oldest - 5000 : now;
    const begun = Math.min(past, ...this.starts().map((time) => time - 5000));
    const start = Math.max(now - this.back * 1000, Math.min(begun, now - 60000));
    const ends = this.ends().filter((time) => time > now);
    const ahead = Math.max((now - start) / 4, ...ends.map((time) => time - now + this.back * 20));
    return [start, now + Math.min(this.back * 1000, ahead)];
  }
}
