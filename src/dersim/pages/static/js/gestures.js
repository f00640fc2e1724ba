// Wheel, mouse, fingers and keys on a plot: they move its cursor and its viewport.
import { h, say } from "./dom.js";

const TAP_PX = 6;
const PICK_PX = 8;
const SCROLL_PAUSE_MS = 400;
const ZOOM_STEP = 0.7;
const STEPS = { PageUp: -30, PageDown: 30, Home: -Infinity, End: Infinity };

let scrolledAt = 0;
addEventListener("scroll", () => (scrolledAt = performance.now()), { passive: true });

// plot: {box: {x, w}, viewport, point(time | null), step(by), select([from, to] | null)}.
export function addGestures(target, plot) {
  new Gestures(target, plot).listen();
}

class Gestures {
  constructor(target, plot) {
    this.target = target;
    this.plot = plot;
    this.fingers = new Map();
    this.begun = null;
    this.pinch = null;
  }

  listen() {
    const on = (name, work, options) => this.target.addEventListener(name, work, options);
    on("wheel", (event) => this.wheel(event), { passive: false });
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => this.up(event));
    on("pointercancel", (event) => this.up(event, true));
    on("pointerleave", (event) => event.pointerType === "mouse" && this.plot.point(null));
    on("dblclick", () => this.plot.viewport.follow());
    on("keydown", (event) => this.key(event));
  }

  place(event) {
    return event.clientX - this.target.getBoundingClientRect().left;
  }

  timeAt(px) {
    const [start, end] = this.plot.viewport.window();
    const { x, w } = this.plot.box;
    return start + (Math.min(Math.max((px - x) / w, 0), 1) || 0) * (end - start);
  }

  perPixel() {
    const [start, end] = this.plot.viewport.window();
    return (end - start) / this.plot.box.w;
  }

  // A wheel that already scrolls the page goes on scrolling; so does one that would zoom out of the whole.
  wheel(event) {
    const { viewport } = this.plot;
    const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
    if (performance.now() - scrolledAt < SCROLL_PAUSE_MS) return;
    if (viewport.live && (sideways || event.deltaY > 0)) return;
    event.preventDefault();
    if (sideways) viewport.pan((event.deltaX || event.deltaY) * this.perPixel());
    else viewport.zoom(1.0015 ** event.deltaY, this.timeAt(this.place(event)));
    this.plot.point(this.timeAt(this.place(event)));
  }

  down(event) {
    if (event.button) return;
    const px = this.place(event);
    this.fingers.set(event.pointerId, px);
    this.begun = { px, window: this.plot.viewport.window(), far: false };
    if (this.fingers.size === 2) this.beginPinch();
    else if (event.pointerType !== "mouse") this.plot.point(this.timeAt(px));
  }

  beginPinch() {
    const [a, b] = [...this.fingers.values()];
    this.plot.select(null);
    const at = this.timeAt((a + b) / 2);
    this.pinch = { apart: Math.max(1, Math.abs(a - b)), at, window: this.plot.viewport.window() };
  }

  move(event) {
    const px = this.place(event);
    const held = this.fingers.has(event.pointerId);
    if (held) this.fingers.set(event.pointerId, px);
    if (this.pinch) this.spread();
    else if (held && this.begun) this.drag(event, px);
    else if (event.pointerType === "mouse") this.plot.point(this.timeAt(px));
  }

  spread() {
    if (this.fingers.size < 2) return;
    const [a, b] = [...this.fingers.values()];
    const { apart, at, window } = this.pinch;
    const width = ((window[1] - window[0]) * apart) / Math.max(1, Math.abs(a - b));
    const { x, w } = this.plot.box;
    const begin = at - (((a + b) / 2 - x) / w) * width;
    this.plot.viewport.set(begin, begin + width);
  }

  // In a part of the time a drag pans. In the whole the mouse picks a part, and a finger moves the cursor.
  drag(event, px) {
    const { begun, plot } = this;
    begun.far ||= Math.abs(px - begun.px) > TAP_PX;
    if (!begun.far) return;
    // Not before: a click on something within the plot would not reach it.
    if (!this.target.hasPointerCapture(event.pointerId)) this.target.setPointerCapture(event.pointerId);
    if (!plot.viewport.live || begun.panning) {
      begun.panning = true;
      const [start, end] = begun.window;
      const by = (begun.px - px) * ((end - start) / plot.box.w);
      plot.point(null);
      plot.viewport.set(start + by, end + by);
    } else if (event.pointerType === "mouse") plot.select([this.timeAt(begun.px), this.timeAt(px)]);
    else plot.point(this.timeAt(px));
  }

  up(event, cancelled = false) {
    const px = this.place(event);
    const { begun, plot } = this;
    this.fingers.delete(event.pointerId);
    if (this.fingers.size) return;
    const picked = begun && !begun.panning && !this.pinch && event.pointerType === "mouse" && !cancelled;
    if (picked && Math.abs(px - begun.px) > PICK_PX) {
      const ends = [this.timeAt(begun.px), this.timeAt(px)].sort((a, b) => a - b);
      plot.viewport.set(...ends);
    }
    plot.select(null);
    this.begun = this.pinch = null;
  }

  key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { plot } = this;
    const { viewport } = plot;
    const [start, end] = viewport.window();
    const sideways = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const steps = sideways ?? STEPS[event.key];
    if (sideways && event.shiftKey) viewport.pan((sideways * (end - start)) / 8);
    else if (steps) plot.step(steps);
    else if (event.key === "+" || event.key === "=") viewport.zoom(ZOOM_STEP, plot.cursor);
    else if (event.key === "-") viewport.zoom(1 / ZOOM_STEP, plot.cursor);
    else if (event.key === "0") viewport.follow();
    else if (event.key === "Escape") plot.point(null);
    else return;
    event.preventDefault();
  }
}

const MOVES = [
  ["Zoom in", "+", (viewport, at) => viewport.zoom(ZOOM_STEP, at)],
  ["Zoom out", "\u2212", (viewport, at) => viewport.zoom(1 / ZOOM_STEP, at)],
  ["Earlier", "\u25c0", (viewport) => nudge(viewport, -1)],
  ["Later", "\u25b6", (viewport) => nudge(viewport, 1)],
];

function nudge(viewport, way) {
  const [start, end] = viewport.window();
  viewport.pan((way * (end - start)) / 4);
}

// Zoom, pan and following live as buttons, for those who have neither wheel nor keys. `show` after a change.
export function moveButtons(plot) {
  const { viewport } = plot;
  const moves = MOVES.map(([words, sign, move]) => {
    const look = { "aria-label": words, title: words, onclick: () => move(viewport, plot.cursor) };
    return h("button", look, sign);
  });
  const follow = h("button", { onclick: () => viewport.follow() }, "Live");
  const show = () => {
    for (const button of [...moves.slice(1), follow]) button.disabled = viewport.live;
    say(follow, viewport.live ? "Live" : "Go live");
  };
  return { nodes: [...moves, follow], show };
}
