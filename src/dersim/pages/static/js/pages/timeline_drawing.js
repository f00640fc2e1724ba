// The picture of the controls timeline: rows of bars, the power below them, one axis of time.
import { timeTicks, zoneName } from "../axes.js";
import { h, instant, s } from "../dom.js";
import { clock, modes, value } from "../format.js";

// Fill, stroke and dash of a control's bar, by its phase.
export const FILL = {
  scheduled: ["none", "var(--accent)", "5 3"],
  active: ["var(--accent)", "var(--accent)", null],
  completed: ["var(--muted)", "var(--muted)", null],
  cancelled: ["none", "var(--bad)", "2 3"],
  superseded: ["none", "var(--warn)", "2 3"],
};
const BOUND = { p: "P bound by", q: "Q bound by" };
const BAR = 18;
const LETTER_PX = 7.3;
const LABEL_PX = 64;

function phaseOf({ phase }) {
  if (phase in FILL) return phase;
  if (/cancel/.test(phase)) return "cancelled";
  if (/supersed/.test(phase)) return "superseded";
  return /schedul|pend|wait/.test(phase) ? "scheduled" : "completed";
}

function fillOf(source) {
  if (source === "csip") return FILL.active;
  return source === "csip-default"
    ? ["var(--soft)", "var(--muted)", null]
    : ["var(--c-i)", "var(--c-i)", null];
}

// One picture: parts are added from top to bottom, `y` is where the next one goes.
export class Drawing {
  constructor(page) {
    this.page = page;
    this.now = Date.parse(page.data.now);
    [this.start, this.end] = page.viewport.window();
    this.width = Math.max(page.picture.clientWidth || 800, 280);
    this.narrow = this.width < 560;
    // On a phone a row's title is above its bars.
    this.left = this.narrow ? 40 : 190;
    this.edge = this.width - (this.narrow ? 12 : 40);
    this.row = this.narrow ? 38 : 26;
    this.barTop = this.narrow ? 17 : 4;
    this.parts = [];
    // What follows the cursor is drawn anew without the rest.
    this.over = s("g", { "pointer-events": "none" });
    this.y = 8;
  }

  x(time) {
    const part = (Math.max(this.start, Math.min(this.end, time)) - this.start) / (this.end - this.start);
    return this.left + part * (this.edge - this.left);
  }

  rule() {
    this.parts.push(s("line", { class: "axis", x1: 0, x2: this.width, y1: this.y, y2: this.y }));
  }

  title(text, soft = false) {
    const most = Math.floor((this.narrow ? this.width : this.left) / LETTER_PX);
    const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
    const look = { x: 0, y: this.y + (this.narrow ? 13 : 17), class: soft ? "mark soft" : "mark" };
    this.parts.push(s("text", look, short, s("title", {}, text)));
  }

  // look: fill, stroke, dash; text: in or behind the bar, where there is room before `next`.
  bar({ key, from, to, look, text, words, entries, next = this.width }) {
    if (to < this.start || from > this.end) return;
    const left = this.x(from);
    const width = Math.max(3, this.x(to) - left);
    const chosen = this.page.chosen === key;
    const onclick = () => this.page.pick(key, entries());
    const onkeydown = (event) => {
      if (event.key === "Enter") onclick();
    };
    const [fill, stroke, dash] = look;
    const place = { x: left, y: this.y + this.barTop, width, height: BAR, rx: 3, fill };
    const border = {
      stroke: chosen ? "var(--text)" : stroke,
      "stroke-width": chosen ? 2.5 : 1.5,
      "stroke-dasharray": dash,
    };
    const use = { class: "bar", tabindex: 0, role: "button", "aria-label": words, onclick, onkeydown };
    this.parts.push(s("rect", { ...use, ...place, ...border }, s("title", {}, words)));
    const room = text.length * LETTER_PX + 12;
    const inside = width > room;
    if (!inside && left + width + room >= next) return;
    const dark = ["none", "var(--soft)"].includes(fill) || !inside;
    const style = { fill: dark ? "var(--text)" : "var(--card)", "pointer-events": "none" };
    const spot = { x: inside ? left + 6 : left + width + 5, y: this.y + this.barTop + 13 };
    this.parts.push(s("text", { class: inside ? null : "mark", ...spot, style }, text));
  }

  controls(controls) {
    for (const control of controls) {
      this.rule();
      this.title(modes(control.modes) || control.mRID);
      this.bar(controlBar(control));
      this.y += this.row;
    }
    if (!controls.length) {
      this.title("No control in this window", true);
      this.y += this.row;
    }
    this.rule();
    this.y += 4;
    this.rule();
  }

  // A row of bars, by their start.
  lane(title, bars, soft = false) {
    this.rule();
    this.title(title, soft);
    bars.forEach((each, index) => {
      const following = bars[index + 1];
      this.bar({ ...each, next: following ? this.x(following.from) : this.width });
    });
    this.y += this.row;
  }

  applied(lanes) {
    for (const [lane, entries] of lanes) {
      this.rule();
      this.title(lane);
      entries.forEach((each, index) => {
        const following = entries[index + 1];
        const next = following ? this.x(Date.parse(following.start)) : this.width;
        this.bar({ ...appliedBar(lane, each, this.now), next });
      });
      this.y += this.row;
    }
    this.rule();
    this.y += 10;
  }

  // What held P and Q where they were.
  bound(spans) {
    for (const [quantity, name] of Object.entries(BOUND)) {
      const own = spans.filter((each) => each.quantity === quantity);
      this.rule();
      this.title(name, !own.length);
      own.forEach((each, index) => {
        const next = own[index + 1] ? this.x(Date.parse(own[index + 1].start)) : this.width;
        this.bar({ ...boundBar(name, each, this.now), next });
      });
      this.y += this.row;
    }
    this.rule();
    this.y += 10;
  }

  times() {
    const { start, end, y } = this;
    for (const time of timeTicks(start, end, (this.edge - this.left) / LABEL_PX)) {
      const x = this.x(time);
      this.parts.push(s("line", { class: "axis", x1: x, x2: x, y1: y, y2: y + 4 }));
      if (x < this.left + 26 || x > this.width - 28) continue;
      this.parts.push(s("text", { class: "soft", x, y: y + 17, "text-anchor": "middle" }, clock(time)));
    }
    this.parts.push(s("text", { class: "soft", x: 0, y: y + 17 }, zoneName(end)));
    if (this.now < start || this.now > end) return;
    const x = this.x(this.now);
    // Behind all else, so that no text is crossed out.
    this.parts.unshift(s("line", { x1: x, x2: x, y1: 0, y2: y, stroke: "var(--bad)", "stroke-width": 1.5 }));
  }

  svg() {
    const height = this.y + 24;
    const size = { width: this.width, height, viewBox: `0 0 ${this.width} ${height}` };
    return s("svg", { ...size, role: "group", "aria-label": "Timeline" }, this.parts, this.over);
  }
}

function controlBar(control) {
  const { effective_start, effective_end } = control;
  const told = modes(control.modes);
  return {
    key: control.mRID,
    from: Date.parse(effective_start),
    to: Date.parse(effective_end),
    look: FILL[phaseOf(control)],
    text: `${control.mRID.slice(0, 4)} ${control.phase}`,
    words: `${told}, ${control.status_text}, ${clock(effective_start)} to ${clock(effective_end)}`,
    entries: () => [
      ["Control", told],
      ["mRID", h("span", { class: "mono" }, control.mRID)],
      ["Phase", `${control.phase} (status ${control.status} ${control.status_text})`],
      ["Why", control.why],
      ["Program", `${control.program}, primacy ${control.primacy}`],
      ["Interval begins", instant(control.start)],
      ["Effective", [instant(effective_start), " to ", instant(effective_end)]],
    ],
  };
}

function appliedBar(lane, { mode, value: setpoint, source, detail, start, end }, now) {
  const text = value(mode, setpoint);
  return {
    key: `${lane}${start}`,
    from: Date.parse(start),
    to: end ? Date.parse(end) : now,
    look: fillOf(source),
    text: setpoint?.curve ? "curve" : text,
    words: `${lane}: ${text} from ${clock(start)}${end ? ` to ${clock(end)}` : ""}`,
    entries: () => [
      ["Setpoint", `${mode} ${text}`],
      ["Source", source],
      ["Detail", detail],
      ["From", instant(start)],
      ["To", end ? instant(end) : "still asked for"],
    ],
  };
}

function boundBar(name, { text, mode, source, detail, out, start, end }, now) {
  return {
    key: `${name}${start}`,
    from: Date.parse(start),
    to: end ? Date.parse(end) : now,
    look: out ? ["none", "var(--bad)", null] : ["var(--soft)", "var(--accent)", null],
    text: text.replace(/ \(.*/, ""),
    words: `${name}: ${text} from ${clock(start)}${end ? ` to ${clock(end)}` : ""}`,
    entries: () => [
      [name, text],
      ["Mode or setting", mode],
      ["Source", source],
      ["Detail", detail || null],
      ["From", instant(start)],
      ["To", end ? instant(end) : "it still does"],
    ],
  };
}
