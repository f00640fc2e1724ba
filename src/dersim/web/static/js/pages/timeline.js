// Controls timeline: what the utility told, what the inverter was asked, and the power, on one axis of time.
import { card, h, pairs, s, show } from "../dom.js";
import { get } from "../api.js";
import { clock, modes, num, utc, value } from "../format.js";
import { niceStep } from "../plot.js";
import { poll } from "../shell.js";

const FILL = {
  scheduled: ["none", "var(--accent)", "5 3"],
  active: ["var(--accent)", "var(--accent)", null],
  completed: ["var(--muted)", "var(--muted)", null],
  cancelled: ["none", "var(--bad)", "2 3"],
  superseded: ["none", "var(--warn)", "2 3"],
};
const STEPS = [5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600].map((t) => t * 1000);
const ROW = 26,
  POWER = 120;

export function mount(root) {
  let back = 300,
    chosen = null,
    data = null,
    past = null,
    tick = 0;
  const picture = h("div", { class: "gantt" }),
    detail = h("div", {}, h("p", { class: "empty" }, "Choose a bar to see why it stands as it does.")),
    trouble = h("p", { class: "trouble", hidden: true });
  const windows = h(
    "select",
    {
      "aria-label": "Window",
      onchange: () => {
        back = Number(windows.value);
        past = null;
        load().catch(() => {});
      },
    },
    [
      [120, "2 min back"],
      [300, "5 min back"],
      [900, "15 min back"],
      [3600, "1 h back"],
    ].map(([v, t]) => h("option", { value: v, selected: v === back }, t)),
  );
  const list = h("div", {});
  const settings = h("input", { type: "checkbox", id: "settings", onchange: () => draw() });
  show(
    root,
    card(
      null,
      h(
        "div",
        { class: "row spread" },
        h("h2", {}, "Controls: told against done"),
        h("div", { class: "row" }, h("label", { for: "settings" }, settings, "settings too"), windows),
      ),
      trouble,
      picture,
      h(
        "p",
        { class: "note" },
        "Upper part: each control the utility sent (dashed: scheduled, full: active, grey: done, dotted: cancelled or superseded). Middle: what was asked of the inverter, by whom. Below: the power. The red line is now.",
      ),
    ),
    card("Why", detail),
    card("As a list", list),
  );

  const state = (c) =>
    c.phase in FILL
      ? c.phase
      : /cancel/.test(c.phase)
        ? "cancelled"
        : /supersed/.test(c.phase)
          ? "superseded"
          : /schedul|pend|wait/.test(c.phase)
            ? "scheduled"
            : "completed";
  function pick(key, entries) {
    chosen = key;
    show(detail, pairs(entries));
    draw();
  }

  async function load() {
    data = await get("/api/dersim/timeline", { seconds: back });
    if (!past || tick++ % 2 === 0) past = await get("/api/dersim/history", { seconds: back + 5 });
    draw();
  }
  function draw() {
    if (!data) return;
    const now = Date.parse(data.now);
    const begun = Math.min(
      ...(past?.time.length ? [Date.parse(past.time[0]) - 5000] : [now]),
      ...data.controls.map((c) => Date.parse(c.effective_start) - 5000),
    );
    const start = Math.max(now - back * 1000, Math.min(begun, now - 60000));
    const ends = data.controls.map((c) => Date.parse(c.effective_end)).filter((t) => t > now);
    const end =
      now + Math.min(back * 1000, Math.max((now - start) / 4, ...ends.map((t) => t - now + back * 20)));
    const narrow = picture.clientWidth < 560,
      LEFT = narrow ? 112 : 190;
    const width = Math.max(picture.clientWidth || 800, 340),
      right = narrow ? 16 : 60,
      wide = width - LEFT - right;
    const x = (t) => LEFT + ((Math.max(start, Math.min(end, t)) - start) / (end - start)) * wide;
    const controls = data.controls
      .slice()
      .sort((a, b) => Date.parse(a.effective_start) - Date.parse(b.effective_start));
    const lanes = new Map();
    for (const a of data.applied) {
      if (a.mode.startsWith("set") && !settings.checked) continue;
      const key = `${a.mode} · ${a.source}`;
      if (!lanes.has(key)) lanes.set(key, []);
      lanes.get(key).push(a);
    }
    const parts = [];
    let y = 8;
    const title = (text, soft) =>
      parts.push(
        s(
          "text",
          { x: 0, y: y + 17, class: soft ? "soft" : null },
          text.length > (narrow ? 16 : 27) ? `${text.slice(0, narrow ? 15 : 26)}…` : text,
          s("title", {}, text),
        ),
      );
    const rule = () => parts.push(s("line", { class: "axis", x1: 0, x2: width, y1: y, y2: y }));
    const bar = (key, from, to, [fill, stroke, dash], text, words, onpick, next = width) => {
      const left = x(from),
        w = Math.max(3, x(to) - left);
      const b = s(
        "rect",
        {
          class: "bar",
          x: left,
          y: y + 4,
          width: w,
          height: ROW - 8,
          rx: 3,
          fill,
          stroke: chosen === key ? "var(--text)" : stroke,
          "stroke-width": chosen === key ? 2.5 : 1.5,
          "stroke-dasharray": dash,
          tabindex: 0,
          role: "button",
          "aria-label": words,
          onclick: onpick,
          onkeydown: (e) => {
            if (e.key === "Enter") onpick();
          },
        },
        s("title", {}, words),
      );
      parts.push(b);
      const room = text.length * 7 + 12,
        inside = w > room,
        dark = ["none", "var(--soft)"].includes(fill) || !inside;
      if (inside || left + w + room < next)
        parts.push(
          s(
            "text",
            {
              x: inside ? left + 6 : left + w + 5,
              y: y + 17,
              style: { fill: dark ? "var(--text)" : "var(--card)", "pointer-events": "none" },
            },
            text,
          ),
        );
    };
    for (const c of controls) {
      rule();
      title(modes(c.modes) || c.mRID);
      const kind = state(c),
        words = `${modes(c.modes)}, ${c.status_text}, ${clock(c.effective_start)} to ${clock(c.effective_end)}`;
      bar(
        c.mRID,
        Date.parse(c.effective_start),
        Date.parse(c.effective_end),
        FILL[kind],
        `${c.mRID.slice(0, 4)} ${c.phase}`,
        words,
        () =>
          pick(c.mRID, [
            ["Control", modes(c.modes)],
            ["mRID", h("span", { class: "mono" }, c.mRID)],
            ["Phase", `${c.phase} (status ${c.status} ${c.status_text})`],
            ["Why", c.why],
            ["Program", `${c.program}, primacy ${c.primacy}`],
            ["Interval begins", utc(c.start)],
            ["Effective", `${utc(c.effective_start)} to ${utc(c.effective_end)}`],
          ]),
      );
      y += ROW;
    }
    if (!controls.length) {
      title("No control in this window", true);
      y += ROW;
    }
    rule();
    y += 4;
    rule();
    for (const [lane, entries] of lanes) {
      rule();
      title(lane);
      entries.forEach((a, i) => {
        const key = `${lane}${a.start}`;
        bar(
          key,
          Date.parse(a.start),
          a.end ? Date.parse(a.end) : now,
          a.source === "csip"
            ? FILL.active
            : a.source === "csip-default"
              ? ["var(--soft)", "var(--muted)", null]
              : ["var(--c-i)", "var(--c-i)", null],
          typeof a.value === "object" && a.value && a.value.curve ? "curve" : value(a.mode, a.value),
          `${lane}: ${value(a.mode, a.value)} from ${clock(a.start)}${a.end ? ` to ${clock(a.end)}` : ""}`,
          () =>
            pick(key, [
              ["Setpoint", `${a.mode} ${value(a.mode, a.value)}`],
              ["Source", a.source],
              ["Detail", a.detail],
              ["From", utc(a.start)],
              ["To", a.end ? utc(a.end) : "still asked for"],
            ]),
          entries[i + 1] ? x(Date.parse(entries[i + 1].start)) : width,
        );
      });
      y += ROW;
    }
    rule();
    y += 10;
    power(parts, x, y, width - right, start, LEFT, narrow);
    y += POWER;
    const step = STEPS.find((t) => (end - start) / t <= Math.max(2, wide / 85)) || STEPS[STEPS.length - 1];
    const zone = new Date(now).getTimezoneOffset() * 60000;
    for (let t = Math.ceil((start - zone) / step) * step + zone; t <= end; t += step)
      parts.push(
        s("line", { class: "axis", x1: x(t), x2: x(t), y1: y, y2: y + 4 }),
        s("text", { class: "soft", x: x(t), y: y + 17, "text-anchor": "middle" }, clock(t)),
      );
    parts.push(
      s("line", { x1: x(now), x2: x(now), y1: 0, y2: y, stroke: "var(--bad)", "stroke-width": 1.5 }),
    );
    const focus = document.activeElement?.closest?.("svg")
      ? [...picture.querySelectorAll(".bar")].indexOf(document.activeElement)
      : -1;
    const scrolled = picture.scrollLeft;
    show(
      picture,
      s(
        "svg",
        { width, height: y + 24, viewBox: `0 0 ${width} ${y + 24}`, role: "group", "aria-label": "Timeline" },
        parts,
      ),
    );
    picture.scrollLeft = scrolled;
    if (focus >= 0) picture.querySelectorAll(".bar")[focus]?.focus();
    show(
      list,
      h(
        "div",
        { class: "scroll" },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["Control", "Phase", "From", "To", "Why"].map((t) => h("th", { scope: "col" }, t)),
            ),
          ),
          h(
            "tbody",
            {},
            controls.map((c) =>
              h(
                "tr",
                { "data-mrid": c.mRID },
                h("td", {}, modes(c.modes)),
                h("td", {}, c.phase),
                h("td", { class: "t" }, clock(c.effective_start)),
                h("td", { class: "t" }, clock(c.effective_end)),
                h("td", {}, c.why),
              ),
            ),
          ),
        ),
      ),
    );
  }
  function power(parts, x, y, edge, start, LEFT, narrow) {
    const times = (past?.time || []).map((t) => Date.parse(t));
    const series = [
      ["power_kw", "var(--c-p)", null],
      ["available_power_kw", "var(--muted)", "4 3"],
      ["reactive_power_kvar", "var(--c-q)", null],
    ];
    const values = series.flatMap(([key]) => past?.[key] || []).filter((v) => v !== null);
    const low = Math.min(0, ...[values.reduce((a, b) => Math.min(a, b), 0)]),
      high =
        Math.max(
          values.reduce((a, b) => Math.max(a, b), 0),
          low + 1,
        ) * 1.05;
    const py = (v) => y + POWER - 6 - ((v - low) / (high - low)) * (POWER - 14);
    const step = niceStep(high - low, 4);
    for (let v = Math.ceil(low / step) * step; v <= high; v += step)
      parts.push(
        s("line", { class: "axis", x1: LEFT, x2: edge, y1: py(v), y2: py(v) }),
        s(
          "text",
          { class: "soft", x: LEFT - 6, y: py(v) + 4, "text-anchor": "end" },
          num(v, Number.isInteger(step) ? 0 : step < 0.2 ? 2 : 1),
        ),
      );
    parts.push(
      s("text", { x: 0, y: y + 16, style: { fill: "var(--c-p)" } }, "P, kW"),
      s("text", { x: 0, y: y + 34, style: { fill: "var(--c-q)" } }, "Q, kvar"),
      s("text", { x: 0, y: y + 52, class: "soft" }, narrow ? "available" : "available, kW (dashed)"),
    );
    const stride = Math.max(1, Math.floor(times.length / 1500));
    for (const [key, stroke, dash] of series) {
      const points = [];
      for (let i = 0; i < times.length; i += stride)
        if (times[i] >= start && past[key][i] !== null)
          points.push(`${x(times[i]).toFixed(1)},${py(past[key][i]).toFixed(1)}`);
      if (points.length)
        parts.push(
          s("polyline", {
            points: points.join(" "),
            fill: "none",
            stroke,
            "stroke-width": 1.7,
            "stroke-dasharray": dash,
          }),
        );
    }
  }
  const stop = poll(1, load, trouble);
  return { unmount: stop };
}
