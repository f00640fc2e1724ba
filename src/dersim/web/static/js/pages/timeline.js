// Controls timeline: what the utility told, what the inverter was asked, and the power, on one axis of time.
import { card, h, instant, note, options, pairs, s, show, stamp, table, troubleLine } from "../dom.js";
import { get } from "../api.js";
import { clock, modes, num, value } from "../format.js";
import { niceStep } from "../axes.js";
import { poll } from "../shell.js";

const FILL = {
  scheduled: ["none", "var(--accent)", "5 3"],
  active: ["var(--accent)", "var(--accent)", null],
  completed: ["var(--muted)", "var(--muted)", null],
  cancelled: ["none", "var(--bad)", "2 3"],
  superseded: ["none", "var(--warn)", "2 3"],
};
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((t) => t * 1000);
const ROW = 26;
const POWER = 120;
const WINDOWS = [
  [120, "2 min back"],
  [300, "5 min back"],
  [900, "15 min back"],
  [3600, "1 h back"],
];
const SERIES = [
  ["power_kw", "var(--c-p)", null],
  ["available_power_kw", "var(--muted)", "4 3"],
  ["reactive_power_kvar", "var(--c-q)", null],
];
const BOUND = { p: "P bound by", q: "Q bound by" };
const LEGEND =
  "Upper part: each control the utility sent (dashed: scheduled, full: active, grey: done, dotted: " +
  "cancelled or superseded). Middle: what was asked of the inverter, by whom; then what held P and Q where " +
  "they were (red: out of service). Below: the power. The red line is now.";

export function mount(root) {
  const trouble = troubleLine();
  const page = new Timeline(root, trouble);
  return { unmount: poll(1, () => page.load(), trouble) };
}

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

// The page: what was fetched, what is chosen, and where it is drawn.
class Timeline {
  constructor(root, trouble) {
    this.back = 300;
    this.chosen = null;
    this.data = null;
    this.past = null;
    this.loads = 0;
    this.picture = h("div", { class: "gantt" });
    this.detail = h("div", {}, h("p", { class: "empty" }, "Choose a bar to see why it is as it is."));
    this.list = h("div", {});
    const onchange = () => this.setWindow(Number(this.windows.value));
    this.windows = h("select", { "aria-label": "Window", onchange }, options(WINDOWS, this.back));
    this.settings = h("input", { type: "checkbox", id: "settings", onchange: () => this.draw() });
    const choices = [h("label", { for: "settings" }, this.settings, "settings too"), this.windows];
    const title = h("h2", {}, "Controls: told against done");
    const head = h("div", { class: "row spread" }, title, h("div", { class: "row" }, choices));
    show(
      root,
      card(null, head, trouble, this.picture, note(LEGEND)),
      card("Why", this.detail),
      card("As a list", this.list),
    );
  }

  setWindow(seconds) {
    this.back = seconds;
    this.past = null;
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
    const due = this.loads++ % 2 === 0;
    if (!this.past || due) this.past = await get("/api/dersim/history", { seconds: seconds + 5 });
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
    drawing.power();
    drawing.times();
    this.showPicture(drawing.svg());
    show(this.list, listOf(controls));
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

  // From when to when the picture goes, ms.
  span(now) {
    const { controls } = this.data;
    const past = this.past?.time.length ? Date.parse(this.past.time[0]) - 5000 : now;
    const begun = Math.min(past, ...controls.map((c) => Date.parse(c.effective_start) - 5000));
    const start = Math.max(now - this.back * 1000, Math.min(begun, now - 60000));
    const ends = controls.map((c) => Date.parse(c.effective_end)).filter((t) => t > now);
    const ahead = Math.max((now - start) / 4, ...ends.map((t) => t - now + this.back * 20));
    return [start, now + Math.min(this.back * 1000, ahead)];
  }
}

// One picture: parts are added from top to bottom, `y` is where the next one goes.
class Drawing {
  constructor(page) {
    this.page = page;
    this.now = Date.parse(page.data.now);
    [this.start, this.end] = page.span(this.now);
    const width = page.picture.clientWidth;
    this.narrow = width < 560;
    this.left = this.narrow ? 112 : 190;
    this.width = Math.max(width || 800, 340);
    this.edge = this.width - (this.narrow ? 16 : 60);
    this.parts = [];
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
    const most = this.narrow ? 16 : 27;
    const short = text.length > most ? `${text.slice(0, most - 1)}…` : text;
    const look = { x: 0, y: this.y + 17, class: soft ? "soft" : null };
    this.parts.push(s("text", look, short, s("title", {}, text)));
  }

  // look: fill, stroke, dash; text: in or behind the bar, where there is room before `next`.
  bar({ key, from, to, look, text, words, entries, next = this.width }) {
    const left = this.x(from);
    const width = Math.max(3, this.x(to) - left);
    const chosen = this.page.chosen === key;
    const onclick = () => this.page.pick(key, entries());
    const onkeydown = (event) => {
      if (event.key === "Enter") onclick();
    };
    const [fill, stroke, dash] = look;
    const place = { x: left, y: this.y + 4, width, height: ROW - 8, rx: 3, fill };
    const border = {
      stroke: chosen ? "var(--text)" : stroke,
      "stroke-width": chosen ? 2.5 : 1.5,
      "stroke-dasharray": dash,
    };
    const use = { class: "bar", tabindex: 0, role: "button", "aria-label": words, onclick, onkeydown };
    this.parts.push(s("rect", { ...use, ...place, ...border }, s("title", {}, words)));
    const room = text.length * 7 + 12;
    const inside = width > room;
    if (!inside && left + width + room >= next) return;
    const dark = ["none", "var(--soft)"].includes(fill) || !inside;
    const style = { fill: dark ? "var(--text)" : "var(--card)", "pointer-events": "none" };
    this.parts.push(s("text", { x: inside ? left + 6 : left + width + 5, y: this.y + 17, style }, text));
  }

  controls(controls) {
    for (const control of controls) {
      this.rule();
      this.title(modes(control.modes) || control.mRID);
      this.bar(controlBar(control));
      this.y += ROW;
    }
    if (!controls.length) {
      this.title("No control in this window", true);
      this.y += ROW;
    }
    this.rule();
    this.y += 4;
    this.rule();
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
      this.y += ROW;
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
      this.y += ROW;
    }
    this.rule();
    this.y += 10;
  }

  power() {
    const past = this.page.past;
    const times = (past?.time || []).map((time) => Date.parse(time));
    const values = SERIES.flatMap(([key]) => past?.[key] || []).filter((each) => each !== null);
    const low = values.reduce((a, b) => Math.min(a, b), 0);
    const top = values.reduce((a, b) => Math.max(a, b), low + 1);
    const high = top * 1.05;
    const y = (power) => this.y + POWER - 6 - ((power - low) / (high - low)) * (POWER - 14);
    this.powerAxis(low, high, y);
    for (const [key, stroke, dash] of SERIES) {
      const points = this.points(times, past?.[key], y);
      const look = { fill: "none", stroke, "stroke-width": 1.7, "stroke-dasharray": dash };
      if (points.length) this.parts.push(s("polyline", { points: points.join(" "), ...look }));
    }
    this.y += POWER;
  }

  powerAxis(low, high, y) {
    const step = niceStep(high - low, 4);
    const decimals = Number.isInteger(step) ? 0 : step < 0.2 ? 2 : 1;
    for (let power = Math.ceil(low / step) * step; power <= high; power += step) {
      const at = { x: this.left - 6, y: y(power) + 4, "text-anchor": "end" };
      this.parts.push(
        s("line", { class: "axis", x1: this.left, x2: this.edge, y1: y(power), y2: y(power) }),
        s("text", { class: "soft", ...at }, num(power, decimals)),
      );
    }
    const available = this.narrow ? "available" : "available, kW (dashed)";
    this.parts.push(
      s("text", { x: 0, y: this.y + 16, style: { fill: "var(--c-p)" } }, "P, kW"),
      s("text", { x: 0, y: this.y + 34, style: { fill: "var(--c-q)" } }, "Q, kvar"),
      s("text", { x: 0, y: this.y + 52, class: "soft" }, available),
    );
  }

  // At most 1500 points of a series.
  points(times, values, y) {
    const stride = Math.max(1, Math.floor(times.length / 1500));
    const out = [];
    for (let i = 0; i < times.length; i += stride) {
      if (times[i] < this.start || values[i] === null) continue;
      out.push(`${this.x(times[i]).toFixed(1)},${y(values[i]).toFixed(1)}`);
    }
    return out;
  }

  times() {
    const { start, end, y } = this;
    const most = Math.max(2, (this.edge - this.left) / 85);
    const step = STEPS.find((t) => (end - start) / t <= most) || STEPS[STEPS.length - 1];
    const zone = new Date(this.now).getTimezoneOffset() * 60000;
    for (let t = Math.ceil((start - zone) / step) * step + zone; t <= end; t += step) {
      const x = this.x(t);
      this.parts.push(
        s("line", { class: "axis", x1: x, x2: x, y1: y, y2: y + 4 }),
        s("text", { class: "soft", x, y: y + 17, "text-anchor": "middle" }, clock(t)),
      );
    }
    const x = this.x(this.now);
    const look = { stroke: "var(--bad)", "stroke-width": 1.5 };
    this.parts.push(s("line", { x1: x, x2: x, y1: 0, y2: y, ...look }));
  }

  svg() {
    const height = this.y + 24;
    const size = { width: this.width, height, viewBox: `0 0 ${this.width} ${height}` };
    return s("svg", { ...size, role: "group", "aria-label": "Timeline" }, this.parts);
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
